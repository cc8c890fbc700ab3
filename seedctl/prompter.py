"""Ask on the terminal: for secrets and one-time codes with echo off, for other words with echo.

Without a terminal this raises an error; it never waits forever and never shows what is typed.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from seedctl import interruption, masking, process_state
from seedctl.errors import MFACodeUnavailableError, PromptUnavailableError

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import getpass
else:
    import termios


_READ_SIZE = 8192

MOST_TRIES = 3
"""How many codes a person may enter in one sign-in, including the first."""

_DESCRIPTIONS = {
    "SMS": "the code sent by SMS",
    "EMAIL": "the code sent by e-mail",
    "TOTP": "the code of the authenticator app",
    "CUSTOM": "the answer to the custom challenge",
}


class _TerminalUse:
    """Which thread may ask on the terminal, and whether a question is shown right now."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.is_asking = False


def can_prompt() -> bool:
    """Whether a person can answer: stdin and stderr are terminals, and this is not a CI job."""
    # A stream is None, or closed, if the process was started with it closed.
    streams = (sys.stdin, sys.stderr)
    usable = all(stream and not stream.closed and stream.isatty() for stream in streams)
    return usable and not os.environ.get("CI")


class TerminalPrompter:
    """Asks on the terminal. The question goes to stderr, so stdout may be a file."""

    def ask_openly(self, question: str) -> str:
        """Return what is typed, which the terminal shows; without spaces around it."""
        return _typed(f"{question}: ", is_hidden=False).strip()

    def ask(self, question: str) -> str:
        """Return what is typed, with echo off."""
        if not can_prompt():
            raise PromptUnavailableError(
                f"{question} has to be typed, but there is no terminal to ask on.",
                resolution="Run in a terminal, without CI set in the environment, or pipe the value in.",
            )
        while True:
            answer = _typed(f"{question} (hidden): ")
            if answer:
                return answer
            sys.stderr.write("Cannot be empty.\n")


def is_asking() -> bool:
    """Whether a question is on the terminal now, so that nothing else may be written there."""
    return process_state.instance(_TerminalUse).is_asking


def _typed(prompt: str, *, is_hidden: bool = True) -> str:
    """Ask *prompt*, one thread at a time: two would restore each other's settings."""
    use = process_state.instance(_TerminalUse)
    with use.lock:
        interruption.check()
        use.is_asking = True
        try:
            return _read_line(prompt, is_hidden=is_hidden)
        except (EOFError, KeyboardInterrupt):
            if (
                not interruption.is_requested()
            ):  # else the message about the signal began a new line
                sys.stderr.write("\n")
            raise KeyboardInterrupt from None
        finally:
            use.is_asking = False


def _read_line(prompt: str, *, is_hidden: bool) -> str:
    """Read a line, in any thread. Ctrl-C stops it in other threads than the main one too."""
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return getpass.getpass(prompt, stream=sys.stderr) if is_hidden else input(prompt)
    line = b""
    with _terminal(is_silent=is_hidden) as terminal:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        while not line.endswith(b"\n"):
            while not select.select([terminal], [], [], 0.1)[0]:
                interruption.check()
            data = os.read(terminal, _READ_SIZE)
            if not data:
                break
            line += data
    if not line:
        raise EOFError
    if is_hidden:
        sys.stderr.write("\n")
    return line.decode(errors="replace").rstrip("\n")


@contextlib.contextmanager
def _terminal(*, is_silent: bool) -> Iterator[int]:
    """Yield the terminal's file descriptor, with echo off during the block if it *is_silent*."""
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

            stack.enter_context(interruption.cleaned_up(restore))
            local = before[3] & ~termios.ECHO if is_silent else before[3] | termios.ECHO
            wanted = [*before[:3], local, *before[4:]]
            termios.tcsetattr(terminal, termios.TCSAFLUSH, wanted)
        except (OSError, AttributeError, ValueError, termios.error) as error:
            raise PromptUnavailableError(
                "The terminal cannot hide what is typed.", resolution="Run in another terminal."
            ) from error
        yield terminal


def wait_visibly(seconds: float, what: str) -> None:
    """Sleep for *seconds*; on a terminal, show a countdown that says *what* is awaited."""
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
    """A one-time code that Cognito asks for."""

    username: str
    """As the caller wrote it."""
    method: str
    """EMAIL, SMS, TOTP or CUSTOM."""
    destination: str
    """Where Cognito sent the code, with most letters hidden; empty if Cognito does not say."""
    since: float
    """When the sign-in began, in seconds since the epoch; codes sent earlier are for others."""
    attempt: int = 1
    """The number of this attempt: above 1, Cognito refused the previous code."""


class CodeSource(Protocol):
    """Something that can supply a one-time code."""

    can_repeat: bool
    """Whether asking again after a wrong code may give another code."""

    def code(self, request: CodeRequest) -> str:
        """Return the code, never empty. Raises MFACodeUnavailableError."""
        ...


class TerminalCodes:
    """Asks the person at the terminal, with echo off."""

    can_repeat = True

    def code(self, request: CodeRequest) -> str:
        what = _DESCRIPTIONS.get(request.method, "a code")
        if not can_prompt():
            raise MFACodeUnavailableError(
                f"Cognito wants {what} for {masking.mask(request.username)}, and there is no "
                "terminal to ask on.",
                resolution="Give the script's call a callback, or a command that prints the code "
                "with --mfa-command or SEEDCTL_MFA_COMMAND.",
            )
        # Hold the lock for both lines, so that no other user's question comes between them.
        with process_state.instance(_TerminalUse).lock:
            if request.attempt > 1:
                left = MOST_TRIES - request.attempt
                then = f"{left} more after this one" if left else "this is the last"
                sys.stderr.write(f"That code was refused, or used before. Try another: {then}.\n")
            to = f" to {request.destination}" if request.destination else ""
            question = f"Enter {what}{to} for {request.username}"
            while not (code := TerminalPrompter().ask(question).strip()):
                sys.stderr.write("Cannot be empty.\n")
            return code
