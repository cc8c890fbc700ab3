"""Queries and relations: get, list, index queries, and the lists and items behind a relation."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.attribute_values import check_numbers
from seedctl.local.appsync.errors import FieldError, dynamodb, unauthorized
from seedctl.local.appsync.filters import check_asks, check_filter, matches
from seedctl.local.appsync.introspection import BELONGS_TO, HAS_MANY, index_of_relation
from seedctl.local.appsync.key_conditions import (
    KeyCondition,
    argument_name,
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
            raise _unauthorized(info)
        if model.has_custom_key:
            check_list_arguments(table, arguments)
            if arguments.get(table.partition_key) is not None:
                return _by_key(model, table, arguments, info)
        condition = _allowed(rules.condition(model, "list", caller), info)
        question = _Question(model, condition, arguments, info)
        check_asks(question.filter)
        return _scan(question)

    return resolve


def by_index(model: Model, index: Index) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        return _by_key(model, index, arguments, info)

    return resolve


def relation(model: Model, field: Field, models: Mapping[str, Model]) -> Resolver:
    """Return the resolver of *field*, which leads from *model* to another."""
    association = field.association
    assert association is not None
    related = models[field.type_name]
    found = _Relation(
        model=model,
        related=related,
        index=index_of_relation(model, field, models),
        foreign_key=association.keys,
        is_shown_in_mutations=field.is_required or rules.may_show_in_mutation(model, related),
    )
    return {BELONGS_TO: found.parent, HAS_MANY: found.children}.get(association.kind, found.child)


@dataclass(frozen=True, slots=True)
class _Relation:
    """A way from *model* to another. Who may read that one is decided first, in mutations too."""

    model: Model
    related: Model
    index: Index
    """Of the related model, by its foreign key to *model*."""
    foreign_key: tuple[str, ...]
    """Fields of *model* for :meth:`parent`, of the related one otherwise."""
    is_shown_in_mutations: bool

    def parent(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._allowed("get", info)
        values = zip(self.related.key, map(source.get, self.foreign_key), strict=False)
        key = {**dict.fromkeys(self.related.key), **dict(values)}
        if self._is_hidden(info) or None in key.values():
            return None
        return _one(self.related, item_key(self.related, key), condition, info)

    def children(self, source: Mapping[str, Any], info: Info, /, **arguments: Any) -> Any:
        condition = self._allowed("list", info)
        if self._is_hidden(info):
            return {"items": [], "nextToken": None}
        sort_key = self.index.sort_key
        if sort_key is not None and attribute_type(self.related, self.index, sort_key) == "N":
            # The deployed resolver compares with the sort key's text, whatever its type.
            raise dynamodb(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        # Unlike other lists, one whose filter asks for nothing is not refused.
        question = _Question(self.related, condition, arguments, info)
        return _query(question, self.index, *self._asked(source))

    def child(self, source: Mapping[str, Any], info: Info, /) -> Any:
        condition = self._allowed("get", info)
        if self._is_hidden(info):
            return None
        request: GraphQLRequest = info.context
        partition, asked = self._asked(source)
        with request.reading() as view:
            rows = request.rows(view, self.related)
            read = rows.query(self.index, partition, asked, (), -1, backwards=False)
            found = [each.item for each in read]
        items = [item for item in found if condition(item)]
        if found and not items:
            raise _unauthorized(info)
        return items[0] if items else None

    def _allowed(self, operation: str, info: Info) -> Condition:
        return _allowed(rules.condition(self.related, operation, info.context.caller), info)

    def _is_hidden(self, info: Info) -> bool:
        return is_mutation(info) and not self.is_shown_in_mutations

    def _asked(self, source: Mapping[str, Any]) -> tuple[Any, KeyCondition | None]:
        partition, *sort_key = item_key(self.model, source)
        return partition, KeyCondition("eq", sort_key[0]) if sort_key else None


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
    asked = None
    if index.sort_key is not None:
        asked = key_condition(index, attribute_type(model, index, index.sort_key), arguments)
    return _query(question, index, partition, asked)


def _allowed(condition: Condition | None, info: Info) -> Condition:
    if condition is None:
        raise _unauthorized(info)
    return condition


def _unauthorized(info: Info) -> FieldError:
    return unauthorized(info.field_name, info.parent_type.name)


def _one(model: Model, key: list[Any], condition: Condition, info: Info) -> Any:
    request: GraphQLRequest = info.context
    with request.reading() as view:
        item = request.rows(view, model).get(key)
    if item is not None and not condition(item):
        raise _unauthorized(info)
    return item


def _scan(question: _Question) -> dict[str, Any]:
    check_filter(question.filter)
    return _page(question, question.scope, lambda rows, after, limit: rows.scan(after, limit))


def _query(
    question: _Question, index: Index, partition: Any, asked: KeyCondition | None
) -> dict[str, Any]:
    """Return a page of a partition of *index*, of the items whose sort key is *asked* for."""
    check_filter(question.filter, index.attributes)
    backwards = question.arguments.get("sortDirection") == "DESC"
    # A token is good for the same question only.
    scope = f"{question.scope} {index.name} {json.dumps(partition)} {asked} {backwards}"
    return _page(
        question,
        scope,
        lambda rows, after, limit: rows.query(
            index, partition, asked, after, limit, backwards=backwards
        ),
    )


def _page(question: _Question, scope: str, read: Read) -> dict[str, Any]:
    """Return a page of what *read* gives; what is filtered out of it counts too."""
    request, wanted, limit = question.request, question.filter, _limit(question.arguments)
    scope = f"graphql {request.api} {scope}"
    after = _read_token(request, scope, question.arguments.get("nextToken"))
    items, count, size = [], 0, 0
    last: list[Any] | None = None
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
    token = None
    # A full page has a token even if nothing follows, as with DynamoDB.
    if last is not None and (count == limit or size > _PAGE_BYTES):
        token = issue_token(request.store.seal, scope, last)
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
        return read_token(request.store.seal, scope, token)
    except InvalidTokenError as error:
        raise FieldError("BadRequestException", "Invalid pagination token given.") from error  # [?]
