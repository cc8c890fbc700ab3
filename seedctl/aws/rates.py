"""Let calls go no faster than a quota, whatever the number of threads.

A quota is kept where it is counted, at the server: no second there sees more calls than it allows.
What this side knows of a call is when it was sent and when its answer came. It may have been late
on its way by as much as it took longer than the quickest one; only a second after that is its place
free for another.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import deque

from seedctl import process_state

_WINDOW = 1.0
_MARGIN = 0.005  # for what the quickest call was late itself, and for the clocks
_ENOUGH = 10  # answers after which the quickest is taken for as quick as it gets
_FORGET = 0.002  # how far each slower call takes the quickest one's time up to its own
_BURST = 5  # calls that may go at once when it was quiet; the window holds for them too
_LONGEST_WAIT = 0.2  # Windows does not tell Ctrl-C to a thread that waits on a lock for long

# After a refusal: down to a little less than the share that was not refused within a second, to
# seven tenths at most, once a second at most; and up by a twentieth each second. A few refusals that
# have other causes than this rate cost little so.
_SLOWER, _SLOWEST, _FASTER = 0.7, 0.1, 0.05
_LITTLE_LESS = 0.98


class Window:
    """When the next call may go. Knows no threads and no clock: it is told the time."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._share = 1.0
        self._share_since = self._slowed_at = -math.inf
        self._in_flight = 0
        self._ended: list[float] = []
        """A heap: of the calls that still count, a window after their answers came."""
        self._quickest = math.inf
        self._answers = 0
        self._answered: deque[float] = deque()
        """When the answers of the last window came."""
        self._refused: deque[float] = deque()
        """The refusals among them."""
        self._due = -math.inf
        """When the next call would be sent if all were evenly spaced."""

    def limit(self, now: float) -> int:
        """Return how many calls a second are allowed at present."""
        if self._share < 1.0:
            self._share = min(1.0, self._share + _FASTER * (now - self._share_since))
            self._share_since = now
        return max(1, int(self._quota * self._share))

    def opens_at(self, now: float) -> float | None:
        """Return when a call may go, *now* or later; None if an answer must come first."""
        limit = self.limit(now)
        # Of few answers even the quickest may have been slow.
        early = _MARGIN - (self._quickest if self._answers >= _ENOUGH else 0.0)
        while self._ended and self._ended[0] + early <= now:
            heapq.heappop(self._ended)
        due = self._due - (min(_BURST, limit) - 1) / limit
        surplus = self._in_flight + len(self._ended) - limit + 1
        if surplus > len(self._ended):
            return None
        if surplus > 0:
            due = max(due, heapq.nsmallest(surplus, self._ended)[-1] + early)
        return max(now, due)

    def begin(self, now: float) -> None:
        """Count a call that goes now."""
        self._in_flight += 1
        self._due = max(self._due, now) + 1 / self.limit(now)

    def end(self, began: float, now: float) -> None:
        """Count the answer of a call that *began*, or that none came."""
        took = now - began
        if took < self._quickest:
            self._quickest = took
        else:
            self._quickest += _FORGET * (took - self._quickest)
        self._answers += 1
        self._answered.append(now)
        _forget_before(now - _WINDOW, self._answered)
        self._in_flight -= 1
        # One that hung, or failed after a time-out, has long arrived if it ever did.
        late_at_most = min(took, self._quickest + _WINDOW)
        heapq.heappush(self._ended, began + late_at_most + _WINDOW)

    def slow_down(self, now: float) -> None:
        """Allow fewer calls for a while: the server has refused one, whose :meth:`end` comes next."""
        self._refused.append(now)
        _forget_before(now - _WINDOW, self._refused)
        if now - self._slowed_at < _WINDOW:
            return  # of many in flight many are refused: they count together
        self.limit(now)
        _forget_before(now - _WINDOW, self._answered)
        granted = 1.0 - len(self._refused) / (len(self._answered) + 1)
        self._share = max(_SLOWEST, self._share * max(_SLOWER, _LITTLE_LESS * granted))
        self._share_since = self._slowed_at = now


def _forget_before(moment: float, times: deque[float]) -> None:
    while times and times[0] <= moment:
        times.popleft()


class Clock:
    """Time as it passes. Tests have another."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(seconds)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Limiter:
    """Lets the threads of a process through, each in its turn."""

    def __init__(self, quota: int, clock: Clock) -> None:
        self._window = Window(quota)
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: deque[threading.Condition] = deque()

    def acquire(self) -> tuple[float, float]:
        """Wait for a place, and return when that was and how long it took."""
        clock, queue = self._clock, self._queue
        turn = threading.Condition(self._lock)  # one each: a place that is free wakes one thread
        with self._lock:
            came = clock.now()
            queue.append(turn)
            try:
                while True:
                    now = clock.now()
                    wait = _LONGEST_WAIT
                    if queue[0] is turn:
                        opens = self._window.opens_at(now)
                        if opens is not None:
                            if opens <= now:
                                self._window.begin(now)
                                return now, now - came
                            wait = min(wait, opens - now)
                    clock.wait(turn, wait)
            finally:
                queue.remove(turn)
                self._wake_first()

    def release(self, began: float) -> None:
        """Tell that the call that was let through when it *began* is over."""
        with self._lock:
            self._window.end(began, self._clock.now())
            self._wake_first()

    def slow_down(self) -> None:
        """Tell that AWS has refused a call for its rate."""
        with self._lock:
            self._window.slow_down(self._clock.now())

    def _wake_first(self) -> None:
        if self._queue:
            self._queue[0].notify()


class _Limiters:
    """All of the process: two backends on one account have one quota between them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limiters: dict[tuple[object, ...], Limiter] = {}

    def get(self, key: tuple[object, ...], quota: int, clock: Clock) -> Limiter:
        with self._lock:
            return self._limiters.setdefault((*key, quota, clock), Limiter(quota, clock))


CLOCK = Clock()


def shared_limiter(key: tuple[object, ...], quota: int, clock: Clock) -> Limiter:
    """Return the limiter that every call under *key* in this process shares."""
    return process_state.instance(_Limiters).get(key, quota, clock)
