"""Many jobs at once: how many, in which order, and what stops them."""

from __future__ import annotations

import contextvars
import itertools
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.bulk.engine import Outcome, run
from seedctl.bulk.failures import bulk_error, retrying
from seedctl.bulk.progress import Tally
from seedctl.report import PlainReport, Progress, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT = 20.0  # never waited for in full, unless something is broken
who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


class Heard(Report):
    """Keeps all progress, not only the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Progress] = []

    def on_progress(self, progress: Progress) -> None:
        super().on_progress(progress)
        self.told.append(progress)


def _failing(error: BaseException) -> Callable[[int], int]:
    def work(job: int) -> int:
        if job == 3:
            raise error
        return job

    return work


def test_outcomes_are_in_the_order_of_the_jobs() -> None:
    """Whichever ends first, the outcomes come in the order the jobs were given in."""
    ends = [threading.Event() for _ in range(4)]

    def work(job: int) -> int:
        if job < 3:  # each waits for the one behind it
            assert ends[job + 1].wait(WAIT)
        ends[job].set()
        return job * 10

    assert run(range(4), work, concurrency=4) == [Outcome(value) for value in (0, 10, 20, 30)]


def test_no_jobs_have_no_outcomes() -> None:
    """Nothing to do is done at once, without a thread."""
    before = threading.active_count()
    assert run([], lambda job: job, concurrency=8) == []
    assert threading.active_count() == before


def test_as_many_in_flight_as_said() -> None:
    """All threads are used, and never one more than concurrency."""
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


def test_jobs_are_drawn_when_there_is_a_thread() -> None:
    """A generator is drawn as far as threads are free, by the calling thread, never to its end."""
    drawn: list[threading.Thread] = []
    ended: list[int] = []
    ahead: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(500):
            drawn.append(threading.current_thread())
            ahead.append(len(drawn) - len(ended))
            yield number

    run(jobs(), ended.append, concurrency=4)
    assert len(ended) == 500
    assert max(ahead) <= 5  # those in flight, and the one just drawn
    assert set(drawn) == {threading.current_thread()}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(errors.InvalidInputError("bad"), id="data"),
        pytest.param(errors.FileAccessError("gone"), id="file"),
    ],
)
def test_a_failed_job_is_an_outcome(error: errors.SeedctlError) -> None:
    """A SeedctlError about one job leaves the others alone."""
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
def test_an_error_that_concerns_all_stops(error: errors.SeedctlError) -> None:
    """Without credentials or a network nothing more is begun, and the rest is not tried."""
    tried = []

    def work(job: int) -> int:
        tried.append(job)
        return _failing(error)(job)

    outcomes = run(range(100), work, concurrency=1)
    assert tried == [0, 1, 2, 3]
    assert outcomes[3] == Outcome(error=error)
    assert outcomes[4:] == [Outcome(was_tried=False)] * 96


def test_a_generator_is_not_drawn_to_its_end() -> None:
    """After an error that concerns all, a generator that may never end is left where it is."""
    error = errors.ThrottledError("slow down")
    outcomes = run(itertools.count(), _failing(error), concurrency=1)
    assert [outcome.error for outcome in outcomes] == [None, None, None, error]


def test_what_stops_is_the_callers_to_say() -> None:
    """A caller may judge outcomes by itself, values too."""
    outcomes = run(range(9), lambda job: job, concurrency=1, is_fatal=lambda o: o.value == 2)
    assert [outcome.was_tried for outcome in outcomes] == [True] * 3 + [False] * 6


@pytest.mark.parametrize("where", ["job", "generator"])
def test_a_bug_comes_through(where: str) -> None:
    """Any other exception is raised as it is, when what is in flight has ended."""
    begun, bug_is_out = threading.Event(), threading.Event()
    ended: list[int] = []

    def jobs() -> Iterator[int]:
        yield 0
        if where == "generator":
            assert begun.wait(WAIT)
            bug_is_out.set()
            raise ZeroDivisionError("bug")
        yield 1
        raise AssertionError("drawn although there was no free thread")

    def work(job: int) -> None:
        if job == 1:
            assert begun.wait(WAIT)
            bug_is_out.set()
            raise ZeroDivisionError("bug")
        begun.set()
        assert bug_is_out.wait(WAIT)
        ended.append(job)

    with pytest.raises(ZeroDivisionError, match="bug"):
        run(jobs(), work, concurrency=2)
    assert ended == [0]


def test_a_job_may_be_interrupted() -> None:
    """Ctrl-C at a prompt in a thread ends the whole."""
    with pytest.raises(KeyboardInterrupt):
        run(range(9), _failing(KeyboardInterrupt()), concurrency=1)


def test_ctrl_c_ends_it() -> None:
    """Ctrl-C begins nothing more, lets what is in flight end, and goes on to the caller."""
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
    """A job that hangs keeps nobody at the keyboard."""
    monkeypatch.setattr("seedctl.bulk.engine._GRACE_SECONDS", 0.0)
    release = threading.Event()

    def work(job: int) -> None:
        if job:
            raise KeyboardInterrupt
        release.wait(WAIT)

    with pytest.raises(KeyboardInterrupt):
        run(range(9), work, concurrency=2)
    assert not release.is_set()
    release.set()


def test_threads_see_the_context() -> None:
    """A sign-in of the caller's is inherited, and what a job sets stays with the job."""
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
def test_a_concurrency_that_cannot_be_meant(concurrency: Any) -> None:
    """A wrong number is refused before anything is begun."""
    with pytest.raises(errors.InvalidInputError, match="from 1 to 64"):
        run([1], lambda job: job, concurrency=concurrency)


