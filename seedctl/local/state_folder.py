"""The folder the state lives in: made private, made once, and removed again."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.project.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "local"
DATABASE = "state.db"
KEY = "key"
OBJECTS = "objects"
"""The folder of what the buckets hold."""
ADDRESS = "server.json"
LOCK = "server.lock"
LOG = "server.log"

_KEY_BYTES = 32
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
USE_FEWER_FILES = "Raise the limit of open files (ulimit -n), or let fewer things be done at once."
_UNFINISHED = ".unfinished-"
_OBJECT_FILE = re.compile(r"lock|[0-9a-f]{32}")
# SQLite puts its own files beside the database under these endings.
_DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")


def prepare(state_folder: Path) -> Path:
    """Return the folder of the local state, made with mode 0700. Raises LocalSandboxError."""
    folder = state_folder / FOLDER
    with translate_errors(folder):
        _refuse_foreign_link(state_folder)
        if not state_folder.is_dir():
            _make_private(state_folder)
        make_private_folder(folder)
        # Made by hand, or with an older umask: what is in it is for this account only.
        if stat.S_IMODE(folder.stat().st_mode) != 0o700:
            folder.chmod(0o700)
    return folder


def has_state(state_folder: Path) -> bool:
    """Whether there is any local state. Raises LocalSandboxError."""
    path = state_folder / FOLDER / DATABASE
    with translate_errors(path):
        return path.exists()


def read_key(folder: Path) -> bytes:
    """Return the key that the secrets are encrypted under, made at the first call.

    Two processes may come first at once: one of them makes the key, both use it.
    """
    path = folder / KEY
    with translate_errors(path):
        if not path.exists():
            if (folder / DATABASE).exists() and not path.exists():
                # A new key would only hide what happened.
                raise LocalSandboxError(
                    f"{path} is missing, and the local state cannot be read without it.",
                    resolution="Put the file back, or start afresh with seedctl local reset.",
                )
            create_once(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise LocalSandboxError(
            f"{path} is not a key of the local sandbox.",
            resolution="Put the right file back, or start afresh with seedctl local reset.",
        )
    return key


def create_once(path: Path, content: bytes) -> None:
    """Make *path* with mode 0600 and all of *content*, unless it is already there."""
    with _finished(path, content) as finished, contextlib.suppress(FileExistsError):
        os.link(finished, path)


def write_private(path: Path, content: bytes) -> None:
    """Put *content* into *path* with mode 0600, in place of what it may hold."""
    with _finished(path, content) as finished:
        finished.replace(path)


@contextlib.contextmanager
def _finished(path: Path, content: bytes) -> Iterator[Path]:
    """Write *content* under another name first: whoever sees *path* must see all of it."""
    unfinished = unfinished_name(path)
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.chmod(0o600)  # whatever the umask took away
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_name(path: Path) -> Path:
    """Return a new name beside *path*, which ``remove`` would clear away too."""
    return path.with_name(f"{path.name}{_UNFINISHED}{secrets.token_hex(8)}")


def remove(state_folder: Path) -> bool:
    """Delete the local state, and nothing else that may lie there. Raises LocalSandboxError."""
    folder = state_folder / FOLDER
    with translate_errors(folder):
        _refuse_foreign_link(folder)
        if not folder.is_dir():
            return False
        lock = FileLock.take(folder / LOCK)
        if lock is None:
            raise LocalSandboxError(
                "The local sandbox is running, and its state is in use.",
                resolution="End it first with seedctl local stop.",
            )
        try:
            return _remove_files(folder)
        finally:
            lock.release()


def _remove_files(folder: Path) -> bool:
    found = False
    for path in sorted(folder.iterdir()):
        is_state = path.name in (KEY, *_DATABASE_FILES) or _UNFINISHED in path.name
        if is_state or path.name in (ADDRESS, LOCK, LOG):
            path.unlink(missing_ok=True)
            found = found or is_state
    found = _remove_objects(folder / OBJECTS) or found
    if not any(folder.iterdir()) and not folder.is_symlink():
        folder.rmdir()
    return found


def _remove_objects(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    objects = [path for path in folder.iterdir() if _OBJECT_FILE.fullmatch(path.name)]
    for path in objects:
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
    return bool(objects)


def make_private_folder(folder: Path) -> Path:
    """Return *folder*, made with mode 0700 where it is not there. Raises LocalSandboxError."""
    with translate_errors(folder):
        _refuse_foreign_link(folder)
        _make_private(folder)
    return folder


@contextlib.contextmanager
def translate_errors(path: Path, kind: type[Exception] = OSError) -> Iterator[None]:
    """Raise LocalSandboxError about *path* where the block raises an exception of *kind*."""
    try:
        yield
    except kind as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: Exception) -> LocalSandboxError:
    """Return the error for *path*, which *error*, an OSError or SQLite's own, is about."""
    reason, place = str(error), path
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        place = error.filename or path
    return LocalSandboxError(
        f"The local sandbox cannot use {place}: {reason}.", resolution=_advice(path, error)
    )


def _advice(path: Path, error: Exception) -> str:
    number, text = getattr(error, "errno", None), str(error)
    if number in _NO_SPACE or "disk is full" in text:
        return f"Free space on the disk that holds {path}, and run again."
    if number in TOO_MANY_FILES:
        return USE_FEWER_FILES
    return (
        f"Make {path} readable and writable for this account, with space on its disk, or remove "
        "what is in its way; seedctl local reset starts afresh."
    )


def _make_private(folder: Path) -> None:
    for path in reversed(folder.parents):
        if not path.exists():
            path.mkdir(exist_ok=True)
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o700)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        if not folder.is_dir():
            raise
    else:
        folder.chmod(0o700)


def _refuse_foreign_link(path: Path) -> None:
    """Refuse a symbolic link that another account laid: it would choose where the state goes."""
    own_id = getattr(os, "geteuid", lambda: None)()
    if path.is_symlink() and own_id is not None and path.lstat().st_uid != own_id:
        raise LocalSandboxError(
            f"{path} is a symbolic link that belongs to another account.",
            resolution="Remove the link; seedctl will make the folder itself.",
        )
