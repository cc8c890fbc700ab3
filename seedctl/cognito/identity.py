"""A user's tokens, and the identity pool that exchanges them for AWS credentials."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl import masking
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.errors import InvalidResponseError
from seedctl.outputs import OutputsSource

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS


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


class IdentityPool:
    """The identity pool of one backend. Thread-safe."""

    def __init__(self, aws: AWS, outputs: OutputsSource) -> None:
        """Without an auth section in *outputs* the backend has no identity pool."""
        self._aws = aws
        self._outputs = outputs
        self._lock = threading.Lock()
        self._guest: IdentityCredentials | None = None

    def for_user(self, id_token: str) -> IdentityCredentials | None:
        """Return credentials for the user of *id_token*; None if there is no identity pool."""
        settings = self._outputs.auth
        pool = settings.identity_pool_id if settings is not None else None
        if pool is None:
            return None
        # Take the issuer from the token, as amplify-js does: its domain depends on the partition.
        issuer = claims(id_token).get("iss")
        if not isinstance(issuer, str):
            detail = ": a token in it names no issuer"
            raise InvalidResponseError.of("cognito-idp", "InitiateAuth", detail)
        return self._fetch(pool, {issuer.removeprefix("https://"): id_token})

    def for_guest(self, *, renew: bool = False) -> IdentityCredentials | None:
        """Return a guest's credentials; None if the identity pool does not allow guests.

        They are cached until they expire, ``forget_guest`` is called, or *renew* is true.
        """
        settings = self._outputs.auth
        pool = settings.identity_pool_id if settings is not None else None
        if settings is None or pool is None or not settings.unauthenticated_identities_enabled:
            return None
        with self._lock:
            if self._guest is None or renew or self._guest.credentials.is_stale:
                self._guest = self._fetch(pool, {})
            return self._guest

    def forget_guest(self) -> None:
        """Drop the cached guest, as the JavaScript client does at each sign-in and sign-out."""
        with self._lock:
            self._guest = None

    def _fetch(self, pool: str, logins: dict[str, str]) -> IdentityCredentials:
        # For a guest the JavaScript client sends empty Logins in GetId, and none in the next call.
        request = {"IdentityPoolId": pool, "Logins": logins}
        identity = self._call(pool, "GetId", request)["IdentityId"]
        user = {"Logins": logins} if logins else {}
        reply = self._call(pool, "GetCredentialsForIdentity", {"IdentityId": identity, **user})
        keys = reply["Credentials"]
        masking.register(keys["SecretKey"])
        masking.register(keys["SessionToken"])
        return IdentityCredentials(
            # Cognito may return credentials for another identity than the requested one.
            reply["IdentityId"],
            Credentials(
                keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"], keys["Expiration"]
            ),
        )

    def _call(self, pool: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        region = pool.partition(":")[0]
        return self._aws.call("cognito-identity", operation, parameters, region=region)
