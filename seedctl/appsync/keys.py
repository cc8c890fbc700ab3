"""The keys of records: ids for the rows of a bulk call, and composite sort keys of indexes.

A row without an id gets one before it is sent. Of a composite sort key AppSync accepts all parts, or
none: an update that gives some of them is completed from the stored record, so that a seed script can
change one part, and can be run again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple, TypeAlias

from seedctl.appsync.input_builder import require_key
from seedctl.appsync.records import Record
from seedctl.appsync.values import to_json
from seedctl.errors import ConditionalCheckFailedError, InvalidInputError, SeedctlError
from seedctl.nearest import advice
from seedctl.outputs.models import Index, Model

KeyOf: TypeAlias = str | list[str] | tuple[str, ...] | Callable[[Mapping[str, Any]], Any]
"""What a row's id is derived from: a field, several fields, or a function of the row."""

_UPDATED_AT = "updatedAt"
_TIMESTAMPS = ("createdAt", _UPDATED_AT)

# Never change it: all derived ids would change, and a second run would not find its records.
NAMESPACE = uuid.UUID("3b1f8a52-94c7-5e0d-8f26-6c1d7e90a4b3")
_CANONICAL = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


class RowKey(NamedTuple):
    """The primary key of a row's record."""

    values: dict[str, Any]
    is_random: bool
    """Whether the id was generated, so that no other record can have it."""


class RowKeys:
    """Finds or generates the keys of rows of one model."""

    def __init__(self, model: Model, key: KeyOf | None) -> None:
        """*key* says what ids are derived from. Raises InvalidInputError if it cannot be used."""
        self._model = model
        self._has_id = "id" in model.primary_key
        self._function = key if callable(key) else None
        self._names = () if key is None or callable(key) else _field_names(model, key)
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


def _field_names(model: Model, key: Any) -> tuple[str, ...]:
    """Return the fields that *key* names. Raises InvalidInputError if it names something else."""
    names = (key,) if isinstance(key, str) else key
    # The names need a fixed order, since ids depend on it. A set has another order in each run.
    is_ordered = isinstance(names, list | tuple)
    if not is_ordered or not all(isinstance(name, str) for name in names):
        raise InvalidInputError(
            f"key= cannot be a {type(key).__name__}"
            f"{' with elements that are not text' if is_ordered else ''}.",
            resolution="Give the name of a field, a list of names, or a function of the row.",
        )
    fields = model.fields
    wrong = [name for name in names if name not in fields or fields[name].type.kind == "model"]
    if wrong or not names:
        raise InvalidInputError(
            f"key= names no field of {model.name} to derive ids from"
            f"{': ' if wrong else '.'}{', '.join(wrong)}",
            resolution=advice(wrong[0] if wrong else "", fields),
        )
    return tuple(names)


def derive_id(model: str, parts: Sequence[Any]) -> str:
    """Return the id for a record of *model*: UUIDv5 over the JSON list of *model* and *parts*.

    The JSON is ASCII, without spaces, and the names of objects are sorted.
    """
    return str(uuid.uuid5(NAMESPACE, _CANONICAL.encode([model, *parts])))


def may_lack_key_part(model: Model, variables: Mapping[str, Any]) -> bool:
    """Whether AppSync may refuse to create *variables*, since part of a composite key is missing.

    Defaults and timestamps may still complete the key; the outputs file does not list defaults.
    """
    return any(
        any(part in variables or part in _TIMESTAMPS for part in parts)
        and not all(part in variables for part in parts)
        for _, parts in _composite_sort_keys(model)
    )


def complete_index_keys(
    model: Model, variables: Mapping[str, Any], read: Callable[[], Record | None]
) -> dict[str, Any]:
    """Return the *variables* of an update with all parts of each composite key that it changes.

    *read* returns the stored record; it is called only if parts are missing. Raises
    ConditionalCheckFailedError when there is no record, InvalidInputError when it lacks a part.
    """
    completed = dict(variables)
    stored: Mapping[str, Any] | None = None
    for index, parts in _composite_sort_keys(model):
        if not any(part in variables or part == _UPDATED_AT for part in parts):
            continue
        for part in parts:
            if part in completed:
                continue
            if part == _UPDATED_AT:  # the API sets it to the present time anyway
                completed[part] = to_json(datetime.now(timezone.utc))
                continue
            if stored is None:
                stored = _read(model, index, part, read)
            # An owner field reads as the user name alone, but more than that is stored.
            if stored.get(part) is None or part in model.owner_fields:
                raise _missing_part(index, part, model, "the stored record does not show its value")
            completed[part] = stored[part]
    return completed


def _composite_sort_keys(model: Model) -> Iterator[tuple[Index, tuple[str, ...]]]:
    """Yield each index whose sort key has several parts, with these parts."""
    for index in model.secondary_indexes:
        if len(index.fields) > 2:
            yield index, index.fields[1:]


def _read(
    model: Model, index: Index, part: str, read: Callable[[], Record | None]
) -> Mapping[str, Any]:
    try:
        stored = read()
    except SeedctlError as error:
        raise _missing_part(index, part, model, "the stored record cannot be read") from error
    if stored is None:
        raise ConditionalCheckFailedError(
            f"There is no {model.name} record with this key to update.",
            resolution="Check the key, or use upsert, which creates it.",
        )
    return stored


def _missing_part(index: Index, part: str, model: Model, why: str) -> InvalidInputError:
    parts = ", ".join(index.fields[1:])
    return InvalidInputError(
        f"{model.name}.{part} is missing: the index {index.name} is sorted by {parts}, which an "
        f"update must give together, and {why}.",
        resolution=f"Give {part} as well.",
    )
