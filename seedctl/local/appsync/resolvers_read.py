"""Resolvers of queries and relations: get, list, index queries, and related items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.attribute_values import check_numbers
from seedctl.local.appsync.errors import FieldError, dynamodb_error, unauthorized
from seedctl.local.appsync.filters import check_filter, check_not_empty, matches
from seedctl.local.appsync.introspection import (
    BELONGS_TO,
    HAS_MANY,
    Index,
    Model,
    foreign_key,
    index_of_relation,
)
from seedctl.local.appsync.key_conditions import (
    KeyCondition,
    KeyQuery,
    argument_name,
    check_key_arguments,
    check_list_arguments,
    key_condition,
)
from seedctl.local.appsync.keys import attribute_types, item_key
from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver, is_in_mutation
from seedctl.local.appsync.rules import Condition
from seedctl.local.seal import InvalidTokenError, issue_token, read_token
from seedctl.outputs.models import Field

_DEFAULT_LIMIT = 100
_PAGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _ListQuery:
    """A request for a list of the items that *condition* allows the caller to see."""

    model: Model
    condition: Condition
    arguments: Mapping[str, Any]
    info: Info

    @property
    def filter(self) -> Mapping[str, Any]:
        return self.arguments.get("filter") or {}


def get(model: Model) -> Resolver:
    def resolve(_source: object, info: Info, /, **key: object) -> Any:
        # The fields of a composite sort key are not key attributes.
        keys = {name: key[name] for name in model.table.attributes if name in key}
        condition, _ = rules.query_condition(model, "get", info.context.caller, keys)
        return _get_item(model, item_key(model, key), _require(condition, info), info)

    return resolve


def list_all(model: Model) -> Resolver:
    """Return the resolver of the list: a query if the partition key is given, else a scan."""
    table = model.table

    def resolve(_source: object, info: Info, /, **arguments: object) -> Any:
        caller = info.context.caller
        if not rules.is_provider_allowed(model, "list", caller):
            raise unauthorized(info)
        if model.has_custom_key:
            check_list_arguments(table, arguments)
            if arguments.get(table.partition_key) is not None:
                return _query_by_key(model, table, arguments, info)
        condition = _require(rules.item_condition(model, "list", caller), info)
        listing = _ListQuery(model, condition, arguments, info)
        check_not_empty(listing.filter)
        return _read_page(listing)

    return resolve


def by_index(model: Model, index: Index) -> Resolver:
    def resolve(_source: object, info: Info, /, **arguments: object) -> Any:
        return _query_by_key(model, index, arguments, info)

    return resolve


def relation(model: Model, field: Field, models: Mapping[str, Model]) -> Resolver:
    """Return the resolver of *field*, a relation of *model*."""
    assert field.association is not None
    found = _Relation(model, field, models)
    resolvers = {BELONGS_TO: found.parent, HAS_MANY: found.children}
    return resolvers.get(field.association.connection_type, found.child)


class _Relation:
    """A relation of *model*. Access to the related model is checked first, in mutations too."""

    def __init__(self, model: Model, field: Field, models: Mapping[str, Model]) -> None:
        self._model = model
        self._related = models[field.type.name]
        # The index of the related model on its foreign key to this one.
        self._index = index_of_relation(model, field, models)
        types = attribute_types(self._related, self._index)
        self._is_sorted_by_number = types.get(self._index.sort_key or "") == "N"
        self._foreign_key = foreign_key(field)
        self._field = field.name
        self._is_hidden_in_mutations = rules.is_hidden_in_mutations(model, field, self._related)

    def parent(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._require_condition(source, info)
        values = zip(self._related.key, map(source.get, self._foreign_key), strict=False)
        key = {**dict.fromkeys(self._related.key), **dict(values)}
        if self._is_hidden(info) or None in key.values():
            return None
        return _get_item(self._related, item_key(self._related, key), condition, info)

    def children(self, source: Mapping[str, Any], info: Info, /, **arguments: object) -> Any:
        condition = self._require_condition(source, info)
        if self._is_hidden(info):
            return {"items": [], "nextToken": None}
        if self._is_sorted_by_number:
            # The deployed resolver compares with a string, whatever the type of the sort key.
            raise dynamodb_error(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        # Unlike in other lists, a filter without comparisons is not rejected.
        listing = _ListQuery(self._related, condition, arguments, info)
        return _read_page(listing, self._query(source, is_descending=_is_descending(arguments)))

    def child(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._require_condition(source, info)
        if self._is_hidden(info):
            return None
        request: GraphQLRequest = info.context
        with request.store.reading() as view:
            rows = request.rows(view, self._related)
            found = [each.item for each in rows.query(self._query(source), (), -1)]
        items = [item for item in found if condition(item)]
        if found and not items:
            raise unauthorized(info)
        return items[0] if items else None

    def _require_condition(self, source: Mapping[str, Any], info: Info) -> Condition:
        caller = info.context.caller
        if not rules.may_read_field(self._model, self._field, caller, source):
            raise unauthorized(info)
        return _require(rules.item_condition(self._related, "relation", caller), info)

    def _is_hidden(self, info: Info) -> bool:
        return self._is_hidden_in_mutations and is_in_mutation(info)

    def _query(self, source: Mapping[str, Any], *, is_descending: bool = False) -> KeyQuery:
        partition, *sort_key = item_key(self._model, source)
        condition = KeyCondition("eq", sort_key[0]) if sort_key else None
        return KeyQuery(self._index, partition, condition, is_descending)


def _query_by_key(model: Model, index: Index, given: Mapping[str, Any], info: Info) -> Any:
    """Return a page of a query of *index*; *given* has its partition key."""
    arguments = dict(given)
    partition = arguments[index.partition_key]
    keys = {index.partition_key: partition}
    if index.sort_key is not None:
        sort_condition = arguments.get(argument_name(index))
        # Only an equality condition can name an owner.
        keys[index.sort_key] = None if sort_condition is None else sort_condition.get("eq") or ""
    found, own_keys = rules.query_condition(model, "list", info.context.caller, keys)
    condition = _require(found, info)
    for value in own_keys.values():
        arguments[argument_name(index)] = {"eq": value}
    check_key_arguments(index, arguments)
    listing = _ListQuery(model, condition, arguments, info)
    check_not_empty(listing.filter)
    check_numbers(partition, f":{index.partition_key}")
    key = key_condition(model, index, arguments)
    return _read_page(listing, KeyQuery(index, partition, key, _is_descending(arguments)))


def _require(condition: Condition | None, info: Info) -> Condition:
    if condition is None:
        raise unauthorized(info)
    return condition


def _get_item(model: Model, key: list[Any], condition: Condition, info: Info) -> Any:
    request: GraphQLRequest = info.context
    with request.store.reading() as view:
        item = request.rows(view, model).get(key)
    if item is not None and not condition(item):
        raise unauthorized(info)
    return item


def _read_page(listing: _ListQuery, query: KeyQuery | None = None) -> dict[str, Any]:
    """Return a page of *query*, or of a scan if it is None; limits count also filtered items."""
    info, expression, arguments = listing.info, listing.filter, listing.arguments
    request: GraphQLRequest = info.context
    # A token is valid for the same query only.
    scope = f"graphql {request.api} {info.parent_type.name}.{info.field_name}"
    if query is not None:
        partition = f"{query.index.name} {json.dumps(query.partition)}"
        scope = f"{scope} {partition} {query.condition} {query.is_descending}"
    check_filter(expression, query.index.attributes if query is not None else ())
    limit = _limit(arguments)
    after = _read_token(request, scope, arguments.get("nextToken"))
    items, count, size = [], 0, 0
    last: list[Any] | None = None
    with request.store.reading() as view:
        rows = request.rows(view, listing.model)
        read = rows.scan(after, limit) if query is None else rows.query(query, after, limit)
        with closing(read):
            for found in read:
                count, size, last = count + 1, size + found.size, found.position
                if listing.condition(found.item) and matches(expression, found.item):
                    items.append(found.item)
                if size > _PAGE_BYTES:
                    break
    token = None
    # As with DynamoDB, a full page has a token even if no items follow.
    if last is not None and (count == limit or size > _PAGE_BYTES):
        token = issue_token(request.store.seal, scope, last)
    return {"items": items, "nextToken": token}


def _is_descending(arguments: Mapping[str, Any]) -> bool:
    return arguments.get("sortDirection") == "DESC"


def _limit(arguments: Mapping[str, Any]) -> int:
    limit = arguments.get("limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if limit < 1:
        raise dynamodb_error(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1"
        )
    return int(limit)


def _read_token(request: GraphQLRequest, scope: str, token: str | None) -> list[Any]:
    if token is None:
        return []
    try:
        return read_token(request.store.seal, scope, token)
    except InvalidTokenError as error:
        raise FieldError("BadRequestException", "Invalid pagination token given.") from error  # [?]
