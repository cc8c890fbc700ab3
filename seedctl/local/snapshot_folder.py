"""The folders of the snapshots: their names and manifests, and the list of them.

``snapshots/NAME/`` contains a database, the contents of the objects, and the manifest, which names the
database. A snapshot exists if its folder has a manifest. The manifest is replaced atomically, so a
snapshot is always complete, even while another one is being saved under its name.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seedctl.errors import InvalidCommandInputError, LocalSandboxError
from seedctl.local.backend_ids import BackendIds
from seedctl.local.state_folder import (
    FOLDER,
    MANIFEST,
    OBJECTS,
    SNAPSHOTS,
    make_private_folder,
    translate_errors,
    unfinished_name,
    write_private,
)
from seedctl.local.store import FORMAT
from seedctl.project.lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

SNAPSHOT_FORMAT = 1
"""The version of the manifest's format."""

_LOCK = ".lock"  # the names of snapshots do not begin with a dot
_LOCK_SECONDS = 120.0
_MAX_NAME_BYTES = 200
_LETTERS = "LMN"  # the Unicode categories of letters, marks on letters, and numbers
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_DATABASE = re.compile(r"state-[0-9a-f]{16}\.db")
_KEY = re.compile(r"key-[0-9a-f]{16}")
_MAX_LISTED = 10
_MAX_MANIFEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A saved state of the local sandbox, as its manifest describes it."""

    name: str
    folder: Path
    saved_at: float
    """Epoch seconds."""
    backend: BackendIds
    database: str
    """The name of the database in the folder."""
    database_size: int
    """In bytes."""
    key: str | None
    """The name of the key file in the folder; None unless it was saved with the key."""
    users: int
    records: int
    files: int
    size: int
    """Of the database and the contents of all files, in bytes."""
    snapshot_format: int = SNAPSHOT_FORMAT
    state_format: int = FORMAT

    @property
    def is_portable(self) -> bool:
        """Whether it contains the key, so that other machines can load it."""
        return self.key is not None

    def write(self) -> None:
        """Write the manifest, which makes this the snapshot with its name."""
        document = asdict(self)
        del document["name"], document["folder"]
        content = json.dumps(document, indent=2) + "\n"
        write_private(self.folder / MANIFEST, content.encode(), is_durable=True)


def check_name(name: str) -> str:
    """Return the *name* of a snapshot in normal form. Raises InvalidCommandInputError."""
    name = unicodedata.normalize("NFC", name)
    is_valid = (
        bool(name)
        and all(char in "-_." or unicodedata.category(char)[0] in _LETTERS for char in name)
        and name[0] not in "-."
        and name[-1] != "."
        and len(name.encode()) <= _MAX_NAME_BYTES
        and not _RESERVED.fullmatch(name)
    )
    if not is_valid:
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        raise InvalidCommandInputError(
            f"{shown!r} cannot be the name of a snapshot.",
            resolution="Use letters, digits, '-', '_' and '.', at most "
            f"{_MAX_NAME_BYTES} bytes in UTF-8; begin with a letter, a digit or '_'.",
        )
    return name


def list_snapshots(state_folder: Path) -> dict[str, Snapshot | LocalSandboxError]:
    """Return the snapshots by name, in the order of names.

    A snapshot that cannot be read is represented by the error. *state_folder* is the project's
    ``.amplify/seedctl`` folder. Raises LocalSandboxError.
    """
    folder = state_folder / FOLDER / SNAPSHOTS
    found: dict[str, Snapshot | LocalSandboxError] = {}
    with translate_errors(folder):
        for path in sorted(_folders(folder)):
            try:
                snapshot = read_snapshot(path)
            except LocalSandboxError as error:
                found[path.name] = error
            else:
                if snapshot is not None:
                    found[path.name] = snapshot
    return found


def require_snapshot(folder: Path, name: str) -> Snapshot:
    """Return the snapshot *name* of the state in *folder*.

    Raises LocalSandboxError if there is none or it cannot be read, and InvalidCommandInputError.
    """
    snapshot = read_snapshot(folder / SNAPSHOTS / check_name(name))
    if snapshot is None:
        raise no_such_snapshot(folder, name)
    return snapshot


def no_such_snapshot(folder: Path, name: str) -> LocalSandboxError:
    """Return the error for a *name* without a snapshot of the state in *folder*."""
    with translate_errors(folder):
        names = [path.name for path in sorted(_folders(folder / SNAPSHOTS)) if has_manifest(path)]
    listed = ", ".join(names[:_MAX_LISTED]) + (", …" if len(names) > _MAX_LISTED else "")
    return LocalSandboxError(
        f"There is no snapshot {name!r} of the local sandbox.",
        resolution=f"Choose one of these: {listed}."
        if names
        else f"Save one with seedctl local save {name}.",
    )


def has_manifest(folder: Path) -> bool:
    """Whether *folder* contains a snapshot, even if it cannot be read."""
    return (folder / MANIFEST).exists()


def read_snapshot(folder: Path) -> Snapshot | None:
    """Return the snapshot in *folder*, None if there is none.

    Raises LocalSandboxError if it cannot be read or is of another format.
    """
    path = folder / MANIFEST
    with translate_errors(path):
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_MANIFEST)
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        document = json.loads(content)
        _check_formats(folder.name, document)
        return _parse(folder, document)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise damaged(folder.name, f"its {MANIFEST} is not valid") from error


def damaged(name: str, reason: str) -> LocalSandboxError:
    """Return the error for the snapshot *name*, whose files were changed after it was saved."""
    return LocalSandboxError(
        f"The snapshot {name!r} is damaged: {reason}.",
        resolution="Replace it with seedctl local save --force, or delete it with seedctl local "
        f"snapshots --remove {name}.",
    )


def _check_formats(name: str, document: dict[str, Any]) -> None:
    for what, found, expected in (
        ("format", document["snapshot_format"], SNAPSHOT_FORMAT),
        ("a state of format", document["state_format"], FORMAT),
    ):
        if type(found) is not int:
            raise TypeError
        if found != expected:
            raise LocalSandboxError(
                f"The snapshot {name!r} has {what} {found}, which another version of seedctl "
                f"wrote; this one reads format {expected}.",
                resolution="Use the version of seedctl that saved it, or seed the local sandbox and "
                "save it with seedctl local save --force.",
            )


def _parse(folder: Path, document: dict[str, Any]) -> Snapshot:
    """Return the snapshot that *document* describes. Raises ValueError and the like."""
    backend = BackendIds.parse(document.pop("backend"))
    snapshot = Snapshot(name=folder.name, folder=folder, backend=backend, **document)
    numbers = (snapshot.database_size, snapshot.users, snapshot.records, snapshot.files)
    if (
        not _DATABASE.fullmatch(snapshot.database)  # it must not name a file of another folder
        or not (snapshot.key is None or _KEY.fullmatch(snapshot.key))
        or any(type(number) is not int for number in (*numbers, snapshot.size))
        or type(snapshot.saved_at) not in (int, float)
    ):
        raise ValueError
    return snapshot


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Yield the folder of the snapshots of the state in *folder*, locked against other processes.

    Raises LocalSandboxError.
    """
    snapshots = make_private_folder(folder / SNAPSHOTS)
    with translate_errors(snapshots):
        lock = FileLock.take(snapshots / _LOCK, seconds=_LOCK_SECONDS)
    if lock is None:
        raise LocalSandboxError(
            f"Another command is using the snapshots in {snapshots}.",
            resolution="Wait until it has ended, then run again.",
        )
    try:
        yield snapshots
    finally:
        lock.release()


