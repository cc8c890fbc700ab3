"""A file lock that the operating system releases when its process ends, even if it is killed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

_PAUSE = 0.01

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import msvcrt

    def _try_lock(descriptor: int, *, exclusive: bool) -> bool:  # noqa: ARG001
        # Windows has no shared locks. is_held() releases its lock at once, and take() tries again.
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int, *, exclusive: bool) -> bool:
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
        """Return the lock, or None if another process holds it for all of *seconds*. Raises OSError.

        Do not give up at once: ``is_held`` in another process holds the lock very briefly.
        """
        end = time.monotonic() + seconds
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                taken = _try_lock(descriptor, exclusive=True)
                if taken and _is_at(descriptor, path):
                    lock = cls(descriptor)
                    descriptor = -1
                    return lock
            finally:
                if descriptor >= 0:
                    os.close(descriptor)
            # If the lock was taken but the file has been removed meanwhile, lock the new file instead.
            if not taken:
                if time.monotonic() >= end:
                    return None
                time.sleep(_PAUSE)

    def read(self, size: int) -> bytes:
        """Return the first *size* bytes of the file, or fewer. Raises OSError."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return os.read(self._descriptor, size)

    def write(self, content: bytes) -> None:
        """Write *content* at the beginning of the file, in one call. Raises OSError."""
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, content)

    def release(self) -> None:
        """Release the lock. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(path: Path) -> bool:
    """Whether a process holds the lock on *path*. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, exclusive=False)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
