"""Queries and relations: get, list, index queries, and the lists and items behind a relation."""

from __future__ import annotations

import base64
import heapq
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import rules
from seedctl.local.appsync.errors import FieldError, dynamodb, invalid_arguments, unauthorized
from seedctl.local.appsync.filters import check, matches
from seedctl.local.appsync.introspection import BELONGS_TO, HAS_MANY, index_of_relation
from seedctl.local.appsync.key_conditions import argument_name, key_test, sort_position
from seedctl.local.appsync.request import is_mutation
from seedctl.local.appsync.rows import primary_index
from seedctl.local.seal import BrokenSealError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from seedctl.local.appsync.introspection import Field, Index, Model
    from seedctl.local.appsync.request import GraphQLRequest, Info, Resolver
    from seedctl.local.appsync.rules import Condition

    Placed = tuple[bytes, dict[str, Any]]
    Test = Callable[[Mapping[str, Any]], bool]

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
        request: GraphQLRequest = info.context
        condition = _allowed(model, "get", info)
        return _one(request, model, [key[name] for name in model.key], condition, info)

    return resolve


def list_all(model: Model) -> Resolver:
    """Return the resolver of the list: a query where the partition key is given, else a scan."""
    partition_key = model.key[0]
    index = primary_index(model)

    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        condition = _allowed(model, "list", info)
        value = arguments.pop(partition_key, None) if model.has_custom_key else None
        if value is not None:
            return _query(_Question(model, condition, arguments, info), index, [value])
        if arguments.get("sortDirection") is not None:
            raise invalid_arguments(
                "When providing argument 'sortDirection' you must also provide argument "
                f"'{partition_key}'."
            )
        sort_names = model.key[1:]
        if sort_names and arguments.get(argument_name(sort_names)) is not None:
            raise invalid_arguments(
                f"When providing argument '{argument_name(sort_names)}' you must also provide "
                f"'{partition_key}'."
            )
        return _scan(_Question(model, condition, arguments, info))

    return resolve


def by_index(model: Model, index: Index) -> Resolver:
    def resolve(_source: Any, info: Info, /, **arguments: Any) -> Any:
        condition = _allowed(model, "list", info)
        value = arguments.pop(index.fields[0])
        return _query(_Question(model, condition, arguments, info), index, [value])

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

    def parent(source: Mapping[str, Any], info: Info) -> Any:
        if is_mutation(info) and not shown_in_mutations:
            return None
        key = [source.get(name) for name in association.keys]
        if not key or None in key:
            return None
        condition = _allowed(related, "get", info)
        return _one(info.context, related, key, condition, info)

    def children(source: Mapping[str, Any], info: Info, /, **arguments: Any) -> Any:
        if is_mutation(info) and not shown_in_mutations:
            return empty
        condition = _allowed(related, "list", info)
        index = index_of_relation(model, field, models)
        key = [source.get(name) for name in model.key]
        page = _query(_Question(related, condition, arguments, info), index, key)
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
    request, arguments = question.request, question.arguments
    limit = _limit(arguments)
    after = _read_token(request, question.scope, arguments.get("nextToken"))
    start = b"" if after is None else base64.b64decode(after[1])
    with request.reading() as view:
        found = list(request.rows(view, question.model).scan(start, limit))
    return _page(question, found, limit, question.scope, ())


def _query(question: _Question, index: Index, key: Sequence[Any]) -> dict[str, Any]:
    """Answer from *index*; *key* is its partition key, perhaps with some of its sort keys."""
    request, arguments = question.request, question.arguments
    names = index.fields[1:]
    test = _key_condition(names, arguments)
    fixed = dict(zip(names, key[1:], strict=False))
    backwards = arguments.get("sortDirection") == "DESC"
    scope = f"{question.scope} {index.name} {json.dumps(key)} {backwards}"
    limit = _limit(arguments)
    after = _read_token(request, scope, arguments.get("nextToken"))

    def position(placed: Placed) -> list[Any]:
        return _position(names, placed)

    def follows(placed: Placed) -> bool:
        if after is None:
            return True
        here = position(placed)
        return here < after if backwards else here > after

    with request.reading() as view:
        found = [
            placed
            for placed in request.rows(view, question.model).partition(index, key[0])
            if all(placed[1].get(name) == value for name, value in fixed.items())
            and test(placed[1])
            and follows(placed)
        ]
    choose = heapq.nlargest if backwards else heapq.nsmallest
    return _page(question, choose(limit, found, key=position), limit, scope, names)


def _key_condition(names: Sequence[str], arguments: Mapping[str, Any]) -> Test:
    wanted = arguments.get(argument_name(names)) if names else None
    return key_test(names, wanted) if wanted else lambda _item: True


def _position(names: Sequence[str], placed: Placed) -> list[Any]:
    return [sort_position(names, placed[1]), base64.b64encode(placed[0]).decode()]


def _page(
    question: _Question, found: list[Placed], limit: int, scope: str, names: Sequence[str]
) -> dict[str, Any]:
    """Return a page of *found*, which is limited already: what is filtered out counts."""
    read, size = [], 0
    for placed in found:
        read.append(placed)
        size += len(json.dumps(placed[1]))
        if size > _PAGE_BYTES:
            break
    token = None
    # A full page has a token even if nothing follows, as with DynamoDB.
    if read and (len(read) == limit or len(read) < len(found)):
        token = _issue_token(question.request, scope, _position(names, read[-1]))
    wanted = question.arguments.get("filter") or {}
    check(wanted)
    items = [item for _, item in read if question.condition(item) and matches(wanted, item)]
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


def _issue_token(request: GraphQLRequest, scope: str, position: list[Any]) -> str:
    sealed = request.store.seal.close({"after": position}, _token_place(request, scope))
    return base64.urlsafe_b64encode(sealed).decode()


def _read_token(request: GraphQLRequest, scope: str, token: str | None) -> list[Any] | None:
    if token is None:
        return None
    try:
        sealed = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        after: list[Any] = request.store.seal.open(sealed, _token_place(request, scope))["after"]
    except (ValueError, BrokenSealError) as error:
        raise FieldError("BadRequestException", "Invalid pagination token given.") from error  # [?]
    return after


def _token_place(request: GraphQLRequest, scope: str) -> bytes:
    # Bound to the question: a token of another list is none of this one.
    return f"page {request.api} {scope}".encode()
