"""The authorization rules of a model and its fields, applied as the deployed resolvers do.

Rules that need no item are decided at once; the others become a condition on the item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from seedctl.local.appsync.access import CallerRole, has_same_readers
from seedctl.local.appsync.callers import API_KEY, IAM, IDENTITY_POOL, Caller
from seedctl.local.appsync.introspection import Model
from seedctl.outputs.models import Field

Condition = Callable[[Mapping[str, Any] | None], bool]
ItemTest = Callable[[Mapping[str, Any]], bool]


def item_condition(model: Model, operation: str, caller: Caller) -> Condition | None:
    """Return the condition on items under which *caller* may do *operation*.

    *operation* is get, list, delete or relation: reading as the relation of another item. None if
    no item can pass: AppSync then rejects the field, rather than return an empty list.
    """
    return query_condition(model, operation, caller, {})[0]


def is_provider_allowed(model: Model, operation: str, caller: Caller) -> bool:
    """Whether any rule names the caller's provider; checked before the arguments.

    IAM always passes: the rules reject a guest of the identity pool later.
    """
    return caller.provider in (IAM, IDENTITY_POOL) or bool(_roles(model, operation, caller))


def query_condition(
    model: Model, operation: str, caller: Caller, keys: Mapping[str, Any]
) -> tuple[Condition | None, dict[str, str]]:
    """Return the ``item_condition`` of a query by *keys*, and key values to add to the query.

    *keys* are the key attributes of the table or index with the requested values, None where the
    query gives none. An owner or group in a key is compared before the query: the value of someone
    else is rejected, and the caller's own value is added if the query gives none.
    """
    roles = _roles(model, operation, caller)
    if caller.provider == IAM or any(_is_granted(role, caller) for role in roles):
        return _always, {}
    tests = []
    own: dict[str, str] = {}
    for role in roles:
        field, accepted = _field_and_values(role, caller)
        if field is None or not accepted:
            continue
        if field not in keys:
            tests.append(_test(field, accepted))
        elif keys[field] in accepted:
            return _always, {}
        elif keys[field] is None:
            own[field] = accepted[-1]
    if tests:
        return _any_of(tests), {}
    return (_always, own) if own else (None, {})


def fill_owners(model: Model, caller: Caller, values: dict[str, Any]) -> None:
    """Put *caller* into the owner fields that *values* of a new item do not have."""
    for role in _roles(model, "create", caller):
        name = role.owner_field
        if name is not None and name not in values:
            identity = _accepted_identities(role, caller)[-1:]
            if identity:
                values[name] = list(identity) if _is_list(model, name) else identity[0]


def denied_names(
    model: Model,
    operation: str,
    caller: Caller,
    given: Mapping[str, Any],
    item: Mapping[str, Any] | None,
) -> list[str] | None:
    """Return the names in *given*, the input, that *caller* may not send; None if not even one.

    *operation* is create, where *item* is the new item, or update, where it is the stored one, None
    if there is none.
    """
    # Gen 2 allows every plain IAM principal, whatever the rules.
    if caller.provider == IAM:
        return []
    access = model.access
    roles = [
        role
        for role in access.writers[operation]
        if role.provider == caller.provider and _has_role(role, caller, item)
    ]
    if not roles:
        return None
    if any((role, operation) in access.unlimited for role in roles):
        return []
    allowed = set().union(*(access.attributes(role, operation) for role in roles))
    if operation == "create":
        return [name for name in given if name not in allowed]
    # Null removes the attribute.
    removable = set().union(*(access.fields(role, "delete") for role in roles))
    return [
        name
        for name, value in given.items()
        if name not in allowed or (value is None and name not in removable)
    ]


def may_read_field(model: Model, field: str, caller: Caller, item: Mapping[str, Any]) -> bool:
    """Whether *caller*, who may read *item*, may read its *field*."""
    if caller.provider == IAM or not model.access.is_guarded(field):
        return True
    return any(
        role.provider == caller.provider and _has_role(role, caller, item)
        for role in model.access.readers(field)
    )


def is_hidden_in_mutations(model: Model, field: Field, related: Model) -> bool:
    """Whether responses of mutations lack the items of *field*, a relation to *related*.

    They would reach all subscribers, whom AppSync does not check. Without subscriptions, and for
    callers who may not read it at all, nothing is hidden.
    """
    if not model.has_subscriptions:
        return False
    if field.is_required or model.access.is_guarded(field.name):
        return model.access.is_guarded(field.name)
    return not has_same_readers(field.name, model.access, related.access)


def _roles(model: Model, operation: str, caller: Caller) -> list[CallerRole]:
    roles = model.access.by_operation[operation]
    return [role for role in roles if role.provider == caller.provider]


def _is_granted(role: CallerRole, caller: Caller) -> bool:
    """Whether *caller* has *role* for all items."""
    if not role.is_static:
        return False
    if caller.provider == API_KEY:
        return role.allow == "public"
    if caller.provider == IDENTITY_POOL:
        return role.allow == ("public" if caller.is_guest else "private")
    if role.group is not None:
        return role.group in caller.groups(str(role.claim))
    return role.allow == "private"


def _has_role(role: CallerRole, caller: Caller, item: Mapping[str, Any] | None) -> bool:
    """Whether *caller* has *role* for *item*; a missing one has no owner."""
    if role.is_static or item is None:
        return _is_granted(role, caller)
    field, accepted = _field_and_values(role, caller)
    return field is not None and _test(field, accepted)(item)


def _field_and_values(role: CallerRole, caller: Caller) -> tuple[str | None, tuple[str, ...]]:
    """Return the field that *role* compares, None for a static role, and the accepted values."""
    if role.owner_field is not None:
        return role.owner_field, _accepted_identities(role, caller)
    if role.groups_field is not None:
        return role.groups_field, caller.groups(str(role.claim))
    return None, ()


def _test(field: str, accepted: tuple[str, ...]) -> ItemTest:
    def test(item: Mapping[str, Any]) -> bool:
        found = item.get(field)
        return any(value in accepted for value in (found if isinstance(found, list) else [found]))

    return test


def _any_of(tests: Iterable[ItemTest]) -> Condition:
    return lambda item: item is not None and any(test(item) for test in tests)


def _accepted_identities(role: CallerRole, caller: Caller) -> tuple[str, ...]:
    """Return the forms of the identity accepted in an owner field, the written form last.

    There are none if the token lacks a claim.
    """
    parts = [
        caller.username if claim == "username" else caller.claims.get(claim)
        for claim in str(role.claim).split("::")
    ]
    if None in parts:
        return ()
    texts = tuple(map(str, parts))
    return texts if len(texts) == 1 else (*texts, "::".join(texts))


def _is_list(model: Model, name: str) -> bool:
    return name in model.fields and model.fields[name].is_array


def _always(_item: Mapping[str, Any] | None) -> bool:
    return True
