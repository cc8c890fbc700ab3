"""Sign out many sessions at once, in limited time where the run was asked to end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from seedctl import interruption
from seedctl.bulk.engine import MOST_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seedctl.users.session import UserSession


def end_sessions(sessions: Sequence[UserSession], warn: Callable[[str], None]) -> None:
    """Sign out all *sessions*, and return when that is done.

    Ctrl-C or another signal, before or meanwhile, leaves two seconds for it; *warn* is then told
    how many are still signed in.
    """
    if sessions:
        sign_outs = _SignOuts(sessions)
        try:
            sign_outs.start()
            sign_outs.wait()
        finally:
            if left := sign_outs.left:
                warn(
                    f"{left} session{' was' if left == 1 else 's were'} left signed in: the "
                    f"sign-out took longer than {interruption.GRACE_SECONDS:.0f} s."
                )


class _SignOuts:
    def __init__(self, sessions: Sequence[UserSession]) -> None:
        self._waiting = list(sessions)
        self._under_way = set(sessions)
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()

    @property
    def left(self) -> int:
        return len(self._under_way)

    def start(self) -> None:
        try:
            for _ in self._waiting[:MOST_AT_ONCE]:
                threading.Thread(target=self._work, name="seedctl-sign-out", daemon=True).start()
        except RuntimeError:  # Python is ending, and starts no threads any more
            self._work()

    def wait(self) -> None:
        """Wait for all, once the run is being ended for two seconds at most."""
        try:
            while not (interruption.is_requested() or self._ended.wait(interruption.WAKE_SECONDS)):
                pass
        finally:  # also of Ctrl-C
            self._ended.wait(interruption.GRACE_SECONDS)
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        while (session := self._next()) is not None:
            try:
                session.end()
            except Exception as error:  # noqa: BLE001 - raised again by who waits
                self._errors.append(error)
            with self._lock:
                self._under_way.discard(session)
                if not self._under_way:
                    self._ended.set()

    def _next(self) -> UserSession | None:
        with self._lock:
            return self._waiting.pop() if self._waiting else None
