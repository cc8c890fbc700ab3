"""A lock that the operating system takes back when its process ends, however it ends."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PAUSE = 0.01

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import msvcrt

    def _try(descriptor: int, *, exclusive: bool) -> bool:  # noqa: ARG001
        # There are no shared locks; who only looks is gone again at once, and takers try again.
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int, *, exclusive: bool) -> bool:
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """An exclusive lock on a file, held until it is released or the process is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, seconds: float = 0.5) -> FileLock | None:
        """Take the lock, None if another has it for *seconds*. Raises OSError.

        Whoever asks :func:`is_held` has it for a moment too: that must not count as taken.
        """
        end = time.monotonic() + seconds
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                taken = _try(descriptor, exclusive=True)
                if taken and _is_at(descriptor, path):
                    lock = cls(descriptor)
                    descriptor = -1
                    return lock
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            # Taken, but the file was removed meanwhile: others lock a new one, so must we.
            if not taken:
                if time.monotonic() >= end:
                    return None
                time.sleep(_PAUSE)

    def read(self, size: int) -> bytes:
        """Return what the file begins with, at most *size* bytes. Raises OSError."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, size)

    def write(self, content: bytes) -> None:
        """Put *content* at the file's beginning, in one step. Raises OSError."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, content)

    def release(self) -> None:
        """Let go of the lock. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(path: Path) -> bool:
    """Whether some process has the lock on *path*. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, exclusive=False)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
