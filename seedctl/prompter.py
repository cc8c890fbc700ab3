"""Asking for what must not be shown: secrets and one-time codes.

Typed on a terminal with echo off, printed by a command of the user's, or an error where there is
neither. Never a hang, and never a visible prompt.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from seedctl import interruption, masking
from seedctl.errors import MFACodeUnavailableError, PromptUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Result = TypeVar("_Result")

_terminal = threading.RLock()
_asking = threading.Event()

_LONGEST_OUTPUT = 8192  # of which the first line counts
_COMMAND_SECONDS = 120  # shorter than the three minutes that Cognito's session lasts

MOST_TRIES = 3
"""How many codes may be given in one sign-in, the first included, where somebody is asked."""

_WHAT = {
    "SMS": "the code sent by SMS",
    "EMAIL": "the code sent by e-mail",
    "TOTP": "the code of the authenticator app",
    "CUSTOM": "the answer to the custom challenge",
}


def can_prompt() -> bool:
    """Whether somebody can answer: stdin and stderr are terminals, and this is no CI job."""
    # A stream is None, or closed, where the process was started with it closed.
    streams = (sys.stdin, sys.stderr)
    usable = all(stream and not stream.closed and stream.isatty() for stream in streams)
    return usable and not os.environ.get("CI")


class TerminalPrompter:
    """Asks on the terminal with echo off, on stderr, so that stdout may be a file."""

    def ask(self, question: str) -> str:
        if not can_prompt():
            raise PromptUnavailableError(
                f"{question} has to be typed, but there is no terminal to ask on.",
                resolution="Run in a terminal, without CI set in the environment, or pipe the value in.",
            )
        while True:
            answer = _hidden(f"{question} (hidden): ")
            if answer:
                return answer
            sys.stderr.write("Cannot be empty.\n")


def is_asking() -> bool:
    """Whether a question stands on the terminal, which nothing may be drawn over."""
    return _asking.is_set()


def _hidden(prompt: str) -> str:
    """Ask *prompt* with echo off. One at a time: two would undo each other's echo."""
    with _terminal:
        interruption.check()
        _asking.set()
        try:
            return _read_hidden(prompt)
        except (EOFError, KeyboardInterrupt):
            if not interruption.is_requested():  # else a new line was begun for the news of it
                sys.stderr.write("\n")
            raise KeyboardInterrupt from None
        finally:
            _asking.clear()


def _read_hidden(prompt: str) -> str:
    """Read a line in any thread, until Ctrl-C, which Python tells only to the main thread."""
    if os.name == "nt":
        import getpass  # noqa: PLC0415 - elsewhere it would not be interrupted in a thread

        return getpass.getpass(prompt, stream=sys.stderr)
    line = b""
    with _without_echo() as terminal:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        while not line.endswith(b"\n"):
            while not select.select([terminal], [], [], 0.1)[0]:
                interruption.check()
            data = os.read(terminal, _LONGEST_OUTPUT)
            if not data:
                break
            line += data
    if not line:
        raise EOFError
    sys.stderr.write("\n")
    return line.decode(errors="replace").rstrip("\n")


@contextlib.contextmanager
def _without_echo() -> Iterator[int]:
    """Give the terminal's descriptor, with echo off for the block."""
    import termios  # noqa: PLC0415 - not on Windows

    with contextlib.ExitStack() as stack:
        try:
            try:
                terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
            except OSError:  # no controlling terminal, as in some containers
                terminal = os.dup(sys.stdin.fileno())
            stack.callback(os.close, terminal)
            before = termios.tcgetattr(terminal)

            def restore() -> None:
                with contextlib.suppress(termios.error):  # the terminal was closed
                    termios.tcsetattr(terminal, termios.TCSAFLUSH, before)

            stack.enter_context(interruption.ensured(restore))
            silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
            termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        except (OSError, AttributeError, ValueError, termios.error) as error:
            raise PromptUnavailableError(
                "The terminal cannot hide what is typed.", resolution="Run in another terminal."
            ) from error
        yield terminal


