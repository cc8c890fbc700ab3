"""Convert the text of a CSV cell to a value, which is checked against the field's type later."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from seedctl.outputs.models import Field

EMPTY_TEXT = '""'
"""The content of a cell that means an empty text. An empty cell means no value."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,400}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SPACE_BEFORE_TIME = re.compile(r"(?<=\d\d-\d\d) (?=\d\d:)")
_EXACT = ("ID", "String")  # spaces around these belong to the value
_LIST = "a list: values separated by |, or JSON such as [1, 2]"


class CellError(ValueError):
    """The text of a cell cannot be read. The message says what is expected."""


def parse_cell(field: Field, text: str) -> Any:
    """Return the value of *text*, which is not empty.

    Text that does not fit the type is returned unchanged; the later check refuses it.
    Raises CellError for a list or JSON that cannot be read.
    """
    if field.is_array:
        return _parse_list(field, text.strip())
    if field.type.kind == "nonModel":
        return parse_json(text, f"JSON with the fields of {field.type.name}")
    return _parse_scalar(field.type.name, text)


def parse_json(text: str, expected: str = "JSON") -> Any:
    """Return the JSON value in *text*. Raises CellError, which says what is *expected*."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CellError(expected) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _parse_list(field: Field, text: str) -> Any:
    if text.startswith("["):
        return parse_json(text, _LIST)
    if field.type.kind == "nonModel" or field.type.name == "AWSJSON":
        raise CellError("a list in JSON, such as [{}]")
    items = [item.strip() for item in text.split("|")]
    if "" in items:
        raise CellError(f"{_LIST}, without empty ones between the |")
    return [_parse_scalar(field.type.name, item) for item in items]


def _parse_scalar(scalar: str, text: str) -> Any:
    if scalar in _EXACT:
        return "" if text == EMPTY_TEXT else text
    text = text.strip()
    if scalar == "Boolean":
        return _BOOLEANS.get(text.lower(), text)
    if scalar in {"Int", "Float", "AWSTimestamp"}:
        return _parse_number(text, is_time=scalar == "AWSTimestamp")
    if scalar == "AWSJSON":
        parse_json(text)  # the check of the value accepts NaN, which AppSync refuses
    if scalar == "AWSDateTime":
        return _SPACE_BEFORE_TIME.sub("T", text, count=1)
    return text


def _parse_number(text: str, *, is_time: bool) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if is_time:
        with suppress(ValueError):
            return datetime.fromisoformat(text.replace("Z", "+00:00"))
    return text
