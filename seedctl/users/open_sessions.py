"""The open sessions of one backend: signing users in, and signing all of them out at the end.

The final sign-out runs in several threads. After Ctrl-C or another signal it has two seconds.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from seedctl import interruption
from seedctl.bulk.engine import MOST_AT_ONCE
from seedctl.cognito.challenges import enroll_totp
from seedctl.errors import CognitoError, UserExistsError
from seedctl.masking import mask
from seedctl.users.session import UserSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.cognito.sign_in import SignIn
    from seedctl.users.session import SessionServices


class OpenSessions:
    """Opens sessions and keeps track of those that are not signed out yet. Thread-safe."""

    def __init__(self, services: SessionServices, warn: Callable[[str], None]) -> None:
        self._services = services
        self._warn = warn
        self._lock = threading.Lock()
        self._sessions: set[UserSession] = set()

    def open(self, sign_in: SignIn) -> UserSession:
        """Carry out *sign_in*, including its MFA preference, and return the session."""
        try:
            tokens = sign_in.run()
        except CognitoError as error:
            if error.code == "UserNotFoundException":
                raise UserExistsError(
                    f"There is no user {mask(sign_in.username)} to sign in.",
                    resolution="Create it first.",
                ) from error
            raise
        session = UserSession(
            sign_in.pool,
            sign_in.username,
            tokens,
            mfa_method=sign_in.method,
            on_end=self._remove,
            warn=self._warn,
            services=self._services,
        )
        with self._lock:
            self._sessions.add(session)
        try:
            self._apply_mfa_preference(sign_in, tokens.access)
        except BaseException:
            session.sign_out()
            raise
        return session

    def close(self) -> None:
        """Sign out all open sessions at once.

        A warning says how many are left after Ctrl-C or another signal and two more seconds.
        """
        with self._lock:
            sessions = list(self._sessions)
        if not sessions:
            return
        sign_outs = _SignOuts(sessions)
        try:
            sign_outs.start()
            sign_outs.wait()
        finally:
            if left := sign_outs.left:
                self._warn(
                    f"{left} session{' was' if left == 1 else 's were'} left signed in: the "
                    f"sign-out took longer than {interruption.GRACE_SECONDS:.0f} s."
                )

    def _apply_mfa_preference(self, sign_in: SignIn, access_token: str) -> None:
        """Set up or prefer the MFA method that the caller asked for, if the sign-in did not."""
        wanted, used = sign_in.callbacks.mfa_preference, sign_in.method
        if (
            wanted == "TOTP"
            and used in {"EMAIL", "SMS"}
            and sign_in.callbacks.totp_sign_up_challenge
        ):
            # If the pool also offers e-mail MFA, Cognito asks for its code before TOTP can be set up.
            enroll_totp(sign_in, {"AccessToken": access_token})
            sign_in.pool.prefer_mfa(access_token, "TOTP")
        elif wanted is not None and sign_in.set_preference and used != wanted:
            self._warn(
                f"{mask(sign_in.username)} signed in with {used or 'no code'}: {wanted} was not made "
                "the preference."
            )
        elif used is not None and sign_in.set_preference:
            sign_in.pool.prefer_mfa(access_token, used)

    def _remove(self, session: UserSession) -> None:
        with self._lock:
            self._sessions.discard(session)


class _SignOuts:
    """Signs out sessions in daemon threads, which do not keep the process alive."""

    def __init__(self, sessions: Sequence[UserSession]) -> None:
        self._queue = list(sessions)
        self._unfinished = set(sessions)
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._all_ended = threading.Event()

    @property
    def left(self) -> int:
        return len(self._unfinished)

    def start(self) -> None:
        try:
            for _ in self._queue[:MOST_AT_ONCE]:
                threading.Thread(target=self._work, name="seedctl-sign-out", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down and starts no more threads
            self._work()

    def wait(self) -> None:
        """Wait for all sign-outs, but only two seconds after Ctrl-C or another signal."""
        try:
            while not (
                interruption.is_requested() or self._all_ended.wait(interruption.WAKE_SECONDS)
            ):
                pass
        finally:  # also after KeyboardInterrupt
            self._all_ended.wait(interruption.GRACE_SECONDS)
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        while (session := self._next()) is not None:
            try:
                session.end()
            except Exception as error:  # noqa: BLE001 - wait() raises it
                self._errors.append(error)
            with self._lock:
                self._unfinished.discard(session)
                if not self._unfinished:
                    self._all_ended.set()

    def _next(self) -> UserSession | None:
        with self._lock:
            return self._queue.pop() if self._queue else None
