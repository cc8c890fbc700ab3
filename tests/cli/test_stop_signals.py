"""The handlers of SIGINT, SIGTERM and SIGHUP, in this process; tests/test_signals.py has real runs."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest
from rich.console import Console as RichConsole
from s3transfer.manager import TransferManager

import seedctl.__main__ as program
from seedctl import interruption, process_state
from seedctl.cli import stop_signals
from seedctl.cli.bars import Bars
from seedctl.cli.console import OutputWatch
from seedctl.cli.main import ProcessEnd
from seedctl.cli.stop_signals import StopSignals
from seedctl.runner import script_end
from seedctl.runner.started import send_signal, started_children
from tests.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WAIT = 60.0


def no_children(number: int) -> None:
    """Stands for sending a signal to child processes of a script that has none."""


class _Ended(BaseException):
    """Is raised instead of os._exit(), which would end the tests."""


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes that os._exit() was called with."""
    codes: list[int] = []

    def end(code: int) -> NoReturn:
        codes.append(code)
        raise _Ended

    monkeypatch.setattr(os, "_exit", end)
    return codes


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are written to stderr without Python's buffers."""
    lines: list[str] = []
    monkeypatch.setattr(stop_signals, "_say", lines.append)
    return lines


@pytest.fixture(autouse=True)
def _seen_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the handlers' threads in a way that coverage measures."""

    def start(work: Callable[..., object], arguments: tuple[object, ...]) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()

    monkeypatch.setattr("_thread.start_new_thread", start)


def caught_and(then: Callable[[], int]) -> Callable[[], int]:
    """Return work that gets SIGTERM, catches the interrupt, and then calls *then*."""

    def work() -> int:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        return then()

    return work


# --- the first signal -----------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_ends_the_work_with_its_code(number: signal.Signals, said: list[str]) -> None:
    """A message is printed at once, KeyboardInterrupt is raised, and the handlers are restored."""
    before = [signal.getsignal(each) for each in NUMBERS]
    signals = StopSignals()
    seen: list[object] = []

    def work() -> int:
        try:
            signal.raise_signal(number)
        except BaseException as error:
            seen.extend([type(error), interruption.is_requested(), *said])
            raise
        return 0

    assert signals.run(work) == 128 + number
    assert seen == [KeyboardInterrupt, True, f"Interrupted ({number.name}), ending …"]
    assert (signals.name, str(signals)) == (number.name, f"Interrupted ({number.name})")
    assert [signal.getsignal(each) for each in NUMBERS] == before
    assert not interruption.is_requested()


def test_without_a_signal_the_work_decides() -> None:
    """Its exit code is returned, and its exceptions are raised, KeyboardInterrupt too."""
    signals = StopSignals()
    assert signals.run(lambda: 3) == 3
    assert (signals.name, str(signals)) == (None, "Interrupted")
    for error in (OSError("disk"), KeyboardInterrupt(), SystemExit(2)):
        with pytest.raises(type(error)):
            StopSignals().run(lambda error=error: _raise(error))  # type: ignore[misc]


def _raise(error: BaseException) -> NoReturn:
    raise error


def test_an_error_caused_by_a_signal_is_not_raised(said: list[str]) -> None:
    """Every write to a closed terminal fails: the exit code is still the signal's."""

    def work() -> int:
        try:
            signal.raise_signal(signal.SIGHUP)
        finally:
            raise OSError("Input/output error")

    assert StopSignals().run(work) == 129


