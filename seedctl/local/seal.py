"""What makes the secrets in the state unreadable without its key file: AES-GCM and HMAC-SHA256.

Nothing real is stored in a local sandbox, yet people do reuse passwords: whoever copies or searches
the database alone learns none, nor a code, token or secret value.
"""

from __future__ import annotations

import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

from seedctl.errors import LocalSandboxError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Seal:
    """Encrypts and decrypts values with keys derived from one 32-byte key."""

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

    def close(self, value: Any, *place: str) -> bytes:
        """Encrypt *value*, anything that JSON can hold, to be opened at *place* only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
        return nonce + self._aes().encrypt(nonce, body, "\0".join(place).encode())

    def open(self, body: bytes, *place: str) -> Any:
        """Return the value in *body*. Raises LocalSandboxError."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            text = self._aes().decrypt(
                body[:_NONCE_BYTES], body[_NONCE_BYTES:], "\0".join(place).encode()
            )
        except (InvalidTag, ValueError, TypeError) as error:
            # Not what this key encrypted, or changed or moved since.
            raise LocalSandboxError(
                "The local state holds a value that its key does not open.",
                resolution="The state is damaged; start afresh with seedctl local reset.",
            ) from error
        return json.loads(text)

    def _aes(self) -> AESGCM:
        # Loaded at the first value rather than at the start of every --local command.
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

            self._cipher = AESGCM(self._body_key)
        return self._cipher
