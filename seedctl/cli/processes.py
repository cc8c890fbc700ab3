"""Other processes: a server that outlives this one, a seed beside a server, what a script starts."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


def start_detached(command: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start *command* in a session of its own; what it prints goes into the new file *log*."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUTF8": "1"},  # the log is read as UTF-8
        )
    finally:
        os.close(descriptor)


def leave_running(process: subprocess.Popen[bytes]) -> None:
    """Let *process* outlive this one, which Python would warn of."""
    process.returncode = 0


def end(process: subprocess.Popen[bytes], *, patience: float) -> None:
    """Wait for *process* to end by itself, then end it."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience)
        return
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience)
        return
    process.kill()
    process.wait()


def exit_code_of(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code as a shell would tell it."""
    code = process.wait()
    return 128 - code if code < 0 else code


def pass_on(number: int, processes: Iterable[int]) -> None:
    """Send the signal to *processes*, unless it is Ctrl-C of a terminal, which has reached them."""
    if number == signal.SIGINT and _is_in_foreground():
        return
    for each in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, number)


def script_children() -> Iterator[int]:
    """Yield the ids of the processes that a script has started, but for those apart from it.

    Those in a group of their own would not hear of a terminal's Ctrl-C either.
    """
    started = [
        each.pid
        for each in gc.get_objects()
        # One that is being made has no id yet.
        if issubclass(type(each), subprocess.Popen) and getattr(each, "pid", None) is not None
        if each.returncode is None
    ]
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        started += [each.pid for each in multiprocessing.active_children() if each.pid]
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(each) == os.getpgrp():
                yield each


def _is_in_foreground() -> bool:
    """Whether Ctrl-C at the terminal reaches this process, and so its children."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):  # Windows, which tells all processes of a window; no terminal
        return os.name == "nt"
