"""The identity pool: AWS credentials for users of the pool and for guests.

Identities and credentials are stored in the state, so a browser can continue to use its guest identity
and its credentials, which are valid for an hour, after a restart of the server.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedctl.local.protocol import Call, Operation, ServiceError
from seedctl.local.store import Store
from seedctl.outputs import AuthSection

_LIFETIME = 3600.0  # seconds, as in Cognito
_NAMESPACE = uuid.UUID("5a0d6f0e-7f0b-4a53-9b0e-1f1b6f7f2c11")  # random, chosen once


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity behind an access key of the identity pool."""

    access_key_id: str
    identity_id: str
    claims: Mapping[str, Any] = field(repr=False)
    """The claims of the user's id token; empty for a guest."""
    expires_at: float
    secret: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def is_guest(self) -> bool:
        return not self.claims


class IdentityPool:
    """The identity pool of the outputs file."""

    def __init__(
        self,
        auth: AuthSection | None,
        store: Store,
        clock: Callable[[], float],
        read_token: Callable[[str], dict[str, Any]],
    ) -> None:
        """*read_token* returns the claims of a valid token, or raises ServiceError."""
        self._store = store
        self._pool, self._issuer, self._allows_guests = "", "", True
        if auth is not None:
            self._pool = auth.identity_pool_id or ""
            self._issuer = f"cognito-idp.{auth.user_pool_region}.amazonaws.com/{auth.user_pool_id}"
            # Gen 2 allows guests by default.
            self._allows_guests = auth.unauthenticated_identities_enabled is not False
        self._clock = clock
        self._read_token = read_token
        self.operations: Mapping[str, Operation] = {
            "GetId": Operation(self._get_id, signed=False),
            "GetCredentialsForIdentity": Operation(self._get_credentials, signed=False),
        }

    def principal(self, access_key_id: str) -> Principal | None:
        """Return the identity behind *access_key_id*, None if the key is unknown or expired."""
        query = (
            "SELECT access_key_id, identity_id, claims, expires_at, secret FROM credentials"
            " WHERE pool = ? AND access_key_id = ? AND expires_at > ?"
        )
        with self._store.reading() as view:
            row = view.row(query, self._pool, access_key_id, self._clock())
            if row is None:
                return None
            row["secret"], token = view.seal.decrypt(row["secret"], "credentials", access_key_id)
        return Principal(**row, token=token)

    def _get_id(self, call: Call) -> dict[str, Any]:
        pool_id = call.text("IdentityPoolId", maximum=200)
        if pool_id != self._pool:
            raise ServiceError("ResourceNotFoundException", f"IdentityPool '{pool_id}' not found.")
        claims = self._claims(call.text_map("Logins"))
        if claims:
            return {"IdentityId": self._identity_of(claims)}
        self._check_guests()
        identity = self._identity(uuid.uuid4())
        with self._store.transaction() as view:
            view.put("guest", pool=self._pool, id=identity)
        return {"IdentityId": identity}

    def _get_credentials(self, call: Call) -> dict[str, Any]:
        identity = call.text("IdentityId", maximum=200)
        claims = self._claims(call.text_map("Logins"))
        with self._store.reading() as view:
            query = "SELECT 1 FROM guest WHERE pool = ? AND id = ?"
            is_guest = view.row(query, self._pool, identity) is not None
        own = self._identity_of(claims) if claims else None
        if own is None:
            self._check_guests()
        if not is_guest and identity != own:
            raise ServiceError("ResourceNotFoundException", f"Identity '{identity}' not found.")
        # A guest who signs in continues as the user, with the user's identity.
        identity = own or identity
        key, expires = "ASIA" + secrets.token_hex(8).upper(), self._clock() + _LIFETIME
        secret, token = secrets.token_urlsafe(30), secrets.token_urlsafe(60)
        with self._store.transaction() as view:
            view.put(
                "credentials",
                pool=self._pool,
                access_key_id=key,
                identity_id=identity,
                claims=claims,
                expires_at=expires,
                secret=view.seal.encrypt([secret, token], "credentials", key),
            )
            query = "DELETE FROM credentials WHERE pool = ? AND expires_at <= ?"
            view.execute(query, (self._pool, self._clock()))
        return {
            "IdentityId": identity,
            "Credentials": {
                "AccessKeyId": key,
                "SecretKey": secret,
                "SessionToken": token,
                "Expiration": expires,
            },
        }

    def _claims(self, logins: Mapping[str, str]) -> dict[str, Any]:
        """Return the claims of the id token in *logins*, empty for a guest."""
        if not logins:
            return {}
        if set(logins) != {self._issuer}:
            raise ServiceError("NotAuthorizedException", "Token is not from a supported provider.")
        claims = self._read_token(logins[self._issuer])
        if claims.get("token_use") != "id":
            raise ServiceError("NotAuthorizedException", "Invalid login token.")
        return claims

    def _check_guests(self) -> None:
        if not self._allows_guests:
            raise ServiceError(
                "NotAuthorizedException",
                "Unauthenticated access is not supported for this identity pool.",
            )

    def _identity_of(self, claims: Mapping[str, Any]) -> str:
        return self._identity(uuid.uuid5(_NAMESPACE, f"{self._pool}\0{claims['sub']}"))

    def _identity(self, name: uuid.UUID) -> str:
        """Return the identity id of *name*, which begins with the pool's region."""
        return f"{self._pool.partition(':')[0]}:{name}"
