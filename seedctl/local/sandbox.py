"""Start a sandbox in this process, and stop it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.local.inbox import InboxMessage, messages
from seedctl.local.server import HandlerError, Server
from seedctl.local.services import Services
from seedctl.local.state_folder import prepare, translate_errors
from seedctl.local.store import Store
from seedctl.outputs import AmplifyOutputs

if TYPE_CHECKING:
    from seedctl.local.faults import FaultInjector, FaultSettings
    from seedctl.local.http1 import Request, Response
    from seedctl.local.snapshot_folder import Snapshot
    from seedctl.local.snapshots import Snapshots


@dataclass(eq=False, repr=False)
class LocalSandbox:
    """A running sandbox; ``start`` makes one. As a context manager, it stops at the end of the block."""

    _server: Server
    _services: Services
    _store: Store
    _conditioned: FaultInjector | None
    _opened: contextlib.ExitStack
    """Closing it stops the server and closes the state."""

    @classmethod
    def start(
        cls,
        *,
        state_folder: Path,
        outputs: AmplifyOutputs | None,
        port: int = 0,
        origins: Sequence[str] = (),
        nonce: str | None = None,
        fault_settings: FaultSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> LocalSandbox:
        """Start a sandbox on a loopback address.

        Args:
            state_folder: The project's ``.amplify/seedctl`` folder; the state is stored in it.
            outputs: The outputs file to serve; without one, only Parameter Store and STS work.
            port: The TCP port; 0 picks a free one.
            origins: The origins of web pages that may call the sandbox.
            nonce: The random id by which ``seedctl.local.running.find_server`` recognises a
                server that keeps running; None for a sandbox of one command.
            fault_settings: Latency, quotas and failures to inject; None for none.
            clock: Returns the time in epoch seconds; tests replace it.

        Raises:
            LocalSandboxError: The port or the state cannot be used.
        """
        folder = prepare(state_folder)
        with translate_errors(folder), contextlib.ExitStack() as opened:
            store = Store.open(folder)
            opened.callback(store.close)
            services = Services(store, outputs, clock)
            opened.callback(services.close)
            answer: Callable[[Request], Response] = services.answer
            injector = None
            if fault_settings is not None:
                from seedctl.local.faults import FaultInjector  # noqa: PLC0415

                injector = FaultInjector(fault_settings, answer)
                answer = injector.answer
            if nonce is not None:
                from seedctl.local.control import Control  # noqa: PLC0415

                snapshots = partial(_snapshots_of, store, services)
                answer = Control(nonce, snapshots, answer).answer
            server = Server(answer, port=port, is_streamed=services.is_streamed, origins=origins)
            opened.callback(server.stop)
            if injector is not None:
                opened.callback(injector.end_delays)  # runs first: the server waits for its calls
            return cls(server, services, store, injector, opened.pop_all())

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def handler_errors(self) -> list[HandlerError]:
        """Bugs: exceptions that handlers raised so far. Tests assert that there are none."""
        return self._server.handler_errors

    def statistics(self) -> dict[str, Any] | None:
        """Return the counted requests; None for a sandbox without fault settings."""
        return self._conditioned.statistics() if self._conditioned is not None else None

    def inbox(self) -> list[InboxMessage]:
        """Return the last one-time codes that were sent, newest first."""
        return messages(self._store)

    def save(self, name: str, *, is_replacing: bool = False, is_portable: bool = False) -> Snapshot:
        """Save the state as the snapshot *name*, and return it.

        Args:
            name: The name; ``restore`` takes it.
            is_replacing: Whether to replace a snapshot with this name.
            is_portable: Whether to put the key in, so that other machines can load it.

        Raises:
            InvalidCommandInputError: *name* cannot be the name of a snapshot.
            LocalSandboxError: The snapshot exists, or cannot be written.
        """
        return _snapshots_of(self._store, self._services).save(
            name, is_replacing=is_replacing, is_portable=is_portable
        )

    def restore(self, name: str) -> Snapshot:
        """Replace the state by the snapshot *name*, and return it. The sandbox stays running.

        Requests in progress are finished first; others wait until the state is replaced.

        Args:
            name: The name of a snapshot of this state.

        Raises:
            InvalidCommandInputError: *name* cannot be the name of a snapshot.
            LocalSandboxError: There is no such snapshot, it is of another backend or format,
                requests do not end, or another process uses the state. Then the state is unchanged.
        """
        return _snapshots_of(self._store, self._services).load(name)

    def stop(self) -> None:
        """Close every connection and the state. A second call does nothing."""
        self._opened.close()

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _snapshots_of(store: Store, services: Services) -> Snapshots:
    from seedctl.local.snapshots import Snapshots  # noqa: PLC0415 - most sandboxes save nothing

    return Snapshots(store, services.backend, services.paused)
