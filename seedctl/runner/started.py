"""What a script starts: the child processes that a signal is passed on to, and threads to wait for."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from seedctl import interruption

Pools = Callable[[], list[ThreadPoolExecutor]]

_Object = TypeVar("_Object")

_POLL_SECONDS = 0.05


@contextlib.contextmanager
def created_objects(kind: type[_Object]) -> Iterator[Callable[[], list[_Object]]]:
    """Yield a function that returns the living objects of *kind* created in the block.

    Objects of subclasses are included, and those that any library creates, in any thread.
    """
    # A list, because appending to it and copying it are safe in threads and signal handlers.
    created: list[weakref.ref[_Object]] = []
    patched: Any = kind
    init = patched.__init__

    @functools.wraps(init)
    def recording_init(self: _Object, *args: object, **kwargs: object) -> None:
        created.append(weakref.ref(self))
        init(self, *args, **kwargs)

    patched.__init__ = recording_init
    try:
        yield lambda: [each for reference in created.copy() if (each := reference()) is not None]
    finally:
        patched.__init__ = init


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


@contextlib.contextmanager
def threads_awaited() -> Iterator[None]:
    """Wait at the end of the block for the threads started in it, as Python does at its own end.

    After Ctrl-C or another signal wait only two seconds, because their results are not needed.
    """
    before = set(threading.enumerate())
    with created_objects(ThreadPoolExecutor) as pools:
        try:
            try:
                yield
            finally:
                if not interruption.is_requested():
                    _wait_for_threads(before, pools)
        finally:
            if interruption.is_requested():
                deadline = time.monotonic() + interruption.GRACE_SECONDS
                _wait_for_threads(before, pools, deadline)


def _wait_for_threads(
    before: set[threading.Thread], pools: Pools, deadline: float = math.inf
) -> None:
    """Wait for all threads but *before*. With a *deadline*, *pools* start no queued work."""
    # Threads may start other threads, so the list is made again after each wait.
    while waiting := [
        thread for thread in threading.enumerate() if thread not in before and not thread.daemon
    ]:
        # The threads of a pool end when it is shut down, after its queued work.
        for pool in pools():
            if getattr(pool, "_threads", None):
                pool.shutdown(wait=False, cancel_futures=deadline != math.inf)
        for thread in waiting:
            if not thread.is_alive():
                # Before Python 3.13 a join() that a signal interrupts marks it as ended.
                time.sleep(_POLL_SECONDS)
            while thread.is_alive() and time.monotonic() < deadline:
                # A signal that arrives right before one long wait would not end that wait.
                thread.join(interruption.WAKE_SECONDS)
        if time.monotonic() >= deadline:
            return
