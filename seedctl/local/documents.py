"""Objects that the state keeps as JSON, which another version may have written."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from seedctl.errors import LocalSandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping

_Kind = TypeVar("_Kind")


def from_document(kind: type[_Kind], document: Mapping[str, Any]) -> _Kind:
    """Return the *kind*, a dataclass, that was stored as *document*.

    Raises LocalSandboxError for a document of another version, with other fields: what it means
    by them is not known here.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    unknown = document.keys() - known
    missing = {
        name
        for name, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING
    } - document.keys()
    if unknown or missing:
        names = ", ".join(sorted(unknown | missing))
        raise LocalSandboxError(
            f"Another version of seedctl wrote the local state: the fields of a stored "
            f"{kind.__name__} differ ({names}).",
            resolution="Update seedctl, or start afresh with seedctl local reset.",
        )
    return kind(**document)
