"""The function auth: one signed-in user at a time, per thread or task.

A thread or task that was started while somebody was signed in may act as that user, and never ends
the session: it is not its own.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.cognito.identity import GuestIdentity
from seedctl.cognito.types import AuthSession
from seedctl.current import current_thread_or_task
from seedctl.errors import InvalidParameterException, UserUnAuthenticatedException

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from seedctl.aws.credentials import IdentityCredentials
    from seedctl.cognito.identity import IdentityPool, SessionIdentity
    from seedctl.cognito.mfa import MFACallbacks
    from seedctl.cognito.types import AnyUser, AuthOutputs, CurrentUser, IfUserExists, SignInFlow
    from seedctl.users.auth import Auth
    from seedctl.users.session import UserSession


@dataclass(frozen=True, slots=True)
class _SignedIn:
    session: UserSession
    auth: AmbientAuth
    owner: weakref.ref[object]
    """The thread or task itself, not its number, which Python gives out again."""


_signed_in: ContextVar[_SignedIn | None] = ContextVar("seedctl_signed_in", default=None)


_has_signed_out: ContextVar[bool] = ContextVar("seedctl_has_signed_out", default=False)


class AmbientAuth:
    """What the module-level functions do, over the users of one backend."""

    def __init__(self, auth: Auth, identity_pool: IdentityPool) -> None:
        self._auth = auth
        self._identity_pool = identity_pool
        self._sessions: weakref.WeakSet[UserSession] = weakref.WeakSet()

    def create_user(
        self,
        username: str,
        password: str,
        *,
        sign_in_flow: SignInFlow,
        sign_in_after_creation: bool,
        user_attributes: Mapping[str, Any] | None,
        if_exists: IfUserExists,
        callbacks: MFACallbacks,
        groups: Collection[str] = (),
        temporary_password: str | None = None,
    ) -> AuthOutputs:
        user = self._auth.check_new_user(
            username,
            password,
            sign_in_flow=sign_in_flow,
            user_attributes=user_attributes,
            groups=groups,
            if_exists=if_exists,
            temporary_password=temporary_password,
            callbacks=callbacks,
        )
        if sign_in_after_creation and if_exists == "skip":
            raise InvalidParameterException(
                'if_exists="skip" leaves a user that is there alone, so nobody could be signed in.',
                resolution='Use if_exists="sign_in", or leave out sign_in_after_creation.',
            )
        # Before the user is created, as in the guide: a failure below leaves nobody signed in.
        self.sign_out()
        outputs, session = self._auth.create(user)
        if session is not None and sign_in_after_creation:
            self._set_current(session)
            self._auth.tell_signed_in(session)
        elif session is not None:
            session.sign_out()
        return outputs

    def sign_in(self, user: AnyUser, password: str, **options: Any) -> UserSession:
        """Sign in as :meth:`Auth.sign_in` does, with its *options*, in place of whoever was."""
        self.sign_out()
        session = self._auth.sign_in(user, password, **options)
        self._set_current(session)
        return session

    def sign_out(self, *, everywhere: bool = False) -> None:
        """End this thread's or task's own sign-in; of an inherited one only let go."""
        current = _signed_in.get()
        if current is None or current.auth is not self:
            return
        _signed_in.set(None)
        _has_signed_out.set(True)
        self._identity_pool.forget_guest()
        if current.owner() is current_thread_or_task():
            current.session.sign_out(everywhere=everywhere)

    def session(self) -> UserSession:
        """Return the session of whoever is signed in here.

        Raises UserUnAuthenticatedException.
        """
        current = _signed_in.get()
        if current is None or current.auth is not self or not current.session.is_signed_in:
            raise UserUnAuthenticatedException(
                "Nobody is signed in here.",
                resolution="Call sign_in_user first, in this same thread or task. Threads of a "
                "pool do not inherit a sign-in: give each its own with "
                "current_backend().auth.sign_in(...).",
            )
        return current.session

    def require_sign_in_in_worker_thread(self) -> None:
        """Raise where a thread that never signed in would be a guest beside one that did.

        Raises UserUnAuthenticatedException: a thread of a pool that was meant to be the user.
        """
        if not _has_signed_out.get() and any(each.is_signed_in for each in self._sessions):
            self.session()

    def current_user(self) -> CurrentUser:
        return self.session().current_user()

    def fetch_auth_session(self, *, force_refresh: bool) -> AuthSession:
        """Return the session of whoever is signed in, or a guest's, or an empty one.

        A guest has one where the backend has an identity pool that lets guests in.
        """
        session = self.signed_in()
        if session is None:
            guest = self._identity_pool.for_guest(renew=force_refresh)
            if guest is None:
                return AuthSession()
            return AuthSession(identity_id=guest.identity_id, credentials=guest.credentials)
        return session.fetch_auth_session(force_refresh=force_refresh)

    def signed_in(self) -> UserSession | None:
        """Return the session of whoever is signed in here, if anybody is."""
        current = _signed_in.get()
        if current is None or current.auth is not self or not current.session.is_signed_in:
            return None
        return current.session

    def _set_current(self, session: UserSession) -> None:
        self._identity_pool.forget_guest()
        self._sessions.add(session)
        _signed_in.set(_SignedIn(session, self, weakref.ref(current_thread_or_task())))


class AmbientIdentity:
    """Whoever is signed in when asked, and a guest when nobody is."""

    def __init__(self, auth: AmbientAuth, pool: IdentityPool) -> None:
        self._auth = auth
        self._pool = pool

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
