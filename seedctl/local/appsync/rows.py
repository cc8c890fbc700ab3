"""The items of a model in the state: found by key, in order, and through the entries of its indexes.

Sorting is SQLite's: texts by their UTF-8 bytes and numbers by their value, as DynamoDB sorts. All
numbers that the API takes are 64-bit integers or doubles, which SQLite compares exactly.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from seedctl.local.appsync.attribute_values import type_of
from seedctl.local.appsync.keys import attribute_types, item_key
from seedctl.local.store import prefix_end, to_json

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from seedctl.local.appsync.introspection import Index, Model
    from seedctl.local.appsync.key_conditions import KeyCondition, KeyQuery
    from seedctl.local.store import Store, View

    Item = dict[str, Any]
    Entry = tuple[str, Any, Any]

_INTEGERS = 2.0**63
_OPERATORS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class Found(NamedTuple):
    """An item of a page, and where the next page begins if it is the last."""

    item: Item
    size: int
    """How long its JSON is."""
    position: list[Any]


class Rows:
    """The items of one model of one API, within one transaction."""

    def __init__(self, view: View, model_id: int, model: Model) -> None:
        self._view = view
        self._id = model_id
        self._model = model

    def get(self, key: Sequence[Any]) -> Item | None:
        """Return the item whose :func:`item_key` is *key*."""
        text = self._value("item", self._place(key))
        return json.loads(text) if text is not None else None

    def put(self, item: Item, previous: Item | None = None) -> None:
        """Store *item*; *previous* is what it takes the place of."""
        place, text = self._place(item_key(self._model, item)), to_json(item)
        if previous is None:
            query = "INSERT INTO row (model_id, hash, partition, sort, item) VALUES (?, ?, ?, ?, ?)"
            row_id = self._view.execute(query, (*place, text)).lastrowid
        else:
            row_id = self._value("id", place)
            self._view.execute("UPDATE row SET item = ? WHERE id = ?", (text, row_id))
        self._change_entries(row_id, self._entries(previous or {}), self._entries(item))

    def delete(self, item: Item) -> None:
        row_id = self._value("id", self._place(item_key(self._model, item)))
        self._change_entries(row_id, self._entries(item), set())
        self._view.execute("DELETE FROM row WHERE id = ?", (row_id,))

    def scan(self, after: Sequence[Any], limit: int) -> Generator[Found, None, None]:
        """Yield *limit* items behind *after*, in an order that means nothing, as DynamoDB's."""
        columns = "hash, partition, sort"
        query = (
            f"SELECT {columns}, item FROM row WHERE model_id = ?"  # noqa: S608 - our own text
            f" AND ({columns}) > (?, ?, ?) ORDER BY {columns} LIMIT ?"
        )
        first = after or (-1, "", "")
        return self._found(query, (self._id, *first, limit))

    def query(
        self, query: KeyQuery, after: Sequence[Any], limit: int
    ) -> Generator[Found, None, None]:
        """Yield *limit* items that *query* asks for behind *after*, by their sort key.

        *after* is the position of an item that was found before, empty for the first page; a *limit*
        below zero is none.
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
            # The last item seen is a bound closer than this one, and SQLite looks for only one.
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
        return self._found(sql, (*values, limit))

    def enter_anew(self) -> None:
        """Make the entries of all items again, for indexes that were not there before."""
        self._view.execute("DELETE FROM index_entry WHERE model_id = ?", (self._id,))
        rows = self._view.execute("SELECT id, item FROM row WHERE model_id = ?", (self._id,))
        for row_id, text in rows:
            self._change_entries(row_id, set(), self._entries(json.loads(text)))

    def _found(self, query: str, values: Sequence[Any]) -> Generator[Found, None, None]:
        for *place, text in self._view.execute(query, values):
            yield Found(json.loads(text), len(text), place)

    def _place(self, key: Sequence[Any]) -> tuple[int, int, Any, Any]:
        partition, sort = _columns(key)
        return self._id, _hash(partition), partition, sort

    def _value(self, column: str, place: Sequence[Any]) -> Any:
        """Return the *column* of the item at *place*, None without such an item."""
        query = (
            f"SELECT {column} FROM row"  # noqa: S608 - our own text
            " WHERE model_id = ? AND hash = ? AND partition = ? AND sort = ?"
        )
        found = self._view.execute(query, place).fetchone()
        return found[0] if found is not None else None

    def _entries(self, item: Item) -> set[Entry]:
        """Return the entries of *item* in the indexes. One with a key of another type has none."""
        return {
            (index.name, *_columns(item[name] for name in index.attributes))
            for index in self._model.indexes
            if all(
                type_of(item.get(name)) == letter
                for name, letter in attribute_types(self._model, index).items()
            )
        }

    def _change_entries(self, row_id: int | None, left: set[Entry], entered: set[Entry]) -> None:
        for entry in left - entered:
            self._view.execute(
                "DELETE FROM index_entry WHERE model_id = ? AND index_name = ? AND partition = ?"
                " AND sort = ? AND row_id = ?",
                (self._id, *entry, row_id),
            )
        for entry in entered - left:
            self._view.execute(
                "INSERT INTO index_entry VALUES (?, ?, ?, ?, ?)", (self._id, *entry, row_id)
            )


def prepare(store: Store, api: str, models: Mapping[str, Model]) -> dict[str, int]:
    """Return the numbers of the models' tables, with entries in line with the indexes.

    A later deployment may have changed them. A model whose key has changed has a table of its own,
    as on AWS, which replaces the old one.
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
                Rows(view, known[0], model).enter_anew()
                view.execute("UPDATE model SET indexes = ? WHERE id = ?", (layout, known[0]))
        found[model.name] = known[0]
    return found


def _layout(model: Model, index: Index) -> list[Any]:
    return [index.name, *index.fields, list(attribute_types(model, index).values())]


def _bounds(asked: KeyCondition | None) -> list[tuple[str, Any]]:
    """Return what is *asked* of a sort key, as comparisons in SQL."""
    if asked is None:
        return []
    if asked.operator == "between":
        return [(">=", _column(asked.operand[0])), ("<=", _column(asked.operand[1]))]
    if asked.operator == "beginsWith":
        return [(">=", asked.operand), ("<", prefix_end(asked.operand))]
    return [(_OPERATORS[asked.operator], _column(asked.operand))]


def _columns(key: Iterable[Any]) -> tuple[Any, Any]:
    """Return partition and sort key as their columns have them; without a sort key it is empty."""
    partition, sort, *_ = (*map(_column, key), "")
    return partition, sort


def _column(value: Any) -> Any:
    """Return *value* as the columns of keys have it; None, which equals nothing, if no key has it.

    Whole numbers are integers: 1 and 1.0 are one number in DynamoDB.
    """
    if isinstance(value, str):
        return value
    if type_of(value) != "N":
        return None
    if abs(value) < _INTEGERS and value == int(value):
        return int(value)
    return value if isinstance(value, float) else None


def _hash(partition: Any) -> int:
    return zlib.crc32(str(partition).encode())
