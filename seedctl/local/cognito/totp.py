"""Software tokens: the shared secret and its RFC 6238 codes, each valid only once."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field, replace

from seedctl.local.cognito.errors import expired_code

_SECRET_BYTES = 32
_STEP_SECONDS = 30
# The clocks may differ by one step in either direction.
_TOLERANCE = (-1, 0, 1)


@dataclass(frozen=True, slots=True)
class SoftwareToken:
    """The secret that an authenticator app shares with the pool."""

    secret: str = field(repr=False)
    """Base32 without padding."""
    device_name: str = ""
    used_steps: list[int] = field(default_factory=list)
    """The latest time steps whose code was accepted."""

    @classmethod
    def new(cls) -> SoftwareToken:
        secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        return cls(secret.rstrip("="))

    def used(self, code: str, now: float) -> SoftwareToken | None:
        """Return the token with *code* marked as used, None if the code is wrong.

        Raises ExpiredCodeException for a code that was accepted before.
        """
        step = int(now // _STEP_SECONDS)
        matching = [
            step + offset
            for offset in _TOLERANCE
            if hmac.compare_digest(self._code(step + offset).encode(), code.encode())
        ]
        if not matching:
            return None
        unused = [step for step in matching if step not in self.used_steps]
        if not unused:
            raise expired_code("Your software token has already been used once.")
        # Older steps are outside the tolerance, so their codes fail anyway.
        latest = sorted({*self.used_steps, unused[0]})[-len(_TOLERANCE) :]
        return replace(self, used_steps=latest)

    def _code(self, step: int) -> str:
        key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
        offset = digest[-1] & 0x0F
        number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 10**6:06}"
