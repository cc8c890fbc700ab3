"""Which record a row stands for: its key, made before anything is sent where it has none."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.data.nearest import advice
from seedctl.data.scalars import plain
from seedctl.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from seedctl.data.introspection import Model

    KeyOf: TypeAlias = str | Sequence[str] | Callable[[Mapping[str, Any]], Any]
    """What makes a row itself: a field, several, or a function of the row."""

# Never to be changed: an id would change with it, and a seed would not meet its own records again.
NAMESPACE = uuid.UUID("3b1f8a52-94c7-5e0d-8f26-6c1d7e90a4b3")


@dataclass(frozen=True, slots=True)
class RowKey:
    """The primary key of the record that a row stands for."""

    values: dict[str, Any]
    is_random: bool
    """No other record can have it."""
    text: str
    """The same for the same record."""


class RowKeys:
    """Tells the keys of the rows of one model."""

    def __init__(self, model: Model, key: KeyOf | None) -> None:
        """*key* says what an id is derived from. Raises InvalidInputError for what cannot be."""
        self._model = model
        self._is_made = "id" in model.primary_key
        self._names: tuple[str, ...] = ()
        self._function: Callable[[Mapping[str, Any]], Any] | None = None
        if callable(key):
            self._function = key
        elif key is not None:
            self._names = (key,) if isinstance(key, str) else tuple(key)
            self._check_names()
        if key is not None and not self._is_made:
            raise InvalidInputError(
                f"key= makes ids, and {model.name} has none: it is found by "
                f"{', '.join(model.primary_key)}.",
                resolution="Leave it out; each row has its whole key.",
            )

    def of(self, row: Mapping[str, Any], variables: Mapping[str, Any]) -> RowKey:
        """Return the key of *row*, of which *variables* are the fields as they are sent."""
        values = {name: variables.get(name) for name in self._model.primary_key}
        is_random = False
        if self._is_made and values["id"] is None:
            is_random = self._function is None and not self._names
            values["id"] = str(uuid.uuid4()) if is_random else self._derived(row, variables)
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise InvalidInputError(
                f"{self._model.name} is found by {', '.join(self._model.primary_key)}; missing: "
                f"{', '.join(missing)}.",
                resolution="Give the whole key: only an id can be made here.",
            )
        return RowKey(values, is_random, self._text(values))

    def _derived(self, row: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
        if self._function is not None:
            found = plain(self._function(row))
            parts = found if isinstance(found, list) else [found]
        else:
            parts = [variables.get(name) for name in self._names]
        if not parts or any(part is None for part in parts):
            raise InvalidInputError(
                f"No id can be derived for this {self._model.name}: "
                f"{', '.join(self._names) or 'what key= answers'} is missing or null.",
                resolution="Give what key= asks for in each row, or an id.",
            )
        return derived_id(self._model.name, parts)

    def _check_names(self) -> None:
        fields = self._model.fields
        wrong = [
            name for name in self._names if name not in fields or fields[name].type.kind == "model"
        ]
        if wrong or not self._names:
            raise InvalidInputError(
                f"key= names no field of {self._model.name} to derive ids from"
                f"{': ' if wrong else '.'}{', '.join(map(str, wrong))}",
                resolution=advice(str(wrong[0]) if wrong else "", fields),
            )

    def _text(self, values: Mapping[str, Any]) -> str:
        # AppSync keeps an ID as text: 5 and "5" are one.
        types = {name: self._model.fields[name].type.name for name in values}
        return json.dumps(
            [str(value) if types[name] == "ID" else value for name, value in values.items()]
        )


def derived_id(model: str, parts: Sequence[Any]) -> str:
    """Return the id for *parts* of a record of *model*: UUIDv5 over a JSON list of all of them.

    The list is written without blanks, objects by the order of their names, in ASCII.
    """
    name = json.dumps([model, *parts], separators=(",", ":"), sort_keys=True)
    return str(uuid.uuid5(NAMESPACE, name))
