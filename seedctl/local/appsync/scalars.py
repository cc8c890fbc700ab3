"""The scalars of AppSync: which values each accepts, and the form in which they are stored."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, time
from types import MappingProxyType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLScalarType,
    GraphQLString,
)

_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-8]):[0-5][0-9](?::[0-5][0-9])?)"
_DAY = r"(-?[0-9]{4})(-[0-9]{2}-[0-9]{2})"
_DATE = re.compile(rf"{_DAY}{_ZONE}?")
_TIME_OF_DAY = r"([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:(?<=:[0-9]{2}:[0-9]{2})\.[0-9]{1,9})?"
_TIME = re.compile(rf"{_TIME_OF_DAY}{_ZONE}?")
_DATE_TIME = re.compile(rf"{_DAY}T{_TIME_OF_DAY}{_ZONE}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?://)?([^/\s?#]*)([^\s?#]*)\S*")
_PHONE = re.compile(r"(?:\+[0-9][0-9 -]{2,24}|(?:1[ -]?)?[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4})")
# The limits of Java's Instant: the years -1,000,000,000 and 1,000,000,000.
_FIRST_SECOND, _LAST_SECOND = -31_557_014_167_219_200, 31_556_889_864_403_199


class InvalidScalarError(ValueError):
    """A value that the scalar does not accept."""


def _text_parser(check: Callable[[str], object], what: str) -> Callable[[Any], str]:
    def parse(value: object) -> str:
        if not isinstance(value, str) or not check(value):
            raise InvalidScalarError(f"Unable to parse it as a valid {what}.")
        return value

    return parse


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    return match is not None and _is_day(match[1], match[2])


def _is_day(year: str, month_and_day: str) -> bool:
    # Python's dates begin with the year 1, but the calendar repeats every 400 years.
    return _can_parse(date.fromisoformat, f"{2000 + int(year) % 400}{month_and_day}")


def _is_time(text: str) -> bool:
    match = _TIME.fullmatch(text)
    return match is not None and _can_parse(time.fromisoformat, match[1])


def _is_date_time(text: str) -> bool:
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return False
    return _is_day(match[1], match[2]) and _can_parse(time.fromisoformat, match[3])


def _is_url(text: str) -> bool:
    match = _URL.fullmatch(text)
    return match is not None and "//" not in match[3] and bool(match[2] or match[3])


def _is_ip_address(text: str) -> bool:
    return "%" not in text and _can_parse(ipaddress.ip_interface, text)


def _can_parse(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _parse_json(value: object) -> Any:
    if not isinstance(value, str):
        raise InvalidScalarError(f"Unable to parse {_as_java(value)} as valid JSON.")
    try:
        document = json.loads(value, parse_constant=_reject_constant)
        # Reject what cannot be encoded again, such as half a surrogate pair.
        _print_json(document).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidScalarError("Unable to parse it as valid JSON.") from error
    return document


def _print_json(document: object) -> str:
    # The stored form keeps neither white space nor the notation of numbers.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _reject_constant(name: str) -> None:
    raise ValueError(name)


def _as_java(value: object) -> str:
    """Format *value* as Java, and so AppSync's messages, do: ``{k=v}``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_as_java(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_java, value)) + "]"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parse_timestamp(value: Any) -> int:
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or not _FIRST_SECOND <= value <= _LAST_SECOND:
        raise InvalidScalarError("Unable to parse it as a valid Timestamp.")
    return int(value)


def _parse_float(value: object) -> float:
    """Return *value* as a float; large whole numbers are rounded."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise GraphQLError("Float cannot represent non numeric value.")
    number = float(value)
    if not math.isfinite(number):
        raise GraphQLError("Float cannot represent a value that is not finite.")
    return number


class _Float(GraphQLScalarType):
    """AppSync's Float; that of graphql-core rejects whole numbers that it would have to round."""

    reserved_types: Mapping[str, GraphQLNamedType] = MappingProxyType({})


def _scalar(name: str, parse: Callable[[Any], Any]) -> GraphQLScalarType:
    return GraphQLScalarType(name, parse_value=parse, serialize=_serialize(name, parse))


def _serialize(name: str, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def serialize(value: object) -> Any:
        try:
            return parse(value)
        except InvalidScalarError as error:
            # The value was stored when the field had another type.
            raise InvalidScalarError(f"Unable to serialize a value as a valid {name}.") from error

    return serialize


_TEXTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "AWSDate": (_is_date, "LocalDate Object"),
    "AWSTime": (_is_time, "LocalTime Object"),
    "AWSDateTime": (_is_date_time, "DateTime Object"),
    "AWSEmail": (_EMAIL.fullmatch, "Email"),
    "AWSURL": (_is_url, "URL"),
    "AWSPhone": (_PHONE.fullmatch, "phone number"),
    "AWSIPAddress": (_is_ip_address, "IP address"),
}

SCALARS: dict[str, GraphQLScalarType] = {
    **{scalar.name: scalar for scalar in (GraphQLID, GraphQLString, GraphQLInt, GraphQLBoolean)},
    "Float": _Float("Float", parse_value=_parse_float, serialize=GraphQLFloat.serialize),
    **{name: _scalar(name, _text_parser(check, what)) for name, (check, what) in _TEXTS.items()},
    "AWSJSON": GraphQLScalarType("AWSJSON", parse_value=_parse_json, serialize=_print_json),
    "AWSTimestamp": _scalar("AWSTimestamp", _parse_timestamp),
}
