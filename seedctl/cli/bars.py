"""Progress bars at the end of the terminal, which make way for what the script prints.

Importing this module loads rich.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from seedctl.cli.console import OutputWatch

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

    Bar = tuple[str, int, int | None, str]
    """What is counted, how many are done, the total if it is known, and further text."""

_MAX_BAR = 24
_MIN_BAR = 8  # with fewer columns only text is shown


class Bars:
    """Draws lines below the script's output until they are cleared. Thread-safe."""

    def __init__(
        self,
        console: RichConsole,
        watch: OutputWatch,
        hold_signals: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """*hold_signals* delays signals: one that interrupts rich while it draws would break it."""
        self._console = console
        self._hold_signals = hold_signals
        self._lock = threading.RLock()
        self._live: Live | None = None
        self._is_drawing = False
        self._watch = watch
        watch.before_write = self._clear_for_script

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
                    # Otherwise rich would print the script's output itself, all of it on stderr.
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
            self._live.update(layout(bars, self._console.width), refresh=True)

    def clear(self) -> None:
        """Erase the lines. The next draw puts them below what was printed until then."""
        with self._drawing():
            if self._live is not None:
                self._live.stop()
                self._live = None

    def _clear_for_script(self) -> bool:
        """Clear the lines and return True, unless it is rich that writes."""
        with self._lock:
            if self._is_drawing:
                return False
            self.clear()
            return True

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        with self._hold_signals(), self._lock:
            self._is_drawing = True
            try:
                yield
            finally:
                self._is_drawing = False


def layout(bars: Sequence[Bar], width: int) -> Table:
    """Return *bars* as lines of at most *width* columns; a narrow terminal gets text only."""
    texts = [
        f"{count}{f'/{total}' if total is not None else ''}{f', {details}' if details else ''}"
        for _, count, total, details in bars
    ]
    space = width - 3 - max(len(bar[0]) for bar in bars) - max(map(len, texts))
    table = Table.grid(padding=(0, 1, 0, 0))
    for (what, count, total, _), text in zip(bars, texts, strict=True):
        bar = ProgressBar(total, count, width=min(space, _MAX_BAR))
        table.add_row(
            Text(what, no_wrap=True),
            *([bar] if space >= _MIN_BAR else []),
            Text(text, no_wrap=True, overflow="ellipsis"),
        )
    return table
