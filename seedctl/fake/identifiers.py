"""Unique values, for the fields of a primary key."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from seedctl.fake import moments, words
from seedctl.fake.draws import Draw, RowDraws
from seedctl.fake.limits import CannotMakeError, bounds, numbered
from seedctl.fake.meanings import meaning_of
from seedctl.fake.tables import Maker
from seedctl.outputs.models import Field
from seedctl.outputs.validators import Validator

_NUMBERED_ADDRESSES = 1 << 24
_NUMBERED_TIMES = 24 * 60 * 60
_PLENTY = 1_000_000

# Made from the number of the row alone.
_BY_NUMBER: dict[str, Callable[[int], Any]] = {
    "AWSDate": lambda number: moments.as_date(moments.numbered(number)),
    "AWSDateTime": lambda number: moments.as_datetime(moments.numbered(number)),
    "AWSTimestamp": lambda number: moments.as_timestamp(moments.numbered(number)),
    "AWSTime": moments.numbered_time,
    "AWSIPAddress": lambda number: f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
}
_MOST = {"AWSTime": _NUMBERED_TIMES, "AWSIPAddress": _NUMBERED_ADDRESSES}
# Their usual values have the number of the row in them already.
_NUMBERED_MAKERS = (words.email, words.phone, words.username, words.uuid)


def unique_maker(
    field: Field, owner: str, validators: Sequence[Validator], draws: RowDraws, count: int
) -> Maker:
    """Return what makes unique values of the key *field* of the model *owner*.

    Raises CannotMakeError if there are fewer than *count* values, and so does the result.
    """
    scalar = field.type.name
    if scalar in _BY_NUMBER:
        _check_count(count, _MOST.get(scalar, count), scalar)
        by_number = _BY_NUMBER[scalar]
        return lambda draw: by_number(draw.row)
    if scalar in ("Int", "Float"):
        return _numbers(scalar, validators)
    if scalar == "AWSJSON":
        raise CannotMakeError("JSON cannot be a key")
    make = meaning_of(scalar, field.name, owner).make
    if make in _NUMBERED_MAKERS and not validators:
        return make
    if scalar == "AWSURL":
        return lambda draw: f"{make(draw)}-{draw.row + 1}"
    return numbered(make, validators, draws)


def _numbers(scalar: str, validators: Sequence[Validator]) -> Maker:
    low, high = bounds(scalar, validators)
    is_wide = high - low >= _PLENTY

    def count_up(draw: Draw) -> float:
        if scalar == "Int":
            return max(low, 1 if is_wide else low) + draw.row
        return max(1, math.floor(low) + 1) + draw.row  # the limit itself may be excluded

    def count_down(draw: Draw) -> float:
        return math.ceil(high) - 1 - draw.row

    def approach(draw: Draw) -> float:
        return low + (high - low) * (draw.row + 1) / (draw.row + 2)

    if is_wide:
        make = count_up if high >= _PLENTY else count_down
    else:
        make = approach if scalar == "Float" else count_up

    def make_valid(draw: Draw) -> float:
        value = make(draw)
        if not low <= value <= high or not all(each.accepts(value) for each in validators):
            raise CannotMakeError(f"{value}, the number for row {draw.row}, is not allowed")
        return value

    return make_valid


def _check_count(count: int, most: int, scalar: str) -> None:
    if count > most:
        raise CannotMakeError(f"there are only {most} values of {scalar}")
