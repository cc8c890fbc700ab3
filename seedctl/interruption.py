"""Whether this process was asked to end, and what it must not leave behind when it does.

The command line turns a signal into a KeyboardInterrupt, which Python raises in the main thread
alone. Other threads that wait for somebody or something look here.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_SECONDS = 2.0
"""How long an ended run waits for what is under way, and then for the sign-outs."""
WAKE_SECONDS = 0.2
"""How long a thread waits at most: Windows does not tell Ctrl-C to one that waits on a lock."""


class _Interruption:
    """Process-wide, as a signal is. Plain attributes: a signal handler must not wait for a lock."""

    def __init__(self) -> None:
        self.is_requested = False
        self.undo: list[Callable[[], object]] = []


_state = _Interruption()


def is_requested() -> bool:
    """Whether the process was asked to end."""
    return _state.is_requested


def set_requested(value: bool) -> None:
    """Say whether the process was asked to end; for the command line."""
    _state.is_requested = value


def check() -> None:
    """Raise KeyboardInterrupt if the process was asked to end, for any thread that waits."""
    if _state.is_requested:
        raise KeyboardInterrupt


@contextlib.contextmanager
def ensured(undo: Callable[[], object]) -> Iterator[None]:
    """Call *undo* at the end of the block, and also where the process ends in the middle of it."""
    _state.undo.append(undo)
    try:
        yield
    finally:
        undo()
        with contextlib.suppress(ValueError):  # the process is ending, and has called it too
            _state.undo.remove(undo)


def undo_all() -> None:
    """Call what :func:`ensured` has not called yet: the process ends now."""
    while _state.undo:
        with contextlib.suppress(OSError):
            _state.undo.pop()()
