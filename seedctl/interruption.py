"""Whether this process was asked to stop, and the cleanup to run when it does.

The command line turns a signal into a KeyboardInterrupt, which Python raises only in the main thread.
Other threads that wait for something call ``check`` regularly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from seedctl import process_state

GRACE_SECONDS = 2.0
"""How long a run that is stopping waits for work in progress, and again for the sign-outs."""
WAKE_SECONDS = 0.2
"""The longest single wait on a lock: on Windows, Ctrl-C does not interrupt such a wait."""


class Interruption:
    """Whether a stop was requested, and the pending cleanup.

    Without a lock, because a signal handler must not wait for one.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self.cleanup: list[Callable[[], object]] = []


def is_requested() -> bool:
    """Whether the process was asked to stop."""
    return process_state.instance(Interruption).is_requested


def set_requested(value: bool) -> None:
    """Set whether the process was asked to stop; only the command line does this."""
    process_state.instance(Interruption).is_requested = value


def check() -> None:
    """Raise KeyboardInterrupt if the process was asked to stop."""
    if is_requested():
        raise KeyboardInterrupt


@contextlib.contextmanager
def cleaned_up(cleanup: Callable[[], object]) -> Iterator[None]:
    """Call *cleanup* at the end of the block, or earlier if the process ends inside the block."""
    pending = process_state.instance(Interruption).cleanup
    pending.append(cleanup)
    try:
        yield
    finally:
        cleanup()
        with contextlib.suppress(ValueError):  # run_cleanup() may have taken it from the list
            pending.remove(cleanup)


def run_cleanup() -> None:
    """Call every pending cleanup function, the newest first: the process is about to end."""
    pending = process_state.instance(Interruption).cleanup
    while pending:
        with contextlib.suppress(OSError):
            pending.pop()()
