"""Encryption of the secrets in the state (AES-GCM), and authenticated page tokens (HMAC-SHA256).

The local sandbox holds no production data, but people reuse passwords. So the database alone, without
its key file, reveals no password, code, token or secret value.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from seedctl.errors import LocalSandboxError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_MAC_BYTES = 16


class InvalidTokenError(Exception):
    """A page token that this state did not issue, or issued for another query."""


class Seal:
    """Encrypts and decrypts values with keys derived from one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        self._digest_key = hmac.digest(key, b"row keys", "sha256")
        self._body_key = hmac.digest(key, b"bodies", "sha256")
        self._cipher: AESGCM | None = None

    def digest(self, *parts: str) -> bytes:
        """Return a 32-byte HMAC of *parts*, in this order, under this key."""
        # Each part is prefixed with its length: ("ab", "c") and ("a", "bc") must differ.
        message = b"".join(
            len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts)
        )
        return hmac.digest(self._digest_key, message, "sha256")

    def encrypt(self, value: object, *context: str) -> bytes:
        """Encrypt *value*, any JSON value; ``decrypt`` needs the same *context* to decrypt it."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        return nonce + self._aes().encrypt(nonce, body, "\0".join(context).encode())

    def decrypt(self, body: bytes, *context: str) -> Any:
        """Return the decrypted value. Raises LocalSandboxError if *body* or *context* is wrong."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            text = self._aes().decrypt(
                body[:_NONCE_BYTES], body[_NONCE_BYTES:], "\0".join(context).encode()
            )
        except (InvalidTag, ValueError, TypeError) as error:
            # Encrypted with another key, or changed or moved to another row since.
            raise LocalSandboxError(
                "The local state holds a value that its key cannot decrypt.",
                resolution="The state is damaged; delete the state with seedctl local reset.",
            ) from error
        return json.loads(text)

    def _aes(self) -> AESGCM:
        # Loading cryptography is slow, so do it only when the first value is encrypted or read.
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            self._cipher = AESGCM(self._body_key)
        return self._cipher


def issue_token(seal: Seal, scope: str, after: list[Any]) -> str:
    """Return an opaque token for the page that follows the item at position *after*.

    *scope* identifies the query. The token holds the last item shown, not a count of items, so items
    added or removed between two calls make no other item appear twice or not at all.
    """
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