def test_progress_is_told_first_and_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """An observer hears the beginning and the sum, however quickly it was done."""
    monkeypatch.setattr("seedctl.bulk.engine.time.monotonic", lambda: 7.0)
    heard = Heard()
    with Tally(heard, "numbers", 6) as tally:
        run(range(6), _failing(errors.InvalidInputError("bad")), concurrency=2, tally=tally)
    assert heard.told == [
        Progress("numbers", 0, 0, 6, 7.0),
        Progress("numbers", 5, 1, 6, 7.0, is_finished=True),
    ]
    assert heard.progress is heard.told[-1]


def test_progress_is_told_ten_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of jobs do not bury the observer."""
    now = 100.0
    monkeypatch.setattr("seedctl.bulk.engine.time.monotonic", lambda: now)
    heard = Heard()
    with Tally(heard, "numbers") as tally:
        for _ in range(1000):
            now += 0.001
            tally.add(done=2)
    assert [each.done for each in heard.told[:3]] == [0, 200, 400]
    assert 10 <= len(heard.told) <= 12
    assert (heard.told[-1].done, heard.told[-1].total) == (2000, None)


def test_progress_is_told_again_while_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls that hang the observer hears too, with the same counts."""
    monkeypatch.setattr("seedctl.bulk.engine._WAKE_SECONDS", 0.001)
    now = itertools.count(100.0, 0.25)  # a quarter of a second goes by with each look at the clock
    monkeypatch.setattr("seedctl.bulk.engine.time.monotonic", lambda: next(now))
    is_enough = threading.Event()

    class Waiting(Heard):
        def on_progress(self, progress: Progress) -> None:
            super().on_progress(progress)
            if len(self.told) == 4:
                is_enough.set()

    heard = Waiting()
    with Tally(heard, "numbers", 1) as tally:
        run([1], lambda _: is_enough.wait(WAIT), concurrency=1, tally=tally)
    assert is_enough.is_set()
    assert {each.done for each in heard.told[:4]} == {0}
    assert (heard.told[-1].done, heard.told[-1].is_finished) == (1, True)


def test_progress_is_not_told_again_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends now and then is told of by itself."""
    now = 100.0
    monkeypatch.setattr("seedctl.bulk.engine.time.monotonic", lambda: now)
    heard = Heard()
    with Tally(heard, "numbers") as tally:
        for moment in (100.5, 100.9, 101.0, 101.5, 101.9, 102.0):
            now = moment
            tally.heartbeat()
        assert len(heard.told) == 3


def test_progress_ends_with_the_work() -> None:
    """After a failure, too, the last word is that no more will come."""
    heard = Heard()
    with pytest.raises(ZeroDivisionError), Tally(heard, "numbers") as tally:
        run(range(6), _failing(ZeroDivisionError()), concurrency=1, tally=tally)
    assert heard.told[-1].is_finished
    assert heard.told[-1].done == 3


def test_a_job_may_count_for_many() -> None:
    """A batch counts for all that is in it."""
    heard = Heard()
    with Tally(heard, "numbers") as tally:
        run([[1, 2], [3]], sum, concurrency=1, tally=tally, counts=lambda o: (o.value or 0, 1))
    assert (heard.told[-1].done, heard.told[-1].failed) == (6, 2)


def test_a_plain_report_stays_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is kept, and not printed, where no bar can be drawn."""
    report = PlainReport()
    with Tally(report, "numbers"):
        pass
    assert report.progress is not None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("not_tried", "message"),
    [
        pytest.param(0, "2 of 500 Todo records failed; the first: bad", id="all tried"),
        pytest.param(
            1, "2 of 500 Todo records failed, 1 was not tried; the first: bad", id="one left"
        ),
        pytest.param(
            9, "2 of 500 Todo records failed, 9 were not tried; the first: bad", id="stopped"
        ),
    ],
)
def test_what_is_raised_for_many(not_tried: int, message: str) -> None:
    """The error says how many failed and why the first did, and has the results of all."""
    first = errors.InvalidInputError("bad", resolution="mend it")
    other = errors.InvalidInputError("worse")
    results = list(range(500))
    error = bulk_error("Todo records", [first, other], results=results, not_tried=not_tried)
    assert (error.message, error.resolution, error.results) == (message, "mend it", results)
    assert bulk_error("x", [first], results=[1], resolution="this").resolution == "this"


OF_A_MOMENT = errors.ServiceFailedError(
    "The service failed.", service="s3", operation="x", code="y"
)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the seconds that were slept; nobody does really."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def test_a_bad_moment_is_waited_out(slept: list[float]) -> None:
    """A job that AWS failed is done again, later each time, and at most three times."""
    fails = itertools.count()

    def work(job: int) -> int:
        if next(fails) < job:
            raise OF_A_MOMENT
        return job

    assert retrying(work)(2) == 2
    assert len(slept) == 2
    assert 1 <= slept[0] <= 2 <= slept[1] <= 4


def test_more_than_a_moment_ends_all(slept: list[float]) -> None:
    """When one job has been tried in vain to the last, no other is tried again."""
    tried: list[str] = []

    def work(job: str) -> None:
        tried.append(job)
        raise OF_A_MOMENT

    persist = retrying(work, can_repeat=lambda job: job != "once")
    for job in ("once", "a", "b"):
        with pytest.raises(errors.ServiceFailedError):
            persist(job)
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
def test_what_no_moment_mends_is_tried_once(error: errors.SeedctlError) -> None:
    """A refusal is a refusal, and what was throttled all the time has waited: nothing is done again."""
    tried = []

    def work(job: int) -> None:
        tried.append(job)
        raise error

    with pytest.raises(type(error)):
        retrying(work)(1)
    assert tried == [1]
