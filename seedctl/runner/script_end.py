"""Ends a script after a signal: passes it on to child processes, and ends waits for threads.

While the main thread waits, in ``join()`` or at the end of a pool's ``with`` block, only an
exception that a signal handler raises can end the wait. So another signal, which has no meaning of
its own, is sent to the main thread, and its handler calls back there.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from seedctl import interruption

WAKE_SIGNAL_NAME = "SIGURG"
WAKE_SIGNAL: int | None = getattr(signal, WAKE_SIGNAL_NAME, None)
"""The signal that wakes the main thread; None on Windows, which has no such signal."""

_POLL_SECONDS = 0.1
_MAX_WAKE_UPS = 20  # on a busy machine the main thread may react late

# The functions in which threads are awaited: in the main thread, and in others for asyncio.
_MAIN_THREAD_WAITS = (("threading.py", "join"), ("s3transfer/manager.py", "_shutdown"))
_OTHER_THREAD_WAITS = (("asyncio/base_events.py", "_do_shutdown"),)


class ScriptEnd:
    """Ends the script of one run, once a signal has arrived."""

    def __init__(
        self, is_signalled: Callable[[], bool], end_process: Callable[[], NoReturn]
    ) -> None:
        """*is_signalled* says whether a signal has arrived; *end_process* ends the process."""
        self.is_running = False
        """Whether the script runs."""
        self.is_urgent = False
        """Whether to end the process if the script goes on after two seconds."""
        self._is_signalled = is_signalled
        self._end_process = end_process
        self._callback: Callable[[], object] | None = None
        self._sending = threading.Lock()
        self._send_to_children: Callable[[int], object] = lambda _: None

    @contextlib.contextmanager
    def script_runs(self, send_to_children: Callable[[int], object]) -> Iterator[None]:
        """In the block, let neither threads nor child processes of a script delay its end.

        Python waits for the threads of a pool at the end of its ``with`` block; after a signal it
        does so for two seconds at most. Child processes get the signal through *send_to_children*.
        The script's own cleaning up has no time limit; a second signal ends it.
        """
        self._send_to_children = send_to_children
        self.is_running = True
        with self._missed_signals_noticed():
            try:
                yield
            finally:
                with self._sending:
                    self.is_running = False

    def end_script(self, number: int) -> None:
        """Pass the signal on to child processes, and end waits for threads after two seconds.

        Called in a thread of its own.
        """
        self._send_to_children(number)
        grace_end = time.monotonic() + interruption.GRACE_SECONDS
        while self.is_running:
            time.sleep(_POLL_SECONDS)
            if time.monotonic() < grace_end:
                continue
            if _waits_for_threads():
                self._wake_main_thread(_interrupt)
            elif self.is_urgent:
                self._wake_main_thread(self._end_process)

    def handle_wake_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Call in the main thread what ``end_script`` asks for; the handler of WAKE_SIGNAL."""
        callback, self._callback = self._callback, None
        if callback is not None and self.is_running:
            callback()

    @contextlib.contextmanager
    def _missed_signals_noticed(self) -> Iterator[None]:
        """In the block, wake the main thread for a signal that arrived right before it waited.

        Python's own handler stores such a signal, and calls ours when the wait is over.
        """
        if WAKE_SIGNAL is None:
            yield
            return
        writer, reader = socket.socketpair()
        with reader, writer:
            writer.setblocking(False)
            earlier = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            thread = threading.Thread(target=self._wake_for_signals, args=(reader,), daemon=True)
            try:
                thread.start()
                yield
            finally:
                signal.set_wakeup_fd(earlier)
                writer.shutdown(socket.SHUT_RDWR)
                if thread.is_alive():  # a signal may have interrupted its start
                    thread.join()

    def _wake_for_signals(self, reader: socket.socket) -> None:
        # OSError: a signal interrupted the end of the block, and the socket is closed.
        with contextlib.suppress(OSError):
            while received := reader.recv(1):
                for _ in range(_MAX_WAKE_UPS if received[0] != WAKE_SIGNAL else 0):
                    if self._is_signalled() or not self.is_running:
                        break
                    time.sleep(_POLL_SECONDS)
                    self._wake_main_thread(None)

    def _wake_main_thread(self, callback: Callable[[], object] | None) -> None:
        assert WAKE_SIGNAL is not None
        with self._sending:  # so that no signal is sent once the script has ended
            if self.is_running:
                self._callback = callback
                signal.pthread_kill(threading.main_thread().ident or 0, WAKE_SIGNAL)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _waits_for_threads() -> bool:
    """Whether the main thread, or asyncio in another thread, waits for threads to end."""
    main = threading.main_thread().ident
    for identifier, innermost in sys._current_frames().items():  # noqa: SLF001 - as faulthandler
        waits = _MAIN_THREAD_WAITS if identifier == main else _OTHER_THREAD_WAITS
        for frame, _ in traceback.walk_stack(innermost):
            file, function = frame.f_code.co_filename, frame.f_code.co_name
            if any(file.endswith(path) and function == name for path, name in waits):
                return True
    return False
