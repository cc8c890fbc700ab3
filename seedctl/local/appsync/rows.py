"""The items of a model: kept sealed, found by key and through the partitions of its indexes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.keys import item_key, position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seedctl.local.appsync.introspection import Index, Introspection, Model
    from seedctl.local.store import Store, View

    Item = dict[str, Any]

_LAYOUT_KIND = "data layout"


class Rows:
    """The items of one model of one API, within one transaction."""

    def __init__(self, view: View, api: str, model: Model) -> None:
        self._view = view
        self._kind = f"row {api} {model.name}"
        self._model = model
        self._indexes = indexes(model)

    def get(self, key: Sequence[Any]) -> Item | None:
        """Return the item whose :func:`item_key` is *key*."""
        return self._view.get(self._kind, _text(key))

    def put(self, item: Item, previous: Item | None = None) -> None:
        """Store *item*; *previous* is what it takes the place of."""
        key = self._key(item)
        left = set() if previous is None else set(self._partitions(previous))
        entered = set(self._partitions(item))
        self._view.put(self._kind, key, item)
        for partition in left - entered:
            self._view.leave(self._kind, partition, key)
        for partition in entered - left:
            self._view.enter(self._kind, partition, key)

    def delete(self, item: Item) -> None:
        key = self._key(item)
        for partition in self._partitions(item):
            self._view.leave(self._kind, partition, key)
        self._view.delete(self._kind, key)

    def scan(self, after: bytes, size: int) -> Iterator[tuple[bytes, Item]]:
        """Yield items with their places, in the order of places: one that means nothing."""
        return self._view.scan_page(self._kind, after, size)

    def partition(self, index: Index, value: Any) -> Iterator[tuple[bytes, Item]]:
        """Yield the items of *index* whose partition key is *value*, in no order."""
        return self._view.scan_partition(self._kind, _text([index.name, value]))

    def enter_anew(self) -> None:
        """Make the entries of all items again, for indexes that were not there before."""
        self._view.clear_entries(self._kind)
        for item in self._view.scan(self._kind):
            for partition in self._partitions(item):
                self._view.enter(self._kind, partition, self._key(item))

    def _key(self, item: Item) -> str:
        return _text(item_key(self._model, item))

    def _partitions(self, item: Item) -> Iterator[str]:
        for index in self._indexes:
            found = position(index, item)
            if found is not None:
                yield _text([index.name, found[0]])


def indexes(model: Model) -> tuple[Index, ...]:
    """Return what *model* can be queried by, the primary key among it."""
    return (model.table, *model.indexes) if model.has_custom_key else model.indexes


def prepare(store: Store, api: str, introspection: Introspection) -> None:
    """Bring the entries in line with the indexes, which a later deployment may have changed."""
    for model in introspection.models.values():
        layout = {"indexes": [[index.name, *index.fields] for index in indexes(model)]}
        place = f"{api} {model.name}"
        if store.get(_LAYOUT_KIND, place) == layout:
            continue
        with store.transaction() as view:
            Rows(view, api, model).enter_anew()
            view.put(_LAYOUT_KIND, place, layout)


def _text(values: Iterable[Any]) -> str:
    # 1 and 1.0 are one number in DynamoDB.
    plain = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
