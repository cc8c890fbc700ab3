"""Many jobs at once: the number of threads, the order of outcomes, and what aborts them."""

from __future__ import annotations

import contextvars
import itertools
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from seedctl import errors
from seedctl.bulk import threads
from seedctl.bulk.engine import BulkCall, BulkOptions, Tally, check_choice
from seedctl.bulk.row_by_row import RowByRowCall
from seedctl.report import Event, PlainReport, Progress, Report, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WAIT = 60.0  # never waited for in full, unless something is broken
who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class RecordingReport(Report):
    """Records all progress, not only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Progress] = []

    def on_progress(self, progress: Progress) -> None:
        super().on_progress(progress)
        self.reports.append(progress)


@dataclass(frozen=True)
class Outcome:
    """The result of one number."""

    value: Any = None
    error: errors.SeedctlError | None = None
    was_tried: bool = True
    index: int = field(default=0, compare=False)


class Numbers(RowByRowCall[Any, Any, Outcome]):
    """Calls a function with each number; a negative one is invalid."""

    noun = "numbers"
    item_type = "int"
    item_example = "int"
    next_runs: ClassVar[dict[str, str]] = {"error": "run again"}

    def __init__(
        self,
        work: Callable[[Any], Any],
        *,
        concurrency: int = 1,
        on_error: Any = "collect",
        report: Report | None = None,
        may_be_repeated: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        super().__init__(report or Report(), BulkOptions(concurrency, "error", on_error))
        self._work = work
        self.may_be_repeated = may_be_repeated

    def check(self, index: int, item: Any) -> Any:
        if isinstance(item, int) and item < 0:
            raise errors.InvalidInputError("negative")
        return item

    def shared_by(self, row: Any) -> str:
        return f"are {row}"

    def can_repeat(self, row: Any) -> bool:
        return self.may_be_repeated(row)

    def write_row(self, index: int, row: Any) -> Outcome:
        return Outcome(self._work(row), index=index)

    def unwritten(self, index: int, row: Any, error: errors.SeedctlError | None) -> Outcome:
        return Outcome(error=error, was_tried=error is not None, index=index)

    def failure(self, result: Outcome, error: errors.SeedctlError) -> Event:
        return failure("record", "number", error)


def run(jobs: Iterable[Any], work: Callable[[Any], Any], **options: Any) -> list[Outcome]:
    """Call *work* with each of *jobs*, and return the outcomes."""
    return Numbers(work, **options).run(jobs)


class Sums(BulkCall[int, int, Outcome]):
    """Writes three numbers in a batch; a batch with a 4 is fatal."""

    noun = "numbers"
    item_type = "int"
    item_example = "int"
    next_runs: ClassVar[dict[str, str]] = {"error": "run again"}
    max_batch_size = 3
    max_batch_bytes = 10

    def __init__(self, report: Report) -> None:
        super().__init__(report, BulkOptions(1, "error", "collect", batch_size=3))
        self.written: list[list[int]] = []

    def check(self, index: int, item: int) -> int:
        return item

    def shared_by(self, row: int) -> str:
        return f"are {row}"

    def bytes_of(self, row: int) -> int:
        return row

    def write(
        self, batch: list[tuple[int, int]]
    ) -> tuple[list[Outcome], errors.SeedctlError | None]:
        self.written.append([row for _, row in batch])
        results = [Outcome(row, index=index) for index, row in batch]
        return results, FATAL if 4 in self.written[-1] else None

    def unwritten(self, index: int, row: int, error: errors.SeedctlError | None) -> Outcome:
        return Outcome(was_tried=False, index=index)

    def failure(self, result: Outcome, error: errors.SeedctlError) -> Event:
        raise AssertionError("no number fails")


FATAL = errors.EndpointUnreachableError("away")


def _failing(error: BaseException) -> Callable[[int], int]:
    def work(job: int) -> int:
        if job == 3:
            raise error
        return job

    return work


def test_outcomes_are_in_the_order_of_the_jobs() -> None:
    """The outcomes are in the order of the jobs, whichever ends first."""
    ends = [threading.Event() for _ in range(4)]

    def work(job: int) -> int:
        if job < 3:  # each waits for the one behind it
            assert ends[job + 1].wait(WAIT)
        ends[job].set()
        return job * 10

    assert run(range(4), work, concurrency=4) == [Outcome(value) for value in (0, 10, 20, 30)]


def test_no_jobs_have_no_outcomes() -> None:
    """Without jobs it returns at once and starts no thread."""
    before = threading.active_count()
    assert run([], lambda job: job, concurrency=8) == []
    assert threading.active_count() == before


def test_concurrency_is_used_and_observed() -> None:
    """All threads are used, and never more than concurrency."""
    lock, together = threading.Lock(), threading.Barrier(3)
    now: list[int] = []
    most = 0

    def work(job: int) -> None:
        nonlocal most
        with lock:
            now.append(job)
            most = max(most, len(now))
        together.wait(WAIT)
        with lock:
            now.remove(job)

    run(range(12), work, concurrency=3)
    assert most == 3


def test_jobs_are_read_when_a_thread_is_free() -> None:
    """The calling thread reads a generator only as far as threads are free, not to its end."""
    taken: list[threading.Thread] = []
    ended: list[int] = []
    ahead: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(500):
            taken.append(threading.current_thread())
            ahead.append(len(taken) - len(ended))
            yield number

    run(jobs(), ended.append, concurrency=4)
    assert len(ended) == 500
    assert max(ahead) <= 5  # those in flight, and the one just taken
    assert set(taken) == {threading.current_thread()}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(errors.InvalidInputError("bad"), id="data"),
        pytest.param(errors.FileAccessError("gone"), id="file"),
    ],
)
def test_a_failed_job_is_an_outcome(error: errors.SeedctlError) -> None:
    """A SeedctlError about one job does not affect the others."""
    outcomes = run(range(6), _failing(error), concurrency=2)
    assert [outcome.value for outcome in outcomes] == [0, 1, 2, None, 4, 5]
    assert outcomes[3] == Outcome(error=error)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(errors.InvalidCredentialError("expired"), id="set-up"),
        pytest.param(errors.EndpointUnreachableError("away"), id="AWS"),
        pytest.param(errors.InvalidCommandInputError("AWS_MAX_ATTEMPTS"), id="a setting"),
    ],
)
def test_a_fatal_error_stops_the_jobs(error: errors.SeedctlError) -> None:
    """Without credentials or a network no further job is started; the rest is not tried."""
    tried = []

    def work(job: int) -> int:
        tried.append(job)
        return _failing(error)(job)

    outcomes = run(range(100), work, concurrency=1)
    assert tried == [0, 1, 2, 3]
    assert outcomes[3] == Outcome(error=error)
    assert outcomes[4:] == [Outcome(was_tried=False)] * 96


def test_a_generator_is_not_read_to_its_end() -> None:
    """After a fatal error the generator, which may be infinite, is not read any further."""
    error = errors.ThrottledError("slow down")
    outcomes = run(itertools.count(), _failing(error), concurrency=1)
    assert [outcome.error for outcome in outcomes] == [None, None, None, error]


@pytest.mark.parametrize("kind", [list, iter])
def test_rows_go_in_batches(kind: Any) -> None:
    """A batch has so many rows, or fewer if they are large; after a fatal one no other is sent."""
    report = RecordingReport()
    call = Sums(report)
    outcomes = call.run(kind([1, 2, 3, 9, 2, 4, 4, 8, 9]))
    assert call.written == [[1, 2, 3], [9], [2, 4, 4]]
    tried = [1, 2, 3, 9, 2, 4, 4]
    assert [each.value for each in outcomes if each.was_tried] == tried
    # Rows of a list are in the results, those that a generator has not yielded are not.
    assert len(outcomes) - len(tried) == (2 if kind is list else 0)
    assert (report.reports[-1].done, report.reports[-1].failed) == (7, 0)


def test_a_row_that_is_too_large_has_a_batch_of_its_own() -> None:
    """A row above the limit of a batch is sent alone, and no empty batch is."""
    call = Sums(Report())
    call.run([11, 1, 12])
    assert call.written == [[11], [1], [12]]


def test_a_batch_that_ends_after_a_fatal_one_changes_nothing() -> None:
    """The call stays stopped, and reads no more rows of a generator."""

    class Late(Sums):
        def write(
            self, batch: list[tuple[int, int]]
        ) -> tuple[list[Outcome], errors.SeedctlError | None]:
            while batch[0][1] != 4 and not self._is_stopped:
                time.sleep(0.001)
            return super().write(batch)

    call = Late(Report())
    call._bulk_options = call._bulk_options._replace(concurrency=2)
    numbers = iter([4, *[9] * 50])
    call.run(numbers)
    assert len(list(numbers)) > 40


def test_a_row_that_was_read_but_not_sent_is_in_the_results() -> None:
    """The row of a generator that did not fit into the last batch is not lost."""
    numbers = iter([4, 9, 1])
    assert Sums(Report()).run(numbers) == [Outcome(4), Outcome(was_tried=False)]
    assert next(numbers) == 1


@pytest.mark.parametrize("where", ["job", "generator"])
def test_a_bug_is_raised(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other exception is raised unchanged when all running jobs have ended, however late."""
    monkeypatch.setattr(threads, "_GRACE_SECONDS", 0.0)
    begun, bug_is_out = threading.Event(), threading.Event()
    ended: list[int] = []

    def jobs() -> Iterator[int]:
        yield 0
        if where == "generator":
            assert begun.wait(WAIT)
            bug_is_out.set()
            raise ZeroDivisionError("bug")
        yield 1
        raise AssertionError("taken although there was no free thread")

    def work(job: int) -> None:
        if job == 1:
            assert begun.wait(WAIT)
            bug_is_out.set()
            raise ZeroDivisionError("bug")
        begun.set()
        assert bug_is_out.wait(WAIT)
        time.sleep(0.05)  # without the wait for this job, the exception would come now
        ended.append(job)

    with pytest.raises(ZeroDivisionError, match="bug"):
        run(jobs(), work, concurrency=2)
    assert ended == [0]


