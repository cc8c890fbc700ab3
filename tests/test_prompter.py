"""Asking for secrets on a real pseudo-terminal."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import seedctl
from seedctl import interruption
from seedctl.errors import PromptUnavailableError
from seedctl.prompter import TerminalPrompter, can_prompt, is_asking, wait_visibly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(seedctl.__file__).parent.parent
PROMPT = "Secret value (hidden): "

# Makes the pseudo-terminal on stdin the controlling terminal, as a login shell does, then asks.
ASK = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from seedctl.errors import SeedctlError
from seedctl.prompter import TerminalPrompter, can_prompt
try:
    answer = TerminalPrompter().ask("Secret value")
except KeyboardInterrupt:
    answer = "KeyboardInterrupt"
except SeedctlError as error:
    answer = f"{error.name}: {error.message}"
sys.stdout.write(repr((can_prompt(), answer)))
"""


class Terminal:
    """A process whose stdin and stderr are a pseudo-terminal on which the test types."""

    def __init__(self, code: str, **environment: str) -> None:
        self._screen, end = pty.openpty()
        self.shown = ""
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=end,
            stderr=end,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        os.close(end)

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Read the screen until it shows *text*."""
        end = time.monotonic() + 60
        while self.shown.count(text) < times:
            assert time.monotonic() < end, f"{text!r} is not in {self.shown!r}"
            assert self._read(1.0) or self._process.poll() is None, self.shown

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def interrupt(self) -> None:
        os.kill(self._process.pid, signal.SIGINT)

    def result(self) -> tuple[bool, str]:
        """Return the values that the process wrote to stdout, which is not the terminal."""
        out, _ = self._process.communicate(timeout=60)
        while self._read(0):
            pass
        can, answer = eval(out)
        return can, answer

    def close(self) -> None:
        os.close(self._screen)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self, seconds: float) -> bool:
        if not select.select([self._screen], [], [], seconds)[0]:
            return False
        try:
            text = os.read(self._screen, 4096).decode()
        except OSError:  # Linux says so when nobody has the other end open any more
            return False
        self.shown += text
        return bool(text)


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., Terminal]]:
    terminals: list[Terminal] = []

    def opened(code: str = ASK, **environment: str) -> Terminal:
        terminals.append(Terminal(code, **environment))
        return terminals[-1]

    yield opened
    for terminal in terminals:
        terminal.close()


def test_the_answer_is_not_shown(open_terminal: Callable[..., Terminal]) -> None:
    """The question is shown on the terminal, even if stdout is a file; the answer is not shown."""
    terminal = open_terminal()
    terminal.wait_for(PROMPT)
    terminal.type("hunter2 ü\n")
    assert terminal.result() == (True, "hunter2 ü")
    assert terminal.shown.strip() == PROMPT.strip()


def test_an_open_answer_is_shown(open_terminal: Callable[..., Terminal]) -> None:
    """A name that has to be typed is no secret: the terminal shows it, after the whole question."""
    terminal = open_terminal(
        ASK.replace('.ask("Secret value")', '.ask_openly("Line 1\\nThe name")')
    )
    terminal.wait_for("Line 1\r\nThe name: ")
    terminal.type(" main \n")
    assert terminal.result() == (True, "main")
    assert terminal.shown == "Line 1\r\nThe name:  main \r\n"


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("\x03", id="Ctrl-C"),
        pytest.param("half\x03", id="Ctrl-C after some letters"),
        pytest.param("\x04", id="Ctrl-D"),
    ],
)
def test_ctrl_c_and_end_of_input_interrupt(
    open_terminal: Callable[..., Terminal], keys: str
) -> None:
    """Ctrl-C and the end of input raise KeyboardInterrupt."""
    terminal = open_terminal()
    terminal.wait_for(PROMPT)
    terminal.type(keys)
    assert terminal.result() == (True, "KeyboardInterrupt")
    assert terminal.shown == f"{PROMPT}\r\n"  # what follows begins a line


def test_a_signal_is_an_interrupt(open_terminal: Callable[..., Terminal]) -> None:
    """SIGINT from another process has the same effect as Ctrl-C."""
    terminal = open_terminal()
    terminal.wait_for(PROMPT)
    terminal.interrupt()
    assert terminal.result() == (True, "KeyboardInterrupt")


def test_a_ci_job_is_not_asked(open_terminal: Callable[..., Terminal]) -> None:
    """If CI is set, nobody is asked, even on a terminal."""
    can, answer = open_terminal(CI="true").result()
    assert not can
    assert answer == (
        "PromptUnavailableError: Secret value has to be typed, but there is no terminal to ask on."
    )


def test_a_terminal_that_cannot_hide_is_refused(open_terminal: Callable[..., Terminal]) -> None:
    """If echo cannot be turned off, nothing is asked: the input would be visible."""
    # No controlling terminal, and a stdin without terminal settings.
    code = ASK.replace(
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)",
        "class Odd:\n    closed = False\n    def isatty(self): return True\nsys.stdin = Odd()",
    )
    terminal = open_terminal(code)
    can, answer = terminal.result()
    assert can
    assert answer == "PromptUnavailableError: The terminal cannot hide what is typed."
    assert PROMPT not in terminal.shown


# --- in this process ------------------------------------------------------------------------------


class Typist:
    """A pseudo-terminal in this process, with a thread that types when a question appears."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_controlling: bool) -> None:
        self.shown = ""
        self.screen, slave = pty.openpty()
        self.settings = termios.tcgetattr(slave)
        stream = os.fdopen(slave, "r+b", buffering=0)
        self.stream = io.TextIOWrapper(stream, write_through=True)
        opened = os.open

        def open_terminal(path: str, *arguments: int) -> int:
            if path != "/dev/tty":
                return opened(path, *arguments)
            if is_controlling:
                return os.dup(slave)
            raise OSError("No such device or address")

        monkeypatch.setattr(os, "open", open_terminal)
        monkeypatch.setattr(sys, "stdin", self.stream)
        monkeypatch.setattr(sys, "stderr", self.stream)
        monkeypatch.delenv("CI", raising=False)

    def asked(
        self,
        *answers: Callable[[], object],
        ask: Callable[[TerminalPrompter], str] = lambda prompter: prompter.ask("Secret value"),
    ) -> str:
        """Ask, call the next one of *answers* at each question, and return the typed text."""

        def type_answers() -> None:
            for count, answer in enumerate(answers, start=1):
                while self.shown.count(": ") < count:
                    self.shown += os.read(self.screen, 1024).decode()
                answer()

        with ThreadPoolExecutor(1) as pool:
            typing = pool.submit(type_answers)
            try:
                return ask(TerminalPrompter())
            finally:
                typing.result()
                assert not is_asking()
                assert termios.tcgetattr(self.stream) == self.settings
                while select.select([self.screen], [], [], 0)[0]:
                    self.shown += os.read(self.screen, 1024).decode()

    def typing(self, text: str) -> Callable[[], object]:
        return lambda: os.write(self.screen, text.encode())


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Typist]]:
    opened: list[Typist] = []

    def make(*, is_controlling: bool = True) -> Typist:
        opened.append(Typist(monkeypatch, is_controlling=is_controlling))
        return opened[-1]

    yield make
    for each in opened:
        each.stream.close()
        os.close(each.screen)


