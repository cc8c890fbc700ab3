"""Bars on a terminal, which step aside for whatever the script prints there.

Rich is loaded here, so this module is imported only when there is something to draw.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console as RichConsole

    from seedctl.cli.watch import Watch

    Bar = tuple[str, int, int | None, str]
    """What is counted, how many there are, of how many, and what else there is to know."""

_WIDEST = 24
_NARROWEST = 8  # of less room than this no bar is made


class Bars:
    """Lines at the end of the terminal, until they are cleared. Thread-safe."""

    def __init__(
        self,
        console: RichConsole,
        watch: Watch,
        held: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """*held* holds back signals, which rich cannot be met by in the middle of drawing."""
        self._console = console
        self._held = held
        self._lock = threading.RLock()
        self._live: Live | None = None
        self._is_drawing = False
        self._watch = watch
        watch.before = self._step_aside

    def draw(self, bars: Sequence[Bar]) -> None:
        with self._drawing():
            if self._live is None:
                if self._watch.is_within_line:
                    self._console.line()
                    self._watch.is_within_line = False
                self._live = Live(
                    console=self._console,
                    auto_refresh=False,
                    transient=True,
                    # Rich would otherwise print what the script prints, and all of it on stderr.
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
            self._live.update(layout(bars, self._console.width), refresh=True)

    def clear(self) -> None:
        """Take the lines away; the next ones are drawn below what is printed until then."""
        with self._drawing():
            self._stop()

    def _step_aside(self) -> bool:
        with self._lock:
            if self._is_drawing:
                return False
            self.clear()
            return True

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        with self._held(), self._lock:
            self._is_drawing = True
            try:
                yield
            finally:
                self._is_drawing = False


def layout(bars: Sequence[Bar], width: int) -> Table:
    """Return *bars* as lines of at most *width* columns: with little room there is only text."""
    texts = [
        f"{count}{f'/{total}' if total is not None else ''}{f', {facts}' if facts else ''}"
        for _, count, total, facts in bars
    ]
    room = width - 3 - max(len(bar[0]) for bar in bars) - max(map(len, texts))
    table = Table.grid(padding=(0, 1, 0, 0))
    for (what, count, total, _), text in zip(bars, texts, strict=True):
        bar = ProgressBar(total, count, width=min(room, _WIDEST))
        table.add_row(
            Text(what, no_wrap=True),
            *([bar] if room >= _NARROWEST else []),
            Text(text, no_wrap=True, overflow="ellipsis"),
        )
    return table
