"""The open sessions of one backend: signing users in, and signing all of them out at the end.

The final sign-out runs in several threads. After Ctrl-C or another signal it has two seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from seedctl import interruption
from seedctl.bulk.engine import MOST_AT_ONCE
from seedctl.cognito.challenges import enroll_totp
from seedctl.cognito.sign_in import SignIn
from seedctl.errors import CognitoError, UserExistsError
from seedctl.masking import mask
from seedctl.users.session import SessionServices, UserSession


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
                    f"There is no user {mask(sign_in.user.username)} to sign in.",
                    resolution="Create it first.",
                ) from error
            raise
        session = UserSession(
            sign_in.pool,
            sign_in.user.username,
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

    def all(self) -> frozenset[UserSession]:
        """Return the sessions that are not signed out."""
        with self._lock:
            return frozenset(self._sessions)

    def close(self, but: Collection[UserSession] = ()) -> None:
        """Sign out all open sessions at once, except for *but*.

        A warning says how many are left after Ctrl-C or another signal and two more seconds.
        """
        sessions = [session for session in self.all() if session not in but]
        if not sessions:
            return
        waiting = iter(sessions)  # shared by the threads: each takes the next session
        unfinished = set(sessions)
        errors: list[Exception] = []
        all_ended = threading.Event()

        def work() -> None:
            for session in waiting:
                try:
                    session.end()
                except Exception as error:  # noqa: BLE001 - raised below
                    errors.append(error)
                unfinished.discard(session)
                if not unfinished:
                    all_ended.set()

        try:
            _start_threads(work, min(len(sessions), MOST_AT_ONCE))
            _wait(all_ended)
            if errors:
                raise errors[0]
        finally:
            if left := len(unfinished):
                self._warn(
                    f"{left} session{' was' if left == 1 else 's were'} left signed in: the "
                    f"sign-out took longer than {interruption.GRACE_SECONDS:.0f} s."
                )

    def _apply_mfa_preference(self, sign_in: SignIn, access_token: str) -> None:
        """Set up or prefer the MFA method that the caller asked for, if the sign-in did not."""
        wanted, used = sign_in.user.mfa_preference, sign_in.method
        if wanted == "TOTP" and used in {"EMAIL", "SMS"} and sign_in.user.totp_sign_up_challenge:
            # If the pool also offers e-mail MFA, Cognito asks for its code before TOTP can be set up.
            sign_in.before_write()
            enroll_totp(sign_in, {"AccessToken": access_token})
            sign_in.pool.prefer_mfa(access_token, "TOTP")
        elif wanted is not None and sign_in.set_preference and used != wanted:
            self._warn(
                f"{mask(sign_in.user.username)} signed in with {used or 'no code'}: {wanted} was not made "
                "the preference."
            )
        elif used is not None and sign_in.set_preference:
            sign_in.before_write()
            sign_in.pool.prefer_mfa(access_token, used)

    def _remove(self, session: UserSession) -> None:
        with self._lock:
            self._sessions.discard(session)


def _start_threads(work: Callable[[], None], count: int) -> None:
    """Do *work* in *count* daemon threads, which do not keep the process alive."""
    try:
        for _ in range(count):
            threading.Thread(target=work, name="seedctl-sign-out", daemon=True).start()
    except RuntimeError:  # the interpreter is shutting down and starts no more threads
        work()


def _wait(all_ended: threading.Event) -> None:
    """Wait for all sign-outs, but only two seconds after Ctrl-C or another signal."""
    try:
        while not (interruption.is_requested() or all_ended.wait(interruption.WAKE_SECONDS)):
            pass
    finally:  # also after KeyboardInterrupt
        all_ended.wait(interruption.GRACE_SECONDS)
