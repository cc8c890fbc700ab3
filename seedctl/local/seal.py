"""What makes the state unreadable without its key file: AES-GCM bodies, HMAC-SHA256 row keys.

Nothing real is stored in a local sandbox, yet people do reuse passwords and addresses: whoever
copies or searches the state folder's database learns neither.
"""

from __future__ import annotations

import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class BrokenSealError(Exception):
    """A body that this key did not seal, or that was changed or moved since."""


class Seal:
    """Seals and opens documents with keys derived from one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        self._digest_key = hmac.digest(key, b"row keys", "sha256")
        self._body_key = hmac.digest(key, b"bodies", "sha256")
        self._cipher: AESGCM | None = None

    def digest(self, *parts: str) -> bytes:
        """Return 32 bytes that only this key and these *parts* give, in this order."""
        # Each part goes in with its length: ("ab", "c") and ("a", "bc") must differ.
        message = b"".join(
            len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts)
        )
        return hmac.digest(self._digest_key, message, "sha256")

    def close(self, document: dict[str, Any], place: bytes) -> bytes:
        """Seal *document*, to be opened at *place* only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return nonce + self._aes().encrypt(nonce, body, place)

    def open(self, body: bytes, place: bytes) -> dict[str, Any]:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            text = self._aes().decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise BrokenSealError from error
        document: dict[str, Any] = json.loads(text)
        return document

    def _aes(self) -> AESGCM:
        # Loaded at the first document rather than at the start of every --local command.
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            self._cipher = AESGCM(self._body_key)
        return self._cipher
