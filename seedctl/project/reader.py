"""Read JSON objects with errors that say which file, which key, and what was expected there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from seedctl.errors import InvalidAmplifyOutputsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_Choice = TypeVar("_Choice", bound=str)

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


class Reader:
    """One object of a JSON document. A key that is null counts as absent."""

    def __init__(self, value: Any, path: Path, key_path: str = "") -> None:
        self._path = path
        self._key_path = key_path
        if not isinstance(value, dict):
            self._refuse(key_path or "the whole file", "an object", value)
        self._value: dict[str, Any] = value

    def keys(self) -> Iterable[str]:
        return self._value.keys()

    def raw(self, key: str) -> Any:
        """Return what is at *key*, unchecked; None when it is absent."""
        return self._value.get(key)

    def fail(self, key: str, expected: str, value: Any) -> NoReturn:
        """Raise InvalidAmplifyOutputsError for the *value* at *key*."""
        self._refuse(self._at(key), expected, value)

    def text(self, key: str) -> str:
        value = self.optional_text(key)
        if value is None:
            self._missing(key, "text")
        return value

    def optional_text(self, key: str) -> str | None:
        value = self._value.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            self.fail(key, "text that is not empty", value)
        return value

    def integer(self, key: str, *, minimum: int, maximum: int) -> int:
        value = self.optional_integer(key)
        if value is None:
            self._missing(key, "a whole number")
        if not minimum <= value <= maximum:
            self.fail(key, f"a whole number from {minimum} to {maximum}", value)
        return value

    def optional_integer(self, key: str) -> int | None:
        value = self._value.get(key)
        if value is None:
            return None
        # JSON's true is an int to Python.
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key, "a whole number", value)
        return value

    def flag(self, key: str) -> bool:
        value = self.optional_flag(key)
        if value is None:
            self._missing(key, "true or false")
        return value

    def optional_flag(self, key: str) -> bool | None:
        value = self._value.get(key)
        if value is not None and not isinstance(value, bool):
            self.fail(key, "true or false", value)
        return value

    def optional_choice(self, key: str, choices: tuple[_Choice, ...]) -> _Choice | None:
        value = self._value.get(key)
        if value is None:
            return None
        for choice in choices:
            if value == choice:
                return choice
        self.fail(key, "one of " + ", ".join(choices), value)

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        value = self._value.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fail(key, "a list of texts", value)
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.fail(f"{key}[{index}]", "text", item)
        return tuple(value)

    def optional_choices(
        self, key: str, choices: tuple[_Choice, ...]
    ) -> tuple[_Choice, ...] | None:
        """Return the listed values that are among *choices*; later versions may list others."""
        texts = self.optional_texts(key)
        if texts is None:
            return None
        return tuple(choice for text in texts for choice in choices if text == choice)

    def child(self, key: str) -> Reader | None:
        value = self._value.get(key)
        return None if value is None else Reader(value, self._path, self._at(key))

    def optional_objects(self, key: str) -> list[Reader] | None:
        value = self._value.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fail(key, "a list of objects", value)
        return [
            Reader(item, self._path, self._at(f"{key}[{index}]"))
            for index, item in enumerate(value)
        ]

    def _at(self, key: str) -> str:
        return f"{self._key_path}.{key}" if self._key_path else key

    def _missing(self, key: str, expected: str) -> NoReturn:
        raise InvalidAmplifyOutputsError(
            f"{self._path}: {self._at(key)} is missing; expected {expected}.",
            resolution="Make the file anew with npx ampx sandbox or npx ampx generate outputs.",
        )

    def _refuse(self, where: str, expected: str, value: Any) -> NoReturn:
        shown = _KINDS.get(type(value)) or repr(value)
        if isinstance(value, str):
            shown = repr(value if len(value) <= 40 else value[:40] + "…")
        raise InvalidAmplifyOutputsError(
            f"{self._path}: {where} is {shown}; expected {expected}.",
            resolution="Make the file anew with npx ampx sandbox or npx ampx generate outputs.",
        )
