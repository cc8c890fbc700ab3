"""Folders: remove all objects below a prefix, and find the files of a local folder."""

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
    """Raise InvalidStorageOperationInput for a path that means the entire bucket."""
    if path in _EVERYTHING:
        raise InvalidStorageOperationInput(
            f"{mask(path)!r} would delete the entire bucket.",
            resolution='Name a folder, such as "pictures/", or an object.',
        )


def remove_all(call: ObjectCall, owner: Mapping[str, Any], on_removed: Callable[[], None]) -> int:
    """Remove all objects below the call's path and return how many.

    *on_removed* is called once for each removed object. Raises StorageError.
    """
    count = 0
    for page in Listing(call, None, owner).pages():
        if not page.items:
            continue
        response = call.send(
            "delete_objects",
            "delete",
            Delete={"Objects": [{"Key": item.path} for item in page.items]},
            **owner,
        )
        failed = response.get("Errors", [])
        for _ in response.get("Deleted", []):
            on_removed()
            count += 1
        if failed:
            _raise_failed_removal(call, failed[0], count)
    return count


def files_below(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    """Return the files below *folder*, each with the key it gets under *prefix*.

    Raises FileAccessError if the folder does not exist or cannot be read, and one that names all
    files which cannot be uploaded.
    """
    if prefix and not prefix.endswith("/"):
        prefix += "/"

    def raise_unreadable(error: OSError) -> None:
        raise FileAccessError(
            f"{error.filename} cannot be read: {error.strerror}.",
            resolution="Give the path of an existing folder, relative to the project's root.",
        ) from error

    found = []
    unusable: dict[str, str] = {}
    for root, folders, names in os.walk(folder, onerror=raise_unreadable):
        folders.sort()
        for name in names:
            path = Path(root, name)
            relative = path.relative_to(folder).as_posix()
            found.append((prefix + relative, path))
            reason = _why_unusable(path)
            if reason is not None:
                unusable[relative] = reason
    if unusable:
        raise _unusable_files(folder, unusable)
    return sorted(found)


def _why_unusable(path: Path) -> str | None:
    """Return why *path* cannot be uploaded; None if it can."""
    try:
        # Before opening it: opening a pipe blocks until another process writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            return "not a regular file"
        path.open("rb").close()
    except OSError as error:
        is_broken = isinstance(error, FileNotFoundError) and path.is_symlink()
        return "a broken link" if is_broken else error.strerror or type(error).__name__
    return None


def _unusable_files(folder: Path, unusable: Mapping[str, str]) -> FileAccessError:
    named = [f"{name} ({unusable[name]})" for name in sorted(unusable)]
    if len(named) > _MOST_NAMED:
        named[_MOST_NAMED:] = [f"{len(named) - _MOST_NAMED} more"]
    return FileAccessError(
        f"Some files in {folder} cannot be uploaded: {', '.join(named)}.",
        resolution="Nothing was sent. Move these files out of the folder, or make them readable.",
    )


def _raise_failed_removal(call: ObjectCall, failed: Mapping[str, str], count: int) -> None:
    kind = AccessDenied if failed.get("Code") == "AccessDenied" else StorageError
    reason = failed.get("Message") or failed.get("Code", "no reason given")
    with call.explain_denials("delete", failed.get("Key")):
        raise kind(
            f"{failed.get('Key')} cannot be removed: {reason}. {count} objects were removed before.",
            code=failed.get("Code", ""),
        )
