"""Detect whether other processes use the same state: each holds a shared lock on its key file.

The operating system releases the lock when the process ends, even if it is killed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.local.state_folder import translate_errors

try:
    import fcntl
except ImportError:  # Windows has no shared locks: there, other processes are not noticed
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE = 0.01
_JOIN_SECONDS = 30.0
_ALONE_SECONDS = 5.0


class StateUse:
    """The use of a state by this process."""

    def __init__(self, key: Path) -> None:
        """Begin to use the state with the file *key*; wait while another process replaces it.

        Raises LocalSandboxError.
        """
        self._key = key
        self._descriptor = -1
        if fcntl is None:
            return
        with translate_errors(key):
            self._descriptor = os.open(key, os.O_RDONLY)
        try:
            self._lock(self._descriptor, fcntl.LOCK_SH, _JOIN_SECONDS, "is being replaced by")
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Stop using the state. A second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Prevent other processes from using the state during the block.

        Raises LocalSandboxError if another process goes on using it.
        """
        if fcntl is None:
            yield
            return
        with translate_errors(self._key):
            descriptor = os.dup(
                self._descriptor
            )  # the same lock, even if end() is called meanwhile
        try:
            try:
                self._lock(descriptor, fcntl.LOCK_EX, _ALONE_SECONDS, "is in use by")
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int, kind: int, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                with translate_errors(self._key):
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except LocalSandboxError as error:
                if not isinstance(error.__cause__, BlockingIOError):
                    raise
                if time.monotonic() >= end:
                    raise LocalSandboxError(
                        f"The local state in {self._key.parent} {what} another command or test.",
                        resolution="Wait until it has ended, then run again.",
                    ) from error
                time.sleep(_PAUSE)
            else:
                return
