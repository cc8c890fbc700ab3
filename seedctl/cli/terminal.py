"""The terminal when a signal arrives: its line is half written, its cursor hidden, or it is closed."""

from __future__ import annotations

import contextlib
import os
import sys

from seedctl import interruption


def say(text: str) -> None:
    """Write a line to stderr, not through Python's buffers: the signal may have interrupted them."""
    stream = sys.__stderr__
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):  # the terminal or the stream is closed
            descriptor = stream.fileno()
            begin = "\n" if os.isatty(descriptor) else ""  # after ^C, a prompt or a bar
            os.write(descriptor, f"{begin}{text}\n".encode())


def restore() -> None:
    """Turn on the terminal's echo and show its cursor, before the process ends at once."""
    interruption.run_cleanup()
    if "seedctl.cli.bars" in sys.modules:  # bars hide the cursor
        say("\x1b[?25h")


def discard_closed_output() -> None:
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
