"""Rate limits: no second at the server sees more calls than the quota, and little time is lost."""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seedctl.aws.rates import Clock, Limiter, Window, shared_limiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def simulate(
    quota: int,
    wishes: Iterable[float],
    delays: Callable[[], tuple[float, float]],
    window: Window | None = None,
) -> list[float]:
    """Send a call for each of *wishes*, when it may go; return when each arrived at the server.

    *delays* are what a call takes on its way there, and its answer on its way back.
    """
    window = window or Window(quota)
    answers: list[tuple[float, float]] = []
    arrivals = []
    now = 0.0
    for wish in wishes:
        now = max(now, wish)
        while True:
            while answers and answers[0][0] <= now:
                moment, began = heapq.heappop(answers)
                window.end(began, moment)
            opens = window.free_at(now)
            if opens is not None and opens <= now:
                break
            next_answer = answers[0][0] if answers else float("inf")
            now = min(next_answer, opens if opens is not None else float("inf"))
        window.begin(now)
        there, back = delays()
        arrivals.append(now + there)
        heapq.heappush(answers, (now + there + back, now))
    return sorted(arrivals)


def busiest_second(arrivals: list[float]) -> int:
    seen: deque[float] = deque()
    most = 0
    for arrival in arrivals:
        seen.append(arrival)
        while seen[0] <= arrival - 1.0:
            seen.popleft()
        most = max(most, len(seen))
    return most


def test_the_busiest_second_is_found() -> None:
    """The check that these tests rely on can fail."""
    assert busiest_second([0.0, 0.5, 0.999, 1.0]) == 3
    assert busiest_second([0.0, 0.1, 0.2]) == 3


@pytest.mark.parametrize("quota", [1, 3, 25, 50, 360])
@pytest.mark.parametrize("jitter", [0.0, 0.03, 0.3], ids=["steady", "some jitter", "much jitter"])
def test_many_calls_never_exceed_the_quota(quota: int, jitter: float) -> None:
    """However late some calls arrive, no second at the server has more calls than the quota."""
    chance = random.Random(quota)

    def delays() -> tuple[float, float]:
        late = chance.uniform(0, jitter) if chance.random() < 0.4 else 0.0
        return 0.05 + late, 0.05 + (chance.uniform(0, jitter) if chance.random() < 0.2 else 0.0)

    arrivals = simulate(quota, [0.0] * quota * 12, delays)
    assert busiest_second(arrivals) <= quota


@settings(max_examples=50)
@given(
    quota=st.integers(min_value=1, max_value=60),
    pauses=st.lists(
        st.tuples(st.floats(min_value=0, max_value=3), st.integers(min_value=1, max_value=80)),
        min_size=1,
        max_size=6,
    ),
    seed=st.integers(min_value=0, max_value=2**32),
)
@example(quota=50, pauses=[(0.0, 80), (0.99, 80), (1.5, 80)], seed=1)
def test_no_pattern_of_idling_and_bursts_exceeds_the_quota(
    quota: int, pauses: list[tuple[float, int]], seed: int
) -> None:
    """After idle time the rate is not higher than the quota."""
    chance = random.Random(seed)
    wishes, now = [], 0.0
    for pause, count in pauses:
        now += pause
        wishes += [now] * count

    def delays() -> tuple[float, float]:
        return 0.02, 0.02 + chance.uniform(0, 0.05)

    assert busiest_second(simulate(quota, wishes, delays)) <= quota


def test_steady_calls_use_nearly_all_of_the_quota() -> None:
    """A thousand calls at fifty per second take hardly longer than twenty seconds."""
    arrivals = simulate(50, [0.0] * 1000, lambda: (0.05, 0.05))
    assert 19.0 < arrivals[-1] < 20.5


def test_a_quiet_limiter_lets_a_few_through_at_once() -> None:
    """The first few calls do not wait; the calls after them are spread over the second."""
    arrivals = simulate(50, [0.0] * 50, lambda: (0.0, 0.1))
    assert arrivals[:5] == [0.0] * 5
    assert arrivals[5] > 0.015
    assert arrivals[-1] == pytest.approx(0.9, abs=0.05)


def test_a_call_without_a_response_keeps_its_slot() -> None:
    """A call without a response keeps its slot: it may still arrive."""
    window = Window(2)
    window.begin(0.0)
    window.begin(0.0)
    assert window.free_at(30.0) is None
    window.end(0.0, 30.0)
    assert window.free_at(30.0) == pytest.approx(31.0, abs=0.02)


def test_a_call_that_hung_does_not_block_for_longer() -> None:
    """A call that ended after a time-out has arrived long ago or never, and frees its slot."""
    window = Window(1)
    for start in range(0, 40, 2):
        window.begin(start)
        window.end(start, start + 0.1)
    window.begin(40.0)
    window.end(40.0, 100.0)
    assert window.free_at(100.0) == 100.0


def test_throttling_reduces_the_rate_for_a_while() -> None:
    """After a throttled call the rate is lower, and rises again with time."""
    window = Window(100)
    window.slow_down(10.0)
    assert window.limit(10.0) == 70
    window.slow_down(10.5)  # of the same moment
    assert window.limit(10.5) > 70
    assert window.limit(13.0) in {84, 85}
    window.slow_down(13.0)
    assert window.limit(13.0) in {58, 59}
    assert window.limit(30.0) == 100
    for moment in range(100, 150):
        window.slow_down(float(moment))
    assert window.limit(149.0) >= 10


