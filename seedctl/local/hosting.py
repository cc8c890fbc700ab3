"""A sandbox that stays up: one for each project, to be found by the project's other commands."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.local.lock import FileLock
from seedctl.local.running import RunningServer, digest_of, refuse_second
from seedctl.local.sandbox import LocalSandbox
from seedctl.local.state_folder import ADDRESS, LOCK, prepare, unusable, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seedctl.project import AmplifyOutputs


@contextmanager
def host_sandbox(
    state_folder: Path,
    outputs: AmplifyOutputs | None,
    *,
    port: int = 0,
    origins: Sequence[str] = (),
) -> Iterator[RunningServer]:
    """Serve the project's sandbox for the block, and let the other commands find it.

    Pages of *origins* may call it. Raises LocalSandboxError, also when another server is up.
    """
    folder = prepare(state_folder)
    try:
        lock = FileLock.take(folder / LOCK)
    except OSError as error:
        raise unusable(folder / LOCK, error) from error
    if lock is None:
        raise refuse_second(state_folder)
    try:
        # What a killed server left must not be taken for ours.
        (folder / ADDRESS).unlink(missing_ok=True)
        nonce = secrets.token_hex(16)
        with LocalSandbox.start(
            state_folder=state_folder, outputs=outputs, port=port, origins=origins, nonce=nonce
        ) as sandbox:
            server = RunningServer(
                pid=os.getpid(),
                port=sandbox.port,
                started_at=time.time(),
                outputs=str(outputs.path) if outputs is not None else None,
                digest=digest_of(outputs),
                nonce=nonce,
            )
            write_private(folder / ADDRESS, server.to_json().encode())
            try:
                yield server
            finally:
                # Before the end: no command must begin with a server that is going.
                (folder / ADDRESS).unlink(missing_ok=True)
    finally:
        lock.release()
