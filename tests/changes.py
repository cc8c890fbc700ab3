"""A JSON document with one value replaced: how every place in it can be tried."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Place: TypeAlias = tuple[str | int, ...]

ABSENT = object()
"""In place of a value: the key is taken out."""


def places(node: Any, above: Place = ()) -> Iterator[Place]:
    """Yield where each value below *node* is: ``("auth",)``, ``("auth", "groups", 0)`` …"""
    entries: Any = node.items() if isinstance(node, dict) else ()
    if isinstance(node, list):
        entries = enumerate(node)
    for key, value in entries:
        yield (*above, key)
        yield from places(value, (*above, key))


def changed(document: Any, place: Place, value: object) -> Any:
    """Return a copy of *document* with *value* at *place*."""
    result = copy.deepcopy(document)
    node = result
    for key in place[:-1]:
        node = node[key]
    if value is ABSENT:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return result
