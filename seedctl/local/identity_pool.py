"""The identity pool: AWS credentials for users of the pool and for guests.

Both identities and credentials are kept with the state: a browser goes on using its guest identity,
and credentials that are good for an hour, whether or not the server was started anew meanwhile.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.protocol import Operation, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.local.protocol import Call
    from seedctl.local.store import Store
    from seedctl.outputs import AuthSection

_LIFETIME = 3600.0  # seconds, as Cognito gives
_NAMESPACE = uuid.UUID("5a0d6f0e-7f0b-4a53-9b0e-1f1b6f7f2c11")  # of our own making


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds an access key of the identity pool."""

    access_key_id: str
    identity_id: str
    claims: Mapping[str, Any] = field(repr=False)
    """Of the user's id token; empty for a guest."""
    expires_at: float
    secret: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def is_guest(self) -> bool:
        return not self.claims


class IdentityPool:
    """One identity pool, under the id in the outputs file."""

    def __init__(
        self,
        auth: AuthSection | None,
        store: Store,
        clock: Callable[[], float],
        read_token: Callable[[str], dict[str, Any]],
    ) -> None:
        """*read_token* gives a live token's claims, or raises ServiceError."""
        self._auth = auth
        self._store = store
        self._pool = (auth.identity_pool_id if auth is not None else None) or ""
        self._clock = clock
        self._read_token = read_token
        self.operations: Mapping[str, Operation] = {
            "GetId": Operation(self._get_id, signed=False),
            "GetCredentialsForIdentity": Operation(self._get_credentials, signed=False),
        }

    def principal(self, access_key_id: str) -> Principal | None:
        """Return who holds *access_key_id*, None when it is unknown or has expired."""
        query = (
            "SELECT access_key_id, identity_id, claims, expires_at, secret FROM credentials"
            " WHERE pool = ? AND access_key_id = ? AND expires_at > ?"
        )
        with self._store.reading() as view:
            row = view.row(query, self._pool, access_key_id, self._clock())
            if row is None:
                return None
            row["secret"], token = view.seal.open(row["secret"], "credentials", access_key_id)
        return Principal(**row, token=token)

    def _get_id(self, call: Call) -> dict[str, Any]:
        pool_id = call.text("IdentityPoolId", maximum=200)
        if self._auth is None or pool_id != self._auth.identity_pool_id:
            raise ServiceError("ResourceNotFoundException", f"IdentityPool '{pool_id}' not found.")
        claims = self._claims(call.text_map("Logins"))
        if claims:
            return {"IdentityId": self._identity_of(claims)}
        self._check_guests()
        identity = f"{self._region()}:{uuid.uuid4()}"
        with self._store.transaction() as view:
            view.put("guest", pool=self._pool, id=identity)
        return {"IdentityId": identity}

    def _get_credentials(self, call: Call) -> dict[str, Any]:
        identity = call.text("IdentityId", maximum=200)
        claims = self._claims(call.text_map("Logins"))
        with self._store.reading() as view:
            query = "SELECT 1 FROM guest WHERE pool = ? AND id = ?"
            is_guest = view.row(query, self._pool, identity) is not None
        if claims:
            # A guest who signs in goes on as the user: the answer has the user's own identity.
            is_known = is_guest or identity == self._identity_of(claims)
        else:
            self._check_guests()
            is_known = is_guest
        if not is_known:
            raise ServiceError("ResourceNotFoundException", f"Identity '{identity}' not found.")
        if claims:
            identity = self._identity_of(claims)
        key = "ASIA" + secrets.token_hex(8).upper()
        principal = Principal(
            access_key_id=key,
            identity_id=identity,
            claims=claims,
            expires_at=self._clock() + _LIFETIME,
            secret=secrets.token_urlsafe(30),
            token=secrets.token_urlsafe(60),
        )
        document = asdict(principal)
        keys = [document.pop("secret"), document.pop("token")]
        with self._store.transaction() as view:
            secret = view.seal.close(keys, "credentials", key)
            view.put("credentials", pool=self._pool, **document, secret=secret)
            query = "DELETE FROM credentials WHERE pool = ? AND expires_at <= ?"
            view.execute(query, (self._pool, self._clock()))
        return {
            "IdentityId": identity,
            "Credentials": {
                "AccessKeyId": key,
                "SecretKey": principal.secret,
                "SessionToken": principal.token,
                "Expiration": principal.expires_at,
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
