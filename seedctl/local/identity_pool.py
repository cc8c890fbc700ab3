"""The identity pool: AWS credentials for users of the pool and for guests.

Credentials live in the server's memory, as long as they are good for: a client that is told they
are unknown gets new ones.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.protocol import Operation, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.local.protocol import Call
    from seedctl.project import AuthSection

_LIFETIME = 3600.0  # seconds, as Cognito gives
_NAMESPACE = uuid.UUID("5a0d6f0e-7f0b-4a53-9b0e-1f1b6f7f2c11")  # of our own making


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds an access key of the identity pool."""

    identity_id: str
    claims: Mapping[str, Any] = field(repr=False)
    """Of the user's id token; empty for a guest."""
    expires_at: float

    @property
    def is_guest(self) -> bool:
        return not self.claims


class IdentityPool:
    """One identity pool, under the id in the outputs file."""

    def __init__(
        self,
        auth: AuthSection | None,
        clock: Callable[[], float],
        read_token: Callable[[str], dict[str, Any]],
    ) -> None:
        """*read_token* gives a live token's claims, or raises ServiceError."""
        self._auth = auth
        self._clock = clock
        self._read_token = read_token
        self._lock = threading.Lock()
        self._principals: dict[str, Principal] = {}
        self._guests: set[str] = set()
        self.operations: Mapping[str, Operation] = {
            "GetId": Operation(self._get_id, signed=False),
            "GetCredentialsForIdentity": Operation(self._get_credentials, signed=False),
        }

    def principal(self, access_key_id: str) -> Principal | None:
        """Return who holds *access_key_id*, None when it is unknown or has expired."""
        with self._lock:
            found = self._principals.get(access_key_id)
            if found is not None and found.expires_at <= self._clock():
                del self._principals[access_key_id]
                return None
            return found

    def _get_id(self, call: Call) -> dict[str, Any]:
        pool_id = call.text("IdentityPoolId", maximum=200)
        if self._auth is None or pool_id != self._auth.identity_pool_id:
            raise ServiceError("ResourceNotFoundException", f"IdentityPool '{pool_id}' not found.")
        claims = self._claims(call.text_map("Logins"))
        if claims:
            return {"IdentityId": self._identity_of(claims)}
        self._check_guests()
        identity = f"{self._region()}:{uuid.uuid4()}"
        with self._lock:
            self._guests.add(identity)
        return {"IdentityId": identity}

    def _get_credentials(self, call: Call) -> dict[str, Any]:
        identity = call.text("IdentityId", maximum=200)
        claims = self._claims(call.text_map("Logins"))
        if claims:
            is_theirs = identity == self._identity_of(claims)
        else:
            self._check_guests()
            with self._lock:
                is_theirs = identity in self._guests
        if not is_theirs:
            raise ServiceError("ResourceNotFoundException", f"Identity '{identity}' not found.")
        key = "ASIA" + secrets.token_hex(8).upper()
        expires_at = self._clock() + _LIFETIME
        with self._lock:
            self._principals[key] = Principal(identity, claims, expires_at)
        return {
            "IdentityId": identity,
            "Credentials": {
                "AccessKeyId": key,
                "SecretKey": secrets.token_urlsafe(30),
                "SessionToken": secrets.token_urlsafe(60),
                "Expiration": expires_at,
            },
        }

    def _claims(self, logins: Mapping[str, str]) -> dict[str, Any]:
        """Return the claims of the id token in *logins*, nothing for a guest."""
        if not logins:
            return {}
        assert self._auth is not None
        issuer = (
            f"cognito-idp.{self._auth.user_pool_region}.amazonaws.com/{self._auth.user_pool_id}"
        )
        if set(logins) != {issuer}:
            raise ServiceError("NotAuthorizedException", "Token is not from a supported provider.")
        claims = self._read_token(logins[issuer])
        if claims.get("token_use") != "id":
            raise ServiceError("NotAuthorizedException", "Invalid login token.")
        return claims

    def _check_guests(self) -> None:
        # Gen 2 lets guests in unless told otherwise.
        if self._auth is not None and self._auth.unauthenticated_identities_enabled is False:
            raise ServiceError(
                "NotAuthorizedException",
                "Unauthenticated access is not supported for this identity pool.",
            )

    def _identity_of(self, claims: Mapping[str, Any]) -> str:
        assert self._auth is not None
        name = f"{self._auth.identity_pool_id}\0{claims['sub']}"
        return f"{self._region()}:{uuid.uuid5(_NAMESPACE, name)}"

    def _region(self) -> str:
        assert self._auth is not None
        return (self._auth.identity_pool_id or "").partition(":")[0]
