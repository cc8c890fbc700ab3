"""Many objects by the beginning of their keys, and folders of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.errors import (
    AccessDenied,
    FileAccessError,
    InvalidStorageOperationInput,
    StorageError,
)
from seedctl.storage.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.storage.task import Task

_EVERYTHING = {"/", "*", "*/"}


def check_folder(path: str) -> None:
    """Raise InvalidStorageOperationInput for what would mean the whole bucket."""
    if path in _EVERYTHING:
        raise InvalidStorageOperationInput(
            f"{path!r} would be the whole bucket.",
            resolution='Name a folder, such as "pictures/", or an object.',
        )


def remove_all(task: Task, owner: Mapping[str, Any], tell: Callable[[], None]) -> int:
    """Remove all objects below the task's path and return how many; *tell* hears of each."""
    count = 0
    for page in Listing(task, None, owner).pages():
        if not page.items:
            continue
        reply = task.call(
            "delete_objects",
            "delete",
            Delete={"Objects": [{"Key": item.path} for item in page.items], "Quiet": True},
            **owner,
        )
        failed = reply.get("Errors", [])
        for _ in range(len(page.items) - len(failed)):
            tell()
            count += 1
        if failed:
            _refuse(task, failed[0], count)
    return count


def files_below(folder: Path, prefix: str) -> list[tuple[str, Path]]:
    """Return the files below *folder*, each with the key it gets under *prefix*.

    Raises FileAccessError for a folder that is not there or cannot be read.
    """
    if prefix and not prefix.endswith("/"):
        prefix += "/"

    def refuse(error: OSError) -> None:
        raise FileAccessError(
            f"{error.filename} cannot be read: {error.strerror}.",
            resolution="Give the path of a folder that is there, from the project's root.",
        ) from error

    found = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in names:
            path = Path(root, name)
            found.append((prefix + path.relative_to(folder).as_posix(), path))
    return sorted(found)


def _refuse(task: Task, failed: Mapping[str, str], count: int) -> None:
    kind = AccessDenied if failed.get("Code") == "AccessDenied" else StorageError
    said = failed.get("Message") or failed.get("Code", "no reason given")
    with task.explaining("delete", failed.get("Key")):
        raise kind(
            f"{failed.get('Key')} cannot be removed: {said}. {count} objects have been.",
            code=failed.get("Code", ""),
        )
