"""Read JSON objects. Errors name the file, the key and what was expected there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from seedctl.errors import InvalidAmplifyOutputsError

_Choice = TypeVar("_Choice", bound=str)
_Value = TypeVar("_Value")

REGENERATE = "Regenerate the file with seedctl outputs or npx ampx sandbox."
"""The resolution for an outputs file that is not what Amplify writes."""

_LOCAL_FILE = "local_outputs.json"

_GRAPHQL_NAME = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")

_NAME = "a GraphQL name: letters, digits and _, with no digit first"
_KINDS = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}


def how_to_regenerate(path: Path) -> str:
    """Return the resolution for the outputs file at *path*, which is not what its tool writes."""
    if path.name == _LOCAL_FILE:
        return "Write the file again with seedctl local init --force."
    return REGENERATE


def is_graphql_name(text: str) -> bool:
    """Whether GraphQL allows *text* as the name of a type, field, argument or enum value."""
    return _GRAPHQL_NAME.fullmatch(text) is not None


class Reader:
    """One object of a JSON document. A key whose value is null counts as absent.

    Methods raise InvalidAmplifyOutputsError for a value of the wrong type, and those without
    "optional" in their names also for an absent key.
    """

    def __init__(self, value: object, path: Path, key_path: str = "") -> None:
        self._path = path
        self._key_path = key_path
        if not isinstance(value, dict):
            self._refuse(key_path or "the whole file", "an object", value)
        self._value: dict[str, Any] = value

    def keys(self) -> Iterable[str]:
        return self._value.keys()

    def raw(self, key: str) -> Any:
        """Return the unchecked value at *key*; None if it is absent."""
        return self._value.get(key)

    def fail(self, key: str, expected: str, value: object) -> NoReturn:
        """Raise InvalidAmplifyOutputsError for the *value* at *key*."""
        self._refuse(self._at(key), expected, value)

    def text(self, key: str) -> str:
        return self._present(key, self.optional_text(key), "text")

    def optional_text(self, key: str) -> str | None:
        value = self._optional(key, str, "text that is not empty")
        if value == "":
            self.fail(key, "text that is not empty", value)
        return value

    def matching(self, key: str, pattern: re.Pattern[str], expected: str) -> str:
        """Return the text at *key*, which must match *pattern*; *expected* describes it in errors."""
        return self._present(key, self.optional_matching(key, pattern, expected), "text")

    def optional_matching(self, key: str, pattern: re.Pattern[str], expected: str) -> str | None:
        value = self.optional_text(key)
        if value is not None and not pattern.fullmatch(value):
            self.fail(key, expected, value)
        return value

    def name(self, key: str) -> str:
        """Return the GraphQL name at *key*."""
        return self.matching(key, _GRAPHQL_NAME, _NAME)

    def optional_name(self, key: str) -> str | None:
        return self.optional_matching(key, _GRAPHQL_NAME, _NAME)

    def check_name(self, key: str) -> str:
        """Return *key* itself, which must be a GraphQL name."""
        if not is_graphql_name(key):
            self.fail("a key", _NAME, key)
        return key

    def optional_integer_between(self, key: str, minimum: int, maximum: int) -> int | None:
        value = self.optional_integer(key)
        if value is not None and not minimum <= value <= maximum:
            self.fail(key, f"a whole number from {minimum} to {maximum}", value)
        return value

    def optional_integer(self, key: str) -> int | None:
        return self._optional(key, int, "a whole number")

    def flag(self, key: str) -> bool:
        return self._present(key, self.optional_flag(key), "true or false")

    def optional_flag(self, key: str) -> bool | None:
        return self._optional(key, bool, "true or false")

    def optional_choice(
        self, key: str, choices: tuple[_Choice, ...], aliases: Mapping[str, _Choice] | None = None
    ) -> _Choice | None:
        """Return the value at *key*, one of *choices*; *aliases* maps other spellings to them."""
        value = self._value.get(key)
        if value is None:
            return None
        known: dict[str, _Choice] = {choice: choice for choice in choices}
        known.update(aliases or {})
        if not isinstance(value, str) or value not in known:
            self.fail(key, "one of " + ", ".join(choices), value)
        return known[value]

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        value = self._optional(key, list, "a list of texts")
        for index, item in enumerate(value or ()):
            if not isinstance(item, str):
                self.fail(f"{key}[{index}]", "text", item)
        return None if value is None else tuple(value)

    def optional_choices(
        self, key: str, choices: tuple[_Choice, ...]
    ) -> tuple[_Choice, ...] | None:
        """Return the values in the list that are among *choices*; later versions may add others.

        A list with only unknown values counts as absent.
        """
        texts = self.optional_texts(key)
        if texts is None:
            return None
        known = tuple(choice for text in texts for choice in choices if text == choice)
        return known if known or not texts else None

    def child(self, key: str) -> Reader | None:
        value = self._value.get(key)
        return None if value is None else Reader(value, self._path, self._at(key))

    def children(self) -> Iterator[tuple[str, Reader]]:
        """Yield each key with its object, without the keys whose value is null."""
        for key in self._value:
            child = self.child(key)
            if child is not None:
                yield key, child

    def optional_objects(self, key: str) -> list[Reader] | None:
        value = self._optional(key, list, "a list of objects")
        if value is None:
            return None
        return [
            Reader(item, self._path, self._at(f"{key}[{index}]"))
            for index, item in enumerate(value)
        ]

    def _at(self, key: str) -> str:
        return f"{self._key_path}.{key}" if self._key_path else key

    def _optional(self, key: str, kind: type[_Value], expected: str) -> _Value | None:
        value = self._value.get(key)
        # bool is a subclass of int.
        is_of_kind = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        if value is not None and not is_of_kind:
            self.fail(key, expected, value)
        return value

    def _present(self, key: str, value: _Value | None, expected: str) -> _Value:
        if value is None:
            raise InvalidAmplifyOutputsError(
                f"{self._path}: {self._at(key)} is missing; expected {expected}.",
                resolution=how_to_regenerate(self._path),
            )
        return value

    def _refuse(self, where: str, expected: str, value: object) -> NoReturn:
        shown = _KINDS.get(type(value)) or repr(value)
        if isinstance(value, str):
            shown = repr(value if len(value) <= 40 else value[:40] + "…")
        raise InvalidAmplifyOutputsError(
            f"{self._path}: {where} is {shown}; expected {expected}.",
            resolution=how_to_regenerate(self._path),
        )
