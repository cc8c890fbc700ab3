"""The authorization rules of a model, applied as the deployed resolvers do.

Rules that need no item are decided at once; the others become a condition on the item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from seedctl.local.appsync.callers import API_KEY, IAM, IDENTITY_POOL, USER_POOL, Caller
from seedctl.local.appsync.introspection import READS, Model, Rule

Condition = Callable[[Mapping[str, Any] | None], bool]
ItemTest = Callable[[Mapping[str, Any]], bool]

# Names of the default claim; the deployed resolvers compare sub::username.
_DEFAULT_CLAIMS = ("cognito:username", "username", "sub::username")


def item_condition(model: Model, operation: str, caller: Caller) -> Condition | None:
    """Return the condition on items under which *caller* may do *operation*.

    None if no item can pass: AppSync then rejects the field, rather than return an empty list.
    """
    return query_condition(model, operation, caller, {})[0]


def is_provider_allowed(model: Model, operation: str, caller: Caller) -> bool:
    """Whether any rule names the caller's provider; checked before the arguments.

    IAM always passes: the rules reject a guest of the identity pool later.
    """
    return caller.provider in (IAM, IDENTITY_POOL) or bool(_rules(model, operation, caller))


def query_condition(
    model: Model, operation: str, caller: Caller, keys: Mapping[str, Any]
) -> tuple[Condition | None, dict[str, str]]:
    """Return the ``item_condition`` of a query by *keys*, and key values to add to the query.

    *keys* are the key attributes of the table or index with the requested values, None where the
    query gives none. An owner or group in a key is compared before the query: the value of someone
    else is rejected, and the caller's own value is added if the query gives none.
    """
    if _is_allowed_for_all_items(model, operation, caller):
        return _always, {}
    tests = []
    own: dict[str, str] = {}
    for rule in _rules(model, operation, caller):
        field, accepted = _field_and_values(rule, caller)
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


def fill_owners(model: Model, caller: Caller, values: dict[str, Any]) -> bool:
    """Fill missing owner fields in *values* of a new item; return whether it may be created."""
    allowed = _is_allowed_for_all_items(model, "create", caller)
    for rule in _rules(model, "create", caller):
        name = rule.owner_field
        if name is not None and name not in values:
            identity = _identity(rule, caller)
            if identity is not None:
                values[name] = [identity] if _is_list(model, name) else identity
        field, accepted = _field_and_values(rule, caller)
        allowed = allowed or (field is not None and _test(field, accepted)(values))
    return allowed


def displayed_owner(value: object) -> Any:
    """Return an owner field's *value* as the API shows it: the part after the last ``::``."""
    if isinstance(value, list):
        return [displayed_owner(item) for item in value]
    return value.rpartition("::")[2] if isinstance(value, str) else value


def may_show_in_mutation(model: Model, related: Model) -> bool:
    """Whether a mutation's response shows items of *related*, a relation of *model*.

    Only if both models have the same rules for reading, none of which is dynamic or custom.
    """
    reading = [rule for rule in (*model.rules, *related.rules) if rule.operations & READS]
    if not all(rule.is_static and rule.allow != "custom" for rule in reading):
        return False
    own, others = (
        {
            (rule.allow, rule.provider, rule.groups, verb)
            for rule in each.rules
            for verb in rule.operations & READS
        }
        for each in (model, related)
    )
    return own == others


def _rules(model: Model, operation: str, caller: Caller) -> list[Rule]:
    return [
        rule
        for rule in model.rules
        if operation in rule.operations and rule.provider == caller.provider
    ]


def _is_allowed_for_all_items(model: Model, operation: str, caller: Caller) -> bool:
    # Gen 2 allows every plain IAM principal, whatever the rules.
    return caller.provider == IAM or any(
        _is_granted(rule, caller) for rule in _rules(model, operation, caller) if rule.is_static
    )


def _is_granted(rule: Rule, caller: Caller) -> bool:
    if caller.provider == API_KEY:
        return rule.allow == "public"
    if caller.provider == IDENTITY_POOL:
        return rule.allow == ("public" if caller.is_guest else "private")
    if caller.provider != USER_POOL:
        return False
    if rule.groups is not None:
        return any(group in rule.groups for group in caller.groups(rule.group_claim))
    return rule.allow == "private"


def _field_and_values(rule: Rule, caller: Caller) -> tuple[str | None, tuple[str, ...]]:
    """Return the field that *rule* compares, None for a static rule, and the accepted values."""
    if rule.owner_field is not None:
        return rule.owner_field, _accepted_identities(rule, caller)
    if rule.groups_field is not None:
        return rule.groups_field, caller.groups(rule.group_claim)
    return None, ()


def _test(field: str, accepted: tuple[str, ...]) -> ItemTest:
    def test(item: Mapping[str, Any]) -> bool:
        found = item.get(field)
        return any(value in accepted for value in (found if isinstance(found, list) else [found]))

    return test


def _any_of(tests: list[ItemTest]) -> Condition:
    return lambda item: item is not None and any(test(item) for test in tests)


def _identity(rule: Rule, caller: Caller) -> str | None:
    """Return the value to write into the owner field, None if the token lacks the claim."""
    if rule.identity_claim in _DEFAULT_CLAIMS:
        return f"{caller.claims['sub']}::{caller.username}"
    parts = [caller.claims.get(claim) for claim in rule.identity_claim.split("::")]
    return "::".join(map(str, parts)) if None not in parts else None


def _accepted_identities(rule: Rule, caller: Caller) -> tuple[str, ...]:
    """Return the forms of the identity accepted in an owner field, the written form last."""
    identity = _identity(rule, caller)
    if identity is None:
        return ()
    if rule.identity_claim in _DEFAULT_CLAIMS:
        return (caller.claims["sub"], str(caller.username), identity)
    return (*identity.split("::"), identity)


def _is_list(model: Model, name: str) -> bool:
    return name in model.fields and model.fields[name].is_array


def _always(_item: Mapping[str, Any] | None) -> bool:
    return True
