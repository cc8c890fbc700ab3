"""The difference between this machine's clock and AWS's, and the advice about it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from seedctl.aws.clocks import clock_advice, is_about_time, seconds_ahead
from tests.cases import case

EXPIRED = "Signature expired: 20250101T000000Z is now earlier than 20250101T012000Z (20250101T012500Z - 5 min.)"
EARLY = "Signature not yet current: 20250101T012500Z is still later than 20250101T000500Z (20250101T000000Z + 5 min.)"


def test_the_difference() -> None:
    """AWS's time is read from the Date header; for a delayed request from AWS's message."""
    for case_name, date_ahead, message, expected in (
        ("ahead", 3 * 3600, "", 3 * 3600),
        ("behind, by the header first", -3 * 3600, EXPIRED, -3 * 3600),
        ("behind, by the text", 0, EXPIRED, -85 * 60),
        ("ahead, by the text", None, EARLY, 85 * 60),
        ("the clocks agree", 0, "", 0),
        ("nothing tells", None, "", None),
    ):
        with case(case_name):
            headers = {}
            if date_ahead is not None:
                answered = datetime.now(timezone.utc) - timedelta(seconds=date_ahead)
                headers["date"] = format_datetime(answered, usegmt=True)
            ahead = seconds_ahead(headers, message)
            assert ahead == (None if expected is None else pytest.approx(expected, abs=120))


def test_an_invalid_date_header() -> None:
    """An unreadable Date header is ignored."""
    assert seconds_ahead({"date": "yesterday"}) is None


def test_a_date_header_without_a_time_zone() -> None:
    """A Date header of an emulator or proxy that names no time zone can be compared as well."""
    assert (seconds_ahead({"date": "Sat, 07 Mar 2020 04:05:09 -0000"}) or 0) > 86400


def test_the_advice_names_the_difference() -> None:
    """The advice says by how much the clock is wrong and in which direction."""
    for ahead, said in (
        (-3 * 3600.0, "3 hours behind AWS's"),
        (85 * 60.0, "85 minutes ahead of AWS's"),
        (400.0, "7 minutes ahead of AWS's"),
        (-5 * 86400.0, "5 days behind AWS's"),
    ):
        with case(ahead, said):
            assert said in clock_advice(ahead)


@pytest.mark.parametrize("ahead", [None, 0.0, 20.0])
def test_an_unknown_difference(ahead: float | None) -> None:
    """If the clocks agree, or the difference is unknown, the advice only says what to check."""
    assert "AWS's" not in clock_advice(ahead)
    assert "Check this machine's clock" in clock_advice(ahead)


def test_sentences_about_time() -> None:
    """A wrong key and a wrong clock have the same error code; the message tells which it is."""
    for message, expected in (
        (EXPIRED, True),
        (EARLY, True),
        ("The difference between the request time and the current time is too large.", True),
        ("The security token included in the request is invalid.", False),
        ("The request signature we calculated does not match the signature you provided.", False),
    ):
        with case(message, expected):
            assert is_about_time(message) is expected
