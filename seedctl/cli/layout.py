"""Rows in columns, and sentences, as wide as the terminal is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

_GAP = 2
_LEAST = 24  # a last column of less is not worth reading


def lines_of(rows: Sequence[Sequence[str]], console: Console) -> Iterator[str]:
    """Yield the lines that show *rows*; only the last column is broken, and only between words.

    Where that leaves too little for it, it has lines of its own. Where the others alone are too
    wide, cells follow each other without columns: one that has no room on a line begins the next.
    A word that is wider than the terminal, such as an id, stays whole: it is there to be copied.
    """
    rows = [[Text(" ".join(cell.splitlines())).plain for cell in row] for row in rows]
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max(cell_len(row[column]) for row in rows if column < len(row)) for column in range(columns)
    ]
    indent = sum(widths[:-1]) + _GAP * (columns - 1)
    room = console.width - indent
    for row in rows:
        if room + _GAP < 0 or columns == 1:
            yield from _packed(row, console)
            continue
        head = "".join(
            cell + " " * (width - cell_len(cell) + _GAP)
            for cell, width in zip(row, widths[:-1], strict=False)
        )
        tail = row[columns - 1] if len(row) == columns else ""
        hanging = indent
        if not tail or room < max(min(_LEAST, cell_len(tail)), _widest_word(tail)):
            yield head.rstrip()
            hanging, head = _GAP, " " * _GAP
        for line in wrapped(tail, console.width - hanging) if tail else ():
            yield (head + line).rstrip()
            head = " " * hanging


def wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of *text*, broken between words; what is indented stays so.

    A word that is wider, such as a path, stays whole: it is there to be copied.
    """
    for line in text.split("\n"):
        begun = ""
        indent = line[: len(line) - len(line.lstrip())]
        hanging = f"{indent}  " if indent else ""
        for word in re.findall(r"\s*\S+", line):
            if begun and cell_len(begun + word) > width:
                yield begun
                word = hanging + word.lstrip()  # noqa: PLW2901 - a new line begins with it
                begun = ""
            begun += word
        yield begun


def _packed(row: Sequence[str], console: Console) -> Iterator[str]:
    line = ""
    for cell in filter(None, row):
        longer = f"{line}{' ' * _GAP}{cell}" if line else cell
        if cell_len(longer) <= console.width:
            line = longer
            continue
        if line:
            yield line
        indent = " " * _GAP if line else ""
        *whole, last = wrapped(cell, console.width - len(indent))
        yield from (indent + each for each in whole)
        line = indent + last
    yield line


def _widest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)
