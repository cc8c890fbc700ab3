"""Work that no signal interrupts half-way, such as starting a process that must be ended for certain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from seedctl.interruption import GRACE_SECONDS, WAKE_SECONDS, check, is_requested

_Result = TypeVar("_Result")


def run_in_thread(work: Callable[[Callable[[], bool]], _Result]) -> _Result:
    """Run *work* in a thread, where no signal can interrupt it, and return its result.

    So *work* can start a process and end it for certain. It gets a function that returns whether it
    must stop at once. Raises what *work* raises, and KeyboardInterrupt.
    """
    is_aborted = threading.Event()
    future: Future[_Result] = Future()

    def must_stop() -> bool:
        return is_aborted.is_set() or is_requested()

    def run() -> None:
        try:
            future.set_result(work(must_stop))
        except BaseException as error:  # noqa: BLE001 - raised again below
            future.set_exception(error)

    check()
    try:
        threading.Thread(target=run, name="seedctl-child", daemon=True).start()
        while not future.done():
            wait([future], WAKE_SECONDS)
        check()
    except KeyboardInterrupt:
        is_aborted.set()
        wait([future], GRACE_SECONDS)
        raise
    return future.result()
