"""Text on a terminal: tables in aligned columns, and sentences wrapped between words.

Importing this module loads rich.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP = 2
_MIN_LAST_COLUMN = 24  # a narrower last column is hard to read


def rich_console(*, on_stdout: bool = False) -> Console:
    """Return rich's console for stderr or stdout."""
    if on_stdout:
        return Console(file=sys.stdout)
    # What is not a terminal has no width, and nothing may be cut off there. Rich needs both sizes:
    # with one of them, TERM=dumb makes it 80 columns wide.
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    width, height = (None, None) if is_terminal else (1000, 25)
    return Console(
        stderr=True, width=width, height=height, highlight=False, markup=False, emoji=False
    )


def print_on_terminal(text: str, *, style: str, wrap: bool) -> None:
    """Print *text* on stderr in colour, unless NO_COLOR is set."""
    console = rich_console()
    if wrap:
        text = "\n".join(wrapped(text, console.width))
    if style and "NO_COLOR" not in os.environ:
        console.print(Text(text, style=style), soft_wrap=True)
    else:
        click.echo(text, err=True)


def table_lines(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield the lines that show *rows*; only the last column is wrapped, between words.

    If the other columns leave it too little space, the last column gets lines of its own. If the
    other columns alone are wider than *width*, cells follow each other without columns, and a cell
    that does not fit begins the next line. A word that is wider than the terminal, such as an id,
    is never broken, so that it can be copied.
    """
    rows = [[Text(" ".join(cell.splitlines())).plain for cell in row] for row in rows]
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max(cell_len(row[column]) for row in rows if column < len(row)) for column in range(columns)
    ]
    indent = sum(widths[:-1]) + _GAP * (columns - 1)
    space = width - indent
    for row in rows:
        if space + _GAP < 0 or columns == 1:
            yield from _without_columns(row, width)
            continue
        head = "".join(
            cell + " " * (column_width - cell_len(cell) + _GAP)
            for cell, column_width in zip(row, widths[:-1], strict=False)
        )
        last = row[columns - 1] if len(row) == columns else ""
        hanging = indent
        widest_word = max(map(cell_len, last.split()), default=0)
        if not last or space < max(min(_MIN_LAST_COLUMN, cell_len(last)), widest_word):
            yield head.rstrip()
            hanging, head = _GAP, " " * _GAP
        for line in wrapped(last, width - hanging) if last else ():
            yield (head + line).rstrip()
            head = " " * hanging


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of *text*, wrapped between words; an indented line stays indented.

    A word that is wider than *width*, such as a path, is never broken, so that it can be copied.
    """
    for paragraph in text.split("\n"):
        line = ""
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip())]
        hanging = f"{indent}  " if indent else ""
        for word in re.findall(r"\s*\S+", paragraph):
            if line and cell_len(line + word) > width:
                yield line
                word = hanging + word.lstrip()  # noqa: PLW2901 - the first of the next line
                line = ""
            line += word
        yield line


def _without_columns(row: Sequence[str], width: int) -> Iterator[str]:
    line = ""
    for cell in filter(None, row):
        longer = f"{line}{' ' * _GAP}{cell}" if line else cell
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        indent = " " * _GAP if line else ""
        *full_lines, last = wrapped(cell, width - len(indent))
        yield from (indent + each for each in full_lines)
        line = indent + last
    yield line
