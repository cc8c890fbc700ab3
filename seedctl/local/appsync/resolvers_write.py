"""Mutations: create, update and delete of one item, each in a transaction of its own."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.errors import (
    conditional_check_failed,
    dynamodb,
    invalid_arguments,
    unauthorized,
)
from seedctl.local.appsync.filters import matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.appsync.introspection import Model
    from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver
    from seedctl.local.appsync.rows import Rows

_TIMESTAMPS = ("createdAt", "updatedAt")


def create(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        item = dict(arguments["input"])
        if not rules.fill_owners(model, request.caller, item):
            raise unauthorized(info.field_name, info.parent_type.name)
        if "id" in model.key and model.generates("id"):
            item.setdefault("id", str(uuid.uuid4()))
        for name in _TIMESTAMPS:
            if model.generates(name):
                item.setdefault(name, timestamp(request.clock()))
        _check_key(model, item)
        _check_indexes(model, item, "creating")
        item = {name: value for name, value in item.items() if not _is_dropped(model, name, value)}
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            taken = rows.get([item[name] for name in model.key]) is not None
            if taken or not matches(arguments.get("condition") or {}, {}):
                raise conditional_check_failed()
            rows.put(item)
        return item

    return resolve


def update(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        changes = dict(arguments["input"])
        condition = rules.condition(model, "update", request.caller)
        if condition is None:
            raise unauthorized(info.field_name, info.parent_type.name)
        if model.generates("updatedAt"):
            changes.setdefault("updatedAt", timestamp(request.clock()))
        _check_key(model, changes)
        _check_indexes(model, changes, "updating")
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            stored = _stored(model, rows, condition, arguments, info)
            item = {
                name: value
                for name, value in {**stored, **changes}.items()
                # A null removes the attribute; one that was stored and is not named stays.
                if name not in changes or value is not None
            }
            rows.put(item, stored)
        return item

    return resolve


def delete(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        condition = rules.condition(model, "delete", request.caller)
        if condition is None:
            raise unauthorized(info.field_name, info.parent_type.name)
        _check_key(model, arguments["input"])
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            stored = _stored(model, rows, condition, arguments, info)
            rows.delete(stored)
        return stored

    return resolve


def timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stored(
    model: Model,
    rows: Rows,
    condition: rules.Condition,
    arguments: Mapping[str, Any],
    info: Info,
) -> dict[str, Any]:
    """Return the item to change. Raises FieldError where it may not be changed, or is missing."""
    stored = rows.get([arguments["input"][name] for name in model.key])
    # A rule about items is asked about a missing one too, and says no.
    if not condition(stored):
        raise unauthorized(info.field_name, info.parent_type.name)
    if stored is None or not matches(arguments.get("condition") or {}, stored):
        raise conditional_check_failed()
    return stored


def _check_key(model: Model, values: Mapping[str, Any]) -> None:
    for name in model.key:
        if values.get(name) is None:
            raise dynamodb(
                "One or more parameter values were invalid: Type mismatch for key "
                f"{name} expected: {_stored_type(model, name)} actual: NULL"
            )
        if values[name] == "":
            raise dynamodb(
                "One or more parameter values are not valid. The AttributeValue for a key "
                f"attribute cannot contain an empty string value. Key: {name}"
            )


def _check_indexes(model: Model, values: Mapping[str, Any], doing: str) -> None:
    """Refuse what DynamoDB and the resolvers refuse of the keys of secondary indexes."""
    for index in model.indexes:
        sort_names = index.fields[1:]
        present = [name for name in sort_names if name in values]
        if index.is_declared and len(sort_names) > 1 and present:
            for name in sort_names:
                if name not in values:
                    raise invalid_arguments(
                        f"When {doing} any part of the composite sort key for @index "
                        f"'{index.name}', you must provide all fields for the key. "
                        f"Missing key: '{name}'."
                    )
        for name in index.fields:
            if values.get(name) == "":
                raise dynamodb(
                    "One or more parameter values are not valid. A value specified for a "
                    "secondary index key is not supported. The AttributeValue for a key attribute "
                    f"cannot contain an empty string value. IndexName: {index.name}, "
                    f"IndexKey: {name}"
                )
            # On update a null removes the attribute, and with it the entry in the index.
            if doing == "creating" and name in present and values[name] is None:
                raise dynamodb(
                    "One or more parameter values were invalid: Type mismatch for Index Key "
                    f"{name} Expected: {_stored_type(model, name)} Actual: NULL "
                    f"IndexName: {index.name}"
                )


def _is_dropped(model: Model, name: str, value: Any) -> bool:
    """Whether a created item goes without *name*: a null that is an index's partition key."""
    return value is None and any(index.fields[0] == name for index in model.indexes)


def _stored_type(model: Model, name: str) -> str:
    """Return DynamoDB's letter for the type of a key."""
    return "N" if model.fields[name].type_name in ("Int", "Float", "AWSTimestamp") else "S"
