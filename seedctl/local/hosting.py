"""A sandbox that keeps running, one for each project; the project's other commands find it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seedctl.local.faults import FaultSettings
from seedctl.local.running import RunningServer, digest_of, read_address, refuse_second
from seedctl.local.sandbox import LocalSandbox
from seedctl.local.state_folder import ADDRESS, LOCK, prepare, translate_errors, write_private
from seedctl.outputs import AmplifyOutputs
from seedctl.project.lock import FileLock


@contextmanager
def host_sandbox(
    state_folder: Path,
    outputs: AmplifyOutputs | None,
    *,
    port: int = 0,
    origins: Sequence[str] = (),
    fault_settings: FaultSettings | None = None,
    at_end: Callable[[dict[str, Any]], object] | None = None,
) -> Iterator[RunningServer]:
    """Serve the project's sandbox during the block, and publish its address for other commands.

    The options are those of ``LocalSandbox.start``. With *fault_settings*, *at_end* is called
    with the statistics. Raises LocalSandboxError, also if another server is running.
    """
    folder = prepare(state_folder)
    address = folder / ADDRESS
    with translate_errors(folder / LOCK):
        lock = FileLock.take(folder / LOCK)
    if lock is None:
        raise refuse_second(state_folder)
    try:
        with translate_errors(address):
            address.unlink(missing_ok=True)  # left by a server that was killed
        nonce = secrets.token_hex(16)
        with LocalSandbox.start(
            state_folder=state_folder,
            outputs=outputs,
            port=port,
            origins=origins,
            nonce=nonce,
            fault_settings=fault_settings,
        ) as sandbox:
            server = RunningServer(
                pid=os.getpid(),
                port=sandbox.port,
                started_at=time.time(),
                outputs=str(outputs.path) if outputs is not None else None,
                digest=digest_of(outputs),
                nonce=nonce,
            )
            with translate_errors(address):
                write_private(address, server.to_json().encode())
            try:
                yield server
            finally:
                # Before the server stops, so that no command starts to use it. If someone deleted
                # the folder, the file there now may belong to another server.
                if read_address(state_folder) == server:
                    with translate_errors(address):
                        address.unlink(missing_ok=True)
        statistics = sandbox.statistics()
        if statistics is not None and at_end is not None:
            at_end(statistics)
    finally:
        lock.release()
