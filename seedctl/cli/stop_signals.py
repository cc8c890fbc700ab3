"""Ctrl-C and its like as something a server can wait for, instead of an exception anywhere."""

from __future__ import annotations

import contextlib
import select
import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class StopSignals:
    """Tells whether the process was asked to end. The second time, it ends at once."""

    def __init__(self, woken: socket.socket) -> None:
        self._woken = woken

    @classmethod
    @contextlib.contextmanager
    def caught(cls) -> Iterator[StopSignals]:
        """Catch the signals during the block; only for the main thread."""
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        # One that is ignored, as nohup has it, stays so.
        before = {
            number: handler
            for number in numbers
            if (handler := signal.getsignal(number)) not in (signal.SIG_IGN, None)
        }

        def caught(_number: int, _frame: FrameType | None) -> None:
            for number in before:
                signal.signal(number, signal.SIG_DFL)

        wake, woken = socket.socketpair()
        with wake, woken:
            wake.setblocking(False)
            # The interpreter writes there itself: nothing here could be interrupted half-way.
            earlier = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            for number in before:
                signal.signal(number, caught)
            try:
                yield cls(woken)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(earlier)

    def wait(self, seconds: float | None = None) -> bool:
        """Whether the process was asked to end, waiting for it at most *seconds*."""
        return bool(select.select([self._woken], [], [], seconds)[0])

    def was_interrupt(self) -> bool:
        """Whether it was Ctrl-C that ended the waiting, which a terminal echoes."""
        return self.wait(0) and self._woken.recv(1, socket.MSG_PEEK)[0] == signal.SIGINT