def test_a_job_may_be_interrupted() -> None:
    """Ctrl-C at a prompt in a thread aborts the whole call."""
    with pytest.raises(KeyboardInterrupt):
        run(range(9), _failing(KeyboardInterrupt()), concurrency=1)


def test_ctrl_c_aborts_the_jobs() -> None:
    """After Ctrl-C no job is started; it is raised when the running jobs have ended."""
    interrupted = threading.Event()
    begun: list[int] = []
    ended: list[int] = []

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:

        def work(job: int) -> None:
            begun.append(job)
            if job == 1:
                os.kill(os.getpid(), signal.SIGINT)
            assert interrupted.wait(WAIT)
            ended.append(job)

        with pytest.raises(KeyboardInterrupt):
            run(itertools.count(), work, concurrency=2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(begun) == sorted(ended) == [0, 1]


def test_ctrl_c_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C a hanging job does not keep the user waiting: two seconds at most."""
    drain = threads._Workers.drain
    waits: list[float] = []

    def give_up(workers: Any, deadline: float | None) -> None:
        assert deadline is not None
        waits.append(deadline - time.monotonic())
        drain(workers, 0.0)

    monkeypatch.setattr(threads._Workers, "drain", give_up)
    release = threading.Event()
    ended: list[int] = []

    def work(job: int) -> None:
        if job:
            raise KeyboardInterrupt
        release.wait(WAIT)
        ended.append(job)

    with pytest.raises(KeyboardInterrupt):
        run(range(9), work, concurrency=2)
    assert ended == []
    assert waits
    assert max(waits) <= 2.0
    release.set()


def test_ctrl_c_while_a_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the call like at any other time, also if the thread was not started."""
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def interrupted_start(thread: threading.Thread) -> None:
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    ended: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        run(range(2), ended.append, concurrency=2)
    assert ended == [0, 1]
    assert not started[0].is_alive()


def test_no_thread_is_left() -> None:
    """The threads end with the call; until then they do not keep a process that ends alive."""
    used: list[threading.Thread] = []
    before = threading.enumerate()
    run(range(9), lambda _: used.append(threading.current_thread()), concurrency=3)
    assert len(used) == 9
    assert len(set(used)) <= 3
    assert all(each.daemon for each in used)
    assert set(threading.enumerate()) <= set(before)


def test_threads_see_the_context() -> None:
    """Jobs see the caller's context variables, and changes by a job stay in that job."""
    who.set("ann")

    def work(job: int) -> str:
        seen = who.get()
        who.set(f"set by {job}")
        return seen

    outcomes = run(range(20), work, concurrency=4)
    assert {outcome.value for outcome in outcomes} == {"ann"}
    assert who.get() == "ann"


@pytest.mark.parametrize(
    "concurrency", [pytest.param(value, id=repr(value)) for value in (0, -1, 65, True, 2.0, "8")]
)
def test_an_invalid_concurrency(concurrency: Any) -> None:
    """An invalid number is refused before any job is started."""
    with pytest.raises(errors.InvalidInputError, match="from 1 to 64"):
        run([1], lambda job: job, concurrency=concurrency)


def test_progress_is_reported_first_and_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """An observer gets a first report and the totals, however quickly the call ends."""
    monkeypatch.setattr("seedctl.bulk.threads.time.monotonic", lambda: 7.0)
    report = RecordingReport()
    run(range(6), _failing(errors.InvalidInputError("bad")), concurrency=2, report=report)
    assert report.reports == [
        Progress("numbers", 0, 0, 6, 7.0),
        Progress("numbers", 5, 1, 6, 7.0, is_finished=True),
    ]
    assert report.progress is report.reports[-1]


def test_progress_is_reported_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of jobs do not flood the observer."""
    now = 100.0
    monkeypatch.setattr("seedctl.bulk.threads.time.monotonic", lambda: now)
    report = RecordingReport()
    with Tally(report, "numbers") as tally:
        for _ in range(1000):
            now += 0.001
            tally.add(done=2)
    assert [each.done for each in report.reports[:3]] == [0, 200, 400]
    assert 10 <= len(report.reports) <= 12
    assert (report.reports[-1].done, report.reports[-1].total) == (2000, None)


def test_a_heartbeat_while_no_job_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """While no job ends, the observer gets the same counts again."""
    monkeypatch.setattr("seedctl.bulk.threads._WAKE_SECONDS", 0.001)
    now = itertools.count(100.0, 0.25)  # a quarter of a second goes by with each look at the clock
    monkeypatch.setattr("seedctl.bulk.threads.time.monotonic", lambda: next(now))
    is_enough = threading.Event()

    class Waiting(RecordingReport):
        def on_progress(self, progress: Progress) -> None:
            super().on_progress(progress)
            if len(self.reports) == 4:
                is_enough.set()

    report = Waiting()
    run([1], lambda _: is_enough.wait(WAIT), report=report)
    assert is_enough.is_set()
    assert {each.done for each in report.reports[:4]} == {0}
    assert (report.reports[-1].done, report.reports[-1].is_finished) == (1, True)


def test_no_heartbeat_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a second of the last report there is no heartbeat."""
    now = 100.0
    monkeypatch.setattr("seedctl.bulk.threads.time.monotonic", lambda: now)
    report = RecordingReport()
    with Tally(report, "numbers") as tally:
        for moment in (100.5, 100.9, 101.0, 101.5, 101.9, 102.0):
            now = moment
            tally.heartbeat()
        assert len(report.reports) == 3


def test_progress_ends_with_the_work() -> None:
    """After a failure, too, the last report says that the call is finished."""
    report = RecordingReport()
    with pytest.raises(ZeroDivisionError):
        run(range(6), _failing(ZeroDivisionError()), report=report)
    assert report.reports[-1].is_finished
    assert report.reports[-1].done == 3


def test_a_plain_report_stays_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a progress bar, progress is stored and not printed."""
    report = PlainReport()
    with Tally(report, "numbers"):
        pass
    assert report.progress is not None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("given", "message", "resolution"),
    [
        pytest.param(
            [0, 1, 2],
            "1 of 3 numbers failed; the first: bad",
            "fix it run again",
            id="all tried",
        ),
        pytest.param(
            [-1, 1],
            "2 of 2 numbers failed; the first: negative",
            "run again",
            id="no resolution",
        ),
        pytest.param(
            [1, 2, 3],
            "2 of 3 numbers failed, 1 was not tried; the first: bad",
            "fix it run again",
            id="one left",
        ),
        pytest.param(
            [0, 2, 3, 4],
            "1 of 4 numbers failed, 2 were not tried; the first: away",
            "run again",
            id="stopped",
        ),
    ],
)
def test_the_error_for_many(given: list[int], message: str, resolution: str) -> None:
    """The error says how many failed, why the first did and how to continue; it has all results."""
    first = errors.InvalidInputError("bad", resolution="fix it")

    def work(number: int) -> int:
        if number == 2 and 3 in given:
            raise FATAL
        if number == 1:
            raise first
        return number

    with pytest.raises(errors.BulkError) as caught:
        run(given, work, on_error="raise")
    assert (caught.value.message, caught.value.resolution) == (message, resolution)
    assert len(caught.value.results) == len(given)
    assert caught.value.__cause__ is next(
        each.error for each in caught.value.results if each.error is not None
    )


@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("policy", ["raise", "refuse", "skip"])
def test_an_invalid_row(policy: Any, kind: Any) -> None:
    """An invalid row of a list is raised, refuses the list, or fails alone, as the call chooses."""
    written: list[int] = []
    call = Numbers(written.append, on_error="raise")
    call.on_invalid = policy
    with pytest.raises(errors.SeedctlError, match="negative") as caught:
        call.run(kind([1, -1, 2, -3]))
    is_raised = kind is list and policy == "raise"
    assert isinstance(caught.value, errors.BulkError) != is_raised
    assert written == ([1, 2] if kind is iter or policy == "skip" else [])
    if kind is list and policy == "refuse":
        assert (
            caught.value.message == "2 of 4 numbers failed, 2 were not tried; the first: negative"
        )


@pytest.mark.parametrize("kind", [list, iter])
@pytest.mark.parametrize("policy", ["raise", "skip"])
def test_a_duplicate(monkeypatch: pytest.MonkeyPatch, policy: Any, kind: Any) -> None:
    """What a duplicate in a list does is chosen apart from what an invalid row does."""
    monkeypatch.setattr(Numbers, "key", lambda _, row: row)
    written: list[int] = []
    call = Numbers(written.append, on_error="raise")
    call.on_invalid, call.on_duplicate = ("skip" if policy == "raise" else "raise"), policy
    with pytest.raises(errors.SeedctlError, match="Rows 0 and 2") as caught:
        call.run(kind([1, 2, 1, 3]))
    is_raised = kind is list and policy == "raise"
    assert isinstance(caught.value, errors.BulkError) != is_raised
    assert written == ([] if is_raised else [1, 2, 3])


@pytest.mark.parametrize("kind", [list, iter])
def test_the_guard_stands_before_the_first_row(monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    """It is asked once, before anything is written; not if no row is valid; it may end the call."""
    events: list[Any] = []
    monkeypatch.setattr(Numbers, "before_first_row", lambda _: events.append("asked"))
    run(kind([1, 2]), events.append, concurrency=1)
    run(kind([]), events.append)
    run(kind([-1]), events.append)
    assert events == ["asked", 1, 2]

    def refuse(_: Numbers) -> None:
        raise errors.TargetNotAllowedError("another backend")

    monkeypatch.setattr(Numbers, "before_first_row", refuse)
    with pytest.raises(errors.TargetNotAllowedError):
        run(kind([1, 2]), events.append)
    assert len(events) == 3


@pytest.mark.parametrize("value", ["skip", "", None, ["error"], {}])
def test_an_unknown_choice(value: Any) -> None:
    """Whatever is given in place of a word is refused with the words to choose from."""
    with pytest.raises(errors.InvalidInputError, match=r"if_exists=.* is not one of error\."):
        check_choice("if_exists", value, Numbers.next_runs)


@pytest.mark.parametrize("given", ["12", b"12", {1: 2}, 12, None])
def test_what_is_not_many(given: Any) -> None:
    """A text or one record is no list of rows, although Python could go through it."""
    written: list[int] = []
    with pytest.raises(errors.InvalidInputError, match="Expected an iterable of int, got"):
        run(given, written.append)
    assert written == []


TRANSIENT = errors.ServiceFailedError("The service failed.", service="s3", operation="x", code="y")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the seconds of time.sleep() instead of sleeping."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def test_a_transient_failure_is_retried(slept: list[float]) -> None:
    """After a failure of AWS a job is retried with growing pauses, at most twice."""
    fails = itertools.count()

    def work(job: int) -> int:
        if next(fails) < job:
            raise TRANSIENT
        return job

    assert run([2], work, may_be_repeated=lambda _: True) == [Outcome(2)]
    assert len(slept) == 2
    assert 1 <= slept[0] <= 2 <= slept[1] <= 4


def test_a_lasting_failure_stops_all_retries(slept: list[float]) -> None:
    """Once one job has used up its retries, no other job is retried."""
    tried: list[str] = []

    def work(job: str) -> None:
        tried.append(job)
        raise TRANSIENT

    call = Numbers(work, may_be_repeated=lambda job: job != "once")
    for job in ("once", "a", "b"):
        assert call.run([job]) == [Outcome(error=TRANSIENT)]
    assert tried == ["once", "a", "a", "a", "b"]
    assert len(slept) == 2


def _refused_for_long() -> errors.ThrottledError:
    error = errors.ThrottledError("slow down")
    error.was_repeated = True
    return error


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(errors.InvalidInputError("no"), id="refused"),
        pytest.param(_refused_for_long(), id="throttled all the time"),
    ],
)
def test_other_failures_are_not_retried(error: errors.SeedctlError) -> None:
    """Denials are not retried, nor are throttled calls that were retried already."""
    tried = []

    def work(job: int) -> None:
        tried.append(job)
        raise error

    assert run([1], work, may_be_repeated=lambda _: True) == [Outcome(error=error)]
    assert tried == [1]