def test_a_reduced_rate_is_observed() -> None:
    """The lowered limit is observed like the quota itself."""
    window = Window(50)
    window.slow_down(0.0)
    arrivals = simulate(50, [0.0] * 40, lambda: (0.01, 0.01), window)
    assert busiest_second([moment for moment in arrivals if moment < 1.0]) <= 37


class ManualClock(Clock):
    """A clock that the test moves, waking the waiting threads; without any it moves by itself."""

    def __init__(self) -> None:
        self.time = 100.0
        self.is_moved_by_waiting = True
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        if self.is_moved_by_waiting:
            self.time += seconds
        else:
            condition.wait(30)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def test_the_limiter_waits_as_long_as_the_window_says() -> None:
    """acquire() waits for a slot and returns how long it waited."""
    clock = ManualClock()
    limiter = Limiter(2, clock)
    for _ in range(2):
        began, waited = limiter.acquire()
        assert (began, waited) == (100.0, 0.0)
        limiter.release(began)
    began, waited = limiter.acquire()
    assert waited == pytest.approx(1.0, abs=0.02)
    assert began == pytest.approx(101.0, abs=0.02)


def test_threads_get_slots_in_order() -> None:
    """Threads get slots in the order in which they ask, so that none waits forever."""
    clock = ManualClock()
    clock.is_moved_by_waiting = False
    limiter = Limiter(1, clock)
    limiter.release(limiter.acquire()[0])
    served: list[int] = []
    passed = threading.Semaphore(0)

    def work(number: int) -> None:
        began, _ = limiter.acquire()
        served.append(number)
        limiter.release(began)
        passed.release()

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(6)]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        while len(limiter._queue) < count:
            assert thread.is_alive()
    for _ in threads:
        with limiter._lock:
            clock.time += 1.1
            limiter._wake_first()
        assert passed.acquire(timeout=30)
    assert served == list(range(6))


def test_a_thread_that_gets_a_slot_wakes_the_next() -> None:
    """If several slots are free, one wake-up is enough: each thread wakes the one behind it."""
    clock = ManualClock()
    clock.is_moved_by_waiting = False
    limiter = Limiter(7, clock)
    for _ in range(5):  # as many as may be sent at once
        limiter.acquire()
    passed = threading.Semaphore(0)

    def work() -> None:
        limiter.acquire()
        passed.release()

    for count in (1, 2):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while len(limiter._queue) < count:
            assert thread.is_alive()
    with limiter._lock:
        clock.time += 1.1
        limiter._wake_first()
    # Without a wake-up, the second thread waits for the 30 seconds of the clock.
    assert passed.acquire(timeout=25)
    assert passed.acquire(timeout=25)


def test_an_interrupted_thread_leaves_the_queue() -> None:
    """When Ctrl-C interrupts a waiting thread, the next in the queue gets the slot."""

    class Interrupting(ManualClock):
        def wait(self, condition: threading.Condition, seconds: float) -> None:
            raise KeyboardInterrupt

    clock = Interrupting()
    limiter = Limiter(1, clock)
    limiter.release(limiter.acquire()[0])
    with pytest.raises(KeyboardInterrupt):
        limiter.acquire()
    clock.time += 2
    assert limiter.acquire() == (102.0, 0.0)


def test_one_account_has_one_limiter() -> None:
    """Two backends of a process with the same quota share it."""
    clock = ManualClock()
    first = shared_limiter(("UserCreation", None, "dev", "eu-west-1"), 50, clock)
    assert shared_limiter(("UserCreation", None, "dev", "eu-west-1"), 50, clock) is first
    for key, quota in (
        (("UserCreation", None, "dev", "us-east-1"), 50),
        (("UserCreation", None, "other", "eu-west-1"), 50),
        (("UserToken", None, "dev", "eu-west-1"), 50),
        (("UserCreation", None, "dev", "eu-west-1"), 80),
    ):
        assert shared_limiter(key, quota, clock) is not first


def test_the_real_clock_passes_by_itself() -> None:
    """With the real clock, slots become free with time."""
    clock = Clock()
    limiter = Limiter(2000, clock)
    started = clock.now()
    for _ in range(12):
        limiter.release(limiter.acquire()[0])
    clock.sleep(0)
    assert clock.now() >= started + 7 / 2000


def test_rare_throttling_costs_little() -> None:
    """If one call in twenty is throttled for another reason, most of the rate remains."""
    window = Window(50)
    now, sent = 0.0, 0
    for sent in range(1, 2001):
        opens = window.free_at(now)
        assert opens is not None
        now = opens
        window.begin(now)
        if sent % 20 == 0:
            window.slow_down(now)
        window.end(now, now)
    assert sent / now > 30


def test_frequent_throttling_finds_the_real_quota() -> None:
    """If the real quota is half of the assumed one, it is found quickly and hardly exceeded."""
    window = Window(50)
    granted: list[float] = []
    refused: list[float] = []
    now = 0.0
    while now < 20.0:
        opens = window.free_at(now)
        assert opens is not None
        now = opens
        window.begin(now)
        if sum(moment > now - 1.0 for moment in granted) < 25:
            granted.append(now)
        else:
            refused.append(now)
            window.slow_down(now)
        window.end(now, now)
    late = [moment for moment in refused if moment > 3.0]
    assert len(granted) > 20 * 20
    assert len(late) < 17 * 3
