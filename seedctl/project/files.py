"""Read the project's text files, with a readable reason if one cannot be read."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class UnreadableFileError(Exception):
    """A file exists but cannot be read. Its text is the reason, written as the end of a sentence."""


def read_text(path: Path) -> str:
    """Return the text of *path*, which must be UTF-8.

    Raises FileNotFoundError, and UnreadableFileError for any other reason.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFileError(error.strerror or type(error).__name__) from error
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            reason = "it is UTF-16 text; save it as UTF-8"
        else:
            reason = f"it is not UTF-8 text ({error.reason} at byte {error.start})"
        raise UnreadableFileError(reason) from error


def is_there(path: Path) -> bool:
    """Whether anything exists at *path*: a file, a folder, a broken link or something unreadable."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # reading it will raise the reason
    return True
