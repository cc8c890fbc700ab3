"""User names and attributes: checks before a user is created, and warnings after an update."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seedctl.errors import InvalidParameterException
from seedctl.masking import mask
from seedctl.outputs import STANDARD_ATTRIBUTES, AuthSection

FORMS: Mapping[str, str] = {
    "email": "an e-mail address like ann@example.com",
    "phone_number": "a phone number like +15551234567 (E.164: a plus sign, the country code, and "
    "nothing but digits)",
}
"""The required format of each kind of user name and attribute."""

_ADDRESSES = ("email", "phone_number")
VERIFIED_FLAGS = tuple(f"{address}_verified" for address in _ADDRESSES)
"""Attributes that only an administrator may set."""
_PATTERNS = {
    "email": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "phone_number": re.compile(r"\+[0-9]{1,15}"),
}


def check_username(username: str, auth: AuthSection) -> None:
    """Raise InvalidParameterException unless *username* is of a kind that the pool accepts."""
    if not isinstance(username, str) or not username.strip():
        raise InvalidParameterException(
            "The user name is empty.", resolution="Give username= a name."
        )
    if not is_unicode(username):
        raise InvalidParameterException(
            f"The user name {mask(username)!r} is not valid Unicode.",
            resolution="Check where it was read from.",
        )
    required = _required_form(auth)
    if required and copied_attribute(username, auth) is None:
        raise InvalidParameterException(
            f"Users of this pool sign in with {required}; {mask(username)!r} is not one.",
            resolution="Change the user name, or loginWith in amplify/auth/resource.ts.",
        )


def is_unicode(text: str) -> bool:
    """Whether *text* has no unpaired surrogate, as from a variable that is not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _required_form(auth: AuthSection) -> str:
    """Describe what user names of the pool must look like; empty if any name is allowed."""
    kinds = auth.username_attributes or ()
    return (
        "" if "username" in kinds else " or ".join(FORMS[kind] for kind in kinds if kind in FORMS)
    )


def sign_in_advice(username: str, auth: AuthSection) -> str:
    """Return the resolution for an unknown user name or a wrong password."""
    required = _required_form(auth)
    if not required or copied_attribute(username, auth) is not None:
        return "Check the user name and the password."
    return f"Check the user name and the password. Users of this pool sign in with {required}."


def wire_attributes(
    username: str, attributes: Mapping[str, Any] | None, auth: AuthSection
) -> list[dict[str, str]]:
    """Return *attributes* in the format of AdminCreateUser.

    Raises InvalidParameterException for an unknown name, a value that is not text or has the wrong
    format, and a missing attribute that the pool requires.
    """
    if attributes is not None and not isinstance(attributes, Mapping):
        raise InvalidParameterException("user_attributes is not a mapping of names to text.")
    given = {name: value for name, value in (attributes or {}).items() if value is not None}
    for name in given:
        _check_name(name)
    present = {*given, possibly_copied_attribute(username, auth)}
    missing = [name for name in auth.standard_required_attributes or () if name not in present]
    if missing:
        raise InvalidParameterException(
            f"The user pool requires {', '.join(missing)} for the user {mask(username)}.",
            resolution="Give user_attributes={" + ", ".join(f'"{n}": …' for n in missing) + "}.",
        )
    order = {name: position for position, name in enumerate(STANDARD_ATTRIBUTES)}
    names = sorted(given, key=lambda name: order.get(name, len(order)))
    return [
        {"Name": name, "Value": _check_format(name, _to_text(name, given[name]))} for name in names
    ]


def copied_attribute(
    username: str, auth: AuthSection, kinds: tuple[str, ...] | None = None
) -> str | None:
    """Return the attribute that Cognito fills with the user name, if there is one.

    *kinds* are the kinds of user name to consider; by default those of the pool.
    """
    kinds = kinds or auth.username_attributes or ()
    return next(
        (kind for kind in _ADDRESSES if kind in kinds and _PATTERNS[kind].fullmatch(username)), None
    )


def possibly_copied_attribute(username: str, auth: AuthSection) -> str | None:
    """Return the attribute that Cognito may fill with the user name, if there is one.

    Older outputs files do not state the kind of user name, so Cognito may copy any address from it.
    """
    kinds = _ADDRESSES if auth.username_attributes is None else None
    return copied_attribute(username, auth, kinds)


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise InvalidParameterException(
            f"{name!r} is not a user attribute to set.", resolution="Names are text."
        )
    if (
        name in STANDARD_ATTRIBUTES
        or name in VERIFIED_FLAGS
        or name.startswith(("custom:", "dev:"))
    ):
        return
    near = difflib.get_close_matches(
        name.replace("-", "_"), (*STANDARD_ATTRIBUTES, *VERIFIED_FLAGS), n=1
    )
    snake = re.sub(r"(?<=[a-z])([A-Z])", lambda match: "_" + match.group(1).lower(), name)
    hint = snake if snake in STANDARD_ATTRIBUTES else (near[0] if near else f"custom:{name}")
    fix = "Cognito generates it." if name == "sub" else f"Did you mean {hint}?"
    raise InvalidParameterException(f"{name!r} is not a user attribute to set.", resolution=fix)


def _to_text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise InvalidParameterException(
        f"The user attribute {name} is a {type(value).__name__}; Cognito stores text.",
        resolution="Convert it, for example with str() or .isoformat().",
    )


def _check_format(name: str, value: str) -> str:
    if name in _PATTERNS and not _PATTERNS[name].fullmatch(value):
        raise InvalidParameterException(
            f"The user attribute {name} is {mask(value)!r}, which Cognito does not accept.",
            resolution=f"Give {FORMS[name]}.",
        )
    return value


def update_warnings(
    username: str,
    *,
    given: Mapping[str, str],
    sent: Sequence[Mapping[str, str]],
    before: Mapping[str, Any],
    deliveries: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """Yield a warning for each unexpected effect of an attribute update.

    *given* are the caller's attributes, *sent* those of them that a user may set, *before* the
    claims of the user's id token, *deliveries* the CodeDeliveryDetails of Cognito's response.
    """
    values = {attribute["Name"]: attribute["Value"] for attribute in sent}
    destinations = {each.get("AttributeName"): each.get("Destination") for each in deliveries}
    for address, flag in zip(_ADDRESSES, VERIFIED_FLAGS, strict=True):
        is_verified = _is_true(before.get(flag))
        if address in destinations:
            yield (
                f"Cognito has sent a code to {destinations[address]} for the new {address} of "
                f"{mask(username)}: until the code is confirmed, it is not verified, and in a pool of "
                "Amplify Gen 2 the old one stays."
            )
            is_verified = False
        elif address in values and values[address] != before.get(address):
            yield f"The new {address} of {mask(username)} is not verified: {flag} is false now."
            is_verified = False
        if flag in given and _is_true(given[flag]) != is_verified:
            yield f"{flag} of {mask(username)} was not set: only an administrator may set it."


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"
