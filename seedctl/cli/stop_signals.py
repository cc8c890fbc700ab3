"""What SIGINT (Ctrl-C), SIGTERM and SIGHUP do: they end a command, whatever it is doing."""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from seedctl import interruption
from seedctl.runner.script_end import WAKE_SIGNAL, WAKE_SIGNAL_NAME, ScriptEnd

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_REPEAT_SECONDS = 0.1  # npm, timeout and others send a terminal's signal a second time
_LAST_SECONDS = 1.0


class StopSignals:
    """The signals that end a command, for one call of the command line.

    The first signal is reported at once and raises KeyboardInterrupt, so that everything is cleaned
    up. A second one ends the process. A signal that is ignored when the command starts, as under
    nohup, stays ignored.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that ends the command; None if there was none."""
        self.at_sudden_end: Callable[[], object] = lambda: None
        """Called in a thread, for a second at most, when a second signal ends the process."""
        self.script_end = ScriptEnd(lambda: self._first is not None, self._end_at_once)
        """Ends the script of ``seedctl seed`` after a signal."""
        self._first: int | None = None
        self._received_at = 0.0
        self._settled: int | None = None
        self._raises = self._is_wait_mode = self._is_ending = False
        self._handlers_before: dict[int, signal._HANDLER] = {}
        self._wake_up: socket.socket | None = None

    def __str__(self) -> str:
        """Return what ended the command, such as "Interrupted (SIGTERM)"."""
        return f"Interrupted ({self.name})" if self.name is not None else "Interrupted"

    @property
    def name(self) -> str | None:
        """The name of the signal that ends the command, such as "SIGTERM"; None without one."""
        return signal.Signals(self.number).name if self.number is not None else None

    def run(self, work: Callable[[], int]) -> int:
        """Call *work* and return its exit code, or the signal's if a signal ended it.

        Python handles signals in the main thread only: in another thread *work* is just called.
        """
        if threading.current_thread() is not threading.main_thread():
            return work()
        was_requested = interruption.is_requested()
        interruption.set_requested(False)
        self._install()
        try:
            code = self._run(work)
        finally:
            self._uninstall()
            interruption.run_cleanup()
            interruption.set_requested(was_requested)
        return self.exit_code(code)

    def settle(self, code: int) -> None:
        """Fix the exit code: it is in the report now, so that a later signal must not change it."""
        self._settled = code

    def exit_code(self, code: int) -> int:
        """Return the settled exit code, else the signal's, else *code*."""
        if self._settled is not None:
            return self._settled
        return code if self.number is None else 128 + self.number

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Delay signals in the block: one that arrives raises KeyboardInterrupt at its end.

        For steps that must not be interrupted half-way. Other threads are never interrupted.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        raises, number = self._raises, self.number
        self._raises = False
        try:
            yield
        finally:
            self._raises = raises
            if raises and self.number != number:
                raise KeyboardInterrupt

    @contextlib.contextmanager
    def wait_mode(self) -> Iterator[None]:
        """In the block a signal ends ``wait`` and raises nothing: stopping is no failure."""
        writer, self._wake_up = socket.socketpair()
        with writer, self._wake_up:
            writer.setblocking(False)
            # The interpreter writes there, so that a signal right before the wait ends it too.
            earlier = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            self._is_wait_mode = True
            try:
                yield
            finally:
                self._is_wait_mode = False
                signal.set_wakeup_fd(earlier)

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait for a signal, at most *seconds*, and return its number, or None without one."""
        assert self._wake_up is not None
        while self._first is None and select.select([self._wake_up], [], [], seconds)[0]:
            self._wake_up.recv(64)
        return self._first

    def _install(self) -> None:
        handlers: dict[str, signal._HANDLER] = dict.fromkeys(_NAMES, self._receive)
        handlers |= {"SIGQUIT": _quit, WAKE_SIGNAL_NAME: self.script_end.handle_wake_signal}
        for name, handler in handlers.items():
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                self._handlers_before[number] = signal.getsignal(number)
                signal.signal(number, handler)
        _installed.append(self)

    def _uninstall(self) -> None:
        _installed.remove(self)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def _reset_after_fork(self) -> None:
        """Set the default handlers, in a process that a script has forked."""
        if self.script_end.is_running:
            signal.set_wakeup_fd(-1)
        for number in filter(self._is_ours, self._handlers_before):
            is_interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)

    def _is_ours(self, number: int) -> bool:
        """Whether the handler is still ours; a script may set its own."""
        ours = (self._receive, self.script_end.handle_wake_signal, _quit)
        return signal.getsignal(number) in ours

    def _run(self, work: Callable[[], int]) -> int:
        try:
            self._raises = True
            interruption.check()  # a signal may have arrived since the handlers were installed
            code = work()
            self._raises = False
        except BaseException:
            self._raises = False
            if self.number is None:
                raise
            # The signal caused any other exception too, for example because the terminal is closed.
            return INTERRUPTED
        return code

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._first is None:
            self._receive_first(number)
            return
        # When a terminal is closed, both the shell and the system may send SIGHUP.
        age = time.monotonic() - self._received_at
        if number != self._first or (age >= _REPEAT_SECONDS and not _is_hangup(number)):
            self._end_at_once()
        self.script_end.is_urgent = True

    def _receive_first(self, number: int) -> None:
        self._first, self._received_at = number, time.monotonic()
        interruption.set_requested(True)
        if _is_hangup(number):
            _discard_closed_output()
        if self._is_wait_mode:
            _say("Stopping …")
            return
        self.number = number
        _say(f"{self}, ending …")
        if self.script_end.is_running and WAKE_SIGNAL is not None:
            # Not threading.Thread: the signal may have arrived while its lock was held.
            _thread.start_new_thread(self.script_end.end_script, (number,))
        if self._raises:
            raise KeyboardInterrupt

    def _end_at_once(self) -> NoReturn:
        if not self._is_ending:
            self._is_ending = True
            _restore_terminal()
            _say("Ended at once.")
            ending = _thread.allocate_lock()
            ending.acquire()

            def end() -> None:
                if self._settled is None:
                    self.at_sudden_end()
                ending.release()

            # In a thread, because the main thread may hold a lock that this needs.
            _thread.start_new_thread(end, ())
            ending.acquire(timeout=_LAST_SECONDS)
        os._exit(self.exit_code(128 + (self._first or 0)))


def _say(text: str) -> None:
    """Write a line to stderr, not through Python's buffers: the signal may have interrupted them."""
    stream = sys.__stderr__
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # the terminal or the stream is closed
            descriptor = stream.fileno()
            begin = "\n" if os.isatty(descriptor) else ""  # after ^C, a prompt or a bar
            os.write(descriptor, f"{begin}{text}\n".encode())


def _restore_terminal() -> None:
    """Turn on the terminal's echo and show its cursor, before the process ends at once."""
    interruption.run_cleanup()
    if "seedctl.cli.bars" in sys.modules:  # bars hide the cursor
        _say("\x1b[?25h")


def _discard_closed_output() -> None:
    """Discard what is printed on a closed terminal; writing there would end the cleaning up."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            descriptor = stream.fileno()
            try:
                os.write(descriptor, b"")
            except OSError:
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, descriptor)
                os.close(devnull)


def _is_hangup(number: int) -> bool:
    return number == getattr(signal, "SIGHUP", None)


def _quit(number: int, _frame: FrameType | None) -> None:
    _restore_terminal()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


_installed: list[StopSignals] = []


def _reset_after_fork() -> None:
    for signals in _installed:
        signals._reset_after_fork()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
