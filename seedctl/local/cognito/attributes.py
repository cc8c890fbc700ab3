"""User attributes: their names, valid values, and how calls carry them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from seedctl.local.cognito.errors import invalid_parameter, not_authorized
from seedctl.local.protocol import Call, ServiceError
from seedctl.outputs import STANDARD_ATTRIBUTES

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool
    from seedctl.outputs.details import UserAttribute

ADDRESSES = ("email", "phone_number")
FLAGS = tuple(f"{name}_verified" for name in ADDRESSES)
STANDARD = frozenset({*STANDARD_ATTRIBUTES, *FLAGS, "sub"})
_CUSTOM = re.compile(r"custom:[^\s:]{1,20}")
_MAX_VALUE = 2048

# Cognito does not publish its rule for addresses; this is what any such rule requires [?].
EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
PHONE_NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
_BIRTHDATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Cognito does not publish which forms of a DateTime it accepts; these are ISO 8601 and epoch seconds [?].
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def read_attributes(call: Call, pool: UserPool, *, is_new_user: bool) -> dict[str, str]:
    """Return the checked attributes of *call*. Raises InvalidParameterException.

    Only a new user may be given attributes that *pool* does not let anyone change.
    """
    pairs = read_pairs(call, "UserAttributes")
    checked = {name: check_attribute(pool, name, value) for name, value in pairs.items()}
    if not is_new_user:
        check_mutable(pool, pairs)
    return checked


def read_pairs(call: Call, key: str) -> dict[str, str]:
    """Return the names and values at *key*, unchecked."""
    pairs: dict[str, str] = {}
    for item in call.items(key):
        if not isinstance(item, dict):
            raise ServiceError("SerializationException", f"{key} must be a list of attributes.")
        name, value = item.get("Name"), item.get("Value", "")
        if not isinstance(name, str) or not (value is None or isinstance(value, str)):
            call.fail(f"{key} must be a list of attributes with a name and a value.")
        pairs[name] = value or ""
    return pairs


def check_writable(names: Iterable[str]) -> None:
    """Raise NotAuthorizedException for attributes that only administrators may set."""
    if not set(names).isdisjoint(FLAGS):
        raise not_authorized("A client attempted to write unauthorized attribute")


def check_required(required: Iterable[str], attributes: Mapping[str, str]) -> None:
    """Raise InvalidParameterException if *attributes* lack one of the *required* ones."""
    missing = [name for name in required if name not in attributes]
    if missing:
        reasons = "\n".join(f"{name}: The attribute is required" for name in missing)
        raise invalid_parameter(f"Attributes did not conform to the schema: {reasons}\n")


def check_mutable(pool: UserPool, names: Iterable[str]) -> None:
    """Raise InvalidParameterException if *pool* lets nobody change one of the attributes *names*."""
    schema = pool.schema or {}
    fixed = [name for name in names if name in schema and not schema[name].is_mutable]
    if fixed:
        raise invalid_parameter(f"user.{fixed[0]}: Attribute cannot be updated.")


def check_attribute(pool: UserPool, name: str, value: str) -> str:
    """Return *value* in the form to store. Raises InvalidParameterException."""
    if name == "sub":
        raise invalid_parameter("Cannot modify the non-mutable attribute sub")
    check_known(pool, name)
    if len(value) > _MAX_VALUE:
        raise _schema_error(name, "String must not be longer than 2048 characters.")
    if name == "email" and not EMAIL.fullmatch(value):
        raise invalid_parameter("Invalid email address format.")
    if name == "phone_number" and not PHONE_NUMBER.fullmatch(value):
        raise invalid_parameter("Invalid phone number format.")
    if name in FLAGS and value.lower() not in ("true", "false"):
        raise _schema_error(name, "Boolean must be either true or false.")
    if name == "birthdate" and not _is_date(value):
        raise _schema_error(name, "A date has the form YYYY-MM-DD.")
    if name == "updated_at" and not _NUMBER.fullmatch(value):
        raise _schema_error(name, "Attribute is not a number.")
    declared = (pool.schema or {}).get(name)
    reason = _broken_rule(declared, value) if declared is not None else None
    if reason is not None:
        raise _schema_error(name, reason)
    return value.lower() if name in FLAGS else value


def check_known(pool: UserPool, name: str) -> None:
    """Raise InvalidParameterException for an attribute that *pool* does not have."""
    if name in STANDARD:
        return
    # The outputs file does not list custom attributes: without it any well-formed name is accepted.
    is_known = _CUSTOM.fullmatch(name) if pool.schema is None else name in pool.schema
    if not is_known:
        raise _schema_error(name[:64], "Attribute does not exist in the schema.")


def read_username(call: Call, key: str = "Username") -> str:
    """Return the name of a user or group at *key*; blanks and control characters are invalid."""
    name = call.text(key, maximum=128)
    if not all(unicodedata.category(char)[0] in "LMSNP" for char in name):
        call.fail(f"{key} may hold no blanks and no control characters.")
    return name


def _schema_error(name: str, reason: str) -> ServiceError:
    return invalid_parameter(f"Attributes did not conform to the schema: {name}: {reason}")


def _broken_rule(attribute: UserAttribute, value: str) -> str | None:
    """Return which rule of *attribute* its *value* breaks. Cognito's texts are not known [?]."""
    if attribute.data_type == "Boolean":
        is_flag = value.lower() in {"true", "false"}
        return None if is_flag else "Boolean must be either true or false."
    if attribute.data_type == "DateTime":
        return None if _is_date_time(value) else "A DateTime has the form YYYY-MM-DDThh:mm:ssZ."
    if attribute.data_type == "Number":
        if not _NUMBER.fullmatch(value):
            return "Attribute is not a number."
        size, unit = Decimal(value), ""
        least, most, below, above = attribute.min_value, attribute.max_value, "less", "greater"
    else:
        size, unit = Decimal(len(value)), " characters"
        least, most, below, above = attribute.min_length, attribute.max_length, "shorter", "longer"
    if least is not None and size < least:
        return f"{attribute.data_type} must not be {below} than {least}{unit}."
    if most is not None and size > most:
        return f"{attribute.data_type} must not be {above} than {most}{unit}."
    return None


def _is_date_time(value: str) -> bool:
    match = _DATE_TIME.fullmatch(value)
    return _is_date(match[1]) if match is not None else bool(_NUMBER.fullmatch(value))


def _is_date(value: str) -> bool:
    if not _BIRTHDATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
