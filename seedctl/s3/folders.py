"""Many objects by the beginning of their keys, and folders of this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.errors import (
    AccessDenied,
    FileAccessError,
    InvalidStorageOperationInput,
    StorageError,
)
from seedctl.masking import mask
from seedctl.s3.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.s3.object_call import ObjectCall

_MOST_NAMED = 20
_EVERYTHING = {"/", "*", "*/"}


def check_folder(path: str) -> None:
    """Raise InvalidStorageOperationInput for what would mean the whole bucket."""
    if path in _EVERYTHING:
        raise InvalidStorageOperationInput(
            f"{mask(path)!r} would be the whole bucket.",
            resolution='Name a folder, such as "pictures/", or an object.',
        )


def remove_all(call: ObjectCall, owner: Mapping[str, Any], tell: Callable[[], None]) -> int:
    """Remove all objects below the call's path and return how many; *tell* hears of each."""
    count = 0
    for page in Listing(call, None, owner).pages():
        if not page.items:
            continue
        reply = call.call(
            "delete_objects",
            "delete",
            Delete={"Objects": [{"Key": item.path} for item in page.items]},
            **owner,
        )
        failed = reply.get("Errors", [])
        for _ in reply.get("Deleted", []):
            tell()
            count += 1
        if failed:
            _refuse(call, failed[0], count)
    return count


def files_below(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    """Return the files below *folder*, each with the key it gets under *prefix*.

    Raises FileAccessError for a folder that is not there or cannot be read, and for what is below
    it and cannot be sent, all in one.
    """
    if prefix and not prefix.endswith("/"):
        prefix += "/"

    def refuse(error: OSError) -> None:
        raise FileAccessError(
            f"{error.filename} cannot be read: {error.strerror}.",
            resolution="Give the path of a folder that is there, from the project's root.",
        ) from error

    found = []
    refused: dict[str, str] = {}
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in names:
            path = Path(root, name)
            below = path.relative_to(folder).as_posix()
            found.append((prefix + below, path))
            reason = _what_is_wrong(path)
            if reason is not None:
                refused[below] = reason
    if refused:
        raise _cannot_be_sent(folder, refused)
    return sorted(found)


def _what_is_wrong(path: Path) -> str | None:
    """Return why *path* cannot be sent, None if it can."""
    try:
        # Looked at before it is opened: to open a pipe waits for whoever writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a regular file"
        path.open("rb").close()
    except OSError as error:
        is_broken = isinstance(error, FileNotFoundError) and path.is_symlink()
        return "a broken link" if is_broken else error.strerror or type(error).__name__
    return None


def _cannot_be_sent(folder: Path, refused: Mapping[str, str]) -> FileAccessError:
    named = [f"{name} ({refused[name]})" for name in sorted(refused)]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"{len(named) - _MOST_NAMED} more"]
    return FileAccessError(
        f"Not everything below {folder} can be sent: {', '.join(named)}.",
        resolution="Nothing was sent. Take these away from there, or make them readable.",
    )


def _refuse(call: ObjectCall, failed: Mapping[str, str], count: int) -> None:
    kind = AccessDenied if failed.get("Code") == "AccessDenied" else StorageError
    said = failed.get("Message") or failed.get("Code", "no reason given")
    with call.explain_denials("delete", failed.get("Key")):
        raise kind(
            f"{failed.get('Key')} cannot be removed: {said}. {count} objects have been.",
            code=failed.get("Code", ""),
        )
