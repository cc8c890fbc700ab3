"""Writes files so that a reader finds either the old content or all of the new one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from seedctl.errors import FileAccessError


def write_file(path: Path, text: str) -> None:
    """Write *text* to *path*, and create missing folders.

    A symbolic link stays a link, and a file that is replaced keeps its mode. Raises
    FileAccessError, also for a file that this account may not write.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, text, mode=existing_mode(target))
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be written: {error.strerror}.",
            resolution=f"Make {target.parent} writable for this account, with space on its disk.",
        ) from error


def existing_mode(path: Path) -> int | None:
    """Return the mode of the file at *path*, or None if there is none.

    Raises OSError for a folder, and for a file that this account may not write: a writable folder
    would allow it to be replaced.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return mode


def check_replaceable(path: Path) -> None:
    """Raise OSError if no file can be created beside *path*."""
    descriptor, aside = _new_file_beside(path, 0o600)
    os.close(descriptor)
    aside.unlink()


def replace_file(path: Path, text: str, *, mode: int | None, errors: str = "strict") -> None:
    """Write *text* to a new file beside *path*, then rename that file to *path*.

    *mode* is the mode of the new file, by default what the umask allows; *errors* says what to do
    with text that UTF-8 cannot encode. Raises OSError, and then the old file is unchanged.
    """
    descriptor, aside = _new_file_beside(path, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors=errors) as file:
            file.write(text)
        if mode is not None:
            aside.chmod(stat.S_IMODE(mode))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _new_file_beside(path: Path, mode: int) -> tuple[int, Path]:
    aside = path.with_name(f".seedctl-new-{secrets.token_hex(8)}")
    return os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), aside
