"""The child processes that a script starts, and how a signal reaches them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from seedctl.runner.created_objects import created_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@contextlib.contextmanager
def started_children() -> Iterator[Callable[[], list[int]]]:
    """Yield a function that returns the ids of the running processes started in the block.

    A process in another process group is left out: Ctrl-C at the terminal does not reach it either.
    """
    with created_objects(subprocess.Popen) as created:
        yield lambda: [pid for pid in _running(created()) if _is_in_our_group(pid)]


def send_signal(number: int, processes: Iterable[int]) -> None:
    """Send a signal to *processes*, unless it is a Ctrl-C, which the terminal sent to all."""
    if number == signal.SIGINT and _is_in_foreground():
        return
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _running(processes: Iterable[subprocess.Popen[bytes]]) -> list[int]:
    # A process that is just being created has no id yet.
    started = [each for each in processes if getattr(each, "pid", None) is not None]
    multiprocessing = sys.modules.get("multiprocessing")
    others = multiprocessing.active_children() if multiprocessing is not None else []
    return [each.pid for each in started if each.returncode is None] + [
        each.pid for each in others if each.pid
    ]


def _is_in_our_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return False


def _is_in_foreground() -> bool:
    """Whether Ctrl-C at the terminal reaches this process and its children."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):  # Windows, where it reaches the whole window; no terminal
        return os.name == "nt"
