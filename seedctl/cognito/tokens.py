"""A user's tokens and their claims."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import Any

from seedctl import masking
from seedctl.errors import InvalidResponseError


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one sign-in or refresh."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: float
    """In ``time.monotonic()``, because Cognito's clock may differ from this machine's."""
    device_key: str | None = None
    """The device that the user signed in from, in user pools that remember devices."""

    @classmethod
    def from_reply(
        cls, result: dict[str, Any], *, refresh: str | None = None, device_key: str | None = None
    ) -> Tokens:
        """Read an AuthenticationResult.

        *refresh* and *device_key* are used if the result has no new ones.
        """
        access, id_token = result["AccessToken"], result["IdToken"]
        refresh = result.get("RefreshToken") or refresh
        if refresh:
            masking.register(refresh)
        for token in (access, id_token):
            if token.count(".") != 2:  # masking recognizes JWTs by their format
                masking.register(token)
        lifetime = float(result.get("ExpiresIn") or 3600)
        device = result.get("NewDeviceMetadata") or {}
        device_key = device.get("DeviceKey") or device_key
        return cls(access, id_token, refresh, time.monotonic() + lifetime, device_key)

    @property
    def is_expired(self) -> bool:
        # A minute early, so that the token does not expire during the next call.
        return time.monotonic() > self.expires_at - 60

    def access_claims(self) -> dict[str, Any]:
        return claims(self.access)

    def id_claims(self) -> dict[str, Any]:
        return claims(self.id)


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, without verifying it: it came from Cognito over TLS.

    Raises InvalidResponseError if *token* is not a JWT.
    """
    try:
        body = token.split(".")[1]
        value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        detail = ": a token in it is not a JWT"
        raise InvalidResponseError.of("cognito-idp", "InitiateAuth", detail)
    return value
