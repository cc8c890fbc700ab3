"""The identity that AppSync and S3 calls are made with: a signed-in user, or a guest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from seedctl import masking
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.cognito.tokens import claims
from seedctl.errors import InvalidResponseError

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS
    from seedctl.cognito.pool import AuthOutputsSource
    from seedctl.cognito.tokens import Tokens


class IdentityPool:
    """The identity pool of one backend. Thread-safe."""

    def __init__(self, aws: AWS, outputs: AuthOutputsSource) -> None:
        """Without an auth section in *outputs* the backend has no identity pool."""
        self._aws = aws
        self._outputs = outputs
        self._lock = threading.Lock()
        self._guest: IdentityCredentials | None = None

    def for_user(self, id_token: str) -> IdentityCredentials | None:
        """Return credentials for the user of *id_token*; None if there is no identity pool."""
        if self._pool_id is None:
            return None
        # Take the issuer from the token, as amplify-js does: its domain depends on the partition.
        issuer = claims(id_token).get("iss")
        if not isinstance(issuer, str):
            detail = ": a token in it names no issuer"
            raise InvalidResponseError.of("cognito-idp", "InitiateAuth", detail)
        return self._fetch({issuer.removeprefix("https://"): id_token})

    def for_guest(self, *, renew: bool = False) -> IdentityCredentials | None:
        """Return a guest's credentials; None if the identity pool does not allow guests.

        They are cached until they expire, ``forget_guest`` is called, or *renew* is true.
        """
        settings = self._outputs.auth
        if settings is None or not settings.unauthenticated_identities_enabled:
            return None
        with self._lock:
            if self._guest is None or renew or self._guest.credentials.is_stale:
                self._guest = self._fetch({})
            return self._guest

    def forget_guest(self) -> None:
        """Drop the cached guest, as the JavaScript client does at each sign-in and sign-out."""
        with self._lock:
            self._guest = None

    @property
    def _pool_id(self) -> str | None:
        settings = self._outputs.auth
        return settings.identity_pool_id if settings is not None else None

    def _fetch(self, logins: dict[str, str]) -> IdentityCredentials | None:
        pool = self._pool_id
        if pool is None:
            return None
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


class TokenSource(Protocol):
    """The part of a user's session that is needed here."""

    def tokens(self) -> Tokens:
        """Return the tokens, refreshed if expired. Raises UserUnAuthenticatedException."""
        ...


class SessionIdentity:
    """The identity of one signed-in user, until the session ends."""

    def __init__(self, session: TokenSource, pool: IdentityPool) -> None:
        self._session = session
        self._pool = pool
        self._lock = threading.Lock()
        self._cached: IdentityCredentials | None = None
        self._cached_for: str | None = None

    def access_token(self) -> str | None:
        return self._session.tokens().access

    def bind(self) -> SessionIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        # Get the token first: it raises after a sign-out, even if credentials are cached.
        token = self._session.tokens().id
        with self._lock:
            is_usable = self._cached is not None and not self._cached.credentials.is_stale
            if renew or not is_usable or self._cached_for != token:
                self._cached = self._pool.for_user(token)
                self._cached_for = token
            return self._cached

    def groups(self) -> tuple[str, ...] | None:
        return tuple(self._session.tokens().id_claims().get("cognito:groups", ()))


class GuestIdentity:
    """The identity of a guest: calls without a signed-in user."""

    def __init__(self, pool: IdentityPool) -> None:
        self._pool = pool
        self._cached: IdentityCredentials | None = None

    def bind(self) -> GuestIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        # Use the same guest for the whole task, even if another thread signs in meanwhile.
        cached = self._cached
        if cached is None or renew or cached.credentials.is_stale:
            self._cached = cached = self._pool.for_guest(renew=renew)
        return cached

    def groups(self) -> tuple[str, ...] | None:
        return None
