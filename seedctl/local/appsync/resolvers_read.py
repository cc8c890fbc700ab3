"""Queries and relations: get, list, index queries, and the lists and items behind a relation."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphql import OperationType

from seedctl.local.appsync import rules
from seedctl.local.appsync.attribute_values import check_numbers
from seedctl.local.appsync.errors import FieldError, dynamodb, unauthorized
from seedctl.local.appsync.filters import check_asks, check_filter, matches
from seedctl.local.appsync.introspection import (
    BELONGS_TO,
    HAS_MANY,
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
from seedctl.local.seal import InvalidTokenError, issue_token, read_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.appsync.introspection import Index, Model
    from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver
    from seedctl.local.appsync.rules import Condition
    from seedctl.outputs.models import Field

_DEFAULT_LIMIT = 100
_PAGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Question:
    """A list that is asked for, of items that *condition* lets the caller see."""

    model: Model
    condition: Condition
    arguments: Mapping[str, Any]
    info: Info

    @property
    def filter(self) -> Mapping[str, Any]:
        return self.arguments.get("filter") or {}


def get(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **key: Any) -> Any:
        # Of a composite sort key no part is a key.
        asked = {name: key[name] for name in model.table.attributes if name in key}
        condition, _ = rules.query_condition(model, "get", info.context.caller, asked)
        return _one(model, item_key(model, key), _allowed(condition, info), info)

    return resolve


def list_all(model: Model) -> Resolver:
    """Return the resolver of the list: a query where the partition key is given, else a scan."""
    table = model.table

    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        caller = info.context.caller
        if not rules.is_provider_allowed(model, "list", caller):
            raise unauthorized(info)
        if model.has_custom_key:
            check_list_arguments(table, arguments)
            if arguments.get(table.partition_key) is not None:
                return _by_key(model, table, arguments, info)
        condition = _allowed(rules.condition(model, "list", caller), info)
        question = _Question(model, condition, arguments, info)
        check_asks(question.filter)
        return _page(question)

    return resolve


def by_index(model: Model, index: Index) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        return _by_key(model, index, arguments, info)

    return resolve


def relation(model: Model, field: Field, models: Mapping[str, Model]) -> Resolver:
    """Return the resolver of *field*, which leads from *model* to another."""
    assert field.association is not None
    found = _Relation(model, field, models)
    resolvers = {BELONGS_TO: found.parent, HAS_MANY: found.children}
    return resolvers.get(field.association.connection_type, found.child)


class _Relation:
    """A way from *model* to another. Who may read that one is decided first, in mutations too."""

    def __init__(self, model: Model, field: Field, models: Mapping[str, Model]) -> None:
        self._model = model
        self._related = models[field.type.name]
        # Of the related model, by its foreign key to this one.
        self._index = index_of_relation(model, field, models)
        types = attribute_types(self._related, self._index)
        self._is_sorted_by_number = types.get(self._index.sort_key or "") == "N"
        self._foreign_key = foreign_key(field)
        is_shown = field.is_required or rules.may_show_in_mutation(model, self._related)
        self._is_shown_in_mutations = is_shown

    def parent(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._allowed("get", info)
        values = zip(self._related.key, map(source.get, self._foreign_key), strict=False)
        key = {**dict.fromkeys(self._related.key), **dict(values)}
        if self._is_hidden(info) or None in key.values():
            return None
        return _one(self._related, item_key(self._related, key), condition, info)

    def children(self, source: Mapping[str, Any], info: Info, /, **arguments: Any) -> Any:
        condition = self._allowed("list", info)
        if self._is_hidden(info):
            return {"items": [], "nextToken": None}
        if self._is_sorted_by_number:
            # The deployed resolver compares with the sort key's text, whatever its type.
            raise dynamodb(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        # Unlike other lists, one whose filter asks for nothing is not refused.
        question = _Question(self._related, condition, arguments, info)
        return _page(question, self._query(source, is_descending=_is_descending(arguments)))

    def child(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._allowed("get", info)
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

    def _allowed(self, operation: str, info: Info) -> Condition:
        return _allowed(rules.condition(self._related, operation, info.context.caller), info)

    def _is_hidden(self, info: Info) -> bool:
        is_mutation = info.operation.operation is OperationType.MUTATION
        return is_mutation and not self._is_shown_in_mutations

    def _query(self, source: Mapping[str, Any], *, is_descending: bool = False) -> KeyQuery:
        partition, *sort_key = item_key(self._model, source)
        condition = KeyCondition("eq", sort_key[0]) if sort_key else None
        return KeyQuery(self._index, partition, condition, is_descending)


def _by_key(model: Model, index: Index, given: Mapping[str, Any], info: Info) -> Any:
    """Answer a query by the partition key of *index*, which *given* arguments name."""
    arguments = dict(given)
    partition = arguments[index.partition_key]
    keys = {index.partition_key: partition}
    if index.sort_key is not None:
        wanted = arguments.get(argument_name(index))
        # A condition that is none of equality names no owner.
        keys[index.sort_key] = None if wanted is None else wanted.get("eq") or ""
    found, own = rules.query_condition(model, "list", info.context.caller, keys)
    condition = _allowed(found, info)
    for value in own.values():
        arguments[argument_name(index)] = {"eq": value}
    check_key_arguments(index, arguments)
    question = _Question(model, condition, arguments, info)
    check_asks(question.filter)
    check_numbers(partition, f":{index.partition_key}")
    asked = key_condition(model, index, arguments)
    return _page(question, KeyQuery(index, partition, asked, _is_descending(arguments)))


def _allowed(condition: Condition | None, info: Info) -> Condition:
    if condition is None:
        raise unauthorized(info)
    return condition


def _one(model: Model, key: list[Any], condition: Condition, info: Info) -> Any:
    request: GraphQLRequest = info.context
    with request.store.reading() as view:
        item = request.rows(view, model).get(key)
    if item is not None and not condition(item):
        raise unauthorized(info)
    return item


def _page(question: _Question, query: KeyQuery | None = None) -> dict[str, Any]:
    """Return a page of what *query* finds, or of the whole table; what is filtered out counts too."""
    info, wanted, arguments = question.info, question.filter, question.arguments
    request: GraphQLRequest = info.context
    # A token is good for the same question only.
    scope = f"graphql {request.api} {info.parent_type.name}.{info.field_name}"
    if query is not None:
        place = f"{query.index.name} {json.dumps(query.partition)}"
        scope = f"{scope} {place} {query.condition} {query.is_descending}"
    check_filter(wanted, query.index.attributes if query is not None else ())
    limit = _limit(arguments)
    after = _read_token(request, scope, arguments.get("nextToken"))
    items, count, size = [], 0, 0
    last: list[Any] | None = None
    with request.store.reading() as view:
        rows = request.rows(view, question.model)
        read = rows.scan(after, limit) if query is None else rows.query(query, after, limit)
        with closing(read):
            for found in read:
                count, size, last = count + 1, size + found.size, found.position
                if question.condition(found.item) and matches(wanted, found.item):
                    items.append(found.item)
                if size > _PAGE_BYTES:
                    break
    token = None
    # A full page has a token even if nothing follows, as with DynamoDB.
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
        raise dynamodb(
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
