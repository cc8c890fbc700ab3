"""What seedctl prints: messages about a run on stderr, with secrets masked; data on stdout.

What the script itself prints is only noticed, by OutputWatch, so that no bar overwrites it.

Every message passes ``seedctl.masking.mask_message``, which does not change seedctl's own
words. A caller that puts a name or other text from outside into a message masks that text first.
Rich is slow to import, so it is loaded only to lay out or colour text on a terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

import click

from seedctl import interruption
from seedctl.cli.options import Settings
from seedctl.errors import FileAccessError
from seedctl.masking import mask_message

_MIN_COLUMNS = 20  # a narrower terminal cannot show the figures of a progress bar


class Console:
    """Prints status, warnings and failures on stderr."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def is_verbose(self) -> bool:
        return self.settings.verbose and not self.settings.quiet

    @property
    def can_draw(self) -> bool:
        """Whether stderr is a terminal that can erase lines and is wide enough for a bar."""
        return (
            is_terminal()
            and os.environ.get("TERM") not in {"dumb", "unknown"}
            and _columns() >= _MIN_COLUMNS
        )

    def status(self, text: str) -> None:
        """Print *text*, unless --quiet was given."""
        if not self.settings.quiet:
            self.message(text)

    def success(self, text: str) -> None:
        if not self.settings.quiet:
            self.message(f"✔ {text}", style="green")

    def failure(self, text: str) -> None:
        """Print that a run ended with failures."""
        self.message(f"✘ {text}", style="bold red")

    def warning(self, text: str) -> None:
        self.message(f"Warning: {text}", style="yellow")

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """Print *rows* in aligned columns, unless --quiet was given."""
        if not self.settings.quiet:
            masked = [[mask_message(text) for text in row] for row in rows]
            with write_errors_ignored_after_signal():
                for line in _table_lines(masked):
                    click.echo(line, err=True)

    def message(self, text: str, *, style: str = "") -> None:
        """Print *text* masked, and on a terminal wrapped between words."""
        self.print_masked(mask_message(text), style=style, wrap=True)

    @staticmethod
    def print_masked(text: str, *, style: str = "", wrap: bool = False) -> None:
        """Print *text*, which the caller has masked already."""
        with write_errors_ignored_after_signal():
            if is_terminal():
                from seedctl.cli import layout  # noqa: PLC0415 - rich is slow to import

                layout.print_on_terminal(text, style=style, wrap=wrap)
            else:
                click.echo(text, err=True)


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
            with contextlib.suppress(AttributeError, ValueError):
                if stream.isatty():
                    stream.write = partial(self._write, stream.write)
                    # input() flushes, and then shows its question without write().
                    stream.flush = partial(self._flush, stream.flush)
                    self._watched.append(stream)

    def end(self) -> None:
        for stream in self._watched:
            del stream.write, stream.flush
        self._watched.clear()

    def _write(self, write: Callable[[str], int], text: str) -> int:
        if self.before_write() and text:
            self.is_within_line = not text.endswith("\n")
            self._is_flushed = self._has_question = False
        return write(text)

    def _flush(self, flush: Callable[[], None]) -> None:
        if self.before_write():
            # Two flushes without a write between them are input() flushing stderr and stdout.
            self._has_question = self._is_flushed
            self._is_flushed = True
        flush()


@contextlib.contextmanager
def write_errors_ignored_after_signal() -> Iterator[None]:
    """Ignore failed writes in the block if a signal ends the run: the reader may be gone too."""
    try:
        yield
    except OSError:
        if not interruption.is_requested():
            raise


def is_terminal() -> bool:
    """Whether messages are printed on a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _columns() -> int:
    """Return the width of the terminal as rich computes it, without loading rich."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80  # 0 means unknown
    except OSError:
        return 80


def print_data(text: str) -> None:
    """Print the result of a command on stdout, not masked: the user asked to see it."""
    if sys.stdout is None:
        raise FileAccessError("Standard output is closed, so there is nowhere to print to.")
    try:
        # UTF-8 whatever the locale is, so that stored values are printed unchanged.
        click.echo(text.encode("utf-8", "surrogatepass"))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileAccessError(
            f"Standard output cannot be written: {error.strerror}.",
            resolution="Check where it is redirected to.",
        ) from error


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Print *rows* as data: aligned on a terminal, otherwise one line for each row."""
    rows = list(rows)
    if sys.stdout is not None and sys.stdout.isatty():
        lines = _table_lines(rows, on_stdout=True)
    else:
        lines = ("  ".join(row) for row in rows)
    print_data("\n".join(lines))


def print_json(value: object) -> None:
    print_data(json.dumps(value, indent=2, ensure_ascii=False))


def utc_time(timestamp: float) -> str:
    """Return *timestamp*, in seconds since 1970, as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(timestamp, timezone.utc)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _table_lines(rows: Sequence[Sequence[str]], *, on_stdout: bool = False) -> Iterator[str]:
    from seedctl.cli import layout  # noqa: PLC0415 - rich is slow to import

    return layout.table_lines(rows, layout.rich_console(on_stdout=on_stdout).width)
