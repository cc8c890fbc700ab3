"""How far a bulk call has come, told to an observer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seedctl.report import Progress

if TYPE_CHECKING:
    from types import TracebackType

    from seedctl.report import Observer

_PROGRESS_SECONDS = 0.1
_HEARTBEAT_SECONDS = 1.0


class Tally:
    """Counts what is done, and tells an observer about ten times a second; of waiting, each second.

    A context manager, for one thread: it tells at once when it is entered, and the sum at the end.
    """

    def __init__(self, observer: Observer, what: str, total: int | None = None) -> None:
        """*what* is counted, such as "Todo records"; *total* is None where nobody knows."""
        self._observer = observer
        self._what = what
        self._total = total
        self._done = self._failed = 0
        self._started = self._told = time.monotonic()

    def __enter__(self) -> Tally:
        self._tell(is_finished=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(is_finished=True)

    def add(self, done: int = 0, failed: int = 0) -> None:
        self._done += done
        self._failed += failed
        if time.monotonic() - self._told >= _PROGRESS_SECONDS:
            self._tell(is_finished=False)

    def heartbeat(self) -> None:
        """Tell the same again when a second has passed: time goes on, also where nothing ends."""
        if time.monotonic() - self._told >= _HEARTBEAT_SECONDS:
            self._tell(is_finished=False)

    def _tell(self, *, is_finished: bool) -> None:
        self._told = time.monotonic()
        self._observer.on_progress(
            Progress(self._what, self._done, self._failed, self._total, self._started, is_finished)
        )
