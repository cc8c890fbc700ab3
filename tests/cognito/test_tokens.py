"""A user's tokens: their claims, their lifetime, and that they are never shown."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest

from seedctl.cognito.identity import Tokens, claims
from seedctl.errors import InvalidResponseError
from seedctl.masking import mask


def _jwt(body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    parts = ('{"alg":"RS256"}', text, "signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


ACCESS = _jwt({"sub": "s", "username": "internal", "origin_jti": "j"})
ID = _jwt({"sub": "s", "email": "ann@example.com", "name": "Zoë ÿ?>~"})
REPLY = {"AccessToken": ACCESS, "IdToken": ID, "RefreshToken": "refresh-token-1", "ExpiresIn": 3600}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic clock that a test sets."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_reply_is_read(clock: list[float]) -> None:
    """The three tokens and their lifetime come from the AuthenticationResult."""
    assert Tokens.from_reply(REPLY) == Tokens(ACCESS, ID, "refresh-token-1", 4600.0)


@pytest.mark.parametrize("reply", [{}, {"RefreshToken": None}, {"RefreshToken": ""}], ids=str)
def test_a_refresh_keeps_the_refresh_token(reply: dict[str, Any]) -> None:
    """A result without a refresh token, as from a refresh, keeps the old one."""
    result = {"AccessToken": ACCESS, "IdToken": ID, **reply}
    assert Tokens.from_reply(result, refresh="old-refresh").refresh == "old-refresh"
    assert Tokens.from_reply(result).refresh is None


def test_a_new_refresh_token_replaces_the_old_one() -> None:
    """With refresh token rotation, the new refresh token replaces the old one."""
    assert Tokens.from_reply(REPLY, refresh="old-refresh").refresh == "refresh-token-1"


@pytest.mark.parametrize(
    ("lifetime", "seconds", "expired"),
    [
        pytest.param(3600, 0, False, id="new"),
        pytest.param(3600, 3540, False, id="a minute before the end"),
        pytest.param(3600, 3541, True, id="less than that"),
        pytest.param(3600, 9999, True, id="long after"),
        pytest.param(300, 241, True, id="a short life"),
        pytest.param(None, 3540, False, id="an hour unless told"),
        pytest.param(None, 3541, True, id="an hour, over"),
    ],
)
def test_expiry(clock: list[float], lifetime: int | None, seconds: float, expired: bool) -> None:
    """A token counts as expired a minute early, so that it does not expire during a call."""
    tokens = Tokens.from_reply({**REPLY, "ExpiresIn": lifetime})
    clock[0] += seconds
    assert tokens.is_expired is expired


def test_expiry_does_not_follow_the_wall_clock(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changing the system clock during a run does not change when tokens expire."""
    tokens = Tokens.from_reply(REPLY)
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert not tokens.is_expired


def test_claims() -> None:
    """Claims are read without verification, with non-ASCII characters too."""
    tokens = Tokens.from_reply(REPLY)
    assert tokens.access_claims()["origin_jti"] == "j"
    assert tokens.id_claims() == {"sub": "s", "email": "ann@example.com", "name": "Zoë ÿ?>~"}


@pytest.mark.parametrize("length", range(1, 9))
def test_claims_of_any_length(length: int) -> None:
    """The body of a JWT has no padding, whatever its length."""
    body = {"a": "x" * length}
    assert claims(_jwt(body)) == body


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("opaque-text", id="no parts"),
        pytest.param("a.!!!.c", id="not base64"),
        pytest.param("a.AAAAA.c", id="broken base64"),
        pytest.param(f"a.{base64.urlsafe_b64encode(b'{').decode()}.c", id="not JSON"),
        pytest.param(f"a.{base64.urlsafe_b64encode(bytes([255, 254])).decode()}.c", id="not text"),
        pytest.param(_jwt([1]), id="a list"),
        pytest.param(_jwt("null"), id="null"),
        pytest.param("a.é.c", id="not ASCII"),
        pytest.param(_jwt("[" * 100_000), id="nested too deep"),
    ],
)
def test_a_token_that_is_not_a_jwt(token: str) -> None:
    """A token that is not a JWT is an error, and its text is not in the message."""
    with pytest.raises(InvalidResponseError, match="not a JWT") as caught:
        claims(token)
    assert not token or token not in str(caught.value)


def test_nothing_shows_the_tokens() -> None:
    """No repr contains tokens, and printed tokens are masked."""
    tokens = Tokens.from_reply(REPLY)
    assert all(token not in repr(tokens) for token in (ACCESS, ID, "refresh-token-1"))
    assert mask(f"{ACCESS} {ID} refresh-token-1") == "*** *** ***"


def test_tokens_of_another_shape_are_masked_too() -> None:
    """An emulator's tokens may not be JWTs: then they are masked by value."""
    Tokens.from_reply({"AccessToken": "plain-access", "IdToken": "plain-id-token"})
    assert mask("plain-access plain-id-token") == "*** ***"
