"""Compare this machine's clock with AWS's, as seen in AWS's responses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

MAX_CLOCK_SKEW = 300.0
"""How many seconds a request's time may differ from AWS's; S3 allows three times as much."""

_ABOUT_TIME = re.compile(
    r"signature (expired|not yet current)|time.*too (large|skewed)|request.*expired", re.IGNORECASE
)
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))
# "Signature expired: OURS is now earlier than LIMIT (AWS'S - 5 min.)", or "later" and "+".
_TIMES = re.compile(r"\b\d{8}T\d{6}Z")


def is_about_time(message: str) -> bool:
    """Whether AWS's *message* says that a request was signed too early or too late."""
    return _ABOUT_TIME.search(message) is not None


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the time of AWS's response by AWS's clock. The names in *headers* are lower case."""
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(timezone.utc)
    except (KeyError, ValueError):
        return None


def seconds_ahead(headers: Mapping[str, str], message: str = "") -> float | None:
    """Return by how much this machine's clock is ahead of AWS's; None if unknown.

    Read from the Date header or, if that shows no difference, from the times in *message*.
    """
    answered = server_time(headers)
    ahead = None
    if answered is not None:
        ahead = (datetime.now(timezone.utc) - answered).total_seconds()
        if abs(ahead) >= MAX_CLOCK_SKEW:
            return ahead
    times = [datetime.strptime(each, "%Y%m%dT%H%M%SZ") for each in _TIMES.findall(message)]  # noqa: DTZ007 - both UTC
    return (times[0] - times[-1]).total_seconds() if len(times) > 1 else ahead


def clock_advice(ahead: float | None) -> str:
    """Return what to do about a clock that is *ahead* of AWS's by so many seconds."""
    if ahead is None or abs(ahead) < MAX_CLOCK_SKEW:
        return (
            "Check this machine's clock and its synchronisation; if the clock is right, the request "
            "was delayed on its way: run again."
        )
    unit, size = next(each for each in _UNITS if abs(ahead) >= 2 * each[1])
    return (
        f"This machine's clock is {abs(ahead) / size:.0f} {unit}s "
        f"{'ahead of' if ahead > 0 else 'behind'} AWS's: set it, for example with timedatectl "
        "set-ntp true, and run again."
    )
