"""Write a row as a line of JSON or as a CSV record, so that reading it gives the same row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from seedctl.errors import DataFileError
from seedctl.outputs.models import Field, Model
from seedctl.rows.cells import EMPTY_TEXT
from seedctl.rows.text_files import problem_of_cell

FileFormat = Literal["jsonl", "csv"]


class RowWriter(Protocol):
    """Writes the rows of one file."""

    header: str
    """The text at the beginning of the file."""

    def text(self, row: Mapping[str, Any]) -> str:
        """Return the text of *row* in the file, with its line break."""
        ...


class JSONLineWriter:
    """Writes rows as JSON Lines."""

    header = ""

    def text(self, row: Mapping[str, Any]) -> str:
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


class CSVWriter:
    """Writes the records of one model as CSV, with a column for each field that has a value."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._columns: dict[str, Field | None] = {
            field.name: field for field in model.fields.values() if field.type.kind != "model"
        }
        self._columns.update(dict.fromkeys(model.implied_fields))
        self.header = self._line(list(self._columns))

    def text(self, row: Mapping[str, Any]) -> str:
        cells = {name: self._cell(name, row.get(name)) for name in self._columns}
        return self._line(list(cells.values()))

    def _cell(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        field = self._columns[name]
        if field is not None and (field.is_array or field.type.kind == "nonModel"):
            cell = json.dumps(value, ensure_ascii=False)
        elif isinstance(value, bool):
            cell = str(value).lower()
        elif value == "":
            cell = EMPTY_TEXT
        else:
            cell = str(value)
        problem = problem_of_cell(cell)
        if problem is None and cell == value == EMPTY_TEXT:
            problem = "stands for an empty text in CSV"
        if problem is None and len(cell) > csv.field_size_limit():
            problem = "is too long for CSV"
        if problem is not None:
            raise DataFileError(
                f"A value of {self._model.name}.{name} cannot be written: it {problem}.",
                resolution="Export to JSON Lines, which takes all values.",
            )
        return cell

    @staticmethod
    def _line(cells: list[str]) -> str:
        text = io.StringIO()
        # Some versions of Python quote only cells with the characters of this line terminator.
        csv.writer(text, lineterminator="\r\n").writerow(cells)
        return text.getvalue()
