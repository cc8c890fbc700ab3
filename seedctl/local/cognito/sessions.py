"""Sessions of pending challenges: each belongs to one user and one challenge, for a single answer.

They are held in memory. A sign-in takes seconds; if a restart interrupts it, the client starts over.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from seedctl.local.cognito.errors import invalid_session
from seedctl.local.cognito.passwords import Verifier
from seedctl.local.protocol import ServiceError

SECONDS = 180.0
# After these errors, Cognito accepts another answer with the same session [?].
_RETRYABLE = (
    "AliasExistsException",
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "SoftwareTokenMFANotFoundException",
)
_WRONG_CODES = 3  # Cognito does not publish its number [?]


@dataclass(frozen=True, slots=True)
class Session:
    challenge: str
    username: str
    verifier: Verifier | None = field(default=None, repr=False)
    """The verifier at the time; if the password changes, the session becomes invalid."""
    data: Any = field(default=None, repr=False)
    """What the challenge's handler needs to check the answer."""
    wrong_codes: int = 0
    expires: float = 0.0
    """Epoch seconds; set by ``Sessions.put``."""


class Sessions:
    """The pending sessions of a pool, all of its one app client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[str, Session] = {}

    def issue(self, session: Session) -> str:
        """Store *session* under a new random token of 1 KB, as long as Cognito's; return the token."""
        token = secrets.token_urlsafe(768)
        self.put(token, session)
        return token

    def renew(self, session: Session, data: object) -> str:
        """Store a successor of *session* with new *data*; return its token."""
        return self.issue(replace(session, data=data, wrong_codes=0))

    def put(self, token: str, session: Session) -> None:
        """Store *session* under *token*."""
        now = self._clock()
        with self._lock:
            self._remove_expired(now)
            self._pending[token] = replace(session, expires=now + SECONDS)

    def take(self, token: str) -> Session | None:
        """Remove the session and return it; it may have expired."""
        with self._lock:
            return self._pending.pop(token, None)

    def clear(self) -> None:
        """Remove all sessions."""
        with self._lock:
            self._pending.clear()

    def is_expired(self, session: Session) -> bool:
        return self._clock() > session.expires

    @contextmanager
    def answering(
        self, token: str | None, challenge: str, expired: ServiceError | None = None
    ) -> Iterator[Session]:
        """Yield the session of *token* for one answer to *challenge*.

        The session is removed, unless the block raises an error that allows another answer. For an
        expired session, raises *expired* if given, else the usual error.
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
                    self._pending[token] = session
            raise

    def _remove_expired(self, now: float) -> None:
        # Expired sessions stay for SECONDS more, to distinguish them from unknown ones. The dict is in
        # order of expiry, except sessions put back after an error; they are removed a little later.
        while self._pending:
            token = next(iter(self._pending))
            if self._pending[token].expires + SECONDS >= now:
                return
            del self._pending[token]
