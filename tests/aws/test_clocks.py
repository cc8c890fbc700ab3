"""How far the clocks are apart, and what is said of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from seedctl.aws.clocks import clock_advice, is_about_time, seconds_ahead

EXPIRED = "Signature expired: 20250101T000000Z is now earlier than 20250101T012000Z (20250101T012500Z - 5 min.)"
EARLY = "Signature not yet current: 20250101T012500Z is still later than 20250101T000500Z (20250101T000000Z + 5 min.)"


@pytest.mark.parametrize(
    ("date_ahead", "message", "expected"),
    [
        pytest.param(3 * 3600, "", 3 * 3600, id="ahead"),
        pytest.param(-3 * 3600, EXPIRED, -3 * 3600, id="behind, by the header first"),
        pytest.param(0, EXPIRED, -85 * 60, id="behind, by the text"),
        pytest.param(None, EARLY, 85 * 60, id="ahead, by the text"),
        pytest.param(0, "", 0, id="the clocks agree"),
        pytest.param(None, "", None, id="nothing tells"),
    ],
)
def test_the_difference(date_ahead: float | None, message: str, expected: float | None) -> None:
    """AWS's Date header tells its time; for a request that waited, its sentence does."""
    headers = {}
    if date_ahead is not None:
        answered = datetime.now(timezone.utc) - timedelta(seconds=date_ahead)
        headers["date"] = format_datetime(answered, usegmt=True)
    ahead = seconds_ahead(headers, message)
    assert ahead == (None if expected is None else pytest.approx(expected, abs=120))


def test_a_date_that_is_none() -> None:
    """A header that cannot be read tells nothing."""
    assert seconds_ahead({"date": "yesterday"}) is None


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (-3 * 3600.0, "3 hours behind AWS's"),
        (85 * 60.0, "85 minutes ahead of AWS's"),
        (400.0, "7 minutes ahead of AWS's"),
        (-5 * 86400.0, "5 days behind AWS's"),
    ],
)
def test_the_advice_names_the_difference(ahead: float, said: str) -> None:
    """Whoever sets the clock has to know by how much and which way it is wrong."""
    assert said in clock_advice(ahead)


@pytest.mark.parametrize("ahead", [None, 0.0, 20.0])
def test_no_difference_is_made_up(ahead: float | None) -> None:
    """Where the clocks agree, or nothing tells, the advice says only what to check."""
    assert "AWS's" not in clock_advice(ahead)
    assert "Check this machine's clock" in clock_advice(ahead)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (EXPIRED, True),
        (EARLY, True),
        ("The difference between the request time and the current time is too large.", True),
        ("The security token included in the request is invalid.", False),
        ("The request signature we calculated does not match the signature you provided.", False),
    ],
)
def test_sentences_about_time(message: str, expected: bool) -> None:
    """A wrong key and a wrong clock come under one code; the sentence tells them apart."""
    assert is_about_time(message) is expected
