"""A user to create: everything about it that can be checked before the first write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl import masking
from seedctl.cognito.attributes import check_username, copied_attribute, wire_attributes
from seedctl.cognito.groups import check_group
from seedctl.cognito.mfa import check_sign_up
from seedctl.cognito.passwords import check_password
from seedctl.errors import InvalidParameterException

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from seedctl.cognito.mfa import MFACallbacks
    from seedctl.cognito.types import IfUserExists, SignInFlow
    from seedctl.outputs import AuthSection


@dataclass(frozen=True, slots=True)
class CheckedUser:
    """A user to create, with everything checked that can be checked before the first write."""

    username: str
    password: str = field(repr=False)
    sign_in_flow: SignInFlow
    attributes: list[dict[str, str]] = field(repr=False)
    if_exists: IfUserExists
    callbacks: MFACallbacks = field(repr=False)
    email: str | None
    groups: tuple[str, ...] = ()
    temporary_password: str | None = field(default=None, repr=False)


def check_new_user(
    settings: AuthSection,
    username: str,
    password: str,
    *,
    sign_in_flow: SignInFlow,
    user_attributes: Mapping[str, Any] | None,
    if_exists: IfUserExists,
    callbacks: MFACallbacks,
    groups: tuple[str, ...] = (),
    temporary_password: str | None = None,
) -> CheckedUser:
    """Return what :class:`Creation` takes, or raise for what cannot end well."""
    check_flow(sign_in_flow)
    check_username(username, settings)
    check_password(password, settings.password_policy)
    masking.register(password)
    if temporary_password is not None:
        check_password(temporary_password, None)
        masking.register(temporary_password)
    for group in groups:
        check_group(settings, group)
    attributes = wire_attributes(username, user_attributes, settings)
    given = {attribute["Name"]: attribute["Value"] for attribute in attributes}
    check_sign_up(sign_in_flow, callbacks, settings, username, given)
    email = given.get("email")
    if email is None and copied_attribute(username, settings) == "email":
        email = username
    return CheckedUser(
        username,
        password,
        sign_in_flow,
        attributes,
        if_exists,
        callbacks,
        email,
        groups,
        temporary_password,
    )


def checked_groups(username: str, groups: Collection[str]) -> tuple[str, ...]:
    """Return *groups* if they are names. Raises InvalidParameterException for one text."""
    if isinstance(groups, str):
        raise InvalidParameterException(
            f"The groups of {masking.mask(username)} are one text.",
            resolution=f'Write groups=("{groups}",).',
        )
    if not isinstance(groups, Iterable):
        raise InvalidParameterException(
            f"The groups of {masking.mask(username)} are a {type(groups).__name__}.",
            resolution='Write groups=("admin",), or leave them out.',
        )
    return tuple(groups)


def check_flow(flow: SignInFlow) -> None:
    if flow not in ("Password", "MFA"):  # no set: what is given may have no hash
        raise InvalidParameterException(
            f"sign_in_flow is {flow!r}.", resolution='Use "Password" or "MFA".'
        )
