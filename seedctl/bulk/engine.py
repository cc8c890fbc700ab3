"""Do many things at once: so many in flight, drawn one by one, with the outcomes in order."""

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
_GRACE_SECONDS = 2.0  # for what is in flight when Ctrl-C is pressed
_WAKE_SECONDS = 0.2  # Windows does not tell Ctrl-C to a thread that waits on a lock for ever


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """What became of one job."""

    value: Value | None = None
    error: SeedctlError | None = None
    was_tried: bool = True


def check_concurrency(concurrency: int) -> None:
    """Raise InvalidInputError for a number of jobs at once that cannot be meant."""
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
    """Do *work* for each of *jobs* in threads; return the outcomes in the order of the jobs.

    A job is drawn, by the calling thread, when a thread is free for it. Its thread sees the
    context variables as they are then. A SeedctlError is its outcome. *counts* says how many an
    outcome counts as done and as failed.

    After an outcome that *is_fatal* no job is begun any more: what is left of *jobs* was not tried,
    and has outcomes that say so if it has a length. Any other exception is a fault of the program:
    it is raised when what is in flight has ended. So is Ctrl-C, which does not wait long for that.
    """
    check_concurrency(concurrency)
    workers = _Workers(work, tally.heartbeat if tally is not None else lambda: None)
    source = iter(enumerate(jobs))
    found: dict[int, Outcome[Value]] = {}
    exhausted = aborted = False
    try:
        while True:
            while not exhausted and workers.in_flight < concurrency:
                drawn = next(source, None)
                if drawn is None:
                    exhausted = True
                else:
                    workers.begin(*drawn)
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
    except BaseException:  # Ctrl-C, here or told by a job
        workers.drain(time.monotonic() + _GRACE_SECONDS)
        raise
    finally:
        workers.close()
    if aborted and isinstance(jobs, Sized):
        found.update((index, Outcome(was_tried=False)) for index, _ in source)
    return [found[index] for index in sorted(found)]


class _Workers(Generic[Job, Value]):
    """Threads, made as they are needed. Daemons: one that hangs does not keep the process."""

    def __init__(self, work: Callable[[Job], Value], on_wait: Callable[[], None]) -> None:
        """*on_wait* is called now and then while no job ends."""
        self.in_flight = 0
        self._work = work
        self._on_wait = on_wait
        self._threads: list[threading.Thread] = []
        self._waiting: queue.SimpleQueue[tuple[int, Job, contextvars.Context] | None]
        self._waiting = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[int, Outcome[Value] | BaseException]]
        self._ended = queue.SimpleQueue()

    def begin(self, index: int, job: Job) -> None:
        self.in_flight += 1
        self._waiting.put((index, job, contextvars.copy_context()))
        if len(self._threads) < self.in_flight:
            thread = threading.Thread(target=self._serve, name="seedctl-bulk", daemon=True)
            self._threads.append(thread)
            thread.start()

    def next_ended(self) -> tuple[int, Outcome[Value]]:
        """Wait for a job to end, and return its place and outcome; raise what was no outcome."""
        while True:
            try:
                index, ended = self._ended.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                self._on_wait()
                continue
            self.in_flight -= 1
            if isinstance(ended, BaseException):
                raise ended
            return index, ended

    def drain(self, deadline: float | None) -> None:
        """Wait until nothing is in flight, at most until *deadline*, whatever comes of it."""
        while self.in_flight and (deadline is None or time.monotonic() < deadline):
            try:
                self._ended.get(timeout=_WAKE_SECONDS)
            except queue.Empty:
                continue
            self.in_flight -= 1

    def close(self) -> None:
        """Let the threads end, and wait for them unless one is still at work."""
        for _ in self._threads:
            self._waiting.put(None)
        if not self.in_flight:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        while (taken := self._waiting.get()) is not None:
            index, job, context = taken
            ended: Outcome[Value] | BaseException
            try:
                ended = Outcome(context.run(self._work, job))
            except SeedctlError as error:
                ended = Outcome(error=error)
            except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
                ended = error
            self._ended.put((index, ended))
