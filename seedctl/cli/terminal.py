"""The terminal as a signal finds it: a line half written, a cursor hidden, or nobody there any more."""

from __future__ import annotations

import contextlib
import os
import sys

from seedctl import interruption


def say(text: str) -> None:
    """Write a line to stderr past Python's buffers, in which the signal may have come."""
    stream = sys.__stderr__
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # gone, or closed
            descriptor = stream.fileno()
            begin = "\n" if os.isatty(descriptor) else ""  # behind ^C, a prompt or a bar
            os.write(descriptor, f"{begin}{text}\n".encode())


def restore() -> None:
    """Let the terminal echo and show its cursor, before the process ends at once."""
    interruption.run_cleanup()
    if "seedctl.cli.bars" in sys.modules:  # which hide the cursor
        say("\x1b[?25h")


def let_go_of_closed() -> None:
    """Let what is printed on a closed terminal go nowhere: the first word would end all else."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None:
            continue
        with contextlib.suppress(OSError, ValueError):
            descriptor = stream.fileno()
            try:
                os.write(descriptor, b"")
            except OSError:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
