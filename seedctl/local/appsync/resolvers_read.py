"""Queries and relations: get, list, index queries, and the lists and items behind a relation."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.errors import FieldError, dynamodb, unauthorized
from seedctl.local.appsync.filters import check, check_keys, matches
from seedctl.local.appsync.introspection import BELONGS_TO, HAS_MANY, index_of_relation
from seedctl.local.appsync.key_conditions import (
    KeyCondition,
    check_key_arguments,
    check_list_arguments,
    key_condition,
)
from seedctl.local.appsync.keys import attribute_type, item_key
from seedctl.local.appsync.request import is_mutation
from seedctl.local.paging import InvalidTokenError, issue_token, read_token

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from seedctl.local.appsync.introspection import Field, Index, Model
    from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver
    from seedctl.local.appsync.rows import Found, Rows
    from seedctl.local.appsync.rules import Condition

    Read = Callable[[Rows, Sequence[Any], int], Generator[Found, None, None]]

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
    def request(self) -> GraphQLRequest:
        request: GraphQLRequest = self.info.context
        return request

    @property
    def scope(self) -> str:
        return f"{self.info.parent_type.name}.{self.info.field_name}"


def get(model: Model) -> Resolver:
    def resolve(_source: Any, info: Info, /, **key: Any) -> Any:
        condition = _allowed(model, "get", info)
        return _one(info.context, model, item_key(model, key), condition, info)

    return resolve


def list_all(model: Model) -> Resolver:
    """Return the resolver of the list: a query where the partition key is given, else a scan."""
    index = model.table

    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        if model.has_custom_key:
            check_list_arguments(index, arguments)
        condition = _allowed(model, "list", info)
        question = _Question(model, condition, arguments, info)
        value = arguments.get(index.partition_key) if model.has_custom_key else None
        if value is None:
            return _scan(question)
        return _query(question, index, value, _asked(question, index))

    return resolve


def by_index(model: Model, index: Index) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        check_key_arguments(index, arguments)
        question = _Question(model, _allowed(model, "list", info), arguments, info)
        value = arguments[index.partition_key]
        return _query(question, index, value, _asked(question, index))

    return resolve


def relation(model: Model, field: Field, models: Mapping[str, Model]) -> Resolver:
    """Return the resolver of *field*, which leads from *model* to another."""
    related = models[field.type_name]
    association = field.association
    assert association is not None
    shown_in_mutations = field.is_required or rules.may_show_in_mutation(model, related)
    empty: dict[str, Any] | None = None
    if association.kind == HAS_MANY:
        empty = {"items": [], "nextToken": None}

    def parent(source: Mapping[str, Any], info: Info, /) -> Any:
        if is_mutation(info) and not shown_in_mutations:
            return None
        key = [source.get(name) for name in association.keys]
        if not key or None in key:
            return None
        condition = _allowed(related, "get", info)
        values = dict(zip(related.key, key, strict=True))
        return _one(info.context, related, item_key(related, values), condition, info)

    def children(source: Mapping[str, Any], info: Info, /, **arguments: Any) -> Any:
        if is_mutation(info) and not shown_in_mutations:
            return empty
        condition = _allowed(related, "list", info)
        index = index_of_relation(model, field, models)
        partition, *sort_key = item_key(model, source)
        asked = KeyCondition("eq", sort_key[0]) if sort_key else None
        page = _query(_Question(related, condition, arguments, info), index, partition, asked)
        if association.kind == HAS_MANY:
            return page
        return page["items"][0] if page["items"] else None

    return parent if association.kind == BELONGS_TO else children


def _allowed(model: Model, operation: str, info: Info) -> Condition:
    condition = rules.condition(model, operation, info.context.caller)
    if condition is None:
        raise unauthorized(info.field_name, info.parent_type.name)
    return condition


def _one(
    request: GraphQLRequest,
    model: Model,
    key: Sequence[Any],
    condition: Condition,
    info: Info,
) -> Any:
    with request.reading() as view:
        item = request.rows(view, model).get(key)
    if item is not None and not condition(item):
        raise unauthorized(info.field_name, info.parent_type.name)
    return item


def _scan(question: _Question) -> dict[str, Any]:
    wanted = question.arguments.get("filter") or {}
    check(wanted)
    return _page(
        question,
        wanted,
        question.scope,
        lambda rows, after, limit: rows.scan(after, limit),
    )


def _asked(question: _Question, index: Index) -> KeyCondition | None:
    """Return what the arguments ask of the sort key of *index*. Raises FieldError."""
    if index.sort_key is None:
        return None
    type_name = attribute_type(question.model, index, index.sort_key)
    return key_condition(index, type_name, question.arguments)


def _query(
    question: _Question, index: Index, partition: Any, asked: KeyCondition | None
) -> dict[str, Any]:
    """Return a page of a partition of *index*, of the items whose sort key is *asked* for."""
    arguments = question.arguments
    wanted = arguments.get("filter") or {}
    if not index.is_relation:
        check(wanted)
    check_keys(wanted, index.attributes)
    backwards = arguments.get("sortDirection") == "DESC"
    # A token is good for the same question only.
    scope = f"{question.scope} {index.name} {json.dumps(partition)} {asked} {backwards}"
    return _page(
        question,
        wanted,
        scope,
        lambda rows, after, limit: rows.query(
            index, partition, asked, after, limit, backwards=backwards
        ),
    )


def _page(question: _Question, wanted: Mapping[str, Any], scope: str, read: Read) -> dict[str, Any]:
    """Return a page of what *read* gives; what is filtered out of it counts too."""
    request, limit = question.request, _limit(question.arguments)
    after = _read_token(request, scope, question.arguments.get("nextToken"))
    items, count, size, last = [], 0, 0, None
    with (
        request.reading() as view,
        closing(read(request.rows(view, question.model), after, limit)) as rows,
    ):
        for found in rows:
            count, size, last = count + 1, size + found.size, found.position
            if question.condition(found.item) and matches(wanted, found.item):
                items.append(found.item)
            if size > _PAGE_BYTES:
                break
    # A full page has a token even if nothing follows, as with DynamoDB.
    is_full = last is not None and (count == limit or size > _PAGE_BYTES)
    scope = _token_scope(request, scope)
    token = issue_token(request.store.seal, scope, last) if is_full and last else None
    return {"items": items, "nextToken": token}


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
        return read_token(request.store.seal, _token_scope(request, scope), token)
    except InvalidTokenError as error:
        raise FieldError("BadRequestException", "Invalid pagination token given.") from error  # [?]


def _token_scope(request: GraphQLRequest, scope: str) -> str:
    return f"graphql {request.api} {scope}"
