"""The folder of the local state: create it with private access, and delete it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from seedctl.errors import LocalSandboxError
from seedctl.project.lock import FileLock

FOLDER = "local"
DATABASE = "state.db"
KEY = "key"
OBJECTS = "objects"
"""The folder of the objects in buckets."""
ADDRESS = "server.json"
LOCK = "server.lock"
LOG = "server.log"
SNAPSHOTS = "snapshots"
"""The folder of the snapshots, one folder for each."""
MANIFEST = "snapshot.json"
"""The file that makes a folder a snapshot."""

_KEY_BYTES = 32
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
TOO_MANY_FILES = (errno.EMFILE, errno.ENFILE)
USE_FEWER_FILES = "Raise the limit of open files (ulimit -n), or run fewer operations at once."
_UNFINISHED = ".unfinished-"
_OBJECT_FILE = re.compile(r"lock|[0-9a-f]{32}")
# SQLite appends these endings to the name of the database for its other files.
_DATABASE_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")


def prepare(state_folder: Path) -> Path:
    """Create the folder of the local state if needed, with mode 0700; return its path.

    Raises LocalSandboxError.
    """
    folder = state_folder / FOLDER
    with translate_errors(folder):
        _refuse_foreign_link(state_folder)
        if not state_folder.is_dir():
            _create_private(state_folder)
        make_private_folder(folder)
        # It may have been created by hand, with wider permissions.
        if stat.S_IMODE(folder.stat().st_mode) != 0o700:
            folder.chmod(0o700)
    return folder


def has_state(state_folder: Path) -> bool:
    """Whether a local state exists. Raises LocalSandboxError."""
    path = state_folder / FOLDER / DATABASE
    with translate_errors(path):
        return path.exists()


def read_key(folder: Path) -> bytes:
    """Return the key that encrypts the secrets; create it at the first call.

    If two processes do this at once, one of them creates the key and both use it.
    """
    path = folder / KEY
    with translate_errors(path):
        if not path.exists():
            if (folder / DATABASE).exists() and not path.exists():
                # A new key could not decrypt the existing values.
                raise LocalSandboxError(
                    f"{path} is missing, and the local state cannot be read without it.",
                    resolution="Put the file back, or delete the state with seedctl local reset.",
                )
            create_once(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise LocalSandboxError(
            f"{path} is not a key of the local sandbox.",
            resolution="Put the right file back, or delete the state with seedctl local reset.",
        )
    return key


def create_once(path: Path, content: bytes) -> None:
    """Create *path* with mode 0600 and *content* atomically, unless it exists."""
    if path.exists():
        return
    with _temporary_file(path, content) as temporary, contextlib.suppress(FileExistsError):
        os.link(temporary, path)


def write_private(path: Path, content: bytes, *, is_durable: bool = False) -> None:
    """Write *content* to *path* with mode 0600 atomically, and replace an existing file.

    With *is_durable*, it is on the disk when this returns.
    """
    with _temporary_file(path, content) as temporary:
        if is_durable:
            sync(temporary)
        temporary.replace(path)
    if is_durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Write the file or folder *path* to the disk. Raises OSError."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open folders
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary_file(path: Path, content: bytes) -> Iterator[Path]:
    """Write *content* to a temporary file, so that nobody ever reads an incomplete *path*."""
    unfinished = unfinished_name(path)
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        unfinished.chmod(0o600)  # independent of the umask
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_name(path: Path) -> Path:
    """Return the name of a temporary file beside *path*; ``reset_state`` deletes such files."""
    return path.with_name(f"{path.name}{_UNFINISHED}{secrets.token_hex(8)}")


def reset_state(state_folder: Path) -> bool:
    """Delete the local state, and no other file of the folder; return False if there was none.

    Snapshots stay, and with them the key. Raises LocalSandboxError, also while a running server uses
    the state.
    """
    folder = state_folder / FOLDER
    with translate_errors(folder):
        _refuse_foreign_link(folder)
        if not folder.is_dir():
            return False
        lock = FileLock.take(folder / LOCK)
        if lock is None:
            raise LocalSandboxError(
                "The local sandbox is running and uses its state.",
                resolution="Stop it first with seedctl local stop.",
            )
        try:
            return _remove_files(folder)
        finally:
            lock.release()


def _remove_files(folder: Path) -> bool:
    found = False
    state_files: tuple[str, ...] = (KEY, *_DATABASE_FILES)
    if not has_snapshots(folder):
        _remove_unfinished_snapshots(folder / SNAPSHOTS)
    elif (folder / KEY).is_file() and (folder / KEY).stat().st_size == _KEY_BYTES:
        state_files = _DATABASE_FILES  # without the key, they could not be loaded
    for path in sorted(folder.iterdir()):
        is_state = path.name in state_files or _UNFINISHED in path.name
        if is_state or path.name in (ADDRESS, LOCK, LOG):
            path.unlink(missing_ok=True)
            found = found or is_state
    found = _remove_objects(folder / OBJECTS) or found
    if not any(folder.iterdir()) and not folder.is_symlink():
        folder.rmdir()
    return found


def has_snapshots(folder: Path) -> bool:
    """Whether there is a snapshot of the local state in *folder*. Raises OSError."""
    snapshots = folder / SNAPSHOTS
    return snapshots.is_dir() and any((path / MANIFEST).exists() for path in snapshots.iterdir())


def _remove_unfinished_snapshots(snapshots: Path) -> None:
    if snapshots.is_dir() and not snapshots.is_symlink():
        import shutil  # noqa: PLC0415 - slow to load

        shutil.rmtree(snapshots)


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
    """Create *folder* with mode 0700 if needed, and return it. Raises LocalSandboxError."""
    with translate_errors(folder):
        _refuse_foreign_link(folder)
        _create_private(folder)
    return folder


@contextlib.contextmanager
def translate_errors(path: Path, kind: type[Exception] = OSError) -> Iterator[None]:
    """Translate exceptions of *kind* in the block to a LocalSandboxError about *path*."""
    try:
        yield
    except kind as error:
        raise unusable(path, error) from error


def unusable(path: Path, error: Exception) -> LocalSandboxError:
    """Return the LocalSandboxError for *error*, an OSError or an SQLite error about *path*."""
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
        return f"Free space on the disk that holds {path}, then run again."
    if number in TOO_MANY_FILES:
        return USE_FEWER_FILES
    # A snapshot that cannot be used is no reason to delete the state.
    reset = "" if SNAPSHOTS in path.parts else " seedctl local reset deletes the state."
    return (
        f"Make {path} readable and writable for this user, with space on its disk, or remove "
        f"whatever else has this name.{reset}"
    )


def _create_private(folder: Path) -> None:
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
    """Refuse a symbolic link of another user, who could redirect the state with it."""
    own_id = getattr(os, "geteuid", lambda: None)()
    if path.is_symlink() and own_id is not None and path.lstat().st_uid != own_id:
        raise LocalSandboxError(
            f"{path} is a symbolic link that belongs to another user.",
            resolution="Remove the link; seedctl creates the folder itself.",
        )
