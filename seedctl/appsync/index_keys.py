"""Composite sort keys of secondary indexes: AppSync accepts all parts of one, or none.

An update that gives some of the parts is completed from the stored record, so that a seed script
can change one part, and can be run again.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl.appsync.values import to_json
from seedctl.errors import ConditionalCheckFailedError, InvalidInputError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.appsync.records import Record
    from seedctl.outputs.models import Index, Model

_UPDATED_AT = "updatedAt"
_TIMESTAMPS = ("createdAt", _UPDATED_AT)


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
