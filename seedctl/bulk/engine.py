"""Run many jobs in a limited number of threads, and return their outcomes in order."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from seedctl.bulk.failures import is_fatal_for_batch
from seedctl.errors import InvalidInputError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seedctl.bulk.progress import Tally

Job = TypeVar("Job")
Value = TypeVar("Value")

MOST_AT_ONCE = 64
_GRACE_SECONDS = 2.0  # how long Ctrl-C waits for the running jobs
_WAKE_SECONDS = 0.2  # on Windows, Ctrl-C does not interrupt a wait on a lock without a timeout


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """The outcome of one job."""

    value: Value | None = None
    """What the worker function returned."""
    error: SeedctlError | None = None
    was_tried: bool = True


def check_concurrency(concurrency: int) -> None:
    """Raise InvalidInputError unless *concurrency* is a number of threads that is allowed."""
    is_number = isinstance(concurrency, int) and not isinstance(concurrency, bool)
    if not is_number or not 1 <= concurrency <= MOST_AT_ONCE:
        raise InvalidInputError(
            f"concurrency={concurrency!r} is not a whole number from 1 to {MOST_AT_ONCE}."
        )


def _one_each(outcome: Outcome[Any]) -> tuple[int, int]:
    return (0, 1) if outcome.error is not None else (1, 0)


def _has_fatal_error(outcome: Outcome[Any]) -> bool:
    return is_fatal_for_batch(outcome.error)


def run(
    jobs: Iterable[Job],
    work: Callable[[Job], Value],
    *,
    concurrency: int,
    tally: Tally | None = None,
    counts: Callable[[Outcome[Value]], tuple[int, int]] = _one_each,
    is_fatal: Callable[[Outcome[Value]], bool] = _has_fatal_error,
) -> list[Outcome[Value]]:
    """Call *work* with each of *jobs* in threads; return the outcomes in the order of the jobs.

    The calling thread takes a job from *jobs* when a thread is free for it; the job runs with the
    context variables of that time. A SeedctlError that *work* raises becomes the job's outcome.

    After an outcome that *is_fatal* no further job is started. If *jobs* has a length, the
    remaining jobs get outcomes that were not tried. Any other exception is a bug or Ctrl-C: it is
    raised when all running jobs have ended, for Ctrl-C after two seconds at most.

    Args:
        jobs: Read lazily.
        work: Called in several threads at once.
        concurrency: The number of threads.
        tally: Counts the outcomes and reports progress.
        counts: Returns how many items an outcome counts as done and as failed.
        is_fatal: Whether an outcome means that the remaining jobs would fail too.
    """
    check_concurrency(concurrency)
    workers = _Workers(work, tally.heartbeat if tally is not None else lambda: None)
    source = iter(enumerate(jobs))
    found: dict[int, Outcome[Value]] = {}
    exhausted = aborted = False
    try:
        while True:
            while not exhausted and workers.in_flight < concurrency:
                indexed_job = next(source, None)
                if indexed_job is None:
                    exhausted = True
                else:
                    workers.start(*indexed_job)
            if not workers.in_flight:
                break
            index, outcome = workers.next_ended()
            found[index] = outcome
            if tally is not None:
                tally.add(*counts(outcome))
            if is_fatal(outcome):
                exhausted = aborted = True
    except Exception:
        workers.drain(None)
        raise
    except BaseException:  # Ctrl-C, in this thread or in a job
        workers.drain(time.monotonic() + _GRACE_SECONDS)
        raise
    finally:
        workers.close()
    if aborted and isinstance(jobs, Sized):
        found.update((index, Outcome(was_tried=False)) for index, _ in source)
    return [found[index] for index in sorted(found)]


class _Workers(Generic[Job, Value]):
    """Threads, started when needed. They are daemons, so a hanging one does not block the exit."""

    def __init__(self, work: Callable[[Job], Value], on_wait: Callable[[], None]) -> None:
        """*on_wait* is called a few times a second while no job ends."""
        self.in_flight = 0
        self._work = work
        self._on_wait = on_wait
        self._threads: list[threading.Thread] = []
        self._pending: queue.SimpleQueue[tuple[int, Job, contextvars.Context] | None]
        self._pending = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[int, Outcome[Value] | BaseException]]
        self._finished = queue.SimpleQueue()

    def start(self, index: int, job: Job) -> None:
        self.in_flight += 1
        self._pending.put((index, job, contextvars.copy_context()))
        if len(self._threads) < self.in_flight:
            thread = threading.Thread(target=self._serve, name="seedctl-bulk", daemon=True)
            self._threads.append(thread)
            thread.start()

    def next_ended(self) -> tuple[int, Outcome[Value]]:
        """Wait for a job to end; return its index and outcome, or raise its exception."""
        while True:
            try:
                index, ended = self._finished.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                self._on_wait()
                continue
            self.in_flight -= 1
            if isinstance(ended, BaseException):
                raise ended
            return index, ended

    def drain(self, deadline: float | None) -> None:
        """Wait until no job is running, at most until *deadline*; discard the outcomes."""
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
                thread.join()

    def _serve(self) -> None:
        while (item := self._pending.get()) is not None:
            index, job, context = item
            ended: Outcome[Value] | BaseException
            try:
                ended = Outcome(context.run(self._work, job))
            except SeedctlError as error:
                ended = Outcome(error=error)
            except BaseException as error:  # noqa: BLE001 - next_ended() raises it again
                ended = error
            self._finished.put((index, ended))