def remove_snapshot(state_folder: Path, name: str) -> None:
    """Delete the snapshot *name* of the project's local sandbox, even if it cannot be read.

    *state_folder* is the project's ``.amplify/seedctl`` folder. Raises LocalSandboxError, also if
    there is none, and InvalidCommandInputError for an invalid name.
    """
    name, folder = check_name(name), state_folder / FOLDER
    with translate_errors(folder / SNAPSHOTS):
        if not has_manifest(folder / SNAPSHOTS / name):
            raise no_such_snapshot(folder, name)
        with locked(folder) as snapshots:
            # Rename it first, so that a killed process leaves no incomplete snapshot.
            (snapshots / name).replace(unfinished_name(snapshots / ".removed"))
            remove_unfinished(snapshots)


def remove_unfinished(snapshots: Path) -> None:
    """Remove what killed processes left behind. Raises OSError."""
    for path in snapshots.iterdir():
        is_temporary = path.name.startswith(".") and path.name != _LOCK
        if path.is_dir() and not path.is_symlink():
            if is_temporary or not has_manifest(path):
                shutil.rmtree(path)
        elif is_temporary:
            path.unlink(missing_ok=True)


def remove_unused(folder: Path, snapshot: Snapshot | None, objects: set[str]) -> None:
    """Remove from *folder* what does not belong to its *snapshot*, with *objects*.

    Raises OSError.
    """
    if snapshot is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.name not in (MANIFEST, OBJECTS, snapshot.database, snapshot.key):
            path.unlink(missing_ok=True)
    for path in (folder / OBJECTS).iterdir():
        if path.name not in objects:
            path.unlink(missing_ok=True)


def _folders(snapshots: Path) -> list[Path]:
    """Return the folders in *snapshots* that may be snapshots; none if it does not exist."""
    try:
        entries = list(snapshots.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        path
        for path in entries
        if not path.name.startswith(".") and path.is_dir() and not path.is_symlink()
    ]
