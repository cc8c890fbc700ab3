"""Resolvers of mutations: create, update and delete one item, each in its own transaction.

The order of the steps is that of the deployed resolvers: it decides which of two errors is returned.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.attribute_values import check_numbers
from seedctl.local.appsync.errors import (
    NOT_AVAILABLE,
    FieldError,
    conditional_check_failed,
    unauthorized,
    unauthorized_names,
    untyped_error,
)
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
from seedctl.outputs.java_patterns import UnsupportedPatternError

_TIMESTAMPS = ("createdAt", "updatedAt")


def create(model: Model) -> Resolver:
    def resolve(_source: object, info: Info, /, **arguments: Any) -> Any:
        request: GraphQLRequest = info.context
        _check_provider(model, "create", info)
        generated = _generated_values(model, request.clock())
        given = _with_defaults(model, arguments["input"])
        values = with_composite_keys(model, {**generated, **given}, "creating")
        # The joined sort keys count as input, the generated values do not.
        sent = {name: v for name, v in values.items() if name in given or name not in generated}
        rules.fill_owners(model, request.caller, values)
        _check_access(model, "create", sent, values, info)
        _check_values(model, values)
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
        generated = _generated_values(model, request.clock(), ("updatedAt",))
        given = arguments["input"]
        changes = with_composite_keys(model, {**generated, **given}, "updating")
        sent = {name: v for name, v in changes.items() if name in given or name not in generated}
        # The resolver reads the item by its key before it checks the rules.
        check_item_key(model, changes)
        with request.store.transaction() as view:
            rows = request.rows(view, model)
            stored = rows.get(item_key(model, changes))
            _check_access(model, "update", sent, stored, info)
            _check_values(model, changes)
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
            condition = rules.item_condition(model, "delete", info.context.caller)
            # A rule that depends on the item rejects a missing one.
            if condition is None or not condition(stored):
                raise unauthorized(info)
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


def _generated_values(
    model: Model, now: float, names: Sequence[str] = ("id", *_TIMESTAMPS)
) -> dict[str, Any]:
    """Return the values that the API generates for *names* if the input lacks them."""
    stamp = timestamp(now)
    found = {name: stamp for name in names if name in _TIMESTAMPS and model.generates(name)}
    if "id" in names and "id" in model.key and model.generates("id"):
        found["id"] = str(uuid.uuid4())
    return found


def _with_defaults(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return *given* with the defaults of the fields that are missing or null."""
    missing = {name: v for name, v in model.defaults.items() if given.get(name) is None}
    return {**given, **missing}


def _check_access(
    model: Model, operation: str, sent: Mapping[str, Any], item: Item | None, info: Info
) -> None:
    """Raise FieldError if the caller may not send *sent* as values of *item*."""
    denied = rules.denied_names(model, operation, info.context.caller, sent, item)
    if denied is None:
        raise unauthorized(info)
    if denied:
        raise unauthorized_names(denied)


def _check_values(model: Model, values: Mapping[str, Any]) -> None:
    """Raise FieldError for the first of *values* that a validator does not accept."""
    for name, validators in model.validators.items():
        value = values.get(name)
        if value is None:
            continue
        for validator in validators:
            try:
                is_valid = validator.accepts(value)
            except UnsupportedPatternError as error:
                raise FieldError(
                    NOT_AVAILABLE,
                    f"{model.name}.{name} cannot be validated locally: its pattern is one of Java "
                    f"that Python does not know: {error}",
                ) from error
            if not is_valid:
                raise untyped_error(validator.message)


def _check_condition(condition: Mapping[str, Any], stored: Item | None) -> Item:
    """Return *stored*. Raises FieldError if it is missing or does not match *condition*."""
    if stored is None or not matches(condition, stored):
        raise conditional_check_failed()
    return stored
