"""Resolvers of mutations: create, update and delete one item, each in its own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.attribute_values import check_numbers
from seedctl.local.appsync.errors import conditional_check_failed, unauthorized
from seedctl.local.appsync.filters import check_expression, matches
from seedctl.local.appsync.introspection import Model
from seedctl.local.appsync.keys import (
    check_index_keys,
    check_item_key,
    item_key,
    with_composite_keys,
    without_null_partition_keys,
)
from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver
from seedctl.local.appsync.rows import Item

_TIMESTAMPS = ("createdAt", "updatedAt")


def create(model: Model) -> Resolver:
    def resolve(_source: object, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        _check_provider(model, "create", info)
        values = dict(arguments["input"])
        if "id" in model.key and model.generates("id"):
            values.setdefault("id", str(uuid.uuid4()))
        for name in _TIMESTAMPS:
            if model.generates(name):
                values.setdefault(name, timestamp(request.clock()))
        values = with_composite_keys(model, values, "creating")
        if not rules.fill_owners(model, request.caller, values):
            raise unauthorized(info)
        item = without_null_partition_keys(model, values)
        condition = _condition(arguments)
        check_numbers(item)
        check_item_key(model, item)
        check_index_keys(model, item)
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            if rows.get(item_key(model, item)) is not None or not matches(condition, {}):
                raise conditional_check_failed()
            rows.put(item)
        return item

    return resolve


def update(model: Model) -> Resolver:
    def resolve(_source: object, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        _check_provider(model, "update", info)
        changes = dict(arguments["input"])
        if model.generates("updatedAt"):
            changes.setdefault("updatedAt", timestamp(request.clock()))
        changes = with_composite_keys(model, changes, "updating")
        # The resolver reads the item by its key before it checks the rules.
        check_item_key(model, changes)
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            stored = rows.get(item_key(model, changes))
            _check_rules(model, "update", stored, info)
            condition = _condition(arguments)
            for name, value in changes.items():
                check_numbers(value, f":{name}")
            check_index_keys(model, changes, is_update=True)
            present = _check_condition(condition, stored)
            item = {
                name: value
                for name, value in {**present, **changes}.items()
                # Null in the input removes the attribute; attributes not in the input stay.
                if name not in changes or value is not None
            }
            rows.put(item, present)
        return item

    return resolve


def delete(model: Model) -> Resolver:
    def resolve(_source: object, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        _check_provider(model, "delete", info)
        key = with_composite_keys(model, arguments["input"], "deleting")
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            # Unlike in an update, the key is checked after the rules.
            stored = rows.get(item_key(model, key))
            _check_rules(model, "delete", stored, info)
            check_item_key(model, key)
            present = _check_condition(_condition(arguments), stored)
            rows.delete(present)
        return present

    return resolve


def timestamp(seconds: float) -> str:
    time = datetime.fromtimestamp(seconds, timezone.utc)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _check_provider(model: Model, operation: str, info: Info) -> None:
    if not rules.is_provider_allowed(model, operation, info.context.caller):
        raise unauthorized(info)


def _condition(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the caller's condition. Raises FieldError if DynamoDB rejects it."""
    condition: Mapping[str, Any] = arguments.get("condition") or {}
    check_expression("ConditionExpression", condition)
    return condition


def _check_rules(model: Model, operation: str, stored: Item | None, info: Info) -> None:
    """Raise FieldError if the caller may not change *stored*, None if the item is missing."""
    condition = rules.item_condition(model, operation, info.context.caller)
    # A rule that depends on the item rejects a missing one.
    if condition is None or not condition(stored):
        raise unauthorized(info)


def _check_condition(condition: Mapping[str, Any], stored: Item | None) -> Item:
    """Return *stored*. Raises FieldError if it is missing or does not match *condition*."""
    if stored is None or not matches(condition, stored):
        raise conditional_check_failed()
    return stored
