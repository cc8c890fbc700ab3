"""The user that the script creates: candidates for its name, attributes and MFA method, best first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.cognito.attributes import possibly_copied_attribute

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs
    from seedctl.outputs.auth import MFAMethod
    from seedctl.outputs.details import UserAttribute

_NAMES = {"email": "ann@example.com", "phone_number": "+15555550100", "username": "ann"}
_ATTRIBUTES = {
    "address": "1 Main Street, Springfield",
    "birthdate": "1990-01-31",
    "email": "ann@example.com",
    "family_name": "Example",
    "gender": "female",
    "given_name": "Ann",
    "locale": "en",
    "middle_name": "Bea",
    "name": "Ann Example",
    "nickname": "Ann",
    "phone_number": "+15555550100",
    "picture": "https://example.com/ann.png",
    "preferred_username": "ann",
    "profile": "https://example.com/ann",
    "website": "https://example.com",
    "zoneinfo": "Europe/Paris",
}
_DELIVERY: tuple[tuple[MFAMethod, str | None], ...] = (
    ("EMAIL", "email"),
    ("SMS", "phone_number"),
    ("TOTP", None),
)
"""The MFA methods, and the attribute to which codes are sent."""


@dataclass(frozen=True, slots=True)
class FirstUser:
    """How the script creates its user, and signs it in."""

    username: str
    attributes: Mapping[str, str]
    mfa: MFAMethod | None = None
    """The MFA method to set up; None for a sign-in with the password alone."""
    group: str | None = None


def user_candidates(outputs: AmplifyOutputs, group: str | None) -> Iterator[FirstUser]:
    """Yield the users to try for the user pool of *outputs*, which has an auth section.

    *group* is the group of each user, if any.
    """
    assert outputs.auth is not None
    for kind in _kinds(outputs):
        username = _NAMES[kind]
        attributes = _required_attributes(outputs, username)
        for method in _methods(outputs, {*attributes, kind}):
            needed = dict(_DELIVERY)[method] if method is not None else None
            has_address = needed is None or needed in {*attributes, kind}
            added = {} if has_address else {str(needed): _ATTRIBUTES[str(needed)]}
            yield FirstUser(username, {**attributes, **added}, method, group)


def group_names(outputs: AmplifyOutputs) -> tuple[str, ...]:
    """Return the names of the groups of the user pool that *outputs* list."""
    pool = outputs.details.user_pool
    listed = pool.groups if pool is not None else None
    if listed is None and outputs.auth is not None:
        listed = outputs.auth.groups
    return tuple(group.name for group in listed or ())


def example_password(outputs: AmplifyOutputs | None) -> str:
    """Return a password that meets the policy of the user pool, to show what one looks like."""
    auth = outputs.auth if outputs is not None else None
    policy = auth.password_policy if auth is not None else None
    details = outputs.details.user_pool if outputs is not None else None
    if details is not None and details.password_policy is not None:
        policy = details.password_policy
    length = max(9, policy.min_length if policy is not None else 0)
    return ("Passw0rd!" * length)[:length]


def _kinds(outputs: AmplifyOutputs) -> list[str]:
    """Return the kinds of user names, those that the pool is known to accept first."""
    assert outputs.auth is not None
    pool = outputs.details.user_pool
    known = pool.username_attributes if pool is not None else None
    if known is None:
        known = outputs.auth.username_attributes
    if known == ():
        known = ("username",)
    return sorted(_NAMES, key=lambda kind: kind not in (known or ()))


def _methods(outputs: AmplifyOutputs, present: set[str]) -> list[MFAMethod | None]:
    """Return the MFA methods to try for a user who has the attributes *present*."""
    auth, pool = outputs.auth, outputs.details.user_pool
    assert auth is not None
    mode, offered = auth.mfa_configuration, auth.mfa_methods
    if pool is not None:
        mode = pool.mfa_configuration or mode
        offered = pool.mfa_methods if pool.mfa_methods is not None else offered
    # Cognito takes a method whose address the user has; only without one it has TOTP set up.
    listed = [method for method, _ in _DELIVERY if not offered or method in offered]
    addresses = dict(_DELIVERY)
    ranks = {method: (addresses[method] not in present, method != "TOTP") for method in listed}
    methods = sorted(listed, key=ranks.__getitem__)
    return [*methods, None] if mode == "REQUIRED" else [None, *methods]


def _required_attributes(outputs: AmplifyOutputs, username: str) -> dict[str, str]:
    """Return the attributes that the pool requires, except for the one that is a copy of the user name."""
    auth, pool = outputs.auth, outputs.details.user_pool
    assert auth is not None
    declared = {each.name: each for each in (pool.attributes if pool is not None else None) or ()}
    names = [*(auth.standard_required_attributes or ())]
    names += [name for name, each in declared.items() if each.is_required and name not in names]
    copied = possibly_copied_attribute(username, auth)
    return {
        name: _fitted(_ATTRIBUTES[name], declared.get(name))
        for name in names
        if name in _ATTRIBUTES and name != copied
    }


def _fitted(value: str, attribute: UserAttribute | None) -> str:
    """Return *value* with a length that *attribute* allows."""
    if attribute is None:
        return value
    value = value.ljust(attribute.min_length or 0, value[-1])
    return value[: attribute.max_length]
