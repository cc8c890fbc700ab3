"""Limit calls to a quota per second, for any number of threads.

AWS counts a call when it arrives, so no second *at the server* may have more calls than the quota.
This side knows only when a call was sent and when its response came. A call may have reached AWS up
to (its latency - the lowest latency seen) after we sent it. Only one second after that its slot is
free.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import deque

from seedctl import process_state

_WINDOW = 1.0
_MARGIN = 0.005  # seconds added for the delay of the fastest call and for inexact clocks
_ENOUGH_RESPONSES = 10  # until then the lowest latency seen may be far from the lowest possible
_LATENCY_DRIFT = 0.002  # share by which each slower call raises the lowest latency towards its own
_BURST = 5  # calls that may be sent at once after a pause; the window limits them too
_MAX_WAIT = 0.2  # seconds; on Windows, Ctrl-C does not interrupt a long wait on a lock

# After a throttled call the rate is reduced, at most once a second: to 98 % of the share of calls
# not throttled in the last second, but not below 70 % of the rate before, and never below 10 % of
# the quota. It grows by 5 % of the quota per second. So a few throttled calls with other causes
# than this rate cost little.
_MAX_REDUCTION, _MIN_SHARE, _GROWTH = 0.7, 0.1, 0.05
_REDUCTION_MARGIN = 0.98


class Window:
    """Calculates when the next call may be sent. Has no lock and no clock of its own."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._share = 1.0
        self._share_set_at = self._reduced_at = -math.inf
        self._in_flight = 0
        self._ended: list[float] = []
        """A heap with the times when the slots of ended calls become free."""
        self._lowest_latency = math.inf
        self._responses = 0
        self._response_times: deque[float] = deque()
        """When the responses of the last window came."""
        self._throttle_times: deque[float] = deque()
        """When the throttled ones among them came."""
        self._next_even = -math.inf
        """When the next call would be sent if all calls were evenly spaced."""

    def limit(self, now: float) -> int:
        """Return how many calls per second are allowed at the time *now*."""
        if self._share < 1.0:
            self._share = min(1.0, self._share + _GROWTH * (now - self._share_set_at))
            self._share_set_at = now
        return max(1, int(self._quota * self._share))

    def free_at(self, now: float) -> float | None:
        """Return when a call may be sent, *now* or later; None if a response must come first."""
        limit = self.limit(now)
        # After a few responses only, even the lowest latency may be high.
        early = _MARGIN - (self._lowest_latency if self._responses >= _ENOUGH_RESPONSES else 0.0)
        while self._ended and self._ended[0] + early <= now:
            heapq.heappop(self._ended)
        at = self._next_even - (min(_BURST, limit) - 1) / limit
        occupied = self._in_flight + len(self._ended) - limit + 1
        if occupied > len(self._ended):
            return None
        if occupied > 0:
            at = max(at, heapq.nsmallest(occupied, self._ended)[-1] + early)
        return max(now, at)

    def begin(self, now: float) -> None:
        """Count a call that is sent now."""
        self._in_flight += 1
        self._next_even = max(self._next_even, now) + 1 / self.limit(now)

    def end(self, began: float, now: float) -> None:
        """Count the end, with or without a response, of the call that was sent at *began*."""
        latency = now - began
        if latency < self._lowest_latency:
            self._lowest_latency = latency
        else:
            self._lowest_latency += _LATENCY_DRIFT * (latency - self._lowest_latency)
        self._responses += 1
        self._response_times.append(now)
        _drop_until(now - _WINDOW, self._response_times)
        self._in_flight -= 1
        # A call that hung, or failed after a time-out, has arrived long ago or never.
        max_delay = min(latency, self._lowest_latency + _WINDOW)
        heapq.heappush(self._ended, began + max_delay + _WINDOW)

    def slow_down(self, now: float) -> None:
        """Reduce the rate: AWS throttled a call, for which ``end`` is called next."""
        self._throttle_times.append(now)
        _drop_until(now - _WINDOW, self._throttle_times)
        if now - self._reduced_at < _WINDOW:
            return  # calls in flight together are throttled together: reduce once
        self.limit(now)
        _drop_until(now - _WINDOW, self._response_times)
        accepted = 1.0 - len(self._throttle_times) / (len(self._response_times) + 1)
        self._share = max(
            _MIN_SHARE, self._share * max(_MAX_REDUCTION, _REDUCTION_MARGIN * accepted)
        )
        self._share_set_at = self._reduced_at = now


def _drop_until(limit: float, times: deque[float]) -> None:
    while times and times[0] <= limit:
        times.popleft()


class Clock:
    """The real time. Tests replace it."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(seconds)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Limiter:
    """Lets the threads of the process make calls, in the order in which they ask."""

    def __init__(self, quota: int, clock: Clock) -> None:
        self._window = Window(quota)
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[threading.Condition] = deque()

    def acquire(self) -> tuple[float, float]:
        """Wait for a slot; return when the call may be sent and how many seconds it waited."""
        clock, queue = self._clock, self._queue
        # One per thread, so that a free slot wakes one thread only.
        turn = threading.Condition(self._lock)
        with self._lock:
            asked_at = clock.now()
            queue.append(turn)
            try:
                while True:
                    now = clock.now()
                    wait = _MAX_WAIT
                    if queue[0] is turn:
                        free_at = self._window.free_at(now)
                        if free_at is not None:
                            if free_at <= now:
                                self._window.begin(now)
                                return now, now - asked_at
                            wait = min(wait, free_at - now)
                    clock.wait(turn, wait)
            finally:
                queue.remove(turn)
                self._wake_first()

    def release(self, began: float) -> None:
        """Free the slot of the call that was sent at *began*."""
        with self._lock:
            self._window.end(began, self._clock.now())
            self._wake_first()

    def slow_down(self) -> None:
        """Reduce the rate, since AWS throttled a call."""
        with self._lock:
            self._window.slow_down(self._clock.now())

    def _wake_first(self) -> None:
        if self._queue:
            self._queue[0].notify()


class _Limiters(dict[tuple[object, ...], Limiter]):
    """The limiters of the process: backends on the same account share its quotas."""


CLOCK = Clock()


def shared_limiter(key: tuple[object, ...], quota: int, clock: Clock) -> Limiter:
    """Return the limiter that every call under *key* in this process shares."""
    limiters = process_state.instance(_Limiters)
    return limiters.setdefault((*key, quota, clock), Limiter(quota, clock))  # atomic
