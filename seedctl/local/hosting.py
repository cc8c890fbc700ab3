"""A sandbox that stays up: one for each project, to be found by the project's other commands."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedctl.local.running import RunningServer, digest_of, read_address, refuse_second
from seedctl.local.sandbox import LocalSandbox
from seedctl.local.state_folder import ADDRESS, LOCK, prepare, unusable, write_private
from seedctl.project.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from seedctl.local.faults import Conditions
    from seedctl.project import AmplifyOutputs


@contextmanager
def host_sandbox(
    state_folder: Path,
    outputs: AmplifyOutputs | None,
    *,
    port: int = 0,
    origins: Sequence[str] = (),
    conditions: Conditions | None = None,
    at_end: Callable[[dict[str, Any]], object] | None = None,
) -> Iterator[RunningServer]:
    """Serve the project's sandbox for the block, and let the other commands find it.

    Pages of *origins* may call it. *conditions* make it slow, limited or failing; *at_end* is then
    given the statistics. Raises LocalSandboxError, also when another server is up.
    """
    folder = prepare(state_folder)
    try:
        lock = FileLock.take(folder / LOCK)
    except OSError as error:
        raise unusable(folder / LOCK, error) from error
    if lock is None:
        raise refuse_second(state_folder)
    try:
        _remove_address(folder)  # what a killed server left must not be taken for ours
        nonce = secrets.token_hex(16)
        with LocalSandbox.start(
            state_folder=state_folder,
            outputs=outputs,
            port=port,
            origins=origins,
            nonce=nonce,
            conditions=conditions,
        ) as sandbox:
            server = RunningServer(
                pid=os.getpid(),
                port=sandbox.port,
                started_at=time.time(),
                outputs=str(outputs.path) if outputs is not None else None,
                digest=digest_of(outputs),
                nonce=nonce,
            )
            _write_address(folder, server)
            try:
                yield server
            finally:
                # Before the end: no command must begin with a server that is going. After the
                # folder was removed by hand, another server's address may lie there.
                if read_address(state_folder) == server:
                    _remove_address(folder)
        statistics = sandbox.statistics()
        if statistics is not None and at_end is not None:
            at_end(statistics)
    finally:
        lock.release()


def _write_address(folder: Path, server: RunningServer) -> None:
    try:
        write_private(folder / ADDRESS, server.to_json().encode())
    except OSError as error:
        raise unusable(folder / ADDRESS, error) from error


def _remove_address(folder: Path) -> None:
    try:
        (folder / ADDRESS).unlink(missing_ok=True)
    except OSError as error:
        raise unusable(folder / ADDRESS, error) from error
