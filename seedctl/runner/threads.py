"""Waits for the threads that a script leaves running, as the end of a Python program does."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl import interruption
from seedctl.runner.created_objects import created_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pools = Callable[[], list[ThreadPoolExecutor]]


@contextmanager
def threads_awaited() -> Iterator[None]:
    """Wait at the end of the block for the threads that were started in it.

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
            while thread.is_alive() and time.monotonic() < deadline:
                # A signal that arrives right before one long wait would not end that wait.
                thread.join(interruption.WAKE_SECONDS)
        if time.monotonic() >= deadline:
            return
