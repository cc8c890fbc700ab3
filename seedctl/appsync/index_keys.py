"""Composite sort keys of secondary indexes, of which AppSync takes all parts or none.

An update that gives some of them is completed from the stored record, so that a seed can change one
part, and can be run again.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl.appsync.scalars import plain
from seedctl.errors import ConditionalCheckFailedError, InvalidInputError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.appsync.records import Record
    from seedctl.outputs.models import Index, Model

_UPDATED = "updatedAt"
_FILLED = ("createdAt", _UPDATED)


def is_partial(model: Model, variables: Mapping[str, Any]) -> bool:
    """Whether AppSync may refuse a create of *variables* for a composite key that lacks a part.

    It may also pass: defaults and timestamps are filled in, of which the outputs file does not tell.
    """
    return any(
        any(part in variables or part in _FILLED for part in parts)
        and not all(part in variables for part in parts)
        for _, parts in _composites(model)
    )


def completed(
    model: Model, variables: Mapping[str, Any], read: Callable[[], Record | None]
) -> dict[str, Any]:
    """Return *variables* of an update with all parts of each composite key that it touches.

    *read* returns the stored record, and is called only if parts are missing. Raises
    ConditionalCheckFailedError where there is none, InvalidInputError where it lacks a part.
    """
    whole = dict(variables)
    stored: Mapping[str, Any] | None = None
    for index, parts in _composites(model):
        if not any(part in variables or part == _UPDATED for part in parts):
            continue
        for part in parts:
            if part in whole:
                continue
            if part == _UPDATED:  # as the API sets it anyway
                whole[part] = plain(datetime.now(timezone.utc))
                continue
            if stored is None:
                stored = _read(model, index, part, read)
            # Of an owner only the user name is read, which is not all that is stored.
            if stored.get(part) is None or part in model.owner_fields:
                raise _lacks(index, part, model, "the stored record does not tell it")
            whole[part] = stored[part]
    return whole


def _composites(model: Model) -> Iterator[tuple[Index, tuple[str, ...]]]:
    """Yield the indexes whose sort key has several parts, with these."""
    for index in model.secondary_indexes:
        if len(index.fields) > 2:
            yield index, index.fields[1:]


def _read(
    model: Model, index: Index, part: str, read: Callable[[], Record | None]
) -> Mapping[str, Any]:
    try:
        stored = read()
    except SeedctlError as error:
        raise _lacks(index, part, model, "the stored record cannot be read") from error
    if stored is None:
        raise ConditionalCheckFailedError(
            f"There is no {model.name} record with this key to update.",
            resolution="Check the key, or use upsert, which creates it.",
        )
    return stored


def _lacks(index: Index, part: str, model: Model, why: str) -> InvalidInputError:
    parts = ", ".join(index.fields[1:])
    return InvalidInputError(
        f"{model.name}.{part} is missing: the index {index.name} is sorted by {parts}, which an "
        f"update must give together, and {why}.",
        resolution=f"Give {part} as well.",
    )
