"""How far it is with many users, records or files: bars on a terminal, else a line now and then."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.cli.console import heard_or_not
from seedctl.cli.watch import Watch
from seedctl.prompter import is_asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.cli.bars import Bars
    from seedctl.cli.console import Console
    from seedctl.report import Progress

_SECONDS_BETWEEN_LINES = 5.0

# The time left is told from here on, while the later half's rate is near that of all.
_LEAST_SECONDS = 3.0
_LEAST_DONE = 10
_STEADY = 1.5


class ProgressDisplay:
    """Shows what it is told; thread-safe. Never captures what the script prints."""

    def __init__(
        self,
        console: Console,
        *,
        throttles: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*throttles* says how many calls AWS has refused for their rate so far."""
        self.throttles = throttles
        self._console = console
        self._clock = clock
        self._lock = threading.RLock()
        self._watch = Watch()
        self._bars: Bars | None = None
        self._shown: dict[tuple[str, float], Progress] = {}
        self._said: dict[tuple[str, float], float] = {}
        self._samples: dict[tuple[str, float], list[tuple[float, int]]] = {}

    def begin(self) -> None:
        """Watch what the script prints, so that no bar covers it."""
        if self._console.can_draw and not self._console.is_quiet:
            self._watch.begin()

    def show(self, progress: Progress) -> None:
        with self._lock:
            if self._console.is_quiet:
                return
            self._sample(progress)
            if self._console.can_draw:
                self._draw(progress)
            else:  # or no more, in a window that was made narrow
                self._clear()
                self._shown.clear()
                self._say(progress)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the bars away, for a line to be printed; the next progress shows them again."""
        with self._lock:
            self._clear()
            yield

    def close(self) -> None:
        """Take the bars away, and watch no more."""
        with self.hidden():
            self._watch.end()
            self._shown.clear()

    def _clear(self) -> None:
        if self._bars is not None:
            with heard_or_not():
                self._bars.clear()

    def _draw(self, progress: Progress) -> None:
        key = (progress.what, progress.started)
        is_repeated = self._shown.get(key) == progress
        self._shown[key] = progress
        if progress.is_finished:
            del self._shown[key]
            if not self._shown:
                self._clear()
                return
        # A callback may ask by itself, and all wait for the answer: nothing new comes until then.
        if is_asking() or (is_repeated and self._watch.may_be_asking):
            return
        if self._bars is None:
            self.begin()
            self._bars = self._console.new_bars(self._watch)
        self._bars.draw(
            [
                (each.what, each.done + each.failed, each.total, ", ".join(self._facts(each)))
                for each in self._shown.values()
            ]
        )

    def _say(self, progress: Progress) -> None:
        key, now = (progress.what, progress.started), self._clock()
        last = self._said.get(key)
        if progress.is_finished:
            # What took less time than between two lines has none: the table says it all.
            if self._said.pop(key, None) not in {None, progress.started}:
                self._console.status(self._line(progress))
        elif last is None:
            self._said[key] = progress.started
        elif now - last >= _SECONDS_BETWEEN_LINES:
            self._said[key] = now
            self._console.status(self._line(progress))

    def _line(self, progress: Progress) -> str:
        of = f" of {progress.total}" if progress.total is not None else ""
        count = progress.done + progress.failed
        return ", ".join([f"{progress.what}: {count}{of}", *self._facts(progress)])

    def _sample(self, progress: Progress) -> None:
        """Remember how far it was, once a second."""
        key, now = (progress.what, progress.started), self._clock()
        samples = self._samples.setdefault(key, [])
        if progress.is_finished:
            del self._samples[key]
        elif not samples or now - samples[-1][0] >= 1:
            samples.append((now, progress.done + progress.failed))

    def _is_steady(self, progress: Progress) -> bool:
        """Whether enough is done, at a rate that holds, to tell how long the rest will take."""
        seconds = self._clock() - progress.started
        counted = progress.done + progress.failed
        if seconds < _LEAST_SECONDS or counted < _LEAST_DONE:
            return False
        middle = progress.started + seconds / 2
        samples = self._samples.get((progress.what, progress.started), [])
        before = [each for each in samples if each[0] <= middle]
        if not before or before[-1][0] < progress.started + seconds / 8:
            return False
        moment, then = before[-1]
        recent = (counted - then) / (self._clock() - moment)
        return 1 / _STEADY <= recent / (counted / seconds) <= _STEADY

    def _facts(self, progress: Progress) -> list[str]:
        """Return failures, rate, time left and throttles, in words."""
        counted = progress.done + progress.failed
        seconds = max(self._clock() - progress.started, 1e-3)
        facts = [f"{progress.failed} failed"] if progress.failed else []
        rate = counted / seconds
        if counted:
            facts.append(f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if progress.total is not None and not progress.is_finished and self._is_steady(progress):
            left = (progress.total - counted) / rate
            facts.append(f"{_duration(left)} left")
        throttles = self.throttles()
        if throttles:
            facts.append(f"{throttles} throttled")
        return facts


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
