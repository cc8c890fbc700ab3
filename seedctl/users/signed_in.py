"""The current user of the module-level functions: at most one for each thread or asyncio task.

A thread or task that inherits a signed-in user may act as that user, but never signs it out: only the
thread or task that signed in owns the session.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.aws.credentials import IdentityCredentials
from seedctl.cognito.identity import IdentityPool
from seedctl.cognito.types import (
    AnyUser,
    AuthOutputs,
    AuthSession,
    IfUserExists,
    NewUser,
    SignInOptions,
)
from seedctl.current import current_thread_or_task
from seedctl.errors import InvalidParameterException, UserUnAuthenticatedException
from seedctl.users.auth import Auth
from seedctl.users.session import SessionIdentity, UserSession

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclass(frozen=True, slots=True)
class _SignedIn:
    session: UserSession
    auth: AmbientAuth
    owner: weakref.ref[object]
    """The thread or task object itself, because Python reuses thread ids."""


_signed_in: ContextVar[_SignedIn | None] = ContextVar("seedctl_signed_in", default=None)
_has_signed_out: ContextVar[bool] = ContextVar("seedctl_has_signed_out", default=False)


class AmbientAuth:
    """Implements the module-level functions of ``seedctl.auth`` for one backend."""

    def __init__(self, auth: Auth, identity_pool: IdentityPool) -> None:
        self._auth = auth
        self._identity_pool = identity_pool
        self._sessions: weakref.WeakSet[UserSession] = weakref.WeakSet()
        """The sessions of all threads and tasks."""

    def create_user(
        self, user: NewUser, *, if_exists: IfUserExists, sign_in_after_creation: bool
    ) -> AuthOutputs:
        checked = self._auth.check_new_user(user, if_exists)
        if sign_in_after_creation and if_exists == "skip":
            raise InvalidParameterException(
                'if_exists="skip" leaves an existing user alone, so it could not be signed in.',
                resolution='Use if_exists="sign_in", or leave out sign_in_after_creation.',
            )
        # Before the user is created, as in Amplify's guide: after a failure nobody is signed in.
        self.sign_out()
        outputs, session = self._auth.create(checked)
        if session is not None and sign_in_after_creation:
            self._set_current(session)
            self._auth.report_sign_in(session)
        elif session is not None:
            session.sign_out()
        return outputs

    def sign_in(
        self, user: AnyUser, password: str, **options: Unpack[SignInOptions]
    ) -> UserSession:
        """Sign out the current user, and sign *user* in with the *options* of ``Auth.sign_in``."""
        self.sign_out()
        session = self._auth.sign_in(user, password, **options)
        self._set_current(session)
        return session

    def sign_out(self, *, everywhere: bool = False) -> None:
        """Sign out the current user. An inherited session only stops being current here."""
        current = _signed_in.get()
        if current is None or current.auth is not self:
            return
        _signed_in.set(None)
        _has_signed_out.set(True)
        self._identity_pool.forget_guest()
        if current.owner() is current_thread_or_task():
            current.session.sign_out(everywhere=everywhere)

    def session(self) -> UserSession:
        """Return the current user's session. Raises UserUnAuthenticatedException if there is none."""
        session = self.signed_in()
        if session is None:
            raise UserUnAuthenticatedException(
                "Nobody is signed in here.",
                resolution="Call sign_in_user first, in this same thread or task. Threads of a "
                "pool do not inherit a sign-in: give each its own with "
                "current_backend().auth.sign_in(...).",
            )
        return session

    def require_sign_in_in_worker_thread(self) -> None:
        """Raise UserUnAuthenticatedException if this thread would act as a guest by mistake.

        That is the case if it never signed in or out, while another thread is signed in: probably it
        belongs to a thread pool and the script expects it to act as that user.
        """
        if not _has_signed_out.get() and any(each.is_signed_in for each in self._sessions):
            self.session()

    def fetch_auth_session(self, *, force_refresh: bool) -> AuthSession:
        """Return tokens and credentials of the current user, else a guest's, else an empty session."""
        session = self.signed_in()
        if session is None:
            guest = self._identity_pool.for_guest(renew=force_refresh)
            if guest is None:
                return AuthSession()
            return AuthSession(identity_id=guest.identity_id, credentials=guest.credentials)
        return session.fetch_auth_session(force_refresh=force_refresh)

    def signed_in(self) -> UserSession | None:
        """Return the current user's session, or None."""
        current = _signed_in.get()
        if current is None or current.auth is not self or not current.session.is_signed_in:
            return None
        return current.session

    def _set_current(self, session: UserSession) -> None:
        self._identity_pool.forget_guest()
        self._sessions.add(session)
        _signed_in.set(_SignedIn(session, self, weakref.ref(current_thread_or_task())))


@dataclass(slots=True, eq=False, repr=False)
class GuestIdentity:
    """The identity of a guest: calls without a signed-in user."""

    _pool: IdentityPool
    _cached: IdentityCredentials | None = None

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


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AmbientIdentity:
    """The identity of the user that is signed in at the time of each call, else of a guest."""

    _auth: AmbientAuth
    _pool: IdentityPool

    def access_token(self) -> str | None:
        session = self._auth.signed_in()
        return session.identity.access_token() if session is not None else None

    def bind(self) -> SessionIdentity | GuestIdentity:
        session = self._auth.signed_in()
        if session is not None:
            return session.identity
        self._auth.require_sign_in_in_worker_thread()
        return GuestIdentity(self._pool)

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        return self.bind().credentials(renew=renew)

    def groups(self) -> tuple[str, ...] | None:
        return self.bind().groups()
