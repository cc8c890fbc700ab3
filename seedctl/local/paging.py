"""Opaque tokens for "the page after this one".

A token names the last item shown rather than a number of items, so that what is added or removed
between two calls makes no other item come twice or be left out.
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.local.seal import Seal

_Item = TypeVar("_Item")
_MAC_BYTES = 16


class InvalidTokenError(Exception):
    """A token that was not issued here, or for another question."""


def page(
    items: Sequence[_Item],
    *,
    position: Callable[[_Item], list[Any]],
    token: str | None,
    size: int,
    seal: Seal,
    scope: str,
) -> tuple[list[_Item], str | None]:
    """Return the page after *token* and the token of the one after it.

    *items* must be in the order of *position*; *scope* is the question asked, to which a token is
    bound. Raises InvalidTokenError.
    """
    after = None if token is None else _read(token, seal, scope)
    rest = [item for item in items if after is None or position(item) > after]
    shown = rest[:size]
    more = len(rest) > len(shown)
    return shown, _issue(position(shown[-1]), seal, scope) if more else None


def _issue(after: list[Any], seal: Seal, scope: str) -> str:
    body = json.dumps(after).encode()
    return base64.urlsafe_b64encode(_mac(body, seal, scope) + body).decode()


def _read(token: str, seal: Seal, scope: str) -> list[Any]:
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
