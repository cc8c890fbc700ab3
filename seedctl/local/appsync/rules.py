"""What a caller may do with a model: its rules, as the deployed resolvers apply them.

A decision that needs no item is made at once; what is left is a condition on the item.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.callers import API_KEY, IAM, IDENTITY_POOL, USER_POOL
from seedctl.local.appsync.introspection import READS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.local.appsync.callers import Caller
    from seedctl.local.appsync.introspection import Model, Rule

    Condition = Callable[[Mapping[str, Any] | None], bool]
    ItemTest = Callable[[Mapping[str, Any]], bool]

# The code generator's word for the default claim; what is deployed compares sub::username.
_DEFAULT_CLAIMS = ("cognito:username", "username", "sub::username")


def condition(model: Model, operation: str, caller: Caller) -> Condition | None:
    """Return the condition on items under which *caller* may do *operation*.

    None where no item passes: AppSync then refuses the field, and never answers an empty list.
    """
    found, _ = query_condition(model, operation, caller, {})
    return found


def is_provider_allowed(model: Model, operation: str, caller: Caller) -> bool:
    """Whether callers of this kind may ask at all, which is looked at before any argument.

    IAM always may: a guest of the identity pool is refused later, by the rules.
    """
    return caller.provider in (IAM, IDENTITY_POOL) or bool(_rules(model, operation, caller))


def query_condition(
    model: Model, operation: str, caller: Caller, keys: Mapping[str, Any]
) -> tuple[Condition | None, dict[str, str]]:
    """Return as :func:`condition` what a query by *keys* lets *caller* see, and keys to add.

    *keys* are the key attributes of what is queried with the values asked for, None where the
    query leaves one open. An owner or group in them is compared before the query: asked for
    another's items it is refused, and left open it is the caller's own.
    """
    if _passes_as_a_whole(model, operation, caller):
        return _anything, {}
    tests = []
    own: dict[str, str] = {}
    for rule in _rules(model, operation, caller):
        field, accepted = _accepts(rule, caller)
        if field is None or not accepted:
            continue
        if field not in keys:
            tests.append(_test(field, accepted))
        elif keys[field] in accepted:
            return _anything, {}
        elif keys[field] is None:
            own[field] = accepted[-1]
    if tests:
        return _any_of(tests), {}
    return (_anything, own) if own else (None, {})


def fill_owners(model: Model, caller: Caller, values: dict[str, Any]) -> bool:
    """Fill the owner fields that *values* of a new item lack; False if it may not be made."""
    allowed = _passes_as_a_whole(model, "create", caller)
    for rule in _rules(model, "create", caller):
        name = rule.owner_field
        if name is not None and name not in values:
            identity = _identity(rule, caller)
            if identity is not None:
                values[name] = [identity] if _is_list(model, name) else identity
        field, accepted = _accepts(rule, caller)
        allowed = allowed or (field is not None and _test(field, accepted)(values))
    return allowed


def shown_owner(value: Any) -> Any:
    """Return an owner field's *value* as it is read: what follows the last ``::``."""
    if isinstance(value, list):
        return [shown_owner(item) for item in value]
    return value.rpartition("::")[2] if isinstance(value, str) else value


def may_show_in_mutation(model: Model, related: Model) -> bool:
    """Whether a mutation's response shows items of *related*, reached through *model*.

    Only where both are read by the same rules, and these are neither about items nor custom.
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


def _passes_as_a_whole(model: Model, operation: str, caller: Caller) -> bool:
    # Gen 2 lets every plain IAM principal through, whatever the rules.
    return caller.provider == IAM or any(
        _is_met(rule, caller) for rule in _rules(model, operation, caller) if rule.is_static
    )


def _is_met(rule: Rule, caller: Caller) -> bool:
    if caller.provider == API_KEY:
        return rule.allow == "public"
    if caller.provider == IDENTITY_POOL:
        return rule.allow == ("public" if caller.is_guest else "private")
    if caller.provider != USER_POOL:
        return False
    if rule.groups is not None:
        return any(group in rule.groups for group in caller.groups(rule.group_claim))
    return rule.allow == "private"


def _accepts(rule: Rule, caller: Caller) -> tuple[str | None, tuple[str, ...]]:
    """Return the field that *rule* looks at, None if none, and the values that it accepts."""
    if rule.owner_field is not None:
        return rule.owner_field, _accepted(rule, caller)
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
    """Return what is written into the owner field."""
    if rule.identity_claim in _DEFAULT_CLAIMS:
        return f"{caller.claims['sub']}::{caller.username}"
    parts = [caller.claims.get(claim) for claim in rule.identity_claim.split("::")]
    return "::".join(map(str, parts)) if None not in parts else None


def _accepted(rule: Rule, caller: Caller) -> tuple[str, ...]:
    """Return the forms of the identity that an owner field may hold, the one written last."""
    identity = _identity(rule, caller)
    if identity is None:
        return ()
    if rule.identity_claim in _DEFAULT_CLAIMS:
        return (caller.claims["sub"], str(caller.username), identity)
    return (*identity.split("::"), identity)


def _is_list(model: Model, name: str) -> bool:
    return name in model.fields and model.fields[name].is_array


def _anything(_item: Mapping[str, Any] | None) -> bool:
    return True
