"""The folder of contents: one immutable file for each object and each part of an upload.

File names are random; the tables of objects and parts refer to them. Contents are not encrypted:
that would cost more time than serving them, and the kernel could no longer copy them to the socket.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from seedctl.local.state_folder import OBJECTS, make_private_folder

try:
    import fcntl
except ImportError:  # Windows: unreferenced files are removed by age alone
    fcntl = None  # type: ignore[assignment]


_NAME = re.compile("[0-9a-f]{32}")
_LOCK = "lock"
_ABANDONED_SECONDS = 3600.0
_PIECE = 1024 * 1024


class NewFile:
    """A file that is open for writing."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.write = file.write

    def finish(self) -> str:
        """Flush the file, so that its content survives a kill of the process; return its name."""
        self._file.flush()
        return self.name


class Files:
    def __init__(self, state: Path) -> None:
        """Use the folder of objects in *state*; create it if needed. Raises LocalSandboxError."""
        self._folder = make_private_folder(state / OBJECTS)
        self._lock = os.open(self._folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)

    def close(self) -> None:
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            os.close(descriptor)

    @contextmanager
    def writing(self) -> Iterator[NewFile]:
        """Yield a new file to write; it is removed if the block raises."""
        name = secrets.token_hex(16)
        path = self._folder / name
        try:
            with open(path, "xb", opener=_open_private) as file:
                yield NewFile(file, name)
        except BaseException:
            discard(path)
            raise

    def open(self, name: str) -> BinaryIO:
        """Open a file to read; it stays readable to its end even if it is removed meanwhile."""
        return (self._folder / name).open("rb")

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of the file *name* piece by piece."""
        with self.open(name) as file:
            while piece := file.read(_PIECE):
                yield piece

    def md5(self, name: str) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for piece in self.pieces(name):
            digest.update(piece)
        return digest.hexdigest()

    def clone(self, name: str, new: NewFile) -> None:
        """Give *new* the content of *name*, by a hard link if the file system supports it."""
        source, target = self._folder / name, self._folder / new.name
        link = self._folder / secrets.token_hex(16)
        try:
            os.link(source, link)
        except OSError:
            shutil.copyfile(source, target)
            return
        os.utime(link)  # remove_unreferenced goes by age: the link must not look abandoned
        os.replace(link, target)  # noqa: PTH105

    def remove(self, *names: str | None) -> None:
        for name in filter(None, names):
            discard(self._folder / name)

    def remove_unreferenced(self, is_referenced: Callable[[str], bool]) -> None:
        """Remove the files that a killed process left behind, to which nothing refers.

        While another process uses the folder, only old files are removed: the other process may
        have written a file and be about to refer to it.
        """
        is_alone = self._has_exclusive_lock()
        oldest = time.time() - _ABANDONED_SECONDS
        for entry in os.scandir(self._folder):
            if not _NAME.fullmatch(entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):
                is_old = entry.stat(follow_symlinks=False).st_mtime < oldest
                if (is_alone or is_old) and not is_referenced(entry.name):
                    discard(self._folder / entry.name)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def _has_exclusive_lock(self) -> bool:
        if fcntl is None:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def discard(path: Path) -> None:
    """Remove the content *path*, if it exists."""
    # Windows does not remove a file that is being read; a later start removes it.
    with contextlib.suppress(FileNotFoundError, PermissionError):
        path.unlink()


def is_object_name(name: str) -> bool:
    """Whether *name* is one of the random names of contents, so no path to another folder."""
    return _NAME.fullmatch(name) is not None


def add_content(source: Path, target: Path) -> None:
    """Create *target* with the content of *source*, unless it exists: it has the same content then.

    It is a hard link if the file system supports it: contents are never changed. Raises OSError.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError:
        # A copy appears under its name when it is complete. A left-over has a name that
        # remove_unreferenced removes.
        unfinished = target.with_name(secrets.token_hex(16))
        try:
            with (
                source.open("rb") as content,
                open(unfinished, "xb", opener=_open_private) as file,
            ):
                shutil.copyfileobj(content, file)
            os.replace(unfinished, target)  # noqa: PTH105
        finally:
            unfinished.unlink(missing_ok=True)
    else:
        os.utime(target)  # as in Files.clone


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