@pytest.mark.parametrize("is_controlling", [True, False])
def test_the_answer_is_read_with_echo_off(
    typist: Callable[..., Typist], is_controlling: bool
) -> None:
    """It is read from the controlling terminal, or without one from the terminal that is stdin."""
    hand = typist(is_controlling=is_controlling)
    opened = len([*Path("/dev/fd").iterdir()])
    answers = [hand.typing("\n"), hand.typing(" in \x04pieces ü \n")]
    assert hand.asked(*answers) == " in pieces ü "
    assert hand.shown == f"{PROMPT}\r\nCannot be empty.\r\n{PROMPT}\r\n"
    assert len([*Path("/dev/fd").iterdir()]) == opened


def test_a_name_is_shown_although_echo_is_off(typist: Callable[..., Typist]) -> None:
    """A program before may have left echo off; who types a name must see it."""
    hand = typist()
    hand.settings[3] &= ~termios.ECHO
    termios.tcsetattr(hand.stream, termios.TCSANOW, hand.settings)
    answer = hand.asked(hand.typing(" main\n"), ask=lambda it: it.ask_openly("The name"))
    assert (answer, hand.shown) == ("main", "The name:  main\r\n")


def test_only_the_line_after_the_question_is_the_answer(typist: Callable[..., Typist]) -> None:
    """What was typed before, visibly, is dropped. So is the rest of a paste: a shell would run it."""
    hand = typist()
    hand.typing("too early\n")()
    echo = b""
    while not echo.endswith(b"\n"):  # then it has reached the terminal
        echo += os.read(hand.screen, 1024)

    def paste() -> None:
        assert is_asking()
        hand.typing("the answer\nmore\n")()

    assert hand.asked(paste) == "the answer"
    assert not select.select([hand.stream], [], [], 0)[0]