def wait_visibly(seconds: float, what: str) -> None:
    """Sleep for *seconds*, counting down to *what* where somebody watches."""
    end = time.monotonic() + seconds
    is_watched = bool(sys.stderr and sys.stderr.isatty() and not os.environ.get("CI"))
    while (left := end - time.monotonic()) > 0:
        interruption.check()
        if is_watched:
            sys.stderr.write(f"\rWaiting {left:2.0f} s for {what} …")
            sys.stderr.flush()
        time.sleep(min(left, 0.5))
    if is_watched:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A code that Cognito waits for."""

    username: str
    """As typed."""
    method: str
    """EMAIL, SMS, TOTP or CUSTOM."""
    destination: str
    """Where the code went, masked by Cognito; empty where it does not say."""
    since: float
    """When the sign-in began, in seconds since the epoch: older codes are not meant."""
    attempt: int = 1
    """Above 1 when an earlier code was refused."""


class CodeSource(Protocol):
    """Whoever can get a code."""

    can_repeat: bool
    """Whether asking again after a wrong code can bring another."""

    def code(self, request: CodeRequest) -> str:
        """Return the code, never empty. Raises MFACodeUnavailableError."""
        ...


class TerminalCodes:
    """Asks whoever sits at the terminal, with echo off."""

    can_repeat = True

    def code(self, request: CodeRequest) -> str:
        if not can_prompt():
            raise MFACodeUnavailableError(
                f"Cognito wants {_WHAT.get(request.method, 'a code')} for "
                f"{masking.mask(request.username)}, and there is no terminal to ask on.",
                resolution="Give the script's call a callback, or a command that prints the code "
                "with --mfa-command or SEEDCTL_MFA_COMMAND.",
            )
        with _terminal:  # question and refusal of one user together
            return self._ask(request)

    @staticmethod
    def _ask(request: CodeRequest) -> str:
        if request.attempt > 1:
            left = MOST_TRIES - request.attempt
            then = f"{left} more after this one" if left else "this is the last"
            sys.stderr.write(
                f"That code was not accepted, or was used before. Try another: {then}.\n"
            )
        to = f" to {request.destination}" if request.destination else ""
        what = _WHAT.get(request.method, "a code")
        question = f"Enter {what}{to} for {request.username}"
        while not (code := TerminalPrompter().ask(question).strip()):
            sys.stderr.write("Cannot be empty.\n")
        return code


class CommandCodes:
    """Runs a command, without a shell, and takes the first line it prints."""

    can_repeat = False

    def __init__(self, command: str, *, seconds: float = _COMMAND_SECONDS) -> None:
        """*seconds* is how long the command may take."""
        self._command = command
        self._seconds = seconds

    def code(self, request: CodeRequest) -> str:
        environment = {
            **os.environ,
            "SEEDCTL_MFA_USERNAME": request.username,
            "SEEDCTL_MFA_METHOD": request.method,
            "SEEDCTL_MFA_DESTINATION": request.destination,
        }
        words = self._words(request)
        try:
            line, status = _interruptible(lambda is_over: self._run(words, environment, is_over))
        except (OSError, ValueError) as error:
            raise self._failed(request, f"cannot be run: {error}") from error
        if status is None:
            raise self._failed(request, f"took longer than {self._seconds:.0f} s")
        if status:
            raise self._failed(request, f"ended with exit status {status}")
        code = line.decode("utf-8", "replace").strip()
        if not code:
            raise self._failed(request, "printed no code")
        masking.register(code)
        return code

    def _words(self, request: CodeRequest) -> list[str]:
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            raise self._failed(request, f"cannot be run: {error}") from error
        if not words:
            raise self._failed(request, "is empty")
        return words

    def _run(
        self, words: list[str], environment: dict[str, str], is_over: Callable[[], bool]
    ) -> tuple[bytes, int | None]:
        """Return the first line printed, and the exit status: None where time was up."""
        if is_over():
            return b"", None
        process = subprocess.Popen(  # noqa: S603 - the user's own command
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        with interruption.ensured(lambda: _kill(process)):
            line = self._first_line(process, is_over)
            status = process.poll()
        assert process.stdout is not None
        process.stdout.close()
        process.wait()
        return line, status

    def _first_line(self, process: subprocess.Popen[bytes], is_over: Callable[[], bool]) -> bytes:
        """Return the first line *process* prints; wait for its end, but not for its children's."""
        assert process.stdout is not None
        descriptor, output = process.stdout.fileno(), b""
        end = time.monotonic() + self._seconds
        is_open = True
        while process.poll() is None and time.monotonic() < end and not is_over():
            if is_open and select.select([descriptor], [], [], 0.05)[0]:
                data = os.read(descriptor, 4096)
                is_open = bool(data)
                output = (output + data)[:_LONGEST_OUTPUT]
            elif not is_open:
                time.sleep(0.01)
        if is_open and select.select([descriptor], [], [], 0)[0]:
            output += os.read(descriptor, 4096)
        return output.partition(b"\n")[0]

    def _failed(self, request: CodeRequest, what: str) -> MFACodeUnavailableError:
        return MFACodeUnavailableError(
            f"The MFA command for {masking.mask(request.username)} ({request.method}) {what}.",
            resolution="The command must print the code as its first line, within "
            f"{self._seconds:.0f} s, and end with 0. It gets SEEDCTL_MFA_USERNAME, "
            "SEEDCTL_MFA_METHOD and SEEDCTL_MFA_DESTINATION.",
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill *process* if it still runs, with what it has started."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _interruptible(work: Callable[[Callable[[], bool]], _Result]) -> _Result:
    """Return what *work* returns, done in a thread, where no signal can meet it half-way.

    *work* is given what to ask whether it has to end at once. Raises what it raises, and
    KeyboardInterrupt.
    """
    given_up, ended = threading.Event(), threading.Event()
    results: list[_Result] = []
    errors: list[Exception] = []

    def is_over() -> bool:
        return given_up.is_set() or interruption.is_requested()

    def run() -> None:
        try:
            results.append(work(is_over))
        except Exception as error:  # noqa: BLE001 - raised again below
            errors.append(error)
        finally:
            ended.set()

    interruption.check()
    try:
        threading.Thread(target=run, name="seedctl-code-command", daemon=True).start()
        while not ended.wait(interruption.WAKE_SECONDS):
            pass
        interruption.check()
    except KeyboardInterrupt:
        given_up.set()
        ended.wait(interruption.GRACE_SECONDS)
        raise
    if errors:
        raise errors[0]
    return results[0]
