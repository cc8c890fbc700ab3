"""Opaque tokens for "the page after this one".

A token names the last item shown rather than a number of items, so that what is added or removed
between two calls makes no other item come twice or be left out.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seedctl.local.seal import Seal

_MAC_BYTES = 16


class InvalidTokenError(Exception):
    """A token that was not issued here, or for another question."""


def issue_token(seal: Seal, scope: str, after: list[Any]) -> str:
    """Return the token of the page behind the item at *after*; *scope* is the question asked."""
    body = json.dumps(after).encode()
    return base64.urlsafe_b64encode(_mac(body, seal, scope) + body).decode()


def read_token(seal: Seal, scope: str, token: str) -> list[Any]:
    """Return the position in *token*. Raises InvalidTokenError."""
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except ValueError as error:
        raise InvalidTokenError from error
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(body, seal, scope)):
        raise InvalidTokenError
    after: list[Any] = json.loads(body)
    return after


def _mac(body: bytes, seal: Seal, scope: str) -> bytes:
    return seal.digest("page", scope, body.hex())[:_MAC_BYTES]
