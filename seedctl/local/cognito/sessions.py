"""Open challenges: single-use sessions, bound to a user and one challenge.

They live in memory: a sign-in is a matter of seconds, and one that a restart interrupts starts over.
"""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.errors import invalid_session
from seedctl.local.protocol import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.cognito.passwords import Verifier

SECONDS = 180.0
# Cognito lets the answer be corrected with the same session [?].
_RETRYABLE = (
    "AliasExistsException",
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "SoftwareTokenMFANotFoundException",
)
_WRONG_CODES = 3  # Cognito's own number is not published [?]


@dataclass(frozen=True, slots=True)
class Session:
    challenge: str
    username: str
    verifier: Verifier | None = field(default=None, repr=False)
    """Of the password that led here: with another one, the session is good no more."""
    data: Any = field(default=None, repr=False)
    """What the answer is checked against."""
    wrong_codes: int = 0
    expires: float = 0.0
    """Epoch seconds, set when the session begins."""


class Sessions:
    """The open sessions of a pool. It has one app client, so that all of them are that client's."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, Session] = {}

    def issue(self, session: Session) -> str:
        """Begin *session*; return its token: 1 KB of randomness, as long as the real ones."""
        token = secrets.token_urlsafe(768)
        self.put(token, session)
        return token

    def renew(self, session: Session, data: Any) -> str:
        """Return the token of a session that goes on from *session* with other *data*."""
        return self.issue(replace(session, data=data, wrong_codes=0))

    def put(self, token: str, session: Session) -> None:
        """Begin *session* under a *token* of the caller's."""
        now = self._clock()
        with self._lock:
            self._forget_expired(now)
            self._open[token] = replace(session, expires=now + SECONDS)

    def take(self, token: str) -> Session | None:
        """Return the session and end it; it may have expired."""
        with self._lock:
            return self._open.pop(token, None)

    def is_expired(self, session: Session) -> bool:
        return self._clock() > session.expires

    @contextmanager
    def answered(
        self, token: str | None, challenge: str, expired: ServiceError | None = None
    ) -> Iterator[Session]:
        """Give the session that *token* names, for one answer to *challenge*.

        It ends with the block, unless the answer was refused in a way that it may be corrected.
        Raises *expired*, if that is given, in place of the usual refusal of an old session.
        """
        session = self.take(token) if token is not None else None
        if token is None or session is None or session.challenge != challenge:
            raise invalid_session()
        if self.is_expired(session):
            raise expired or invalid_session(", session is expired")
        try:
            yield session
        except ServiceError as error:
            if error.code == "CodeMismatchException":
                session = replace(session, wrong_codes=session.wrong_codes + 1)
            if error.code in _RETRYABLE and session.wrong_codes < _WRONG_CODES:
                with self._lock:
                    self._open[token] = session
            raise

    def _forget_expired(self, now: float) -> None:
        # Kept as long again, to tell an expired session from an unknown one. In order of expiry,
        # but for those put back; they go a little later.
        while self._open:
            token = next(iter(self._open))
            if self._open[token].expires + SECONDS >= now:
                return
            del self._open[token]
