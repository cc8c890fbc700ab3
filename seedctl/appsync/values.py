"""Check values against the schema, and convert them to JSON.

A check here refuses only what AppSync would refuse as well. Where AppSync's rule is not fully known,
the value is passed on, and AppSync decides.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from seedctl.errors import InvalidInputError
from seedctl.masking import mask
from seedctl.nearest import advice, did_you_mean
from seedctl.outputs.models import Field, Introspection

_ZONE = r"(?:Z|[+-]\d{2}:\d{2}(?::\d{2})?)"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_DATE = r"-?\d{4}-\d{2}-\d{2}"  # years before 0 have a sign
_DATE_TEXT = re.compile(rf"{_DATE}{_ZONE}?")
_TIME_TEXT = re.compile(rf"{_TIME}{_ZONE}?")
_DATETIME_TEXT = re.compile(rf"{_DATE}T{_TIME}{_ZONE}")
_CLOCK = r"\d{2}:\d{2}(?::\d{2})?"
_CLOCK_TEXT = re.compile(_CLOCK)
_DAY_AND_CLOCK = re.compile(rf"(-?\d{{4}})(-\d{{2}}-\d{{2}})(?:T({_CLOCK}))?")
_EMAIL_TEXT = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE_TEXT = re.compile(r"\+?[0-9][0-9 -]*")

HOW_TO_SKIP = "Pass validate=False to send it without this check."
_MAX_NAME = 60  # a longer text is not a mistyped name


class WrongValueError(Exception):
    """The value cannot be converted to the scalar. The message says which values can."""


def to_json(value: Any) -> Any:
    """Return *value* as JSON, without a check: for filters, keys and unvalidated input."""
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, datetime):
        return _datetime_text(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, UUID):
        return str(value)
    if hasattr(value, "keys"):
        return {str(key): to_json(value[key]) for key in value.keys()}  # noqa: SIM118 - any mapping
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise InvalidInputError(
        f"A {type(value).__name__} cannot be sent to AppSync.",
        resolution="Give text, a number, a date or time, a UUID, an enum member, a list or a dict.",
    )


def _match(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _id(value: Any) -> str | int | None:
    return value if _is_int(value) else _string(value)


def _string(value: object) -> str | None:
    if isinstance(value, UUID):
        return str(value)
    return value if isinstance(value, str) else None


def _int(value: Any) -> int | None:
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if not _is_int(value):
        return None
    if not -(2**31) <= value < 2**31:
        raise WrongValueError("a whole number of 32 bits; use Float or String for larger ones")
    return int(value)


def _float(value: Any) -> float | None:
    if isinstance(value, Decimal):
        value = _number(value)
    is_number = isinstance(value, float) or _is_int(value)
    return value if is_number and math.isfinite(value) else None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _date(value: object) -> str | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _match_day(_DATE_TEXT, value)


def _match_day(pattern: re.Pattern[str], value: object) -> str | None:
    """Return *value* if it matches *pattern*. Raises ValueError if there is no such day or time."""
    text = _match(pattern, value)
    found = _DAY_AND_CLOCK.match(text or "")
    if found is not None:
        year, month_and_day, clock = found.groups()
        # Python's dates begin with the year 1, but the calendar repeats every 400 years.
        date.fromisoformat(f"{2000 + int(year) % 400}{month_and_day}")
        time.fromisoformat(clock or "00:00")
    return text


def _time(value: object) -> str | None:
    if isinstance(value, time):
        return value.isoformat()
    text = _match(_TIME_TEXT, value)
    found = _CLOCK_TEXT.match(text or "")
    if found is not None:
        time.fromisoformat(found[0])
    return text


def _datetime(value: object) -> str | None:
    if not isinstance(value, datetime):
        return _match_day(_DATETIME_TEXT, value)
    if value.tzinfo is None:
        raise WrongValueError("a datetime with a time zone, such as datetime.now(timezone.utc)")
    return _datetime_text(value)


def _datetime_text(value: datetime) -> str:
    # The format of AppSync's own timestamps. Sorted as text they are in the order of time.
    precision = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    text = value.astimezone(timezone.utc).isoformat(timespec=precision)
    return text.replace("+00:00", "Z")


def _timestamp(value: Any) -> int | None:
    if not isinstance(value, datetime):
        return value if _is_int(value) else None
    if value.tzinfo is None:
        raise WrongValueError("seconds since 1970, or a datetime with a time zone")
    return math.floor(value.timestamp())


def _json(value: object) -> str:
    if isinstance(value, str):
        json.loads(value)
        return value
    try:
        return json.dumps(to_json(value), allow_nan=False, ensure_ascii=False)
    except (ValueError, InvalidInputError) as error:
        raise WrongValueError("a value that JSON can represent") from error


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and urlsplit(value).scheme else None


def _ip_address(value: object) -> str:
    text = str(value)
    ipaddress.ip_interface(text)
    return text


def _number(value: Decimal) -> int | float:
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


# How a value becomes the JSON of each scalar, and what is expected. A value for which the function
# returns None, or raises an error of the standard library, is wrong.
_SCALARS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "ID": (_id, "text or a UUID"),
    "String": (_string, "text"),
    "Int": (_int, "a whole number"),
    "Float": (_float, "a number that fits a Float"),
    "Boolean": (_boolean, "True or False"),
    "AWSDate": (_date, "a date, or text such as 2025-01-31"),
    "AWSTime": (_time, "a time, or text such as 12:30:00"),
    "AWSDateTime": (_datetime, "a datetime, or text with a zone such as 2025-01-31T12:30:00.000Z"),
    "AWSTimestamp": (_timestamp, "whole seconds since 1970, or a datetime"),
    "AWSEmail": (partial(_match, _EMAIL_TEXT), "text such as ann@example.com"),
    "AWSJSON": (_json, "a dict, a list, or text that is JSON; plain text goes through json.dumps"),
    "AWSPhone": (partial(_match, _PHONE_TEXT), "text such as +14255550123"),
    "AWSURL": (_url, "text such as https://example.com"),
    "AWSIPAddress": (_ip_address, "an address such as 192.0.2.1"),
}


def convert_scalar(scalar: str, value: object) -> Any:
    """Return *value* as JSON for *scalar*. Raises WrongValueError.

    For a scalar that is not in the table above, any JSON value is accepted.
    """
    if isinstance(value, Enum):
        value = value.value
    if scalar not in _SCALARS:
        return to_json(value)
    convert, expected = _SCALARS[scalar]
    try:
        converted = convert(value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise WrongValueError(expected) from error
    if converted is None:
        raise WrongValueError(expected)
    return converted


class ValueConverter:
    """Converts the values of one schema's types. Raises InvalidInputError for a wrong value."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema

    def convert_fields(
        self, fields: Mapping[str, Field], given: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        """Return *given* as JSON. *owner* is what has the *fields*, as it is named in errors."""
        converted = {}
        for name, value in given.items():
            field = fields.get(name)
            if field is None:
                raise InvalidInputError(
                    f"{owner} has no field {name}.", resolution=advice(name, fields)
                )
            converted[name] = self._convert_field(field, value, f"{owner}.{name}")
        return converted

    def _convert_field(self, field: Field, value: object, where: str) -> Any:
        if value is None:
            return None
        if not field.is_array:
            return self.convert_value(field, value, where)
        if not isinstance(value, list | tuple):
            raise wrong_value(f"{where} must be a list.", value)
        items = []
        for position, item in enumerate(value):
            at = f"{where}[{position}]"
            if item is None and field.is_required:
                raise wrong_value(f"{at} must be not null.", item)
            items.append(None if item is None else self.convert_value(field, item, at))
        return items

    def convert_value(self, field: Field, value: object, where: str) -> Any:
        """Return one value of *field*, which is not None. *where* names it in errors."""
        type_ = field.type
        if type_.kind == "enum":
            return self._convert_enum(type_.name, value, where)
        if type_.kind == "scalar":
            try:
                return convert_scalar(type_.name, value)
            except WrongValueError as error:
                raise wrong_value(f"{where} must be {type_.name}: {error}.", value) from error
        if not isinstance(value, Mapping):
            raise wrong_value(f"{where} must be a mapping with the fields of {type_.name}.", value)
        fields = self._schema.fields_of(type_)
        for inner in fields.values():
            if inner.must_be_given and value.get(inner.name) is None:
                raise InvalidInputError(
                    f"{where}.{inner.name} is required, and missing.",
                    resolution=f"Give it a value. {HOW_TO_SKIP}",
                )
        return self.convert_fields(fields, value, where)

    def _convert_enum(self, name: str, value: object, where: str) -> str:
        values = self._schema.enums[name]
        candidates = (value.value, value.name) if isinstance(value, Enum) else (value,)
        for candidate in candidates:
            if isinstance(candidate, str) and candidate in values:
                return str(candidate)
        expected = f"{where} must be one of {name}: {', '.join(values)}."
        if not isinstance(value, str) or len(value) > _MAX_NAME:
            raise wrong_value(expected, value)
        # Unlike other wrong values it is shown: it is most likely a mistyped name, not a secret.
        raise InvalidInputError(
            f"{expected} It is {mask(value)!r}.",
            resolution=did_you_mean(value, values) or f"Change the value. {HOW_TO_SKIP}",
        )


def wrong_value(expected: str, value: object) -> InvalidInputError:
    """Return the error for *value*. It names the type only: the value may be a secret."""
    kind = "null" if value is None else f"a value of type {type(value).__name__}"
    return InvalidInputError(
        f"{expected} It is {kind}.", resolution=f"Change the value. {HOW_TO_SKIP}"
    )
