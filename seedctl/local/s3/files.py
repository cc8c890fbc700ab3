"""The folder of contents: one immutable file for each object and each part of an upload.

Names are random; which object each belongs to is in the table of objects. Contents are kept as they
came: encrypting would cost more than serving them, and lose the kernel's copying.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from seedctl.local.state_folder import OBJECTS, make_private_folder

try:
    import fcntl
except ImportError:  # Windows: leftovers go by age alone
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NAME = re.compile("[0-9a-f]{32}")
_LOCK = "lock"
_ABANDONED_SECONDS = 3600.0
_PIECE = 1024 * 1024


class NewFile:
    """A file that is being written."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.write = file.write

    def finish(self) -> str:
        """Flush what was written, so that it outlives this process, and return the file's name."""
        self._file.flush()
        return self.name


class Files:
    def __init__(self, state: Path) -> None:
        """Use the folder of objects in *state*, made if it is new. Raises LocalSandboxError."""
        self._folder = make_private_folder(state / OBJECTS)
        self._lock = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)

    def close(self) -> None:
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            os.close(descriptor)

    @contextmanager
    def writing(self) -> Iterator[NewFile]:
        """Give a new file to write, which is removed if the block raises."""
        name = secrets.token_hex(16)
        path = self._folder / name
        try:
            with open(path, "xb", opener=_open_private) as file:
                yield NewFile(file, name)
        except BaseException:
            self._discard(path)
            raise

    def open(self, name: str) -> BinaryIO:
        """Open a file to read; it can be read to its end even if it is removed meanwhile."""
        return (self._folder / name).open("rb")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield all of the file *name*."""
        with self.open(name) as file:
            while piece := file.read(_PIECE):
                yield piece

    def md5(self, name: str) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for piece in self.pieces(name):
            digest.update(piece)
        return digest.hexdigest()

    def clone(self, name: str, new: NewFile) -> None:
        """Make *new* hold what *name* does, without copying where the file system can."""
        source, target = self._folder / name, self._folder / new.name
        link = self._folder / secrets.token_hex(16)
        try:
            os.link(source, link)
        except OSError:
            if not source.exists():
                raise
            shutil.copyfile(source, target)
            return
        os.utime(link)  # it is young, whatever it holds
        os.replace(link, target)  # noqa: PTH105

    def remove(self, *names: str | None) -> None:
        for name in filter(None, names):
            self._discard(self._folder / name)

    def clean(self, is_kept: Callable[[str], bool]) -> None:
        """Remove what a kill left behind: the files that nothing refers to.

        While another process uses the folder it may be about to refer to a file: only old ones go.
        """
        is_alone = self._is_alone()
        oldest = time.time() - _ABANDONED_SECONDS
        for entry in os.scandir(self._folder):
            if not _NAME.fullmatch(entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):
                is_old = entry.stat(follow_symlinks=False).st_mtime < oldest
                if (is_alone or is_old) and not is_kept(entry.name):
                    self._discard(self._folder / entry.name)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _is_alone(self) -> bool:
        if fcntl is None:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _discard(self, path: Path) -> None:
        # Windows keeps a file that is being read; it goes at a later start.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            path.unlink()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
