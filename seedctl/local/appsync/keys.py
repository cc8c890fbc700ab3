"""Keys of tables and indexes in DynamoDB: which key an item has, and which keys are rejected.

A sort key of several fields is one attribute, ``warehouse#shelf``: the resolvers join the values to
one string and store it in the item. The fields themselves are not key attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedctl.local.appsync.attribute_values import text_of, type_of
from seedctl.local.appsync.errors import dynamodb_error, untyped_error
from seedctl.local.appsync.introspection import Index, Model

_NUMBERS = ("Int", "Float", "AWSTimestamp")
_INVALID = "One or more parameter values were invalid:"
_NOT_VALID = "One or more parameter values are not valid."
_EMPTY = "The AttributeValue for a key attribute cannot contain an empty string value."


def join_sort_key(names: Sequence[str], values: Mapping[str, Any]) -> str:
    """Return the value of a composite sort key of the fields *names*; numbers sort as text."""
    return "#".join(text_of(values.get(name)) for name in names)


def item_key(model: Model, values: Mapping[str, Any]) -> list[Any]:
    """Return the unique key of an item: partition key, and sort key if there is one.

    *values* has all fields of the key. A composite sort key is compared as one string: the parts
    ``a#1`` and ``2`` give the same key as ``a`` and ``1#2``.
    """
    partition, *sort_fields = model.key
    if len(sort_fields) > 1:
        return [values[partition], join_sort_key(sort_fields, values)]
    return [values[name] for name in model.key]


def attribute_types(model: Model, index: Index) -> dict[str, str]:
    """Return DynamoDB's type of each key attribute of *index*: ``S`` or ``N``."""
    types = {}
    for name in index.attributes:
        field = model.fields.get(name)
        is_number = field is not None and field.type.name in _NUMBERS
        types[name] = "N" if is_number else "S"
    return types


def with_composite_keys(model: Model, values: Mapping[str, Any], verb: str) -> dict[str, Any]:
    """Return *values* of an item with the composite sort keys that contain any of them.

    Null counts as a value. *verb* is ``creating``, ``updating`` or ``deleting``. Raises FieldError
    if *values* has some fields of a composite sort key and lacks others.
    """
    found = dict(values)
    for index in (model.table, *model.indexes):
        parts = index.sort_fields
        if index.sort_key is None or len(parts) == 1 or not any(name in values for name in parts):
            continue
        for name in parts:
            if name not in values:
                kind = "global secondary index" if index.is_relation else "@index"
                raise untyped_error(
                    f"When {verb} any part of the composite sort key for {kind} '{index.name}', "
                    f"you must provide all fields for the key. Missing key: '{name}'."
                )
        found[index.sort_key] = join_sort_key(parts, values)
    return found


def without_null_partition_keys(model: Model, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return *item* without null partition keys of indexes, except those of relations."""
    names = {index.partition_key for index in model.indexes if not index.is_relation}
    return {name: value for name, value in item.items() if value is not None or name not in names}


def check_item_key(model: Model, values: Mapping[str, Any]) -> None:
    """Raise FieldError if DynamoDB rejects the key in *values*, composite sort key included."""
    for name, letter in attribute_types(model, model.table).items():
        if type_of(values.get(name)) != letter:
            raise dynamodb_error(
                f"{_INVALID} Type mismatch for key {name} expected: {letter} "
                f"actual: {type_of(values.get(name))}"
            )
        if values[name] == "":
            raise dynamodb_error(f"{_NOT_VALID} {_EMPTY} Key: {name}")


def check_index_keys(model: Model, values: Mapping[str, Any], *, is_update: bool = False) -> None:
    """Raise FieldError if DynamoDB rejects *values* of an item for the keys of an index.

    A key attribute may be missing, but not empty, null or of another type. In an update, null
    removes the attribute.
    """
    for index in model.indexes:
        for name, letter in attribute_types(model, index).items():
            if name not in values or (is_update and values[name] is None):
                continue
            if type_of(values[name]) != letter:
                raise dynamodb_error(
                    f"{_INVALID} Type mismatch for Index Key {name} Expected: {letter} "
                    f"Actual: {type_of(values[name])} IndexName: {index.name}"
                )
            if values[name] == "" and is_update:
                raise dynamodb_error(
                    f"{_NOT_VALID} The update expression attempted to update a secondary index key "
                    f"to a value that is not supported. {_EMPTY}"
                )
            if values[name] == "":
                raise dynamodb_error(
                    f"{_NOT_VALID} A value specified for a secondary index key is not supported. "
                    f"{_EMPTY} IndexName: {index.name}, IndexKey: {name}"
                )