def test_an_answer_in_another_encoding_is_no_crash(typist: Callable[..., Typist]) -> None:
    """It is not the right value, and the service says so."""
    hand = typist()
    assert hand.asked(lambda: os.write(hand.screen, b"a\xffb\n")) == "a\ufffdb"


def test_a_terminal_that_was_closed_needs_no_settings(
    typist: Callable[..., Typist], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer counts, although the settings cannot be restored."""
    hand = typist()
    change = termios.tcsetattr

    def change_once(*arguments: Any) -> None:
        change(*arguments)
        monkeypatch.setattr(termios, "tcsetattr", fail)

    def fail(*_: object) -> None:
        change(hand.stream, termios.TCSANOW, hand.settings)
        raise termios.error(5, "Input/output error")

    monkeypatch.setattr(termios, "tcsetattr", change_once)
    assert hand.asked(hand.typing("the answer\n")) == "the answer"


def test_the_end_of_input_is_an_interrupt(typist: Callable[..., Typist]) -> None:
    """At the end of input, later output starts on a new line."""
    hand = typist()
    with pytest.raises(KeyboardInterrupt):
        hand.asked(hand.typing("\x04"))
    assert hand.shown == f"{PROMPT}\r\n"


def test_a_signal_ends_the_prompt_of_any_thread(typist: Callable[..., Typist]) -> None:
    """No question follows the message about the signal."""
    hand = typist()
    for answers in ([lambda: interruption.set_requested(True)], []):
        with pytest.raises(KeyboardInterrupt):
            hand.asked(*answers)
    assert hand.shown == PROMPT


@pytest.mark.parametrize("stdin", ["no file", "a file", "closed", "none"])
def test_a_stdin_without_terminal_settings(
    typist: Callable[..., Typist], monkeypatch: pytest.MonkeyPatch, stdin: str
) -> None:
    """If the settings of stdin cannot be changed, nothing is asked."""
    typist(is_controlling=False)
    with Path(__file__).open() as file, Path(__file__).open() as closed:
        closed.close()
        streams = {"no file": _Stream(is_terminal=True), "a file": file, "closed": closed}
        monkeypatch.setattr(sys, "stdin", streams.get(stdin))
        with pytest.raises(PromptUnavailableError, match="cannot hide"):
            TerminalPrompter().ask_openly("The name")


def test_a_signal_ends_a_wait(typist: Callable[..., Typist]) -> None:
    """A request to stop ends the wait in any thread, before the next second."""
    hand = typist()
    wait_visibly(0.01, "the next code")
    shown = b""
    while not shown.endswith(b"\x1b[K"):
        shown += os.read(hand.screen, 1024)
    assert shown.decode().endswith(" s for the next code …\r\x1b[K")
    interruption.set_requested(True)
    with pytest.raises(KeyboardInterrupt):
        wait_visibly(60, "the next code")


IN_A_THREAD = """
import fcntl, signal, sys, termios, threading, time
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from seedctl import interruption
from seedctl.prompter import TerminalPrompter
before, outcomes = termios.tcgetattr(0), []

def ask():
    try:
        TerminalPrompter().ask("Secret value")
    except BaseException as error:
        outcomes.append(type(error).__name__)

signal.signal(signal.SIGINT, lambda *_: interruption.set_requested(True))
threads = [threading.Thread(target=ask) for _ in range(2)]
for thread in threads:
    thread.start()
while any(thread.is_alive() for thread in threads):
    time.sleep(0.05)  # join() would miss a signal that arrives right before it waits
sys.stdout.write(repr((termios.tcgetattr(0) == before, " ".join(outcomes))))
"""


def test_a_request_to_stop_ends_prompts_in_threads(
    open_terminal: Callable[..., Terminal],
) -> None:
    """A thread that asks and one that waits for its turn both end, and echo is on again."""
    terminal = open_terminal(IN_A_THREAD)
    terminal.wait_for(PROMPT)
    terminal.interrupt()
    assert terminal.result() == (True, "KeyboardInterrupt KeyboardInterrupt")
    assert terminal.shown.count(PROMPT) == 1


# --- waiting -------------------------------------------------------------------------------------

WAIT = "from seedctl.prompter import wait_visibly; wait_visibly(0.3, 'the next code')"


def test_a_wait_is_counted_down(open_terminal: Callable[..., Terminal]) -> None:
    """On a terminal a countdown is shown, and removed afterwards."""
    terminal = open_terminal(f"{WAIT}\nprint((True, ''))")
    terminal.wait_for("s for the next code")
    terminal.result()
    assert terminal.shown.endswith("\r\x1b[K")


def test_a_wait_is_silent_in_a_ci_job(open_terminal: Callable[..., Terminal]) -> None:
    """In a CI job no countdown is shown."""
    terminal = open_terminal(f"{WAIT}\nprint((True, ''))", CI="1")
    terminal.result()
    assert terminal.shown == ""


def test_the_length_of_a_wait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wait is measured with the monotonic clock; a negative time does not wait."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    wait_visibly(29.5, "the next code")
    assert now == [1029.5]
    wait_visibly(-3, "the next code")
    assert now == [1029.5]
    assert capsys.readouterr() == ("", "")


# --- no terminal ---------------------------------------------------------------------------------


class _Stream(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self._is_terminal


def _closed() -> _Stream:
    stream = _Stream(is_terminal=True)
    stream.close()
    return stream


@pytest.mark.parametrize(
    ("stdin", "stderr", "ci", "expected"),
    [
        pytest.param(True, True, None, True, id="both terminals"),
        pytest.param(True, True, "", True, id="CI empty"),
        pytest.param(True, True, "1", False, id="CI set"),
        pytest.param(False, True, None, False, id="stdin a file"),
        pytest.param(True, False, None, False, id="stderr a file"),
        pytest.param(None, True, None, False, id="no stdin"),
        pytest.param(True, None, None, False, id="no stderr"),
        pytest.param("closed", True, None, False, id="stdin closed"),
    ],
)
def test_when_prompts_are_possible(
    monkeypatch: pytest.MonkeyPatch,
    stdin: bool | str | None,
    stderr: bool | None,
    ci: str | None,
    expected: bool,
) -> None:
    """Prompts need stdin and stderr to be terminals, and CI to be unset; stdout may be a file."""

    def stream(kind: bool | str | None) -> _Stream | None:
        if kind is None:
            return None
        return _closed() if kind == "closed" else _Stream(is_terminal=bool(kind))

    if ci is not None:
        monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(sys, "stdin", stream(stdin))
    monkeypatch.setattr(sys, "stderr", stream(stderr))
    monkeypatch.setattr(sys, "stdout", _Stream(is_terminal=False))
    assert can_prompt() is expected


def test_without_a_terminal_the_question_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal nothing is read from a pipe, and nothing waits forever."""
    stdin = io.StringIO("piped\n")
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(PromptUnavailableError, match="Secret value has to be typed") as caught:
        TerminalPrompter().ask("Secret value")
    assert caught.value.exit_code == 3
    assert "terminal" in (caught.value.resolution or "")
    assert stdin.tell() == 0
