"""Report the progress of a bulk call to an observer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedctl.report import Progress

if TYPE_CHECKING:
    from seedctl.report import Observer

_PROGRESS_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0


class Tally:
    """Counts finished items, and reports to an observer at most ten times a second.

    A context manager, for one thread: it reports once on entry, and the totals on exit.
    """

    def __init__(self, observer: Observer, what: str, total: int | None = None) -> None:
        """*what* is counted, such as "Todo records"; *total* is None if unknown."""
        self._observer = observer
        self._what = what
        self._total = total
        self._done = self._failed = 0
        self._started = self._reported_at = time.monotonic()

    def __enter__(self) -> Tally:
        self._report(is_finished=False)
        return self

    def __exit__(self, *error: object) -> None:
        self._report(is_finished=True)

    def add(self, done: int = 0, failed: int = 0) -> None:
        self._done += done
        self._failed += failed
        self._report_after(_PROGRESS_SECONDS)

    def heartbeat(self) -> None:
        """Report again after a second without a report, so that the elapsed time goes on."""
        self._report_after(_HEARTBEAT_SECONDS)

    def _report_after(self, seconds: float) -> None:
        if time.monotonic() - self._reported_at >= seconds:
            self._report(is_finished=False)

    def _report(self, *, is_finished: bool) -> None:
        self._reported_at = time.monotonic()
        self._observer.on_progress(
            Progress(self._what, self._done, self._failed, self._total, self._started, is_finished)
        )
