"""Read data files line by line: CSV with a header, or JSON Lines. They are never loaded as a whole.

A line that cannot be read is yielded as an error; the lines after it are still read. Positions count
from 1, as editors show them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from seedctl.errors import DataFileError, FileAccessError
from seedctl.masking import mask
from seedctl.rows.cells import CellError, parse_json

_SEPARATORS = (",", ";", "\t")
_MAX_LINE = 8 * 2**20  # AppSync accepts a request of about one megabyte
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # "surrogateescape" decodes invalid bytes to these
_QUOTE_AFTER_SPACE = re.compile(r'\s+".*"\s*', re.DOTALL)
_AS_UTF_8 = "Save the file as UTF-8; Excel calls it CSV UTF-8."


class Line(NamedTuple):
    """A line of a file, or a record of several lines, with its content."""

    place: str
    """The file and the line, such as "posts.csv, line 3"."""
    content: Any
    """The cells, the JSON object, or the DataFileError that says why there is none."""


def place_of(path: Path, line: int) -> str:
    """Return the place of *line* in *path*, for messages."""
    return f"{mask(str(path))}, line {line}"


class CSVFile:
    """A CSV file: its separator and header, which are read at once, and its records."""

    def __init__(self, path: Path, names: Collection[str]) -> None:
        """*names* are the columns that the file may have. The separator that finds most of them is used."""
        self._path = path
        with _reading(path), path.open("rb") as file:
            if file.read(2) in _UTF_16:
                raise DataFileError(f"{mask(str(path))} is UTF-16.", resolution=_AS_UTF_8)
        self._separator, self.header_line, self.header = self._find_header(names)

    def _find_header(self, names: Collection[str]) -> tuple[str, int, list[str]]:
        candidates: list[tuple[tuple[int, int], str, int, list[str]]] = []
        failure: DataFileError | None = None
        for separator in _SEPARATORS:
            number, cells = next(self._records(separator), (0, []))
            if isinstance(cells, DataFileError):
                failure = failure or cells
            elif cells:
                columns = [cell.strip() for cell in cells]
                score = (sum(each in names for each in columns), len(columns))
                candidates.append((score, separator, number, columns))
        if candidates:
            return max(candidates, key=lambda each: each[0])[1:]
        raise failure or DataFileError(
            f"{mask(str(self._path))} is empty.",
            resolution="The first line of a CSV file names the fields.",
        )

    def records(self) -> Iterator[Line]:
        """Yield the records after the header. A record without any value is skipped."""
        width = len(self.header)
        for number, cells in self._records(self._separator):
            place = place_of(self._path, number)
            if number <= self.header_line:
                continue
            if isinstance(cells, DataFileError) or len(cells) == width:
                yield Line(place, cells)
            else:
                error = DataFileError(
                    f"{place} has {len(cells)} cells, and the header has {width}.",
                    resolution="Put quotes around a cell that contains the separator, a quote or a "
                    "line break.",
                )
                yield Line(place, error)

    def _records(self, separator: str) -> Iterator[tuple[int, list[str] | DataFileError]]:
        """Yield each record that is not blank with the number of its first line."""
        with (
            _reading(self._path),
            self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file,
        ):
            reader = csv.reader(_short_lines(file), delimiter=separator, strict=True)
            while True:
                first = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield first, self._unreadable(first, reader.line_num, error)
                    if "larger" in str(error):
                        return
                    continue
                if any(cells):
                    yield first, cells

    def _unreadable(self, first: int, last: int, error: csv.Error) -> DataFileError:
        lines = f"line {first}" if last <= first else f"lines {first} to {last}"
        message = f"{mask(str(self._path))}, {lines}: "
        resolution = "Check the quotes: a quote inside of a quoted cell is written twice."
        if "larger" in str(error):
            message += (
                f"a cell or line is too long, with more than {csv.field_size_limit():,} characters. "
                "The rest of the file is not read."
            )
            resolution += " Values of this length can be given in a JSON Lines file."
        elif "NUL" in str(error):
            message += "there is a NUL character."
            resolution = _AS_UTF_8
        elif "unexpected end" in str(error):
            message += "the file ends inside of a quoted cell."
        else:
            message += f"the CSV cannot be read: {error}."
        return DataFileError(message, resolution=resolution)


def _short_lines(file: IO[str]) -> Iterator[str]:
    """Yield the lines of *file*, up to a maximum length, so that no file can fill the memory."""
    while line := file.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise csv.Error("larger than a line")
        yield line


def problem_of_cell(cell: str) -> str | None:
    """Return why no value can be read from the text of *cell*, or None if one can."""
    if _NOT_UTF_8.search(cell):
        return "is not UTF-8 text"
    if "\0" in cell:
        return "has a NUL character"
    if _QUOTE_AFTER_SPACE.fullmatch(cell):
        return "has a space before its quotes"
    return None


def json_lines(path: Path) -> Iterator[Line]:
    """Yield the object of each line of *path* that is not blank."""
    with _reading(path), path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE + 1):
            number += 1
            place = place_of(path, number)
            if len(line) > _MAX_LINE:
                error = DataFileError(
                    f"{place} is longer than 8 MB. The rest of the file is not read.",
                    resolution="A JSON Lines file has one object in each line.",
                )
                yield Line(place, error)
                return
            if line.strip(b"\r\n\t \xef\xbb\xbf"):
                yield Line(place, _json_object(line, place))


def _json_object(line: bytes, place: str) -> dict[str, Any] | DataFileError:
    resolution = 'Write one JSON object in each line, such as {"id": "1"}.'
    try:
        value = parse_json(line.rstrip(b"\r\n").decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return DataFileError(
            f"{place} is not UTF-8 (byte {error.start + 1}).", resolution=_AS_UTF_8
        )
    except CellError as error:
        column = getattr(error.__cause__, "colno", None)
        where = f", column {column}" if column is not None else ""
        return DataFileError(f"{place}{where}: this is not JSON.", resolution=resolution)
    if isinstance(value, dict):
        return value
    return DataFileError(f"{place} is not a JSON object.", resolution=resolution)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise FileAccessError if *path* cannot be opened or read."""
    try:
        yield
    except OSError as error:
        raise FileAccessError(
            f"{mask(str(path))} cannot be read: {error.strerror}.",
            resolution="Give the path of a CSV or JSON Lines file.",
        ) from error


def open_binary(path: Path) -> IO[bytes]:
    """Open *path* to read it. Raises FileAccessError."""
    with _reading(path):
        return path.open("rb")
