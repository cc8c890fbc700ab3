"""Dates and times around a fixed instant, so that a second run next year makes the same rows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from seedctl.fake.draws import Draw

INSTANT = datetime(2025, 1, 1, tzinfo=timezone.utc)
"""What "now" is for all made values."""

_DAY = 86_400
_YEAR = 365 * _DAY

# By the words of a field's name: from when to when, in seconds from the instant. What was updated is
# later than what was created, and an end later than its start, without looking at the other field.
_PERIODS = (
    ("birth|birthday|birthdate|born|dob", -75 * _YEAR, -18 * _YEAR),
    ("created|joined|registered|hired|founded|opened|signed_up", -3 * _YEAR, -_YEAR),
    ("updated|modified|changed|edited|seen|active|login", -_YEAR, 0),
    (
        "end|ends|ended|until|to|due|deadline|expires|expiry|expiration|expire|finish|delivery|ttl",
        _DAY,
        _YEAR,
    ),
    ("start|starts|started|begin|begins|from|since", -_YEAR, 0),
)
_OTHER = (-2 * _YEAR, 0)


def _period(name: str) -> tuple[int, int]:
    for pattern, first, last in _PERIODS:
        if re.search(rf"(?:^|_)(?:{pattern})(?:_|$)", name):
            return first, last
    return _OTHER


def moment_maker(name: str, form: Callable[[datetime], Any]) -> Callable[[Draw], Any]:
    """Return what makes moments that fit the field *name*, in the form of its scalar."""
    first, last = _period(name)

    def make(draw: Draw) -> Any:
        return form(INSTANT + timedelta(seconds=first + draw.below(last - first)))

    return make


def numbered(number: int) -> datetime:
    """Return a moment that no other *number* has, nor its date."""
    return INSTANT + timedelta(days=number % 2_000_000, seconds=number // 2_000_000)


def as_date(moment: datetime) -> str:
    return moment.date().isoformat()


def as_datetime(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def as_timestamp(moment: datetime) -> int:
    return int(moment.timestamp())


def as_year(moment: datetime) -> int:
    return moment.year


def time_of_day(draw: Draw) -> str:
    """Return a time between 6:00 and 22:00, on a quarter of an hour."""
    quarters = 24 + draw.below(64)
    return f"{quarters // 4:02}:{quarters % 4 * 15:02}:00"


def numbered_time(number: int) -> str:
    """Return a time that no other *number* below 86,400 has."""
    return f"{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
