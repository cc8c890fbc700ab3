"""User names and attributes, checked before a user is created."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

from seedctl.cognito.refusals import FORMS
from seedctl.cognito.types import StandardUserAttributes
from seedctl.errors import InvalidParameterException
from seedctl.masking import mask
from seedctl.outputs import STANDARD_ATTRIBUTES

if TYPE_CHECKING:
    from seedctl.outputs import AuthSection

_VERIFIED = ("email_verified", "phone_number_verified")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"\+[0-9]{1,15}")
_PATTERNS = {"email": _EMAIL, "phone_number": _PHONE}


def check_username(username: str, auth: AuthSection) -> None:
    """Raise InvalidParameterException when the pool takes another kind of name than *username*."""
    if not isinstance(username, str) or not username.strip():
        raise InvalidParameterException(
            "The user name is empty.", resolution="Give username= a name."
        )
    try:
        username.encode()
    except UnicodeEncodeError:
        raise InvalidParameterException(
            f"The user name {mask(username)!r} is not valid Unicode.",
            resolution="Check where it was read from.",
        ) from None
    wanted = wanted_name(auth)
    if wanted and copied_attribute(username, auth) is None:
        raise InvalidParameterException(
            f"Users of this pool sign in with {wanted}; {mask(username)!r} is not one.",
            resolution="Change the user name, or loginWith in amplify/auth/resource.ts.",
        )


def wanted_name(auth: AuthSection) -> str:
    """Return what user names of the pool have to be; empty where every name will do."""
    kinds = auth.username_attributes or ()
    return (
        "" if "username" in kinds else " or ".join(FORMS[kind] for kind in kinds if kind in FORMS)
    )


def sign_in_advice(username: str, auth: AuthSection) -> str:
    """Return what to do when Cognito knows no user of this name, or not with this password."""
    wanted = wanted_name(auth)
    if not wanted or copied_attribute(username, auth) is not None:
        return "Check the user name and the password."
    return f"Check the user name and the password. Users of this pool sign in with {wanted}."


def wire_attributes(
    username: str, attributes: Mapping[str, Any] | None, auth: AuthSection
) -> list[dict[str, str]]:
    """Return *attributes* as AdminCreateUser takes them.

    Raises InvalidParameterException for a name Cognito does not have, a value that is not text or
    not of the attribute's form, or an attribute that the pool requires and nobody gave.
    """
    if attributes is not None and not isinstance(attributes, Mapping):
        raise InvalidParameterException("user_attributes is not a mapping of names to text.")
    given = {name: value for name, value in (attributes or {}).items() if value is not None}
    for name in given:
        _check_name(name)
    # Where the file does not say what users sign in by, the name may be one that Cognito copies.
    kinds = ("email", "phone_number") if auth.username_attributes is None else None
    present = {*given, copied_attribute(username, auth, kinds)}
    missing = [name for name in auth.standard_required_attributes or () if name not in present]
    if missing:
        raise InvalidParameterException(
            f"The user pool requires {', '.join(missing)} for the user {mask(username)}.",
            resolution="Give user_attributes={" + ", ".join(f'"{n}": …' for n in missing) + "}.",
        )
    order = {name: position for position, name in enumerate(STANDARD_ATTRIBUTES)}
    names = sorted(given, key=lambda name: order.get(name, len(order)))
    return [
        {"Name": name, "Value": _checked_form(name, _text(name, given[name]))} for name in names
    ]


def copied_attribute(
    username: str, auth: AuthSection, kinds: tuple[str, ...] | None = None
) -> str | None:
    """Return the attribute that Cognito fills from the user name itself.

    *kinds* is what users sign in by, the pool's own by default.
    """
    kinds = kinds or auth.username_attributes or ()
    if "email" in kinds and _EMAIL.fullmatch(username):
        return "email"
    if "phone_number" in kinds and _PHONE.fullmatch(username):
        return "phone_number"
    return None


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise InvalidParameterException(
            f"{name!r} is not a user attribute to set.", resolution="Names are text."
        )
    if name in STANDARD_ATTRIBUTES or name in _VERIFIED or name.startswith(("custom:", "dev:")):
        return
    near = difflib.get_close_matches(
        name.replace("-", "_"), (*STANDARD_ATTRIBUTES, *_VERIFIED), n=1
    )
    snake = re.sub(r"(?<=[a-z])([A-Z])", lambda match: "_" + match.group(1).lower(), name)
    hint = snake if snake in STANDARD_ATTRIBUTES else (near[0] if near else f"custom:{name}")
    fix = "Cognito makes it." if name == "sub" else f"Did you mean {hint}?"
    raise InvalidParameterException(f"{name!r} is not a user attribute to set.", resolution=fix)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise InvalidParameterException(
        f"The user attribute {name} is a {type(value).__name__}; Cognito keeps text.",
        resolution="Convert it, for example with str() or .isoformat().",
    )


def _checked_form(name: str, value: str) -> str:
    if name in _PATTERNS and not _PATTERNS[name].fullmatch(value):
        raise InvalidParameterException(
            f"The user attribute {name} is {mask(value)!r}, which Cognito does not accept.",
            resolution=f"Give {FORMS[name]}.",
        )
    return value


assert set(get_type_hints(StandardUserAttributes)) == set(STANDARD_ATTRIBUTES)
