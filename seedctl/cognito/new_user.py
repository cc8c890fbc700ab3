"""The checks on a new user that are possible before anything is written, and its temporary password."""

from __future__ import annotations

import hmac
import string
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import get_args

from seedctl import errors, masking
from seedctl.cognito.attributes import (
    check_username,
    copied_attribute,
    is_unicode,
    wire_attributes,
)
from seedctl.cognito.mfa import check_sign_up
from seedctl.cognito.types import IfUserExists, NewUser, SignInFlow
from seedctl.masking import mask
from seedctl.nearest import did_you_mean
from seedctl.outputs import AuthSection, PasswordPolicy

# The symbols in the documentation of Cognito's password policies. A space counts as one too, but not
# at the beginning or the end.
_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-")

_ALPHABET = string.ascii_letters + string.digits
# One character of each class that a policy can require. masking.py recognizes this prefix.
_PREFIX = "Tmp1!"
_MAX_LENGTH = 256  # Cognito's limit
_TEMPORARY_LENGTH = 100  # a policy may require up to 99 characters


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
        raise errors.InvalidParameterException(
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
        raise errors.InvalidParameterException(
            f"sign_in_flow is {flow!r}.", resolution='Use "Password" or "MFA".'
        )


def group_names(user: NewUser) -> tuple[str, ...]:
    """Return the groups of *user*. Raises InvalidParameterException unless they are several names."""
    groups = user.groups
    if isinstance(groups, str):
        raise errors.InvalidParameterException(
            f"The groups of {mask(user.username)} are a single text.",
            resolution=f'Write groups=("{groups}",).',
        )
    if not isinstance(groups, Iterable):
        raise errors.InvalidParameterException(
            f"The groups of {mask(user.username)} are a {type(groups).__name__}.",
            resolution='Write groups=("admin",), or leave them out.',
        )
    return tuple(groups)


def check_group(settings: AuthSection, group: str) -> None:
    """Raise NoGroupsError or NoGroupError if the outputs file does not list *group*."""
    groups = settings.groups
    if groups is None:
        return  # outputs files before version 1.3 list no groups: Cognito checks the name
    if not groups:
        raise errors.NoGroupsError(
            "The user pool has no groups.",
            resolution=f'Add groups: ["{mask(group)}"] in amplify/auth/resource.ts and deploy.',
        )
    names = [known.name for known in groups]
    if group not in names:
        raise no_group_error(group, names)


def no_group_error(group: str, names: list[str] | None = None) -> errors.NoGroupError:
    """Return the error for *group*, which is not one of *names*, as far as they are known."""
    known = f" It has {', '.join(names)}." if names else ""
    suggestion = did_you_mean(group, names or ())
    return errors.NoGroupError(
        f"The user pool has no group {mask(group)}.{known}",
        resolution=f"{suggestion or 'Use one it has, or'} {'Otherwise ' * bool(suggestion)}add "
        f'"{mask(group)}" in amplify/auth/resource.ts and deploy.',
    )


def derive_temporary_password(password: str, *, user_pool_id: str, username: str) -> str:
    """Return the temporary password of a user whose final password is *password*.

    It is derived, not random: if a run stops while the user has the temporary password, the next run
    computes it again, and it is never written to disk. It satisfies every possible policy.
    """
    context = f"seedctl temporary password 1\0{user_pool_id}\0{username.casefold()}\0"
    digits = b"".join(
        hmac.digest(password.encode(), f"{context}{block}".encode(), "sha512") for block in range(2)
    )
    body = "".join(_ALPHABET[digit % len(_ALPHABET)] for digit in digits)
    return (_PREFIX + body)[:_TEMPORARY_LENGTH]


def check_password(password: str, policy: PasswordPolicy | None) -> None:
    """Raise InvalidPasswordException if Cognito would refuse *password*.

    Without a *policy*, only what every user pool refuses is checked. The message lists the violated
    rules and never contains the password.
    """
    unmet = []
    if not isinstance(password, str):
        raise errors.InvalidPasswordException(
            f"The password is a {type(password).__name__}, not text.",
            resolution="Give it as str; get_secret returns one.",
        )
    if not password:
        unmet.append("at least one character")
    elif policy is not None:
        unmet = _unmet(password, policy)
    if len(password) > _MAX_LENGTH:
        unmet.append(f"{_MAX_LENGTH} characters or fewer")
    if password != password.strip():
        unmet.append("no space at its ends")
    if not is_unicode(password):
        unmet.append("characters that are valid Unicode")
    if unmet:
        raise errors.InvalidPasswordException(
            "The password does not meet the user pool's policy: it needs " + ", ".join(unmet) + ".",
            resolution="Choose another password, or change the policy in amplify/auth/resource.ts.",
        )


def _unmet(password: str, policy: PasswordPolicy) -> list[str]:
    lacks = set(password).isdisjoint
    lacks_symbol = lacks(_SYMBOLS) and " " not in password[1:-1]
    rules = (
        (len(password) < policy.min_length, f"{policy.min_length} characters or more"),
        (policy.require_lowercase and lacks(string.ascii_lowercase), "a lower-case letter"),
        (policy.require_uppercase and lacks(string.ascii_uppercase), "an upper-case letter"),
        (policy.require_numbers and lacks(string.digits), "a digit"),
        (policy.require_symbols and lacks_symbol, "a symbol"),
    )
    return [rule for is_unmet, rule in rules if is_unmet]
