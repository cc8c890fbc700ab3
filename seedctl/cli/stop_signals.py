"""What SIGINT (Ctrl-C), SIGTERM and SIGHUP do: they end a command, whatever it is doing."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, NoReturn

from seedctl import interruption
from seedctl.cli import terminal
from seedctl.cli.waits import waits_for_threads

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import FrameType

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_SAME_SECONDS = 0.1  # npm, timeout and others pass on what the terminal has sent already
_LAST_SECONDS = 1.0

# What wakes the main thread and means nothing to anybody; Windows has no such thing.
_NUDGE_NAME = "SIGURG"
_NUDGE: int | None = getattr(signal, _NUDGE_NAME, None)
_NUDGE_SECONDS = 0.1
_NUDGES = 20  # of a thread that may take its time, on a busy machine


class StopSignals:
    """The signals that end a command, for one call of the command line.

    The first is acknowledged at once and raises KeyboardInterrupt, so that everything is put in
    order on the way out; a second one ends the process. A signal that is ignored when the command
    starts, as nohup has it, stays so.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that ends the command; None while there was none."""
        self.at_sudden_end: Callable[[], object] = lambda: None
        """Called where a second signal ends the process, in a thread, for a second at most."""
        self._first: int | None = None
        self._received_at = 0.0
        self._settled: int | None = None
        self._raises = self._is_waited_for = self._runs_script = False
        self._insists = self._is_ending = False
        self._nudge: Callable[[], object] | None = None
        self._sending = threading.Lock()
        self._before: dict[int, signal._HANDLER] = {}
        self._woken: socket.socket | None = None

    def __str__(self) -> str:
        """Return what ended the command, such as "Interrupted (SIGTERM)"."""
        return f"Interrupted ({self.name})" if self.name is not None else "Interrupted"

    @property
    def name(self) -> str | None:
        """The signal that ends the command, such as "SIGTERM"; None while there was none."""
        return signal.Signals(self.number).name if self.number is not None else None

    def run(self, work: Callable[[], int]) -> int:
        """Return the exit code of *work*, or the signal's if one ended it.

        Signals reach the main thread only: in another one *work* is just called.
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
        """Fix the exit code, which has been told: no signal that still comes changes it."""
        self._settled = code

    def exit_code(self, code: int) -> int:
        """Return the settled exit code, else the signal's, else *code*."""
        if self._settled is not None:
            return self._settled
        return code if self.number is None else 128 + self.number

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """For the block, hold signals back: one that comes raises at its end.

        For what must not be met half-way; other threads are met by no signal.
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
    def waited_for(self) -> Iterator[None]:
        """For the block, let a signal end :meth:`wait` and raise nothing: to stop is no failure."""
        import socket  # noqa: PLC0415 - only a server needs it here

        wake, self._woken = socket.socketpair()
        with wake, self._woken:
            wake.setblocking(False)
            # The interpreter writes there itself: no signal comes between a look and the wait.
            earlier = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            self._is_waited_for = True
            try:
                yield
            finally:
                self._is_waited_for = False
                signal.set_wakeup_fd(earlier)

    def wait(self, seconds: float | None = None) -> int | None:
        """Return the signal to end, waiting for it at most *seconds*, or None."""
        import select  # noqa: PLC0415

        assert self._woken is not None
        while self._first is None and select.select([self._woken], [], [], seconds)[0]:
            self._woken.recv(64)
        return self._first

    @contextlib.contextmanager
    def script_runs(self) -> Iterator[None]:
        """For the block, let neither threads nor child processes of a script hold up its end.

        Python waits for the threads of a pool on the way out of its ``with`` block, whatever they
        do: here for two seconds at most. Child processes get the signal, as they get a terminal's
        Ctrl-C. What the script itself does to clean up has no limit but a second signal.
        """
        self._runs_script = True
        with self._overlooked_signals():
            try:
                yield
            finally:
                with self._sending:
                    self._runs_script = False

    @contextlib.contextmanager
    def _overlooked_signals(self) -> Iterator[None]:
        """For the block, wake the main thread for a signal that came right before it began to wait.

        Python calls a handler between two steps of that thread, which then takes none.
        """
        if _NUDGE is None:
            yield
            return
        import socket  # noqa: PLC0415

        wake, woken = socket.socketpair()
        with woken, wake:
            wake.setblocking(False)
            earlier = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            thread = threading.Thread(target=self._wake_main, args=(woken,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                signal.set_wakeup_fd(earlier)
                wake.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _wake_main(self, woken: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed, where a signal has cut the block's end short
            while received := woken.recv(1):
                for _ in range(_NUDGES if received[0] != _NUDGE else 0):
                    if self._first is not None or not self._runs_script:
                        break
                    time.sleep(_NUDGE_SECONDS)
                    self._send_main(None)

    def _install(self) -> None:
        handlers: dict[str, signal._HANDLER] = dict.fromkeys(_NAMES, self._receive)
        handlers |= {"SIGQUIT": _quit, _NUDGE_NAME: self._receive_nudge}
        for name, handler in handlers.items():
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                self._before[number] = signal.getsignal(number)
                signal.signal(number, handler)
        _installed.append(self)

    def _uninstall(self) -> None:
        _installed.remove(self)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _forget(self) -> None:
        """In a process that a script has forked, act as if nothing was caught."""
        if self._runs_script:
            signal.set_wakeup_fd(-1)
        for number in filter(self._is_caught, self._before):
            is_interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)

    def _is_caught(self, number: int) -> bool:
        """Whether the handler is still ours: a script may set its own."""
        return signal.getsignal(number) in (self._receive, self._receive_nudge, _quit)

    def _run(self, work: Callable[[], int]) -> int:
        try:
            self._raises = True
            interruption.check()  # it may have come a moment ago
            code = work()
            self._raises = False
        except BaseException:
            self._raises = False
            if self.number is None:
                raise
            # Whatever else was raised came of it, such as that the terminal is gone.
            return INTERRUPTED
        return code

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._first is None:
            self._receive_first(number)
            return
        # A terminal that is closed may be told by the shell and by the system.
        age = time.monotonic() - self._received_at
        if number != self._first or (age >= _SAME_SECONDS and not _is_hangup(number)):
            self._end_at_once()
        self._insists = True

    def _receive_nudge(self, _number: int, _frame: FrameType | None) -> None:
        nudge, self._nudge = self._nudge, None
        if nudge is not None and self._runs_script:
            nudge()

    def _receive_first(self, number: int) -> None:
        self._first, self._received_at = number, time.monotonic()
        interruption.set_requested(True)
        if _is_hangup(number):
            terminal.let_go_of_closed()
        if self._is_waited_for:
            terminal.say("Stopping …")
            return
        self.number = number
        terminal.say(f"{self}, ending …")
        if self._runs_script and _NUDGE is not None:
            # Not threading.Thread: the signal may have come while its lock was held.
            _thread.start_new_thread(self._end_script, (number,))
        if self._raises:
            raise KeyboardInterrupt

    def _end_script(self, number: int) -> None:
        """Pass the signal on to a script's child processes, and end waits for its threads.

        Also end a script that goes on although the signal came twice, if within moments.
        """
        from seedctl.cli.processes import pass_on, script_children  # noqa: PLC0415

        pass_on(number, script_children())
        begin = time.monotonic() + interruption.GRACE_SECONDS
        while self._runs_script:
            time.sleep(_NUDGE_SECONDS)
            if time.monotonic() < begin:
                continue
            if waits_for_threads():
                self._send_main(_interrupt)
            elif self._insists:
                self._send_main(self._end_at_once)

    def _send_main(self, nudge: Callable[[], object] | None) -> None:
        """Wake the main thread, whatever it waits for, and have it call *nudge*."""
        assert _NUDGE is not None
        with self._sending:  # nothing is sent once the script's part is over
            if self._runs_script:
                self._nudge = nudge
                signal.pthread_kill(threading.main_thread().ident or 0, _NUDGE)

    def _end_at_once(self) -> NoReturn:
        if not self._is_ending:
            self._is_ending = True
            terminal.restore()
            terminal.say("Ended at once.")
            ended: list[bool] = []

            def end() -> None:
                if self._settled is None:
                    self.at_sudden_end()
                ended.append(True)

            # In a thread, as the main one may hold a lock that this needs.
            _thread.start_new_thread(end, ())
            deadline = time.monotonic() + _LAST_SECONDS
            while not ended and time.monotonic() < deadline:
                time.sleep(0.01)
        os._exit(self.exit_code(128 + (self._first or 0)))


def _is_hangup(number: int) -> bool:
    return number == getattr(signal, "SIGHUP", None)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _quit(number: int, _frame: FrameType | None) -> None:
    terminal.restore()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


_installed: list[StopSignals] = []


def _forget() -> None:
    for signals in _installed:
        signals._forget()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
