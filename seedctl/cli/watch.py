"""Notices what a script prints on the terminal, before it is printed."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class OutputWatch:
    """Watches stdout and stderr where they are terminals.

    The output itself is unchanged. The streams stay the same objects, so that output through other
    references to them, such as those of logging handlers, is noticed too.
    """

    def __init__(self) -> None:
        self.before_write: Callable[[], bool] = lambda: True
        """Called before each write; returns whether the script writes, and not the bars."""
        self.is_within_line = False
        """Whether the script's last output did not end with a line break."""
        self._is_flushed = False
        self._has_question = False
        self._watched: list[Any] = []

    @property
    def may_be_asking(self) -> bool:
        """Whether the script may have asked a question and be waiting for the answer."""
        return self.is_within_line or self._has_question

    def begin(self) -> None:
        """Start watching. A second call does nothing."""
        if self._watched:
            return
        streams: list[Any] = [sys.stdout]
        if sys.stderr is not sys.stdout:  # a script may have set both to one object
            streams.append(sys.stderr)
        for stream in streams:
            # A stream that the script has set may not allow new attributes, or may be closed.
            with suppress(AttributeError, ValueError):
                if stream.isatty():
                    stream.write = self._watched_write(stream.write)
                    # input() flushes, and then shows its question without write().
                    stream.flush = self._watched_flush(stream.flush)
                    self._watched.append(stream)

    def end(self) -> None:
        for stream in self._watched:
            del stream.write, stream.flush
        self._watched.clear()

    def _watched_write(self, write: Callable[[str], int]) -> Callable[[str], int]:
        def watched(text: str) -> int:
            if self.before_write() and text:
                self.is_within_line = not text.endswith("\n")
                self._is_flushed = self._has_question = False
            return write(text)

        return watched

    def _watched_flush(self, flush: Callable[[], None]) -> Callable[[], None]:
        def watched() -> None:
            if self.before_write():
                # Two flushes without a write between them are input() flushing stderr and stdout.
                self._has_question = self._is_flushed
                self._is_flushed = True
            flush()

        return watched
