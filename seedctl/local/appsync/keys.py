"""Keys of tables and indexes as DynamoDB has them: what an item is found by, and what is refused.

Only decisions about items, which hold for every way of storing them. A sort key of several fields
is one attribute, ``warehouse#shelf``: a text that the resolvers join and store in the item beside
the fields, which are no keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.attribute_values import text_of, type_of
from seedctl.local.appsync.errors import dynamodb, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seedctl.local.appsync.introspection import Index, Model

_NUMBERS = ("Int", "Float", "AWSTimestamp")
_INVALID = "One or more parameter values were invalid:"
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value."


def joined(names: Sequence[str], values: Mapping[str, Any]) -> str:
    """Return the text of a composite sort key of the fields *names*; numbers order as text."""
    return "#".join(text_of(values.get(name)) for name in names)


def item_key(model: Model, values: Mapping[str, Any]) -> list[Any]:
    """Return what tells items apart: partition key, and sort key if there is one.

    *values* are all fields of the key. Parts of a composite sort key do not tell items apart:
    ``a#1`` and ``2`` join to the same text as ``a`` and ``1#2``.
    """
    table = model.table
    return [values[table.partition_key], *_sort_value(table, values)]


def position(index: Index, item: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return partition and sort key of *item* in *index*, None if it is not in the index.

    The sort key is None where the index has none. Items of one partition are ordered by it: texts by
    their code points, numbers by their value.
    """
    found = [item.get(name) for name in index.attributes]
    if None in found:
        return None
    return found[0], found[1] if len(found) > 1 else None


def with_composite_keys(model: Model, values: Mapping[str, Any], doing: str) -> dict[str, Any]:
    """Return *values* of an item with the texts of the composite sort keys that they touch.

    A null is a value. *doing* is ``creating`` or ``updating``. Raises FieldError if some parts of
    the sort key of an index are there and others are not.
    """
    found = dict(values)
    for index in (model.table, *model.indexes):
        parts = index.sort_fields
        if index.sort_key is None or len(parts) == 1 or not any(name in values for name in parts):
            continue
        for name in parts:
            if name not in values:
                raise refused(
                    f"When {doing} any part of the composite sort key for {_named(index)}, you must "
                    f"provide all fields for the key. Missing key: '{name}'."
                )
        found[index.sort_key] = joined(parts, values)
    return found


def without_null_partition_keys(model: Model, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return *item* without nulls in partition keys, which creating drops, but for relations."""
    names = {index.partition_key for index in model.indexes if not index.is_relation}
    return {name: value for name, value in item.items() if value is not None or name not in names}


def check_item_key(model: Model, values: Mapping[str, Any]) -> None:
    """Raise FieldError if DynamoDB refuses the key in *values*, composite sort key included."""
    for name, letter in _typed(model, model.table):
        if type_of(values.get(name)) != letter:
            raise dynamodb(
                f"{_INVALID} Type mismatch for key {name} expected: {letter} "
                f"actual: {type_of(values.get(name))}"
            )
        if values[name] == "":
            raise dynamodb(f"One or more parameter values are not valid. {_EMPTY} Key: {name}")


def check_index_keys(model: Model, item: Mapping[str, Any]) -> None:
    """Raise FieldError if DynamoDB refuses to create *item* for the keys of an index.

    An attribute may be missing, but not be null, empty or of another type.
    """
    for index in model.indexes:
        for name, letter in _typed(model, index):
            _check_index_type(index, name, letter, item)
            if item.get(name) == "":
                raise dynamodb(
                    "One or more parameter values are not valid. A value specified for a "
                    f"secondary index key is not supported. {_EMPTY} IndexName: {index.name}, "
                    f"IndexKey: {name}"
                )


def check_index_changes(model: Model, changes: Mapping[str, Any]) -> None:
    """Raise FieldError if DynamoDB refuses *changes* of an item; nulls remove attributes."""
    present = {name: value for name, value in changes.items() if value is not None}
    for index in model.indexes:
        for name, letter in _typed(model, index):
            _check_index_type(index, name, letter, present)
            if present.get(name) == "":
                raise dynamodb(
                    "One or more parameter values are not valid. The update expression attempted "
                    "to update a secondary index key to a value that is not supported. " + _EMPTY
                )


def attribute_type(model: Model, index: Index, name: str) -> str:
    """Return DynamoDB's type of the key attribute *name* of *index*: ``S`` or ``N``."""
    return dict(_typed(model, index))[name]


def _check_index_type(index: Index, name: str, letter: str, item: Mapping[str, Any]) -> None:
    if name in item and type_of(item[name]) != letter:
        raise dynamodb(
            f"{_INVALID} Type mismatch for Index Key {name} Expected: {letter} "
            f"Actual: {type_of(item[name])} IndexName: {index.name}"
        )


def _sort_value(index: Index, values: Mapping[str, Any]) -> list[Any]:
    fields = index.sort_fields
    if not fields:
        return []
    return [values[fields[0]] if len(fields) == 1 else joined(fields, values)]


def _typed(model: Model, index: Index) -> Iterator[tuple[str, str]]:
    for name in index.attributes:
        field = model.fields.get(name)
        is_number = field is not None and field.kind == "scalar" and field.type_name in _NUMBERS
        yield name, "N" if is_number else "S"


def _named(index: Index) -> str:
    kind = "global secondary index" if index.is_relation else "@index"
    return f"{kind} '{index.name}'"
