"""The files that commands write into a project: whole, or as they were before."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from seedctl.errors import FileAccessError


def write_whole(path: Path, text: str) -> None:
    """Put *text* into *path*, in place of what may be there, once all of it is written.

    Missing folders are made. A link stays, and so does the mode of a file that is replaced. Raises
    FileAccessError, also for a file that this account may not write.
    """
    target = Path(os.path.realpath(path))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode_of(target)
        try:
            beside.write_text(text, encoding="utf-8")
            if mode is not None:
                beside.chmod(mode)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise FileAccessError(
            f"{path} cannot be written: {error.strerror}.",
            resolution=f"Make {target.parent} writable for this account, with space on its disk.",
        ) from error


def _mode_of(target: Path) -> int | None:
    """Return the mode of the file to be replaced, None for a new one."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if not os.access(target, os.W_OK):  # its folder would let it be replaced
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(mode)
