"""Mutations: create, update and delete of one item, each in a transaction of its own."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import keys, rules
from seedctl.local.appsync.errors import conditional_check_failed, unauthorized
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
        if "id" in model.key:
            item.setdefault("id", str(uuid.uuid4()))
        for name in _TIMESTAMPS:
            if name in model.fields:
                item.setdefault(name, timestamp(request.clock()))
        item = keys.with_composite_keys(model, item, "creating")
        if not rules.fill_owners(model, request.caller, item):
            raise unauthorized(info.field_name, info.parent_type.name)
        item = keys.without_null_partition_keys(model, item)
        keys.check_item_key(model, item)
        keys.check_index_keys(model, item)
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            taken = rows.get(keys.item_key(model, item)) is not None
            if taken or not matches(arguments.get("condition") or {}, {}):
                raise conditional_check_failed()
            rows.put(item)
        return item

    return resolve


def update(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        changes = dict(arguments["input"])
        if "updatedAt" in model.fields:
            changes.setdefault("updatedAt", timestamp(request.clock()))
        changes = keys.with_composite_keys(model, changes, "updating")
        condition = rules.condition(model, "update", request.caller)
        if condition is None:
            raise unauthorized(info.field_name, info.parent_type.name)
        keys.check_item_key(model, changes)
        keys.check_index_changes(model, changes)
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
        key = keys.item_key(model, arguments["input"])
        keys.check_item_key(model, dict(zip(model.table.attributes, key, strict=True)))
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
    stored = rows.get(keys.item_key(model, arguments["input"]))
    # A rule about items is asked about a missing one too, and says no.
    if not condition(stored):
        raise unauthorized(info.field_name, info.parent_type.name)
    if stored is None or not matches(arguments.get("condition") or {}, stored):
        raise conditional_check_failed()
    return stored