def test_an_ignored_signal_stays_ignored() -> None:
    """A run under nohup continues when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        def work() -> int:
            signal.raise_signal(signal.SIGHUP)
            return 7

        assert StopSignals().run(work) == 7
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_settled_exit_code_stays(said: list[str]) -> None:
    """The process ends with the code in the report, even if a signal arrives after it."""
    signals = StopSignals()

    def work() -> int:
        signals.settle(4)
        signal.raise_signal(signal.SIGINT)
        return 0

    assert signals.run(work) == 4


def test_a_signal_can_be_delayed(said: list[str]) -> None:
    """The block is not interrupted, and nothing after it is executed."""
    signals = StopSignals()
    done: list[str] = []

    def work() -> int:
        with signals.held():
            signal.raise_signal(signal.SIGTERM)
            done.append("in the block")
        done.append("after it")
        return 0

    assert signals.run(work) == 143
    assert done == ["in the block"]


def test_blocks_within_a_block_delay_a_signal_to_the_end_of_the_outer_one(said: list[str]) -> None:
    """After a block, signals interrupt again."""
    signals = StopSignals()
    done: list[str] = []

    def work() -> int:
        with signals.held():
            pass
        with signals.held():
            with signals.held():
                signal.raise_signal(signal.SIGTERM)
            done.append("in the outer block")
        done.append("after it")
        return 0

    assert signals.run(work) == 143
    assert done == ["in the outer block"]
    assert StopSignals().run(lambda: _signal_after_a_block(done)) == 143
    assert done == ["in the outer block"]


def _signal_after_a_block(done: list[str]) -> int:
    with stop_signals._installed[-1].held():
        pass
    signal.raise_signal(signal.SIGTERM)
    done.append("after the signal")
    return 0


def test_a_signal_right_before_the_work_prevents_it(said: list[str]) -> None:
    """The handlers are there, but nothing was there yet to be interrupted."""

    class Early(StopSignals):
        def _install(self) -> None:
            super()._install()
            signal.raise_signal(signal.SIGTERM)

    done: list[bool] = []

    def work() -> int:
        done.append(True)
        return 0

    assert Early().run(work) == 143
    assert done == []


def test_signals_are_delayed_in_the_main_thread_only(said: list[str]) -> None:
    """Another thread is never interrupted, and its block does not delay a signal."""
    signals = StopSignals()

    def work() -> int:
        def hold() -> None:
            with signals.held():
                entered.set()
                leave.wait(WAIT)

        entered, leave = threading.Event(), threading.Event()
        thread = threading.Thread(target=hold)
        thread.start()
        entered.wait(WAIT)
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            leave.set()
            thread.join()
        return 0

    assert signals.run(work) == 143


def test_an_earlier_signal_does_not_raise_again(said: list[str]) -> None:
    """While a run cleans up, it draws and prints in such blocks."""
    signals = StopSignals()

    def ordered() -> int:
        with signals.held():
            pass
        signals.settle(6)
        return 0

    assert signals.run(caught_and(ordered)) == 6


def test_a_server_waits_for_a_signal(said: list[str]) -> None:
    """The signal ends the wait and raises nothing; the exit code is the command's own."""
    signals = StopSignals()

    def work() -> int:
        with signals.wait_mode():
            assert signals.wait(0) is None
            signal.raise_signal(signal.SIGTERM)
            assert signals.wait() == signals.wait(0) == signal.SIGTERM
        return 0

    assert signals.run(work) == 0
    assert said == ["Stopping …"]


def test_another_signal_does_not_end_the_wait() -> None:
    """It wakes the interpreter, and the wait continues."""
    signals = StopSignals()
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:

        def work() -> int:
            with signals.wait_mode():
                signal.raise_signal(signal.SIGUSR1)
                assert signals.wait(0.05) is None
            return 0

        assert signals.run(work) == 0
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_in_another_thread_handlers_are_unchanged() -> None:
    """Handlers can be set in the main thread only."""
    before = signal.getsignal(signal.SIGTERM)

    def work() -> int:
        return 5 if signal.getsignal(signal.SIGTERM) == before else 6

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(StopSignals().run, work).result() == 5


# --- the second signal ----------------------------------------------------------------------------


def test_a_second_signal_ends_at_once(exits: list[int], said: list[str]) -> None:
    """With the first one's exit code, after the terminal was restored and the report written."""
    signals = StopSignals()
    order: list[str] = []
    signals.at_sudden_end = lambda: order.append("report")

    def second() -> int:
        with interruption.cleaned_up(lambda: order.append("terminal")), pytest.raises(_Ended):
            signal.raise_signal(signal.SIGINT)
        return 0

    signals.run(caught_and(second))
    assert exits == [143]
    assert order[:2] == ["terminal", "report"]
    assert said[-1] == "Ended at once."


