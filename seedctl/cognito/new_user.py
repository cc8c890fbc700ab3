"""The checks on a new user that are possible before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, get_args

from seedctl import masking
from seedctl.cognito.attributes import check_username, copied_attribute, wire_attributes
from seedctl.cognito.groups import check_group, group_names
from seedctl.cognito.mfa import check_sign_up
from seedctl.cognito.passwords import check_password
from seedctl.cognito.types import IfUserExists, NewUser
from seedctl.errors import InvalidParameterException

if TYPE_CHECKING:
    from seedctl.cognito.types import SignInFlow
    from seedctl.outputs import AuthSection


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUser(NewUser):
    """A new user after ``check_new_user``, with the values derived from its options."""

    if_exists: IfUserExists
    attributes: list[dict[str, str]] = field(repr=False)
    """*user_attributes* in the format of AdminCreateUser."""
    email: str | None
    """The e-mail address, from the attributes or the user name."""


def check_new_user(user: NewUser, settings: AuthSection, *, if_exists: IfUserExists) -> CheckedUser:
    """Check *user* against the user pool's *settings*, without sending a request.

    Raises InvalidParameterException, InvalidPasswordException, NoGroupError, NoGroupsError and the
    errors of ``check_sign_up``.
    """
    if if_exists not in get_args(IfUserExists):
        choices = ", ".join(f'"{choice}"' for choice in get_args(IfUserExists))
        raise InvalidParameterException(
            f"if_exists is {if_exists!r}.", resolution=f"Use one of {choices}."
        )
    groups = group_names(user)
    check_flow(user.sign_in_flow)
    check_username(user.username, settings)
    check_password(user.password, settings.password_policy)
    masking.register(user.password)
    if user.temporary_password is not None:
        check_password(user.temporary_password, None)
        masking.register(user.temporary_password)
    for group in groups:
        check_group(settings, group)
    attributes = wire_attributes(user.username, user.user_attributes, settings)
    values = {attribute["Name"]: attribute["Value"] for attribute in attributes}
    check_sign_up(user, settings, values)
    email = values.get("email")
    if email is None and copied_attribute(user.username, settings) == "email":
        email = user.username
    options = {each.name: getattr(user, each.name) for each in fields(NewUser)}
    options["groups"] = groups
    return CheckedUser(**options, if_exists=if_exists, attributes=attributes, email=email)


def check_flow(flow: SignInFlow) -> None:
    if flow not in ("Password", "MFA"):  # not a set: an invalid value may be unhashable
        raise InvalidParameterException(
            f"sign_in_flow is {flow!r}.", resolution='Use "Password" or "MFA".'
        )
