"""Replace one value in a JSON document, in order to test each key."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Place: TypeAlias = tuple[str | int, ...]

ABSENT = object()
"""As a value: remove the key."""


def places(node: object, above: Place = ()) -> Iterator[Place]:
    """Yield the path of each value below *node*: ``("auth",)``, ``("auth", "groups", 0)`` …"""
    entries: Any = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        entries = enumerate(node)
    for key, value in entries:
        yield (*above, key)
        yield from places(value, (*above, key))


def changed(document: Any, place: Place, value: object) -> Any:
    """Return *document* with *value* at *place*; what is beside the place is shared, not copied."""
    if not place:
        return value
    key, *rest = place
    result = copy.copy(document)
    if value is ABSENT and not rest:
        del result[key]
    else:
        result[key] = changed(document[key], tuple(rest), value) if rest else value
    return result
