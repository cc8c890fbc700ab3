"""The primary key of each row of a bulk call. A row without an id gets one before it is sent."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.appsync.input_builder import require_key
from seedctl.appsync.values import to_json
from seedctl.errors import InvalidInputError
from seedctl.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from seedctl.outputs.models import Model

    KeyOf: TypeAlias = str | list[str] | tuple[str, ...] | Callable[[Mapping[str, Any]], Any]
    """What a row's id is derived from: a field, several fields, or a function of the row."""

# Never change it: all derived ids would change, and a second run would not find its records.
NAMESPACE = uuid.UUID("3b1f8a52-94c7-5e0d-8f26-6c1d7e90a4b3")
_CANONICAL = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class RowKey:
    """The primary key of a row's record."""

    values: dict[str, Any]
    is_random: bool
    """Whether the id was generated, so that no other record can have it."""

    @property
    def text(self) -> tuple[str, ...]:
        """The key as text. Equal for one record: AppSync stores an ID as text, 5 as "5"."""
        return tuple(map(str, self.values.values()))


class RowKeys:
    """Finds or generates the keys of rows of one model."""

    def __init__(self, model: Model, key: KeyOf | None) -> None:
        """*key* says what ids are derived from. Raises InvalidInputError if it cannot be used."""
        self._model = model
        self._has_id = "id" in model.primary_key
        self._names: tuple[str, ...] = ()
        self._function: Callable[[Mapping[str, Any]], Any] | None = None
        if callable(key):
            self._function = key
        elif key is not None:
            self._names = _names(key)
            self._check_names()
        if key is not None and not self._has_id:
            raise InvalidInputError(
                f"key= derives ids, but the primary key of {model.name} has no id: it is "
                f"{', '.join(model.primary_key)}.",
                resolution="Leave key= out; each row must have its whole key.",
            )

    def key_of(self, row: Mapping[str, Any], variables: Mapping[str, Any]) -> RowKey:
        """Return the key of *row*. *variables* are its fields as they will be sent."""
        values = {name: variables.get(name) for name in self._model.primary_key}
        is_random = False
        if self._has_id and values["id"] is None:
            is_random = self._function is None and not self._names
            values["id"] = str(uuid.uuid4()) if is_random else self._derive_id(row, variables)
        require_key(self._model, values)
        return RowKey(values, is_random)

    def _derive_id(self, row: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        if self._function is not None:
            found = to_json(self._function(row))
            parts = found if isinstance(found, list) else [found]
        else:
            parts = [variables.get(name) for name in self._names]
        if not parts or any(part is None for part in parts):
            raise InvalidInputError(
                f"No id can be derived for this {self._model.name}: "
                f"{', '.join(self._names) or 'the result of key='} is missing or null.",
                resolution="Give each row a value for key=, or an id.",
            )
        return derive_id(self._model.name, parts)

    def _check_names(self) -> None:
        fields = self._model.fields
        wrong = [
            name for name in self._names if name not in fields or fields[name].type.kind == "model"
        ]
        if wrong or not self._names:
            raise InvalidInputError(
                f"key= names no field of {self._model.name} to derive ids from"
                f"{': ' if wrong else '.'}{', '.join(wrong)}",
                resolution=advice(wrong[0] if wrong else "", fields),
            )


def _names(key: Any) -> tuple[str, ...]:
    names = (key,) if isinstance(key, str) else key
    # The names need a fixed order, since ids depend on it. A set has another order in each run.
    is_ordered = isinstance(names, list | tuple)
    if not is_ordered or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(
            f"key= cannot be a {type(key).__name__}"
            f"{' with elements that are not text' if is_ordered else ''}.",
            resolution="Give the name of a field, a list of names, or a function of the row.",
        )
    return tuple(names)


def derive_id(model: str, parts: Sequence[Any]) -> str:
    """Return the id for a record of *model*: UUIDv5 over the JSON list of *model* and *parts*.

    The JSON is ASCII, without spaces, and the names of objects are sorted.
    """
    return str(uuid.uuid5(NAMESPACE, _CANONICAL.encode([model, *parts])))
