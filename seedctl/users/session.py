"""A signed-in user."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from seedctl import interruption
from seedctl.appsync.client_factory import DataClientFactory
from seedctl.aws.credentials import IdentityCredentials
from seedctl.cognito.identity import IdentityPool, Tokens
from seedctl.cognito.pool import UserPool
from seedctl.cognito.types import AuthSession, CurrentUser, MFAPreference
from seedctl.errors import NotAuthorizedException, SeedctlError, UserUnAuthenticatedException
from seedctl.masking import mask
from seedctl.s3.client_factory import StorageFactory

if TYPE_CHECKING:
    from seedctl.appsync.client import DataClient
    from seedctl.s3.client import Storage


@dataclass(frozen=True, slots=True)
class SessionServices:
    """The parts of a backend that a session uses besides the user pool."""

    identity_pool: IdentityPool
    data: DataClientFactory
    storage: StorageFactory


class SessionIdentity:
    """The identity of one signed-in user, until the session ends."""

    def __init__(self, session: UserSession, pool: IdentityPool) -> None:
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


class UserSession:
    """A signed-in user. Leaving its ``with`` block signs the user out. Always truthy."""

    def __init__(
        self,
        pool: UserPool,
        username: str,
        tokens: Tokens,
        *,
        mfa_method: MFAPreference | None = None,
        on_end: Callable[[UserSession], None],
        warn: Callable[[str], None],
        services: SessionServices,
    ) -> None:
        """*on_end* is called once, after the sign-out; *warn* if Cognito could not revoke tokens."""
        claims = tokens.id_claims()
        self.username = username
        """The name that the user signed in with."""
        self.user_id = str(claims.get("sub", ""))
        """The ``sub``."""
        self.mfa_method = mfa_method
        """The MFA method that the sign-in used; None if Cognito asked for no code."""
        self.internal_name = str(claims.get("cognito:username", username))
        """The user pool's own name for the user: a UUID in pools with e-mail or phone login."""
        self._pool = pool
        self._tokens: Tokens | None = tokens
        self._on_end = on_end
        self._warn = warn
        self._services = services
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        state = "signed in" if self.is_signed_in else "signed out"
        return f"<UserSession {mask(self.username)!r} {state}>"

    def __bool__(self) -> bool:
        # The JavaScript function returns true, so scripts write `if sign_in_user(...)`.
        return True

    def __enter__(self) -> UserSession:
        return self

    def __exit__(self, *_error: object) -> None:
        self.sign_out()

    @property
    def is_signed_in(self) -> bool:
        """False after the sign-out."""
        return self._tokens is not None

    @cached_property
    def data(self) -> DataClient:
        """A data client for the backend's models that acts as this user."""
        return self._services.data.client_for(self.identity)

    @cached_property
    def storage(self) -> Storage:
        """A storage client for the backend's buckets that acts as this user."""
        return self._services.storage.storage_for(self.identity)

    @cached_property
    def identity(self) -> SessionIdentity:
        """The identity that AppSync and S3 calls of this user are made with."""
        return SessionIdentity(self, self._services.identity_pool)

    def current_user(self) -> CurrentUser:
        """Return the user's names and id.

        Raises:
            UserUnAuthenticatedException: The user has signed out.
        """
        self.tokens()
        return CurrentUser(self.internal_name, self.user_id, self.username)

    def fetch_auth_session(self, *, force_refresh: bool = False) -> AuthSession:
        """Return the tokens and, with an identity pool, the identity id and AWS credentials.

        Args:
            force_refresh: Refresh the tokens and the credentials even if they have not expired.

        Raises:
            UserUnAuthenticatedException: The user has signed out, or Cognito no longer accepts the
                refresh token.
        """
        tokens = self.tokens(force_refresh=force_refresh)
        identity = self.identity.credentials(renew=force_refresh)
        return AuthSession(
            tokens.access,
            tokens.id,
            self.user_id,
            identity.identity_id if identity is not None else None,
            identity.credentials if identity is not None else None,
        )

    def tokens(self, *, force_refresh: bool = False) -> Tokens:
        """Return the user's tokens, without credentials of the identity pool.

        Args:
            force_refresh: Refresh the tokens even if they have not expired.

        Raises:
            UserUnAuthenticatedException: As for ``fetch_auth_session``.
        """
        with self._lock:
            tokens = self._tokens
            if tokens is None:
                raise _session_ended(f"{mask(self.username)} has signed out.")
            if not tokens.is_expired and not force_refresh:
                return tokens
            if tokens.refresh is None:
                raise _session_ended(f"The tokens of {mask(self.username)} have expired.")
            try:
                reply = self._pool.refresh(tokens.refresh, self.internal_name, tokens.device_key)
            except NotAuthorizedException as error:
                what = f"Cognito no longer accepts the session of {mask(self.username)}"
                raise _session_ended(f"{what}: {error.message}") from error
            result = reply["AuthenticationResult"]
            self._tokens = Tokens.from_reply(
                result, refresh=tokens.refresh, device_key=tokens.device_key
            )
            return self._tokens

    def sign_out(self, *, everywhere: bool = False) -> None:
        """End the session and revoke its refresh token. A second call does nothing.

        If Cognito cannot revoke the token, there is a warning and no error: this session has ended
        anyway. After Ctrl-C or another signal the session stays open, and closing the backend ends
        all sessions at once in limited time.

        Args:
            everywhere: Sign the user out of all sessions, on this machine and elsewhere.
        """
        if everywhere or not interruption.is_requested():
            self.end(everywhere=everywhere)

    def end(self, *, everywhere: bool = False) -> None:
        """Do what ``sign_out`` does, even after a signal.

        Args:
            everywhere: Sign the user out of all sessions, on this machine and elsewhere.
        """
        with self._lock:
            tokens, self._tokens = self._tokens, None
        if tokens is None:
            return
        try:
            if everywhere:
                self._pool.global_sign_out(tokens.access)
            elif tokens.refresh and "origin_jti" in tokens.access_claims():
                # Tokens lack origin_jti if the app client has token revocation disabled.
                self._pool.revoke(tokens.refresh)
        except SeedctlError as error:
            self._warn(f"The tokens of {mask(self.username)} could not be revoked: {error.message}")
        except KeyboardInterrupt:
            self._tokens = tokens  # still signed in: closing the backend tries again
            raise
        finally:
            if self._tokens is None:
                self._on_end(self)

    def drop(self) -> None:
        """End the session without a request, because the user pool is about to forget it."""
        with self._lock:
            tokens, self._tokens = self._tokens, None
        if tokens is not None:
            self._on_end(self)


def _session_ended(message: str) -> UserUnAuthenticatedException:
    return UserUnAuthenticatedException(message, resolution="Sign in again.")
