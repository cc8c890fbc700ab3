"""Which thread or task is running, and which backend's ``with`` block it is in."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from seedctl.errors import NoBackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Named(Protocol):
    """What an error message can name."""

    def describe(self) -> str: ...


_Backend = TypeVar("_Backend", bound=Named)

_HELP = (
    "Write with connect(...) as backend: around it, or call the objects of the backend that is "
    "meant: backend.auth, backend.secrets, backend.data, backend.storage."
)


def current_thread_or_task() -> object:
    """Return the running asyncio task, or the thread where there is none."""
    task = None
    # Slow to load, and where nobody has loaded it there is no task.
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        with suppress(RuntimeError):
            task = asyncio.current_task()
    return task or threading.current_thread()


class ActiveBackends(Generic[_Backend]):
    """The backends whose blocks this process is in: what the module-level functions act on.

    Process-wide on purpose: the threads of a pool must find the backend of the script.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: list[tuple[object, _Backend]] = []
        """Of each open block, the thread or task that entered it, and its backend."""
        self._automatic: _Backend | None = None
        self.requests = 0
        """How often a backend was connected because the process asked for it."""

    def connected_on_request(self) -> None:
        """Never connect without being asked from now on: this process names its backends itself.

        It could be another backend than the one that is meant, such as the real AWS after a
        ``--local`` run.
        """
        self.requests += 1

    @contextmanager
    def block(self, backend: _Backend) -> Iterator[None]:
        """Make *backend* the one that functions act on, for the block."""
        entry = (current_thread_or_task(), backend)
        with self._lock:
            self._blocks.append(entry)
        try:
            yield
        finally:
            with self._lock:
                self._blocks.remove(entry)

    def current(self, connect: Callable[[], _Backend]) -> _Backend:
        """Return the backend of the innermost block that this thread or task is in.

        A thread or task outside of any block gets the one backend that others are in. Where there
        is no block at all, *connect* makes the backend of a script, once. Raises NoBackendError
        where the others are in blocks of different backends, and where there is none and this
        process has connected one by itself.
        """
        here = current_thread_or_task()
        with self._lock:
            innermost = {id(owner): (owner, backend) for owner, backend in self._blocks}
            if id(here) in innermost:
                return innermost[id(here)][1]
            backends = list({id(found): found for _, found in innermost.values()}.values())
            if len(backends) > 1:
                names = " and ".join(backend.describe() for backend in backends)
                raise NoBackendError(
                    f"Blocks of different backends are open in other threads or tasks: {names}. "
                    "Which one is meant here cannot be told.",
                    resolution=_HELP,
                )
            if backends:
                return backends[0]
            if self.requests:
                raise NoBackendError(
                    "No backend is connected here: this call is outside of every with block of a "
                    "connected backend.",
                    resolution=_HELP,
                )
            if self._automatic is None:
                self._automatic = connect()
            return self._automatic

    def reset(self) -> None:
        """Forget all backends and requests, as at the start of the process."""
        with self._lock:
            self._blocks.clear()
            self._automatic, self.requests = None, 0

    @property
    def is_empty(self) -> bool:
        """Whether no block is open, and no backend was connected for a script."""
        return not self._blocks and self._automatic is None
