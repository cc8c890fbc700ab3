"""The progress with many users, records or files: bars on a terminal, otherwise a line at times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.cli.console import Console, OutputWatch, write_errors_ignored_after_signal
from seedctl.prompter import is_asking

if TYPE_CHECKING:
    from seedctl.cli.bars import Bars
    from seedctl.report import Progress

_SECONDS_BETWEEN_LINES = 5.0

# The remaining time is shown after these, while the rate of the second half is near the average.
_MIN_SECONDS = 3.0
_MIN_DONE = 10
_MAX_RATE_RATIO = 1.5


class ProgressDisplay:
    """Shows progress without capturing what the script prints. Thread-safe."""

    def __init__(
        self,
        console: Console,
        *,
        throttles: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*throttles* returns how many calls AWS has throttled so far."""
        self.throttles = throttles
        self._console = console
        self._clock = clock
        self._lock = threading.RLock()
        self._watch = OutputWatch()
        self._bars: Bars | None = None
        self._shown: dict[tuple[str, float], Progress] = {}
        self._printed_at: dict[tuple[str, float], float] = {}
        self._samples: dict[tuple[str, float], list[tuple[float, int]]] = {}

    def begin(self) -> None:
        """Watch what the script prints, so that no bar overwrites it."""
        if self._console.can_draw and not self._console.settings.quiet:
            self._watch.begin()

    def show(self, progress: Progress) -> None:
        with self._lock:
            if self._console.settings.quiet:
                return
            self._sample(progress)
            if self._console.can_draw:
                self._draw(progress)
            else:  # the terminal may have become too narrow for the bars that are shown
                self._clear()
                self._shown.clear()
                self._print_line(progress)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Remove the bars while a line is printed; the next progress shows them again."""
        with self._lock:
            self._clear()
            yield

    def close(self) -> None:
        """Remove the bars and stop watching."""
        with self.hidden():
            self._watch.end()
            self._shown.clear()

    def _clear(self) -> None:
        if self._bars is not None:
            with write_errors_ignored_after_signal():
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
        # A script's callback may ask for input itself. Then nothing progresses until the answer, and
        # only the same progress is shown again.
        if is_asking() or (is_repeated and self._watch.may_be_asking):
            return
        if self._bars is None:
            self.begin()
            from seedctl.cli import bars, layout  # noqa: PLC0415 - rich is slow to import

            hold_signals = self._console.settings.signals.held
            self._bars = bars.Bars(layout.rich_console(), self._watch, hold_signals)
        self._bars.draw(
            [
                (each.what, each.done + each.failed, each.total, ", ".join(self._details(each)))
                for each in self._shown.values()
            ]
        )

    def _print_line(self, progress: Progress) -> None:
        key, now = (progress.what, progress.started), self._clock()
        last = self._printed_at.get(key)
        if progress.is_finished:
            # Without an earlier line there is none at the end either: the table shows the result.
            if self._printed_at.pop(key, None) not in {None, progress.started}:
                self._console.status(self._line(progress))
        elif last is None:
            self._printed_at[key] = progress.started
        elif now - last >= _SECONDS_BETWEEN_LINES:
            self._printed_at[key] = now
            self._console.status(self._line(progress))

    def _line(self, progress: Progress) -> str:
        of = f" of {progress.total}" if progress.total is not None else ""
        count = progress.done + progress.failed
        return ", ".join([f"{progress.what}: {count}{of}", *self._details(progress)])

    def _sample(self, progress: Progress) -> None:
        """Store the count of *progress* once a second."""
        key, now = (progress.what, progress.started), self._clock()
        samples = self._samples.setdefault(key, [])
        if progress.is_finished:
            del self._samples[key]
        elif not samples or now - samples[-1][0] >= 1:
            samples.append((now, progress.done + progress.failed))

    def _is_steady(self, progress: Progress) -> bool:
        """Whether the rate is steady enough to estimate the remaining time."""
        seconds = self._clock() - progress.started
        counted = progress.done + progress.failed
        if seconds < _MIN_SECONDS or counted < _MIN_DONE:
            return False
        middle = progress.started + seconds / 2
        samples = self._samples.get((progress.what, progress.started), [])
        before = [each for each in samples if each[0] <= middle]
        if not before or before[-1][0] < progress.started + seconds / 8:
            return False
        sampled_at, count = before[-1]
        recent = (counted - count) / (self._clock() - sampled_at)
        return 1 / _MAX_RATE_RATIO <= recent / (counted / seconds) <= _MAX_RATE_RATIO

    def _details(self, progress: Progress) -> list[str]:
        """Return the failures, the rate, the remaining time and the throttled calls as text."""
        counted = progress.done + progress.failed
        seconds = max(self._clock() - progress.started, 1e-3)
        details = [f"{progress.failed} failed"] if progress.failed else []
        rate = counted / seconds
        if counted:
            details.append(f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
        if progress.total is not None and not progress.is_finished and self._is_steady(progress):
            seconds_left = (progress.total - counted) / rate
            details.append(f"{_duration(seconds_left)} left")
        throttles = self.throttles()
        if throttles:
            details.append(f"{throttles} throttled")
        return details


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
