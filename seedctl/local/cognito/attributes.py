"""User attributes: which there are, what they may hold, and how calls carry them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING

from seedctl.local.protocol import ServiceError
from seedctl.project import STANDARD_ATTRIBUTES

if TYPE_CHECKING:
    from seedctl.local.protocol import Call

_FLAGS = ("email_verified", "phone_number_verified")
STANDARD = frozenset({*STANDARD_ATTRIBUTES, *_FLAGS, "sub"})
_CUSTOM = re.compile(r"custom:[^\s:]{1,20}")
_MAX_VALUE = 2048

# Cognito does not publish its rule for addresses; this is the part of it that is sure [?].
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_BIRTHDATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def read_attributes(call: Call, key: str = "UserAttributes") -> dict[str, str]:
    """Return the checked attributes of *call*. Raises InvalidParameterException."""
    attributes: dict[str, str] = {}
    for item in call.items(key):
        if not isinstance(item, dict):
            raise ServiceError("SerializationException", f"{key} must be a list of attributes.")
        name, value = item.get("Name"), item.get("Value", "")
        if not isinstance(name, str) or not (value is None or isinstance(value, str)):
            call.fail(f"{key} must be a list of attributes with a name and a value.")
        attributes[name] = check_attribute(name, value or "")
    return attributes


def check_attribute(name: str, value: str) -> str:
    """Return *value* as it is stored. Raises InvalidParameterException."""
    problem = _problem(name, value)
    if problem is not None:
        raise ServiceError("InvalidParameterException", problem)
    return value.lower() if name in _FLAGS else value


def _problem(name: str, value: str) -> str | None:
    if name == "sub":
        return "Cannot modify the non-mutable attribute sub"
    # Which custom attributes a pool has is not in the outputs: any well-formed name is accepted.
    if name not in STANDARD and not _CUSTOM.fullmatch(name):
        return _schema_problem(name[:64], "Attribute does not exist in the schema.")
    if len(value) > _MAX_VALUE:
        return _schema_problem(name, "String must not be longer than 2048 characters.")
    if name == "email" and not EMAIL.fullmatch(value):
        return "Invalid email address format."
    if name == "phone_number" and not PHONE_NUMBER.fullmatch(value):
        return "Invalid phone number format."
    reason = None
    if name in _FLAGS and value.lower() not in ("true", "false"):
        reason = "Boolean must be either true or false."
    elif name == "birthdate" and not _is_date(value):
        reason = "A date has the form YYYY-MM-DD."
    elif name == "updated_at" and not _NUMBER.fullmatch(value):
        reason = "Attribute is not a number."
    return None if reason is None else _schema_problem(name, reason)


def is_username(text: str) -> bool:
    """Whether Cognito takes *text* as a user or group name: no blanks, no control characters."""
    return 1 <= len(text) <= 128 and all(unicodedata.category(char)[0] in "LMSNP" for char in text)


def _schema_problem(name: str, reason: str) -> str:
    return f"Attributes did not conform to the schema: {name}: {reason}"


def _is_date(value: str) -> bool:
    if not _BIRTHDATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
