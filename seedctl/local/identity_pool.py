"""The identity pool: AWS credentials for users of the pool and for guests.

Both identities and credentials are kept with the state: a browser goes on using its guest identity,
and credentials that are good for an hour, whether or not the server was started anew meanwhile.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.documents import from_document
from seedctl.local.protocol import Operation, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.local.protocol import Call
    from seedctl.local.store import Store, View
    from seedctl.project import AuthSection

_LIFETIME = 3600.0  # seconds, as Cognito gives
_PRUNED_EVERY = 600.0
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
        pool_id = auth.identity_pool_id if auth is not None else None
        self._guests = f"guest identity {pool_id}"
        self._credentials = f"credentials {pool_id}"
        self._clock = clock
        self._read_token = read_token
        self._lock = threading.Lock()
        self._pruned_at = float("-inf")
        self.operations: Mapping[str, Operation] = {
            "GetId": Operation(self._get_id, signed=False),
            "GetCredentialsForIdentity": Operation(self._get_credentials, signed=False),
        }

    def principal(self, access_key_id: str) -> Principal | None:
        """Return who holds *access_key_id*, None when it is unknown or has expired."""
        document = self._store.get(self._credentials, access_key_id)
        if document is None or document["expires_at"] <= self._clock():
            return None
        return from_document(Principal, document)

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
            view.put(self._guests, identity, {})
        return {"IdentityId": identity}

    def _get_credentials(self, call: Call) -> dict[str, Any]:
        identity = call.text("IdentityId", maximum=200)
        claims = self._claims(call.text_map("Logins"))
        is_guest = self._store.get(self._guests, identity) is not None
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
        with self._store.transaction() as view:
            view.put(self._credentials, key, asdict(principal))
            self._prune(view)
        return {
            "IdentityId": identity,
            "Credentials": {
                "AccessKeyId": key,
                "SecretKey": principal.secret,
                "SessionToken": principal.token,
                "Expiration": principal.expires_at,
            },
        }

    def _prune(self, view: View) -> None:
        """Delete the credentials that have expired, now and then."""
        now = self._clock()
        with self._lock:
            if now < self._pruned_at + _PRUNED_EVERY:
                return
            self._pruned_at = now
        for document in list(view.scan(self._credentials)):
            if document["expires_at"] <= now:
                view.delete(self._credentials, document["access_key_id"])

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
