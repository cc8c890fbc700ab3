"""The sandbox as its users hold it: started, reached by its URL, stopped."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from seedctl.local.faults import ConditionedAnswers, Conditions
    from seedctl.local.http1 import Request, Response
    from seedctl.local.inbox import InboxMessage
    from seedctl.local.server import Fault, Server
    from seedctl.local.services import Services
    from seedctl.local.store import Store
    from seedctl.outputs import AmplifyOutputs

PROBE_PATH = "/_seedctl/server"
"""Where a server that stays up tells its nonce."""


class LocalSandbox:
    """A running sandbox; a context manager that stops it."""

    def __init__(
        self,
        server: Server,
        services: Services,
        store: Store,
        conditioned: ConditionedAnswers | None,
        opened: contextlib.ExitStack,
    ) -> None:
        """*opened* ends all of it when it is closed."""
        self._server = server
        self._services = services
        self._store = store
        self._conditioned = conditioned
        self._opened = opened

    @classmethod
    def start(
        cls,
        *,
        state_folder: Path,
        outputs: AmplifyOutputs | None,
        port: int = 0,
        origins: Sequence[str] = (),
        nonce: str | None = None,
        conditions: Conditions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> LocalSandbox:
        """Serve what *outputs* describes on loopback, with its state under *state_folder*.

        Without *outputs* there is no user pool and no API, only parameters. Port 0 is any free one.
        Web pages of *origins* may call; *nonce* is what a server that stays up is known by;
        *conditions* make it slow, limited or failing. *clock* gives epoch seconds and is replaced by
        tests. Raises LocalSandboxError.
        """
        # Late, since the commands that never start a sandbox import this module too.
        from seedctl.local.server import Server  # noqa: PLC0415
        from seedctl.local.services import Services  # noqa: PLC0415
        from seedctl.local.state_folder import prepare, translate_errors  # noqa: PLC0415
        from seedctl.local.store import Store  # noqa: PLC0415

        folder = prepare(state_folder)
        with translate_errors(folder), contextlib.ExitStack() as opened:
            store = Store.open(folder)
            opened.callback(store.close)
            services = Services(store, outputs, clock)
            opened.callback(services.close)
            answer: Callable[[Request], Response] = services.answer
            conditioned = None
            if conditions is not None:
                from seedctl.local.faults import ConditionedAnswers  # noqa: PLC0415

                conditioned = ConditionedAnswers(conditions, answer)
                answer = conditioned.answer
            if nonce is not None:
                answer = partial(_answer_probe, nonce, answer)
            server = Server(answer, port=port, is_streamed=services.is_streamed, origins=origins)
            opened.callback(server.stop)
            if conditioned is not None:
                opened.callback(conditioned.end_delays)  # first: the server waits for its calls
            return cls(server, services, store, conditioned, opened.pop_all())

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def faults(self) -> list[Fault]:
        """The handlers' own failures so far: tests assert that there are none."""
        return self._server.faults

    def statistics(self) -> dict[str, Any] | None:
        """Return what was asked of a sandbox that has conditions, None for others."""
        return self._conditioned.statistics() if self._conditioned is not None else None

    def inbox(self) -> list[InboxMessage]:
        """Return the one-time codes that were sent last, newest first."""
        from seedctl.local.inbox import messages  # noqa: PLC0415

        return messages(self._store)

    def stop(self) -> None:
        """End every connection and close the state. A second call does nothing."""
        self._opened.close()

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def _answer_probe(nonce: str, answer: Callable[[Request], Response], request: Request) -> Response:
    """Answer a probe with *nonce*, and let *answer* answer all else."""
    if request.path == PROBE_PATH and request.method == "GET":
        from seedctl.local.http1 import Response  # noqa: PLC0415

        return Response.json(200, {"nonce": nonce}, content_type="application/json")
    return answer(request)


def reset_state(state_folder: Path) -> bool:
    """Delete what the local sandbox stored under *state_folder*; False if there was nothing.

    Raises LocalSandboxError, also while a server that stays up is using it.
    """
    from seedctl.local.state_folder import remove  # noqa: PLC0415

    return remove(state_folder)
