"""Save the state of the local sandbox under a name, and load it again.

If ``save`` is killed, there is the old snapshot or the new one: the manifest is replaced last. If
``load`` is killed, there is the old state or the new one: first the contents of objects are added under
unused names, then one transaction replaces the database, then unused contents are removed. The next
start of the local S3, or the next ``save``, removes what is left over.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.local import snapshot_folder
from seedctl.local.backend_ids import BackendIds
from seedctl.local.reencryption import reencrypted_copy
from seedctl.local.running import SNAPSHOTS_PATH, find_server, send_command
from seedctl.local.s3.files import add_content, discard, is_object_name
from seedctl.local.seal import Seal
from seedctl.local.snapshot_database import (
    contents_of,
    count_rows,
    has_size,
    open_database,
    require_intact,
)
from seedctl.local.snapshot_folder import Snapshot, damaged
from seedctl.local.state_folder import (
    FOLDER,
    OBJECTS,
    create_once,
    has_state,
    make_private_folder,
    prepare,
    read_key,
    sync,
    translate_errors,
)
from seedctl.local.store import KEY_CHECK, Store, stored_key_check

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from seedctl.outputs import AmplifyOutputs


def save_snapshot(
    state_folder: Path,
    outputs: Callable[[], AmplifyOutputs | None],
    name: str,
    *,
    is_replacing: bool = False,
    is_portable: bool = False,
) -> Snapshot:
    """Save the state of a project's local sandbox. If its server is running, the server does so.

    Args:
        state_folder: The project's ``.amplify/seedctl`` folder.
        outputs: Returns the outputs file; called only if no server is running.
        name: The name of the snapshot.
        is_replacing: Whether to replace a snapshot with this name.
        is_portable: Whether to include the key, so that other machines can load it; whoever has the
            snapshot can then read the secrets in it.

    Returns:
        The snapshot.

    Raises:
        InvalidCommandInputError: *name* cannot be the name of a snapshot.
        LocalSandboxError: There is nothing to save, the snapshot exists, or it cannot be written.
    """
    name = snapshot_folder.check_name(name)
    server = find_server(state_folder)
    if server is not None:
        options = {"is_replacing": is_replacing, "is_portable": is_portable}
        send_command(server, SNAPSHOTS_PATH, {"action": "save", "name": name, **options})
        return snapshot_folder.require_snapshot(state_folder / FOLDER, name)
    if not has_state(state_folder):
        raise LocalSandboxError(
            "The local sandbox of this project has no state to save.",
            resolution="Seed it first with seedctl seed --local.",
        )
    with _direct(state_folder, outputs()) as snapshots:
        return snapshots.save(name, is_replacing=is_replacing, is_portable=is_portable)


def load_snapshot(
    state_folder: Path, outputs: Callable[[], AmplifyOutputs | None], name: str
) -> Snapshot:
    """Load a snapshot in place of the state of a project's local sandbox.

    If the server of the local sandbox is running, the server does so.

    Args:
        state_folder: The project's ``.amplify/seedctl`` folder.
        outputs: Returns the outputs file; called only if no server is running.
        name: The name of the snapshot.

    Returns:
        The snapshot that was loaded.

    Raises:
        InvalidCommandInputError: *name* cannot be the name of a snapshot.
        LocalSandboxError: There is no such snapshot, it belongs to another backend or has another
            format, or the state is in use. The state is then unchanged.
    """
    snapshot = snapshot_folder.require_snapshot(state_folder / FOLDER, name)
    server = find_server(state_folder)
    if server is not None:
        send_command(server, SNAPSHOTS_PATH, {"action": "load", "name": snapshot.name})
        return snapshot
    with _direct(state_folder, outputs()) as snapshots:
        return snapshots.load(snapshot.name)


@contextmanager
def _direct(state_folder: Path, outputs: AmplifyOutputs | None) -> Iterator[Snapshots]:
    """Yield the snapshots of a state that no server uses."""
    with closing(Store.open(prepare(state_folder))) as store:
        yield Snapshots(store, BackendIds.of(outputs))


class Snapshots:
    """The snapshots of an open state."""

    def __init__(
        self,
        store: Store,
        backend: BackendIds,
        pause: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """*pause* returns a context manager; in its block, no request of this process uses *store*."""
        self._store = store
        self._backend = backend
        self._pause = pause
        self._folder = store.path.parent

    def save(self, name: str, *, is_replacing: bool, is_portable: bool) -> Snapshot:
        """Save the state as *name*; the options are those of ``save_snapshot``.

        Requests may be in progress: the snapshot contains the state between two transactions.
        """
        name = snapshot_folder.check_name(name)
        with snapshot_folder.locked(self._folder) as snapshots, translate_errors(snapshots):
            with suppress(OSError):  # a left-over that cannot be removed is no obstacle
                snapshot_folder.remove_unfinished(snapshots)
            folder = snapshots / name
            if not is_replacing and snapshot_folder.has_manifest(folder):
                raise LocalSandboxError(
                    f"There is a snapshot {name!r} already.",
                    resolution="Replace it with --force, or choose another name.",
                )
            return self._write(folder, is_portable=is_portable)

    def _write(self, folder: Path, *, is_portable: bool) -> Snapshot:
        make_private_folder(folder)
        make_private_folder(folder / OBJECTS)
        suffix = secrets.token_hex(8)
        database = folder / f"state-{suffix}.db"
        snapshot: Snapshot | None = None
        contents: Mapping[str, int] = {}
        try:
            create_once(database, b"")
            # Until the block ends, no other transaction can commit, so no content in use is removed.
            with self._store.transaction():
                self._store.copy_to(database)
                with open_database(database) as source:
                    contents = contents_of(folder.name, source)
                    counted = count_rows(source)
                for name in contents:
                    add_content(self._folder / OBJECTS / name, folder / OBJECTS / name)
            key = f"key-{suffix}" if is_portable else None
            if key is not None:
                create_once(folder / key, read_key(self._folder))
                sync(folder / key)
            # SQLite has synced the database. The contents are not synced, as in the state itself: for
            # thousands of files that would take longer than everything else.
            for path in (folder / OBJECTS, folder, folder.parent):
                sync(path)
            size = database.stat().st_size
            snapshot = Snapshot(
                name=folder.name,
                folder=folder,
                saved_at=time.time(),
                backend=self._backend,
                database=database.name,
                database_size=size,
                key=key,
                size=size + sum(contents.values()),
                **counted,
            )
            snapshot.write()
        except BaseException:
            _remove_unused(folder)
            raise
        snapshot_folder.remove_unused(folder, snapshot, set(contents))
        return snapshot

    def load(self, name: str) -> Snapshot:
        """Replace the state with the snapshot *name*; the errors are those of ``load_snapshot``."""
        with snapshot_folder.locked(self._folder) as snapshots, ExitStack() as opened:
            snapshot = snapshot_folder.require_snapshot(self._folder, name)
            self._check(snapshot)
            opened.enter_context(translate_errors(snapshots))
            source = opened.enter_context(self._readable(snapshot))
            contents = contents_of(snapshot.name, source)
            opened.enter_context(self._store.use.alone())
            opened.enter_context(self._pause())
            self._add(snapshot, contents)
            self._store.replace_with(source)
            for other in self._names() - contents.keys():
                if is_object_name(other):
                    discard(self._folder / OBJECTS / other)
        return snapshot

    def _check(self, snapshot: Snapshot) -> None:
        """Raise LocalSandboxError if *snapshot* belongs to another backend or is incomplete."""
        differences = snapshot.backend.differences(self._backend)
        if differences:
            raise LocalSandboxError(
                f"The snapshot {snapshot.name!r} is of another backend: it has "
                f"{', and '.join(differences)}.",
                resolution="Use the outputs file with which it was saved (--outputs FILE), or seed "
                "the local sandbox and save it again.",
            )
        with translate_errors(snapshot.folder):
            if not has_size(snapshot.folder / snapshot.database, snapshot.database_size):
                raise damaged(snapshot.name, f"{snapshot.database} is missing or incomplete")

    @contextmanager
    def _readable(self, snapshot: Snapshot) -> Iterator[sqlite3.Connection]:
        """Yield the database of *snapshot*, encrypted with the key of this state."""
        database = snapshot.folder / snapshot.database
        with ExitStack() as opened:
            source = opened.enter_context(open_database(database))
            require_intact(snapshot.name, source)
            found, seal = stored_key_check(source), self._store.seal
            if not hmac.compare_digest(found, seal.digest(KEY_CHECK)):
                if snapshot.key is None:
                    raise LocalSandboxError(
                        f"The snapshot {snapshot.name!r} was saved on another machine or in another "
                        "project: the key of this one cannot decrypt its secrets.",
                        resolution="Save it there with seedctl local save --portable.",
                    )
                own = Seal((snapshot.folder / snapshot.key).read_bytes())
                if not hmac.compare_digest(found, own.digest(KEY_CHECK)):
                    raise damaged(snapshot.name, "its key does not match its database")
                copy = opened.enter_context(reencrypted_copy(snapshot.name, database, own, seal))
                source = opened.enter_context(open_database(copy))
            yield source

    def _add(self, snapshot: Snapshot, contents: Mapping[str, int]) -> None:
        """Add those of *contents* that this state does not have."""
        missing = contents.keys() - self._names()
        if missing:
            make_private_folder(self._folder / OBJECTS)
        for name in missing:
            source = snapshot.folder / OBJECTS / name
            if not has_size(source, contents[name]):
                raise damaged(snapshot.name, f"{OBJECTS}/{name} is missing or incomplete")
            add_content(source, self._folder / OBJECTS / name)

    def _names(self) -> set[str]:
        """Return the names of the files in the folder of contents."""
        try:
            return set(os.listdir(self._folder / OBJECTS))  # noqa: PTH208 - twice as quick
        except FileNotFoundError:
            return set()


def _remove_unused(folder: Path) -> None:
    """Remove from *folder* what a failed ``save`` wrote, but not the earlier snapshot."""
    try:
        before = snapshot_folder.read_snapshot(folder)
        contents: set[str] = set()
        if before is not None:
            with open_database(folder / before.database) as source:
                contents = set(contents_of(before.name, source))
        snapshot_folder.remove_unused(folder, before, contents)
    except (LocalSandboxError, OSError):
        return  # the error of save itself is more helpful
