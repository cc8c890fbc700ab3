"""Which backend the module-level functions act on, and which thread or task is running."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, Protocol, TypeVar

from seedctl.errors import NoBackendError


class _Describable(Protocol):
    """An object that error messages can describe."""

    def describe(self) -> str: ...


_Backend = TypeVar("_Backend", bound=_Describable)

_HELP = (
    "Write with connect(...) as backend: around it, or call the objects of the backend that you "
    "mean: backend.auth, backend.secrets, backend.data, backend.storage."
)


def current_thread_or_task() -> object:
    """Return the running asyncio task, or the current thread if no task is running."""
    task = None
    # asyncio is slow to import, and if nothing has imported it, there is no task.
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        with suppress(RuntimeError):
            task = asyncio.current_task()
    return task or threading.current_thread()


class ActiveBackends(Generic[_Backend]):
    """The backends whose ``with`` blocks are open: the module-level functions act on them.

    Shared by the process on purpose: threads of a pool must find the script's backend.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: list[tuple[object, _Backend]] = []
        """For each open block: the thread or task that entered it, and its backend."""
        self._automatic: _Backend | None = None
        """The backend that was connected because a plain Python script called a function."""
        self.explicit_connections = 0
        """How often this process called connect()."""

    def count_explicit_connection(self) -> None:
        """Note that this process calls connect() itself, and never connect automatically again.

        An automatic connection could reach another backend than the intended one, such as the real
        AWS after a ``--local`` run.
        """
        self.explicit_connections += 1

    @contextmanager
    def block(self, backend: _Backend) -> Iterator[None]:
        """Make *backend* the one that functions act on during the block."""
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

        A thread or task outside of all blocks gets the backend of the other threads' blocks, if it
        is the same in all of them. If no block is open, *connect* connects the script's backend,
        once. Raises NoBackendError if other threads use different backends, or if no block is open
        and this process has called connect() itself.
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
                    "seedctl cannot know which one you mean here.",
                    resolution=_HELP,
                )
            if backends:
                return backends[0]
            if self.explicit_connections:
                raise NoBackendError(
                    "No backend is connected here: this call is outside of every with block of a "
                    "connected backend.",
                    resolution=_HELP,
                )
            if self._automatic is None:
                self._automatic = connect()
            return self._automatic

    @property
    def is_empty(self) -> bool:
        """Whether no block is open and no backend was connected automatically."""
        return not self._blocks and self._automatic is None