def test_a_third_signal_does_not_wait(
    exits: list[int], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third signal ends the process at once, whatever at_sudden_end is waiting for."""
    signals = StopSignals()
    release = threading.Event()
    monkeypatch.setattr(stop_signals, "_LAST_SECONDS", 0.05)

    def last() -> None:
        release.wait(WAIT)

    signals.at_sudden_end = last

    def second_and_third() -> int:
        for _ in range(2):
            with pytest.raises(_Ended):
                signal.raise_signal(signal.SIGINT)
        release.set()
        return 0

    signals.run(caught_and(second_and_third))
    assert exits == [143, 143]
    assert said.count("Ended at once.") == 1


def test_the_report_of_a_settled_run_is_not_written_again(
    exits: list[int], said: list[str]
) -> None:
    """It is complete, and has the exit code."""
    signals = StopSignals()
    written: list[str] = []
    signals.at_sudden_end = lambda: written.append("again")

    def settled() -> int:
        signals.settle(1)
        with pytest.raises(_Ended):
            signal.raise_signal(signal.SIGINT)
        return 0

    signals.run(caught_and(settled))
    assert (exits, written) == ([1], [])


@pytest.mark.parametrize(
    ("first", "later", "then", "ends"),
    [
        pytest.param("SIGINT", 0.05, "SIGINT", False, id="passed on by a wrapper"),
        pytest.param("SIGINT", 0.2, "SIGINT", True, id="a second Ctrl-C"),
        pytest.param("SIGINT", 0.05, "SIGTERM", True, id="another signal"),
        pytest.param("SIGHUP", 5.0, "SIGHUP", False, id="shell and system send one hang-up each"),
        pytest.param("SIGHUP", 5.0, "SIGTERM", True, id="another after a hang-up"),
    ],
)
def test_what_counts_as_a_second_signal(
    exits: list[int],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    later: float,
    then: str,
    ends: bool,
) -> None:
    """The same signal within a tenth of a second is a repetition, and so is any SIGHUP."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def work() -> int:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(getattr(signal, first))
        now[0] += later
        signal.raise_signal(getattr(signal, then))
        return 0

    assert StopSignals().run(work) == 128 + getattr(signal, first)
    assert bool(exits) is ends


# --- threads and processes of a script ------------------------------------------------------------


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """End waits right after the signal."""
    monkeypatch.setattr(interruption, "GRACE_SECONDS", 0.0)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event that ends the threads of a test after it."""
    event = threading.Event()
    yield event
    event.set()


def _join(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        thread.join()


def _asyncio(work: Callable[[], None]) -> None:
    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.sleep(0)
        signal.raise_signal(signal.SIGTERM)
        await task

    asyncio.run(main())


@pytest.mark.parametrize("script", [_join, _asyncio])
def test_a_wait_for_threads_is_ended(
    no_grace: None,
    release: threading.Event,
    said: list[str],
    script: Callable[[Callable[[], None]], None],
) -> None:
    """A script waits for threads at its end: two seconds after the signal it stops waiting."""
    signals = StopSignals()
    ended: list[bool] = []

    def run_script() -> int:
        with signals.script_end.script_runs(no_children):
            script(lambda: ended.append(release.wait(WAIT)))
        return 0

    assert signals.run(run_script) == 143
    assert ended == []


def test_the_cleaning_up_of_a_script_is_not_ended(no_grace: None, said: list[str]) -> None:
    """Only waits for threads are ended, and none after the script has ended."""
    signals = StopSignals()

    def work() -> int:
        with signals.script_end.script_runs(no_children):
            caught_and(lambda: 0)()
            time.sleep(0.5)
        # As if a wake-up signal had been sent before.
        signals.script_end._callback = script_end._interrupt
        signal.raise_signal(signal.SIGURG)
        signals.settle(0)
        return 0

    assert signals.run(work) == 0


def test_a_script_that_goes_on_after_two_signals_is_ended(
    no_grace: None, exits: list[int], said: list[str]
) -> None:
    """A second signal may follow at once: it then counts after the two seconds."""
    signals = StopSignals()

    def work() -> int:
        with signals.script_end.script_runs(no_children):
            caught_and(lambda: 0)()
            signal.raise_signal(signal.SIGTERM)
            assert exits == []
            end = time.monotonic() + WAIT
            while time.monotonic() < end:
                time.sleep(0.01)
        return 0

    assert signals.run(work) == 143
    assert exits == [143]


def test_pending_cleanup_runs_at_the_end_of_a_command() -> None:
    """A thread that still asks something has turned off the terminal's echo."""
    done: list[str] = []

    def work() -> int:
        pending = process_state.instance(interruption.Interruption).cleanup
        pending.append(lambda: done.append("echo is on"))
        return 0

    assert StopSignals().run(work) == 0
    assert done == ["echo is on"]


def test_the_end_of_a_transfer_is_a_wait_for_threads() -> None:
    """s3transfer awaits its threads without join()."""
    code = TransferManager._shutdown.__code__
    names = {"look": script_end._waits_for_threads}
    exec(compile(f"def {code.co_name}():\n    return look()\n", code.co_filename, "exec"), names)
    assert not script_end._waits_for_threads()
    assert names[code.co_name]()


def test_a_script_ends_only_after_a_wake_up_is_sent() -> None:
    """A signal that is sent later would interrupt what follows the script."""
    signals = StopSignals().script_end
    is_sending, seen = threading.Event(), list[bool]()

    def send() -> None:
        with signals._sending:
            is_sending.set()
            time.sleep(0.05)
            seen.append(signals.is_running)

    with ThreadPoolExecutor(1) as pool:
        with signals.script_runs(no_children):
            sent = pool.submit(send)
            is_sending.wait()
        sent.result()
    assert seen == [True]
    assert not signals.is_running


def test_the_wake_up_descriptor_of_the_caller_is_restored() -> None:
    """asyncio, for example, has one, and a server that seeds waits with one."""
    signals, found = StopSignals(), []
    writer, reader = socket.socketpair()
    with writer, reader:
        writer.setblocking(False)
        for block in (signals.wait_mode(), signals.script_end.script_runs(no_children)):
            before = signal.set_wakeup_fd(writer.fileno())
            try:
                with block:
                    pass
            finally:
                found.append(signal.set_wakeup_fd(before))
        assert found == [writer.fileno()] * 2


def test_a_signal_while_a_script_begins_restores_the_wake_up_descriptor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise each later signal would be written to a closed socket."""

    def interrupted_start(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    before = signal.set_wakeup_fd(-1)
    try:
        with pytest.raises(KeyboardInterrupt), StopSignals().script_end.script_runs(no_children):
            pytest.fail("the script ran")
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.set_wakeup_fd(before)


def test_children_of_a_script_get_the_signal(said: list[str]) -> None:
    """As from a terminal: those in its process group get it, and others do not."""
    signals = StopSignals()
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
    pipe = subprocess.PIPE
    with (
        started_children() as children,
        subprocess.Popen(command, stdout=pipe) as near,
        subprocess.Popen(command, stdout=pipe, start_new_session=True) as apart,
    ):
        for each in (near, apart):
            assert each.stdout is not None
            each.stdout.readline()

        def work() -> int:
            with signals.script_end.script_runs(lambda number: send_signal(number, children())):
                caught_and(lambda: near.wait(WAIT))()
            return 0

        assert signals.run(work) == 143
        assert near.returncode == -signal.SIGTERM
        assert apart.poll() is None
        apart.kill()


def test_children_of_multiprocessing_get_the_signal() -> None:
    """Whichever library started them."""
    with started_children() as children:
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
        child.start()
        try:
            assert children() == [child.pid]
            send_signal(signal.SIGTERM, children())
            child.join(WAIT)
            assert child.exitcode == -signal.SIGTERM
            send_signal(signal.SIGTERM, [child.pid or 0])  # an ended process is no error
        finally:
            child.kill()


def test_only_children_started_meanwhile_are_found() -> None:
    """Neither earlier nor ended processes are found, and recording stops after the block."""
    init = subprocess.Popen.__init__
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(command) as earlier:
        with started_children() as children, subprocess.Popen(command) as started:
            assert children() == [started.pid]
            started.kill()
            started.wait()
            assert children() == []
        earlier.kill()
    assert subprocess.Popen.__init__ is init


@pytest.mark.parametrize(("group", "is_sent"), [(os.getpgrp(), False), (1, True)])
def test_ctrl_c_at_the_terminal_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, group: int, is_sent: bool
) -> None:
    """The terminal sends it to the whole process group; any other signal is passed on."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: group)
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append(arguments))
    send_signal(signal.SIGINT, [4711])
    assert sent == ([(4711, signal.SIGINT)] if is_sent else [])
    sent.clear()
    send_signal(signal.SIGTERM, [4711])
    assert sent == [(4711, signal.SIGTERM)]


