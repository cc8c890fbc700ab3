"""Let requests run side by side, and hold them back while the state is replaced."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seedctl.errors import LocalSandboxError

_SECONDS = 30.0


class RequestGate:
    """Counts the requests in progress, and can be closed for new ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests = 0
        self._is_closed = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count the block as a request; first wait until the gate is open."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed)
            self._requests += 1
        try:
            yield
        finally:
            with self._changed:
                self._requests -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self, *, seconds: float = _SECONDS) -> Iterator[None]:
        """Let the requests in progress end, and hold back new ones until the block ends.

        Raises LocalSandboxError if requests are still in progress after *seconds*.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._is_closed)
            self._is_closed = True
        try:
            with self._changed:
                is_free = self._changed.wait_for(lambda: self._requests == 0, seconds)
            if not is_free:
                raise LocalSandboxError(
                    f"The local sandbox still has requests in progress after {seconds:.0f} s, such "
                    "as a slow upload.",
                    resolution="Wait until they have ended, then run again.",
                )
            yield
        finally:
            with self._changed:
                self._is_closed = False
                self._changed.notify_all()
