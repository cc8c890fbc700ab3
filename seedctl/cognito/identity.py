"""Who AppSync and S3 see: a signed-in user, or a guest of the identity pool."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

from seedctl import masking
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.cognito.tokens import claims
from seedctl.errors import InvalidResponseError

if TYPE_CHECKING:
    from seedctl.aws.calls import Caller
    from seedctl.cognito.pool import AuthOutputsSource
    from seedctl.cognito.tokens import Tokens


class IdentityPool:
    """The identity pool of one backend. Thread-safe."""

    def __init__(self, aws: Caller, outputs: AuthOutputsSource) -> None:
        """*outputs* without an auth section are a backend without an identity pool."""
        self._aws = aws
        self._outputs = outputs
        self._lock = threading.Lock()
        self._guest: IdentityCredentials | None = None

    def for_user(self, id_token: str) -> IdentityCredentials | None:
        """Return credentials of the user of *id_token*; None when there is no identity pool."""
        if self._pool_id is None:
            return None
        # As the token says, as amplify-js does: each partition has a domain of its own.
        issuer = claims(id_token).get("iss")
        if not isinstance(issuer, str):
            lacks = ": a token in it names no issuer"
            raise InvalidResponseError.of("cognito-idp", "InitiateAuth", lacks)
        return self._fetch({issuer.removeprefix("https://"): id_token})

    def for_guest(self, *, renew: bool = False) -> IdentityCredentials | None:
        """Return a guest's credentials; None when the backend lets no guests in.

        They are kept until they end, *renew* refuses them, or :meth:`forget_guest`.
        """
        settings = self._outputs.auth
        if settings is None or not settings.unauthenticated_identities_enabled:
            return None
        with self._lock:
            if self._guest is None or renew or self._guest.credentials.is_stale:
                self._guest = self._fetch({})
            return self._guest

    def forget_guest(self) -> None:
        """Let the next guest be a new one, as the JavaScript client does at each sign-in or out."""
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
        # For a guest the JavaScript client sends empty Logins here, and none below.
        request = {"IdentityPoolId": pool, "Logins": logins}
        identity = self._call(pool, "GetId", request)["IdentityId"]
        known = {"Logins": logins} if logins else {}
        reply = self._call(pool, "GetCredentialsForIdentity", {"IdentityId": identity, **known})
        keys = reply["Credentials"]
        masking.register(keys["SecretKey"])
        masking.register(keys["SessionToken"])
        return IdentityCredentials(
            # The answer's, which can be another one than was asked for.
            reply["IdentityId"],
            Credentials(
                keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"], keys["Expiration"]
            ),
        )

    def _call(self, pool: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        region = pool.partition(":")[0]
        return self._aws.call("cognito-identity", operation, parameters, region=region)


class TokenSource(Protocol):
    """A signed-in user's session, as far as it is needed here."""

    def tokens(self) -> Tokens:
        """Return the tokens, renewed if need be. Raises UserUnAuthenticatedException."""
        ...


class SessionIdentity:
    """One user, as long as its session lasts."""

    def __init__(self, session: TokenSource, pool: IdentityPool) -> None:
        self._session = session
        self._pool = pool
        self._lock = threading.Lock()
        self._kept: IdentityCredentials | None = None
        self._kept_for: str | None = None

    def access_token(self) -> str | None:
        return self._session.tokens().access

    def bind(self) -> SessionIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        # First the token: a session that has ended gets nothing, kept or not.
        token = self._session.tokens().id
        with self._lock:
            is_good = self._kept is not None and not self._kept.credentials.is_stale
            if renew or not is_good or self._kept_for != token:
                self._kept = self._pool.for_user(token)
                self._kept_for = token
            return self._kept

    def groups(self) -> tuple[str, ...] | None:
        return tuple(self._session.tokens().id_claims().get("cognito:groups", ()))


class GuestIdentity:
    """Nobody who is signed in."""

    def __init__(self, pool: IdentityPool) -> None:
        self._pool = pool
        self._kept: IdentityCredentials | None = None

    def bind(self) -> GuestIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        # The same guest for the whole task, whoever signs in elsewhere meanwhile.
        kept = self._kept
        if kept is None or renew or kept.credentials.is_stale:
            self._kept = kept = self._pool.for_guest(renew=renew)
        return kept

    def groups(self) -> tuple[str, ...] | None:
        return None
