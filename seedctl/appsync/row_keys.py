"""Which record a row stands for: its key, made before anything is sent where it has none."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.appsync.scalars import plain
from seedctl.errors import InvalidInputError
from seedctl.nearest import advice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from seedctl.outputs.models import Model

    KeyOf: TypeAlias = str | list[str] | tuple[str, ...] | Callable[[Mapping[str, Any]], Any]
    """What makes a row itself: a field, several, or a function of the row."""

# Never to be changed: an id would change with it, and a seed would not meet its own records again.
NAMESPACE = uuid.UUID("3b1f8a52-94c7-5e0d-8f26-6c1d7e90a4b3")
_CANONICAL = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


@dataclass(frozen=True, slots=True)
class RowKey:
    """The primary key of the record that a row stands for."""

    values: dict[str, Any]
    is_random: bool
    """No other record can have it."""

    @property
    def text(self) -> tuple[str, ...]:
        """The same for the same record: AppSync keeps an ID as text, so that 5 and "5" are one."""
        return tuple(map(str, self.values.values()))


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
            self._names = _names(key)
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
        return RowKey(values, is_random)

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
                f"{': ' if wrong else '.'}{', '.join(wrong)}",
                resolution=advice(wrong[0] if wrong else "", fields),
            )


def _names(key: Any) -> tuple[str, ...]:
    names = (key,) if isinstance(key, str) else key
    # In order: of a set it is another one in the next run, and with it the ids.
    is_ordered = isinstance(names, list | tuple)
    if not is_ordered or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(
            f"key= is a {type(key).__name__}{' of other things than text' if is_ordered else ''}, "
            "which ids cannot be derived by.",
            resolution="Give the name of a field, a list of names, or a function of the row.",
        )
    return tuple(names)


def derived_id(model: str, parts: Sequence[Any]) -> str:
    """Return the id for *parts* of a record of *model*: UUIDv5 over a JSON list of all of them.

    The list is written without blanks, objects by the order of their names, in ASCII.
    """
    return str(uuid.uuid5(NAMESPACE, _CANONICAL.encode([model, *parts])))
