"""Run many jobs in a limited number of threads."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Job = TypeVar("Job")
Value = TypeVar("Value")

_GRACE_SECONDS = 2.0  # how long Ctrl-C waits for the running jobs
_WAKE_SECONDS = 0.2  # on Windows, Ctrl-C does not interrupt a wait on a lock without a timeout


def run_in_threads(
    jobs: Iterator[Job],
    work: Callable[[Job], Value],
    *,
    concurrency: int,
    on_end: Callable[[Value], bool],
    on_wait: Callable[[], None],
) -> None:
    """Call *work* with each of *jobs*, in *concurrency* threads at most.

    The calling thread takes a job from *jobs* when a thread is free for it; the job runs with the
    context variables of that time.

    An exception of *work* is a bug or Ctrl-C: it is raised when all running jobs have ended, for
    Ctrl-C after two seconds at most.

    Args:
        jobs: Read lazily.
        work: Called in several threads at once.
        concurrency: The number of threads.
        on_end: Called in this thread with what each job returned, in the order in which the jobs
            end. Once it returns true no further job is started.
        on_wait: Called a few times a second while no job ends.
    """
    workers = _Workers(work, on_wait)
    try:
        for job in jobs:
            workers.start(job)
            if workers.in_flight == concurrency and on_end(workers.next_ended()):
                break
        while workers.in_flight:
            on_end(workers.next_ended())
    except Exception:
        workers.drain(None)
        raise
    except BaseException:  # Ctrl-C, in this thread or in a job
        workers.drain(time.monotonic() + _GRACE_SECONDS)
        raise
    finally:
        workers.close()


class _Workers(Generic[Job, Value]):
    """Threads, started when needed. They are daemons, so a hanging one does not block the exit."""

    def __init__(self, work: Callable[[Job], Value], on_wait: Callable[[], None]) -> None:
        self.in_flight = 0
        self._work = work
        self._on_wait = on_wait
        self._threads: list[threading.Thread] = []
        self._pending: queue.SimpleQueue[tuple[Job, contextvars.Context] | None]
        self._pending = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[Value | BaseException]
        self._finished = queue.SimpleQueue()

    def start(self, job: Job) -> None:
        self.in_flight += 1
        self._pending.put((job, contextvars.copy_context()))
        if len(self._threads) < self.in_flight:
            thread = threading.Thread(target=self._serve, name="seedctl-bulk", daemon=True)
            self._threads.append(thread)
            thread.start()

    def next_ended(self) -> Value:
        """Wait for a job to end; return what it returned, or raise its exception."""
        while True:
            try:
                ended = self._finished.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                self._on_wait()
                continue
            self.in_flight -= 1
            if isinstance(ended, BaseException):
                raise ended
            return ended

    def drain(self, deadline: float | None) -> None:
        """Wait until no job is running, at most until *deadline*; discard what they return."""
        while self.in_flight and (deadline is None or time.monotonic() < deadline):
            try:
                self._finished.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                continue
            self.in_flight -= 1

    def close(self) -> None:
        """Stop the idle threads, and wait for them unless a job is still running."""
        for _ in self._threads:
            self._pending.put(None)
        if not self.in_flight:
            for thread in self._threads:
                if thread.is_alive():  # Ctrl-C may have interrupted its start
                    thread.join()

    def _serve(self) -> None:
        while (item := self._pending.get()) is not None:
            job, context = item
            try:
                self._finished.put(context.run(self._work, job))
            except BaseException as error:  # noqa: BLE001 - next_ended() raises it again
                self._finished.put(error)
