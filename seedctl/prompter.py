"""Asking for what must not be shown: hidden input on a terminal, an error where there is none."""

from __future__ import annotations

import getpass
import os
import sys
import time
import warnings
from typing import Protocol

from seedctl.errors import PromptUnavailableError


class Prompter(Protocol):
    """Whoever can ask the user for a secret value."""

    def ask(self, question: str) -> str:
        """Return what was typed, never empty.

        Raises KeyboardInterrupt on Ctrl-C and end of input, PromptUnavailableError without a
        terminal.
        """
        ...


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
                resolution="Run in a terminal, without CI set in the environment.",
            )
        while True:
            answer = _hidden(f"{question} (hidden): ")
            if answer:
                return answer
            sys.stderr.write("Cannot be empty.\n")


def _hidden(prompt: str) -> str:
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
        except EOFError:
            raise KeyboardInterrupt from None


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
