"""The items of a model in the state: read by key, in sorted order, and through index entries.

SQLite sorts strings by their UTF-8 bytes and numbers by value, as DynamoDB does. All numbers that
the API accepts are 64-bit integers or doubles, which SQLite compares exactly.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from seedctl.local.appsync.attribute_values import type_of
from seedctl.local.appsync.introspection import Index, Model
from seedctl.local.appsync.key_conditions import KeyCondition, KeyQuery
from seedctl.local.appsync.keys import attribute_types, item_key
from seedctl.local.store import Store, View, prefix_end, to_json

Item = dict[str, Any]
Entry = tuple[str, Any, Any]

_INTEGER_LIMIT = 2.0**63
_OPERATORS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class FoundItem(NamedTuple):
    """An item of a page, with its position: the next page begins after the last position."""

    item: Item
    size: int
    """The length of its JSON."""
    position: list[Any]


class Rows:
    """The items of one model of one API, in one transaction."""

    def __init__(self, view: View, model_id: int, model: Model) -> None:
        self._view = view
        self._id = model_id
        self._model = model

    def get(self, key: Sequence[Any]) -> Item | None:
        """Return the item whose ``item_key`` is *key*."""
        text = self._select("item", self._row_key(key))
        return json.loads(text) if text is not None else None

    def put(self, item: Item, previous: Item | None = None) -> None:
        """Store *item*; *previous* is the stored item that it replaces."""
        key, text = self._row_key(item_key(self._model, item)), to_json(item)
        if previous is None:
            query = "INSERT INTO row (model_id, hash, partition, sort, item) VALUES (?, ?, ?, ?, ?)"
            row_id = self._view.execute(query, (*key, text)).lastrowid
        else:
            row_id = self._select("id", key)
            self._view.execute("UPDATE row SET item = ? WHERE id = ?", (text, row_id))
        self._change_entries(row_id, self._entries(previous or {}), self._entries(item))

    def delete(self, item: Item) -> None:
        row_id = self._select("id", self._row_key(item_key(self._model, item)))
        self._change_entries(row_id, self._entries(item), set())
        self._view.execute("DELETE FROM row WHERE id = ?", (row_id,))

    def scan(self, after: Sequence[Any], limit: int) -> Generator[FoundItem, None, None]:
        """Yield *limit* items after the position *after*, in arbitrary order, as DynamoDB does."""
        columns = "hash, partition, sort"
        query = (
            f"SELECT {columns}, item FROM row WHERE model_id = ?"  # noqa: S608 - our own text
            f" AND ({columns}) > (?, ?, ?) ORDER BY {columns} LIMIT ?"
        )
        first = after or (-1, "", "")
        return self._fetch(query, (self._id, *first, limit))

    def query(
        self, query: KeyQuery, after: Sequence[Any], limit: int
    ) -> Generator[FoundItem, None, None]:
        """Yield *limit* items of *query* after the position *after*, in the order of the sort key.

        *after* is empty for the first page; a negative *limit* means no limit.
        """
        partition = _column(query.partition)
        values: list[Any]
        if query.index == self._model.table:
            source = "row WHERE model_id = ? AND hash = ? AND partition = ?"
            values = [self._id, _hash(partition), partition]
            sort, row_id = "row.sort", "row.id"
        else:
            source = (
                "index_entry CROSS JOIN row ON row.id = row_id"
                " WHERE index_entry.model_id = ? AND index_name = ? AND index_entry.partition = ?"
            )
            values = [self._id, query.index.name, partition]
            sort, row_id = "index_entry.sort", "row_id"
        beyond, order = ("<", "DESC") if query.is_descending else (">", "ASC")
        for operator, value in _bounds(query.condition):
            # The position *after* is a closer bound than this one, and SQLite uses only one.
            if not (after and operator.startswith(beyond)):
                source += f" AND {sort} {operator} ?"
                values.append(value)
        if after and query.condition is not None and query.condition.operator == "eq":
            source += f" AND {row_id} {beyond} ?"
            values.append(after[1])
        elif after:
            source += f" AND ({sort}, {row_id}) {beyond} (?, ?)"
            values += after
        sql = (
            f"SELECT {sort}, {row_id}, item FROM {source}"  # noqa: S608 - our own text
            f" ORDER BY {sort} {order}, {row_id} {order} LIMIT ?"
        )
        return self._fetch(sql, (*values, limit))

    def rebuild_index_entries(self) -> None:
        """Delete and insert the index entries of all items, after the indexes changed."""
        self._view.execute("DELETE FROM index_entry WHERE model_id = ?", (self._id,))
        rows = self._view.execute("SELECT id, item FROM row WHERE model_id = ?", (self._id,))
        for row_id, text in rows:
            self._change_entries(row_id, set(), self._entries(json.loads(text)))

    def _fetch(self, query: str, values: Sequence[Any]) -> Generator[FoundItem, None, None]:
        for *key, text in self._view.execute(query, values):
            yield FoundItem(json.loads(text), len(text), key)

    def _row_key(self, key: Sequence[Any]) -> tuple[int, int, Any, Any]:
        partition, sort = _columns(key)
        return self._id, _hash(partition), partition, sort

    def _select(self, column: str, key: Sequence[Any]) -> Any:
        """Return the *column* of the item with *key*, None if there is no such item."""
        query = (
            f"SELECT {column} FROM row"  # noqa: S608 - our own text
            " WHERE model_id = ? AND hash = ? AND partition = ? AND sort = ?"
        )
        found = self._view.execute(query, key).fetchone()
        return found[0] if found is not None else None

    def _entries(self, item: Item) -> set[Entry]:
        """Return the index entries of *item*; an index whose key it lacks or mistypes gets none."""
        return {
            (index.name, *_columns(item[name] for name in index.attributes))
            for index in self._model.indexes
            if all(
                type_of(item.get(name)) == letter
                for name, letter in attribute_types(self._model, index).items()
            )
        }

    def _change_entries(self, row_id: int | None, old: set[Entry], new: set[Entry]) -> None:
        for entry in old - new:
            self._view.execute(
                "DELETE FROM index_entry WHERE model_id = ? AND index_name = ? AND partition = ?"
                " AND sort = ? AND row_id = ?",
                (self._id, *entry, row_id),
            )
        for entry in new - old:
            self._view.execute(
                "INSERT INTO index_entry VALUES (?, ?, ?, ?, ?)", (self._id, *entry, row_id)
            )


def prepare(store: Store, api: str, models: Mapping[str, Model]) -> dict[str, int]:
    """Return the ids of the models' tables; rebuild index entries if the indexes have changed.

    A model whose key has changed gets a new table, as on AWS.
    """
    found = {}
    for model in models.values():
        layout = to_json([_layout(model, index) for index in model.indexes])
        key = (api, model.name, to_json(model.key))
        query = "SELECT id, indexes FROM model WHERE api = ? AND name = ? AND key = ?"
        with store.reading() as view:
            known = view.execute(query, key).fetchone()
        if known is None or known[1] != layout:
            with store.transaction() as view:
                view.execute("INSERT OR IGNORE INTO model VALUES (NULL, ?, ?, ?, ?)", (*key, "[]"))
                known = view.execute(query, key).fetchone()
                Rows(view, known[0], model).rebuild_index_entries()
                view.execute("UPDATE model SET indexes = ? WHERE id = ?", (layout, known[0]))
        found[model.name] = known[0]
    return found


def _layout(model: Model, index: Index) -> list[Any]:
    return [index.name, *index.fields, list(attribute_types(model, index).values())]


def _bounds(condition: KeyCondition | None) -> list[tuple[str, Any]]:
    """Return *condition* on a sort key as comparisons in SQL."""
    if condition is None:
        return []
    if condition.operator == "between":
        return [(">=", _column(condition.operand[0])), ("<=", _column(condition.operand[1]))]
    if condition.operator == "beginsWith":
        return [(">=", condition.operand), ("<", prefix_end(condition.operand))]
    return [(_OPERATORS[condition.operator], _column(condition.operand))]


def _columns(key: Iterable[Any]) -> tuple[Any, Any]:
    """Return the column values of partition and sort key; "" without a sort key."""
    partition, sort, *_ = (*map(_column, key), "")
    return partition, sort


def _column(value: Any) -> Any:
    """Return *value* for a key column; None, which equals nothing, if it cannot be a key.

    Whole numbers become integers: 1 and 1.0 are the same number in DynamoDB.
    """
    if isinstance(value, str):
        return value
    if type_of(value) != "N":
        return None
    if abs(value) < _INTEGER_LIMIT and value == int(value):
        return int(value)
    return value if isinstance(value, float) else None


def _hash(partition: object) -> int:
    return zlib.crc32(str(partition).encode())
