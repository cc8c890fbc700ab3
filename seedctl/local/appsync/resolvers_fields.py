"""Resolvers of the fields of types, where the stored value alone is not the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.errors import (
    NOT_AVAILABLE,
    FieldError,
    MissingValueError,
    unauthorized,
)
from seedctl.local.appsync.request import is_in_mutation, path_text

if TYPE_CHECKING:
    from seedctl.local.appsync.introspection import Model
    from seedctl.local.appsync.request import Info, Resolver


def displayed_owner(source: Mapping[str, Any], info: Info, /) -> Any:
    """Return an owner field as the API shows it: the part after the last ``::``."""
    value = source.get(info.field_name)
    return [_last_part(each) for each in value] if isinstance(value, list) else _last_part(value)


def _last_part(value: Any) -> Any:
    return value.rpartition("::")[2] if isinstance(value, str) else value


def guarded(model: Model, field: str, resolve: Resolver | None) -> Resolver:
    """Return a resolver of *field* that only shows it to callers who may read it.

    Responses of mutations show it to nobody if *resolve* is None, since subscribers would get it.
    """

    def call(source: Mapping[str, Any], info: Info, /) -> Any:
        if not rules.may_read_field(model, field, info.context.caller, source):
            raise unauthorized(info)
        if resolve is not None:
            return resolve(source, info)
        return None if model.has_subscriptions and is_in_mutation(info) else source.get(field)

    return call


def require_value(type_name: str, resolve: Resolver | None) -> Resolver:
    """Return a resolver that raises AppSync's error if the value is missing."""

    def call(source: Mapping[str, Any], info: Info, /) -> Any:
        value = source.get(info.field_name) if resolve is None else resolve(source, info)
        if value is None:
            where = path_text(info.path.as_list())
            parent = info.parent_type.name
            raise MissingValueError(
                f"Cannot return null for non-nullable type: '{type_name}' within parent "
                f"'{parent}' ({where})"
            )
        return value

    return call


def not_available(_source: Any, info: Info, /, **_arguments: Any) -> Any:
    raise FieldError(
        NOT_AVAILABLE,
        f"{info.parent_type.name}.{info.field_name} is not available locally: its handler is your "
        "own code.",
    )
