"""What a script prints on the terminal, heard of before it is there."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Watch:
    """Watches stdout and stderr where they are terminals.

    What is printed goes where it always went. The streams stay the same objects: whoever else holds
    them, as logging does, is heard too.
    """

    def __init__(self) -> None:
        self.before: Callable[[], bool] = lambda: True
        """Called before anything is printed; returns whether it is another's."""
        self.is_within_line = False
        """Whether the last that was printed has not ended its line."""
        self._is_flushed = False
        self._has_question = False
        self._watched: list[Any] = []

    @property
    def may_be_asking(self) -> bool:
        """Whether the last line may be a question, which an answer is typed behind."""
        return self.is_within_line or self._has_question

    def begin(self) -> None:
        """Watch from now on. A second call does nothing."""
        if self._watched:
            return
        streams: list[Any] = [sys.stdout]
        if sys.stderr is not sys.stdout:  # a script may have made them one
            streams.append(sys.stderr)
        for stream in streams:
            # A stream of the script's own may have no room for this, or be closed.
            with suppress(AttributeError, ValueError):
                if stream.isatty():
                    stream.write = self._writing(stream.write)
                    # input() flushes before it shows its question without write().
                    stream.flush = self._flushing(stream.flush)
                    self._watched.append(stream)

    def end(self) -> None:
        for stream in self._watched:
            del stream.write, stream.flush
        self._watched.clear()

    def _writing(self, write: Callable[[str], int]) -> Callable[[str], int]:
        def watched(text: str) -> int:
            if self.before() and text:
                self.is_within_line = not text.endswith("\n")
                self._is_flushed = self._has_question = False
            return write(text)

        return watched

    def _flushing(self, flush: Callable[[], None]) -> Callable[[], None]:
        def watched() -> None:
            if self.before():
                # input() flushes stderr and stdout in turn, and what prints has written before.
                self._has_question = self._is_flushed
                self._is_flushed = True
            flush()

        return watched
