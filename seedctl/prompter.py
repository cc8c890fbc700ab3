"""Asking for what must not be shown: secrets and one-time codes.

Typed on a terminal with echo off, printed by a command of the user's, or an error where there is
neither. Never a hang, and never a visible prompt.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from seedctl import masking
from seedctl.errors import MFACodeUnavailableError, PromptUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_terminal = threading.RLock()
_asking = threading.Event()
_interrupted = threading.Event()

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
        _asking.set()
        try:
            return _read_hidden(prompt)
        except (EOFError, KeyboardInterrupt):
            sys.stderr.write("\n")  # what is said next begins on a line of its own
            raise KeyboardInterrupt from None
        finally:
            _asking.clear()


def _read_hidden(prompt: str) -> str:
    if threading.current_thread() is threading.main_thread():
        with warnings.catch_warnings():
            # getpass would go on with a visible prompt after this warning.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                return getpass.getpass(prompt, stream=sys.stderr)
            except getpass.GetPassWarning as error:
                raise PromptUnavailableError(
                    "The terminal cannot hide what is typed.",
                    resolution="Run in another terminal.",
                ) from error
    return _read_hidden_in_thread(prompt)


def _read_hidden_in_thread(prompt: str) -> str:
    """As getpass, but ended by Ctrl-C, which Python tells only to the main thread."""
    import termios  # noqa: PLC0415 - not on Windows

    with open("/dev/tty", "rb", buffering=0) as terminal:  # noqa: PTH123 - a device
        before = termios.tcgetattr(terminal)
        silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
        try:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
            sys.stderr.write(prompt)
            sys.stderr.flush()
            while not select.select([terminal], [], [], 0.1)[0]:
                if _interrupted.is_set():
                    raise KeyboardInterrupt
            line = terminal.readline()
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
    sys.stderr.write("\n")
    if not line:
        raise EOFError
    return line.decode(errors="replace").rstrip("\n")


@contextlib.contextmanager
def interruptible_prompts() -> Iterator[None]:
    """For the block, let Ctrl-C end the prompts of all threads, not only the main one's."""
    _interrupted.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: FrameType | None) -> None:
        _interrupted.set()
        if callable(before):
            before(number, frame)

    if callable(before):
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)


def wait_visibly(seconds: float, what: str) -> None:
    """Sleep for *seconds*, counting down to *what* where somebody watches."""
    end = time.monotonic() + seconds
    is_watched = bool(sys.stderr and sys.stderr.isatty() and not os.environ.get("CI"))
    while (left := end - time.monotonic()) > 0:
        if is_watched:
            sys.stderr.write(f"\rWaiting {left:2.0f} s for {what} …")
            sys.stderr.flush()
        time.sleep(min(left, 1.0) if is_watched else left)
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
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                words,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise self._failed(request, f"cannot be run: {error}") from error
        try:
            line = self._first_line(process)
            status = process.poll()
        finally:
            _end(process)
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

    def _first_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return the first line *process* prints; wait for its end, but not for its children's."""
        assert process.stdout is not None
        descriptor, output = process.stdout.fileno(), b""
        end = time.monotonic() + self._seconds
        is_open = True
        while process.poll() is None and time.monotonic() < end:
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


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let go of *process*; one that still runs is killed, with what it has started."""
    assert process.stdout is not None
    process.stdout.close()
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