def test_a_forked_child_has_default_handlers(said: list[str]) -> None:
    """A forked child has Python's own handlers, except for those that the script has set itself."""
    signals = StopSignals()
    own = (signal.SIGTERM, signal.SIGHUP)

    def child() -> None:
        defaults = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        defaults &= [*map(signal.getsignal, own)] == [signal.SIG_DFL, signal.SIG_IGN]
        os._exit(3 if defaults and signal.set_wakeup_fd(-1) == -1 else 4)

    def work() -> int:
        with signals.script_end.script_runs(no_children):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with warnings.catch_warnings():  # about forks in a process with threads
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if process == 0:
                child()
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    assert signals.run(work) == 3


def test_the_main_thread_is_woken_for_a_missed_signal(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal that arrives right before a wait is handled at the next step only."""
    signals = StopSignals()
    woken: list[int] = []
    monkeypatch.setattr(
        signals.script_end, "handle_wake_signal", lambda number, _: woken.append(number)
    )

    def work() -> int:
        with signals.script_end.script_runs(no_children):
            wake = signal.set_wakeup_fd(-1)
            signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
            # As the interpreter does, without calling a handler.
            os.write(wake, bytes([signal.SIGTERM]))
            end = time.monotonic() + WAIT
            while not woken and time.monotonic() < end:
                time.sleep(0.01)
        return 0

    assert signals.run(work) == 0
    assert set(woken) == {signal.SIGURG}


def test_a_handler_of_the_scripts_gets_no_signal_twice(said: list[str]) -> None:
    """seedctl does not send a signal again that a handler of the script receives."""
    signals = StopSignals()
    received: list[int] = []

    def work() -> int:
        with signals.script_end.script_runs(no_children):
            before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
            signal.raise_signal(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)
            time.sleep(0.5)
        return 0

    assert signals.run(work) == 0
    assert received == [signal.SIGTERM]


# --- the terminal ---------------------------------------------------------------------------------


def test_ctrl_backslash_restores_the_terminal_first(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """SIGQUIT ends the process as usual, but echo and cursor are on again."""
    raised: list[int] = []
    done: list[str] = []
    monkeypatch.setitem(sys.modules, "seedctl.cli.bars", threading)
    before = signal.getsignal(signal.SIGQUIT)

    def work() -> int:
        monkeypatch.setattr(signal, "raise_signal", raised.append)
        handler = signal.getsignal(signal.SIGQUIT)
        assert callable(handler)
        with interruption.cleaned_up(lambda: done.append("echo")):
            handler(signal.SIGQUIT, None)
            assert done == ["echo"]
        return 0

    assert StopSignals().run(work) == 0
    assert raised == [signal.SIGQUIT]
    assert said == ["\x1b[?25h"]
    assert signal.getsignal(signal.SIGQUIT) == before


def test_output_on_a_closed_terminal_is_discarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After SIGHUP a failed write must not end the cleaning up."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "__stderr__", terminal)
        monkeypatch.setattr(sys, "__stdout__", None)
        os.close(master)

        def work() -> int:
            try:
                signal.raise_signal(signal.SIGHUP)
            finally:
                print("cleaning up", file=terminal, flush=True)
            return 0

        assert StopSignals().run(work) == 129


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_message_of_a_signal_begins_a_line(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    """On a terminal, after ^C or a question; without stderr nothing is printed."""
    reader, writer = pty.openpty() if is_terminal else os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        stop_signals._say("News.")
        expected = b"\r\nNews.\r\n" if is_terminal else b"News.\n"
        assert os.read(reader, 100) == expected
        os.close(reader)
        stop_signals._say("Nobody reads this.")
    monkeypatch.setattr(sys, "__stderr__", None)
    stop_signals._say("Nor this.")


def test_a_signal_does_not_interrupt_drawing(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """The bars are complete, and the cursor is shown again at the end."""
    monkeypatch.setenv("TERM", "xterm")
    numbers = iter([signal.SIGTERM])

    class MeetingScreen(Screen):
        def write(self, text: str) -> int:
            count = super().write(text)
            for number in numbers:
                signal.raise_signal(number)
            return count

    screen = MeetingScreen(lambda: None)
    signals = StopSignals()
    bars = Bars(
        RichConsole(file=screen, width=80, force_terminal=True), OutputWatch(), signals.held
    )

    def work() -> int:
        try:
            bars.draw([("users", 3, 100, "")])
        finally:
            assert screen.lines[0].startswith("users ")
            assert screen.lines[0].endswith(" 3/100")
            bars.clear()
        return 0

    assert signals.run(work) == 143
    assert screen.lines == []
    assert screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l")


# --- before and after the command -----------------------------------------------------------------


@pytest.fixture
def run_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], int]], int]]:
    """Run the program with other work than the command line's, and restore the handlers.

    It sees no threads of other tests, such as those of a server whose client is not yet collected.
    """
    before = {each: signal.getsignal(each) for each in NUMBERS}
    others = {*threading.enumerate()} - {threading.main_thread()}
    monkeypatch.setattr(threading, "active_count", lambda: len({*threading.enumerate()} - others))

    def run(work: Callable[[], int]) -> int:
        monkeypatch.setattr("seedctl.cli.main.main", work)
        return program.main()

    yield run
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_before_the_command_ends_the_process(
    run_program: Callable[[Callable[[], int]], int],
    exits: list[int],
    capfd: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    """Nothing has to be cleaned up yet: one line is printed, the exit code is the signal's."""

    def work() -> int:
        signal.raise_signal(number)
        return 0

    with pytest.raises(_Ended):
        run_program(work)
    assert exits == [128 + number]
    assert capfd.readouterr().err == "Interrupted.\n"


def test_ctrl_c_before_there_are_handlers(
    run_program: Callable[[Callable[[], int]], int],
    exits: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python's own handler raises KeyboardInterrupt then; stderr may be closed."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    def fail(*_: object) -> NoReturn:
        raise BrokenPipeError

    monkeypatch.setattr(signal, "signal", interrupt)
    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(_Ended):
        run_program(lambda: 0)
    monkeypatch.undo()
    assert exits == [130]


def test_a_signal_after_the_command_changes_nothing(
    run_program: Callable[[Callable[[], int]], int],
    exits: list[int],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The exit code is fixed; the process only ends sooner."""
    assert run_program(lambda: 3) == 3
    with pytest.raises(_Ended):
        signal.raise_signal(signal.SIGTERM)
    assert exits == [3]
    assert capfd.readouterr().err == ""


def test_an_ignored_signal_stays_ignored_from_the_start(
    run_program: Callable[[Callable[[], int]], int],
) -> None:
    """The program does not set a handler for it either."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert run_program(lambda: 0) == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_a_command_may_end_the_process_without_freeing_its_memory(
    run_program: Callable[[Callable[[], int]], int],
    exits: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is left to do at the end is done: exit functions are called, and output is written."""
    happened: list[str] = []
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: happened.append("atexit"))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    stdout = io.StringIO()
    monkeypatch.setattr(stdout, "flush", lambda: happened.append("flush"))
    monkeypatch.setattr(sys, "stdout", stdout)

    def work() -> int:
        process_state.instance(ProcessEnd).is_quick = True
        return 3

    with pytest.raises(_Ended):
        run_program(work)
    assert exits == [3]
    assert happened == ["atexit", "flush"]


@pytest.mark.parametrize("code", [0, 143])
def test_remaining_threads_are_not_awaited(
    run_program: Callable[[Callable[[], int]], int],
    exits: list[int],
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    """Exit functions are called, and buffered output is written."""
    happened: list[str] = []
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: happened.append("atexit"))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "stderr", None)
    reader, writer = os.pipe()
    os.close(reader)
    stdout = os.fdopen(writer, "w")
    stdout.write("to nobody")
    monkeypatch.setattr(sys, "stdout", stdout)

    def work() -> int:
        if code == 0:
            threading.Thread(target=release.wait, args=(WAIT,)).start()
        return code

    with pytest.raises(_Ended):
        run_program(work)
    assert exits == [code]
    assert happened == ["atexit"]
    with pytest.raises(BrokenPipeError):
        stdout.close()
