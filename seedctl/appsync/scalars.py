"""Convert Python values to AppSync's scalars, and check them.

A check here refuses only what AppSync would refuse as well. Where AppSync's rule is not fully known,
the value is passed on, and AppSync decides.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from datetime import date, datetime, time, timezone
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from seedctl.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

_ZONE = r"(?:Z|[+-]\d{2}:\d{2}(?::\d{2})?)"
_TIME = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_DATE = r"-?\d{4}-\d{2}-\d{2}"  # years before 0 have a sign
_DATE_TEXT = re.compile(rf"{_DATE}{_ZONE}?")
_TIME_TEXT = re.compile(rf"{_TIME}{_ZONE}?")
_DATETIME_TEXT = re.compile(rf"{_DATE}T{_TIME}{_ZONE}")
_EMAIL_TEXT = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE_TEXT = re.compile(r"\+?[0-9][0-9 -]*")


class WrongValueError(Exception):
    """The value cannot be converted to the scalar. The message says which values can."""


def convert_scalar(scalar: str, value: Any) -> Any:
    """Return *value* as JSON for *scalar*. Raises WrongValueError.

    For a scalar that is not in the table below, any JSON value is accepted.
    """
    if isinstance(value, Enum):
        value = value.value
    convert = _CONVERTERS.get(scalar)
    return to_json(value) if convert is None else convert(value)


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


def _id(value: Any) -> str | int:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    if isinstance(value, UUID):
        return str(value)
    raise WrongValueError("text or a UUID")


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    raise WrongValueError("text")


def _int(value: Any) -> int:
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongValueError("a whole number")
    if not -(2**31) <= value < 2**31:
        raise WrongValueError("a whole number of 32 bits; use Float or String for larger ones")
    return value


def _float(value: Any) -> int | float:
    if isinstance(value, Decimal):
        value = _number(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not _is_finite(value):
        raise WrongValueError("a number that fits a Float")
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int that is too large for a float
        return False


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("True or False")
    return value


def _date(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE_TEXT.fullmatch(value):
        return value
    raise WrongValueError("a date, or text such as 2025-01-31")


def _time(value: Any) -> str:
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, str) and _TIME_TEXT.fullmatch(value):
        return value
    raise WrongValueError("a time, or text such as 12:30:00")


def _datetime(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise WrongValueError("a datetime with a time zone, such as datetime.now(timezone.utc)")
        return _datetime_text(value)
    if isinstance(value, str) and _DATETIME_TEXT.fullmatch(value):
        return value
    raise WrongValueError("a datetime, or text with a zone such as 2025-01-31T12:30:00.000Z")


def _datetime_text(value: datetime) -> str:
    # The format of AppSync's own timestamps. Sorted as text they are in the order of time.
    precision = "milliseconds" if value.microsecond % 1000 == 0 else "microseconds"
    text = value.astimezone(timezone.utc).isoformat(timespec=precision)
    return text.replace("+00:00", "Z")


def _timestamp(value: Any) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise WrongValueError("seconds since 1970, or a datetime with a time zone")
        return math.floor(value.timestamp())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongValueError("whole seconds since 1970, or a datetime")


def _json(value: Any) -> str:
    if not isinstance(value, str):
        try:
            return json.dumps(to_json(value), allow_nan=False, ensure_ascii=False)
        except (ValueError, InvalidInputError) as error:
            raise WrongValueError("a value that JSON can represent") from error
    try:
        json.loads(value)
    except (ValueError, RecursionError) as error:
        raise WrongValueError(
            "a dict, a list, or text that is JSON; plain text goes through json.dumps"
        ) from error
    return value


def _matching(pattern: re.Pattern[str], example: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise WrongValueError(f"text such as {example}")

    return convert


def _url(value: Any) -> str:
    try:
        if isinstance(value, str) and urlsplit(value).scheme:
            return value
    except ValueError:
        pass
    raise WrongValueError("text such as https://example.com")


def _ip_address(value: Any) -> str:
    text = str(value)
    try:
        ipaddress.ip_interface(text)
    except ValueError as error:
        raise WrongValueError("an address such as 192.0.2.1") from error
    return text


def _number(value: Decimal) -> int | float:
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "ID": _id,
    "String": _string,
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "AWSDate": _date,
    "AWSTime": _time,
    "AWSDateTime": _datetime,
    "AWSTimestamp": _timestamp,
    "AWSEmail": _matching(_EMAIL_TEXT, "ann@example.com"),
    "AWSJSON": _json,
    "AWSPhone": _matching(_PHONE_TEXT, "+14255550123"),
    "AWSURL": _url,
    "AWSIPAddress": _ip_address,
}
