"""RS256 JSON Web Tokens, signed with the pool's key, which is generated for the first token."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from seedctl.local.store import Store, View


class SigningKey:
    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        self._private = private_key
        self._public = private_key.public_key()
        numbers = self._public.public_numbers()
        self._modulus = _encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
        self._exponent = _encode(numbers.e.to_bytes(3, "big"))
        self.id = base64.b64encode(hashlib.sha256(self._modulus.encode()).digest()).decode()

    @classmethod
    def of_pool(cls, store: Store, pool_id: str) -> SigningKey:
        """Return the pool's key; generate it first if needed. All processes get the same key."""
        with store.reading() as view:
            stored = cls._stored(view, pool_id)
        if stored is None:
            # Generate it outside the transaction, which would block all other writers.
            candidate = _to_pem(rsa.generate_private_key(65537, 2048))
            with store.transaction() as view:
                stored = cls._stored(view, pool_id)
                if stored is None:
                    secret = view.seal.encrypt(candidate, "signing key", pool_id)
                    view.put("signing_key", pool=pool_id, secret=secret)
                    stored = candidate
        # The seal vouches for the key; to test its primes again would take longer than a sign-in.
        key = serialization.load_pem_private_key(
            stored.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        assert isinstance(key, rsa.RSAPrivateKey)
        return cls(key)

    @staticmethod
    def _stored(view: View, pool_id: str) -> str | None:
        row = view.row("SELECT secret FROM signing_key WHERE pool = ?", pool_id)
        return view.seal.decrypt(row["secret"], "signing key", pool_id) if row is not None else None

    @property
    def jwk(self) -> dict[str, str]:
        return {
            "alg": "RS256",
            "e": self._exponent,
            "kid": self.id,
            "kty": "RSA",
            "n": self._modulus,
            "use": "sig",
        }

    def sign(self, claims: dict[str, Any]) -> str:
        header = {"kid": self.id, "alg": "RS256"}
        text = f"{_encode_json(header)}.{_encode_json(claims)}"
        signature = self._private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_encode(signature)}"

    def read(self, token: str) -> dict[str, Any] | None:
        """Return the claims of *token*, expired or not; None if this key did not sign it."""
        text, _, signature = token.rpartition(".")
        try:
            self._public.verify(
                _decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, ValueError):
            return None
        # This key signs only tokens with our own header, so the algorithm is RS256.
        claims: dict[str, Any] = json.loads(_decode(text.partition(".")[2]))
        return claims


def _to_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _encode_json(document: dict[str, Any]) -> str:
    return _encode(json.dumps(document, separators=(",", ":")).encode())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
