"""A signed-in user."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from seedctl import interruption
from seedctl.cognito.identity import SessionIdentity
from seedctl.cognito.tokens import Tokens
from seedctl.cognito.types import AuthSession, CurrentUser
from seedctl.errors import NotAuthorizedException, SeedctlError, UserUnAuthenticatedException
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from seedctl.appsync.client import DataClient
    from seedctl.appsync.client_factory import DataClientFactory
    from seedctl.cognito.identity import IdentityPool
    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import MFAPreference
    from seedctl.s3.client import Storage
    from seedctl.s3.client_factory import StorageFactory


@dataclass(frozen=True, slots=True)
class SessionServices:
    """What a signed-in user of one backend reaches besides the user pool."""

    identity_pool: IdentityPool
    data: DataClientFactory
    storage: StorageFactory


class UserSession:
    """One user's signed-in state; leaving its ``with`` block signs out. Always truthy."""

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
        """*on_end* hears once when the session is over; *warn* when its end could not be told.

        *services* are the rest of the backend.
        """
        claims = tokens.id_claims()
        self.username = username
        """As typed to sign in."""
        self.user_id = str(claims.get("sub", ""))
        """The ``sub``."""
        self.mfa_method = mfa_method
        """How the user proved more than a password; None where nothing more was asked."""
        self.internal_name = str(claims.get("cognito:username", username))
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
        # So that `if sign_in_user(...)` reads as in the guide; failure raises instead.
        return True

    def __enter__(self) -> UserSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sign_out()

    @property
    def is_signed_in(self) -> bool:
        return self._tokens is not None

    @cached_property
    def data(self) -> DataClient:
        """A client for the backend's models that acts as this user."""
        return self._services.data.client_for(self.identity)

    @cached_property
    def storage(self) -> Storage:
        """The backend's files, as this user may read and write them."""
        return self._services.storage.storage_for(self.identity)

    @cached_property
    def identity(self) -> SessionIdentity:
        """Who this user is to AppSync and S3."""
        return SessionIdentity(self, self._services.identity_pool)

    def current_user(self) -> CurrentUser:
        """Return who this is. Raises UserUnAuthenticatedException after the sign-out."""
        self.tokens()
        return CurrentUser(self.internal_name, self.user_id, self.username)

    def fetch_auth_session(self, *, force_refresh: bool = False) -> AuthSession:
        """Return the tokens and, with an identity pool, the identity id and AWS credentials.

        Both are renewed when they have expired or *force_refresh* asks for it. Raises
        UserUnAuthenticatedException after the sign-out, or when Cognito no longer accepts the
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
        """Return the tokens alone, as :meth:`fetch_auth_session` has them."""
        with self._lock:
            tokens = self._tokens
            if tokens is None:
                raise UserUnAuthenticatedException(
                    f"{mask(self.username)} has signed out.", resolution="Sign in again."
                )
            if not tokens.is_expired and not force_refresh:
                return tokens
            if tokens.refresh is None:
                raise UserUnAuthenticatedException(
                    f"The tokens of {mask(self.username)} have expired.",
                    resolution="Sign in again.",
                )
            try:
                reply = self._pool.refresh(tokens.refresh, self.internal_name, tokens.device_key)
            except NotAuthorizedException as error:
                raise UserUnAuthenticatedException(
                    f"Cognito no longer accepts the session of {mask(self.username)}: "
                    f"{error.message}",
                    resolution="Sign in again.",
                ) from error
            self._tokens = Tokens.from_reply(
                reply["AuthenticationResult"],
                refresh=tokens.refresh,
                device_key=tokens.device_key,
            )
            return self._tokens

    def sign_out(self, *, everywhere: bool = False) -> None:
        """End the session: revoke its refresh token, or with *everywhere* all of the user's.

        A second call does nothing. A failed revocation is a warning, not an error: the session is
        over here either way. Once a run is being ended by Ctrl-C or another signal, the sessions
        are left for the backend's close, which ends them all at once and in limited time.
        """
        if everywhere or not interruption.is_requested():
            self.end(everywhere=everywhere)

    def end(self, *, everywhere: bool = False) -> None:
        """Sign out at once, as :meth:`sign_out`."""
        with self._lock:
            tokens, self._tokens = self._tokens, None
        if tokens is None:
            return
        try:
            if everywhere:
                self._pool.global_sign_out(tokens.access)
            elif tokens.refresh and "origin_jti" in tokens.access_claims():
                # Without origin_jti the pool has token revocation off, and would refuse.
                self._pool.revoke(tokens.refresh)
        except SeedctlError as error:
            self._warn(f"The tokens of {mask(self.username)} could not be revoked: {error.message}")
        except KeyboardInterrupt:
            self._tokens = tokens  # not over yet: the backend's close tries once more
            raise
        finally:
            if self._tokens is None:
                self._on_end(self)
