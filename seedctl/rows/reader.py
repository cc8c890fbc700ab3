"""Read the rows of a model from a file, each value converted to its field's type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from seedctl.appsync.file_rows import FileRow
from seedctl.appsync.model_queries import ModelQueries, requests_of
from seedctl.appsync.values import HOW_TO_SKIP, ValueConverter
from seedctl.errors import DataFileError, InvalidInputError
from seedctl.masking import mask
from seedctl.nearest import advice
from seedctl.outputs.models import Field, Model
from seedctl.rows.cells import CellError, parse_cell
from seedctl.rows.text_files import (
    CSVFile,
    Line,
    json_lines,
    open_binary,
    place_of,
    problem_of_cell,
)

CSV_SUFFIXES = (".csv", ".tsv")
JSON_SUFFIXES = (".jsonl", ".ndjson")
Row_contra = TypeVar("Row_contra", contravariant=True)

_HOW_TO_CORRECT = "Correct the file; docs/rows.md says how each type is written."


class CreatesRows(Protocol[Row_contra]):
    """The client of a model, with the type of the rows that it creates."""

    def create_many(self, rows: Iterable[Row_contra], /) -> object:
        """Create a record of each row."""
        ...


def read_rows(path: Path, client: object) -> Iterator[FileRow]:
    """Return an iterator over the rows of *path* for the model of *client*.

    Raises InvalidInputError if *client* is something else, FileAccessError, and DataFileError if the
    file as a whole is wrong. A row that cannot be read is a FileRow that raises its error when it is used.
    """
    if not isinstance(client, ModelQueries):
        raise InvalidInputError(
            f"Expected the client of a model for the rows in {mask(str(path))}, got {type(client).__name__}.",
            resolution="Give the client of a model, such as client.models.Post.",
        )
    reader = _RowReader(client, path)
    suffix = path.suffix.lower()
    if suffix in CSV_SUFFIXES:
        return reader.csv_rows()
    if suffix in JSON_SUFFIXES:
        open_binary(path).close()
        return map(reader.json_row, json_lines(path))
    raise DataFileError(
        f"{mask(str(path))} is neither CSV nor JSON Lines, according to its name.",
        resolution=f"Rename it: the name must end with {' or '.join((*CSV_SUFFIXES, *JSON_SUFFIXES))}.",
    )


class _RowReader:
    def __init__(self, client: ModelQueries, path: Path) -> None:
        requests = requests_of(client)
        self._path = path
        self._model = requests.model
        self._values = ValueConverter(requests.api.schema)
        self._set_by_api = _fields_set_by_api(self._model)

    def csv_rows(self) -> Iterator[FileRow]:
        known = {*self._model.fields, *self._set_by_api}
        file = CSVFile(self._path, known)
        place = place_of(self._path, file.header_line)
        repeated = [name for name, count in Counter(file.header).items() if count > 1]
        if repeated:
            raise DataFileError(
                f"{place}: the column {mask(repeated[0])!r} is there more than once.",
                resolution=_HOW_TO_CORRECT,
            )
        for position, name in enumerate(file.header, start=1):
            try:
                self._check_name(name)
            except InvalidInputError as error:
                raise DataFileError(
                    f"{place}, column {position}: {error.message}", resolution=error.resolution
                ) from None
        columns = {name: position for position, name in enumerate(file.header, start=1)}
        return (self._csv_row(line, columns) for line in file.records())

    def _csv_row(self, line: Line, columns: Mapping[str, int]) -> FileRow:
        if isinstance(line.content, DataFileError):
            return FileRow(line.place, {}, line.content)
        row: dict[str, Any] = {}
        for (name, position), cell in zip(columns.items(), line.content, strict=True):
            if name in self._set_by_api or not cell:
                continue
            where = f"{line.place}, column {position}"
            try:
                row.update(self._convert_cell(self._model.fields[name], cell, where))
            except DataFileError as error:
                return FileRow(line.place, {}, error)
        return FileRow(line.place, row, columns=columns)

    def _convert_cell(self, field: Field, cell: str, where: str) -> dict[str, Any]:
        name = f"{self._model.name}.{field.name}"
        problem = problem_of_cell(cell)
        if problem is not None:
            raise DataFileError(f"{where}: {name} {problem}.", resolution=_HOW_TO_CORRECT)
        is_text = field.is_single_value and field.type.name in {"ID", "String"}
        if not is_text and not cell.strip():
            return {}
        try:
            value = parse_cell(field, cell)
        except CellError as error:
            raise DataFileError(
                f"{where}: {name} must be {error}.", resolution=_HOW_TO_CORRECT
            ) from None
        return self._convert({field.name: value}, where)

    def json_row(self, line: Line) -> FileRow:
        if isinstance(line.content, DataFileError):
            return FileRow(line.place, {}, line.content)
        given = {
            name: value for name, value in line.content.items() if name not in self._set_by_api
        }
        try:
            for name in given:
                self._check_name(name)
            return FileRow(line.place, self._convert(given, line.place))
        except InvalidInputError as error:
            failure = DataFileError(f"{line.place}: {error.message}", resolution=error.resolution)
            return FileRow(line.place, {}, failure)
        except DataFileError as error:
            return FileRow(line.place, {}, error)

    def _convert(self, given: Mapping[str, Any], where: str) -> dict[str, Any]:
        owner = f"{where}: {self._model.name}"
        try:
            return self._values.convert_fields(self._model.fields, given, owner)
        except InvalidInputError as error:
            resolution = error.resolution
            if resolution is None or HOW_TO_SKIP in resolution:
                resolution = _HOW_TO_CORRECT
            raise DataFileError(error.message, resolution=resolution) from None

    def _check_name(self, name: str) -> None:
        """Raise InvalidInputError unless *name* is a field of the model, and no relation."""
        model = self._model
        field = model.fields.get(name)
        if field is None and name not in self._set_by_api:
            raise InvalidInputError(
                f"{model.name} has no field {mask(name)!r}.",
                resolution=advice(name, [each for each in model.fields if _has_value(model, each)]),
            )
        if field is not None and field.type.kind == "model":
            assert field.association is not None
            keys = ", ".join(field.association.target_names or field.association.associated_with)
            holder = model.name if field.association.target_names else field.type.name
            raise InvalidInputError(
                f"{model.name}.{name} is a relation, not a value.",
                resolution=f"Give its foreign key, {keys} of {holder}.",
            )


def _has_value(model: Model, name: str) -> bool:
    return model.fields[name].type.kind != "model"


def _fields_set_by_api(model: Model) -> frozenset[str]:
    """Return the fields that records have when they are read, but that no input accepts."""
    read_only = (field.name for field in model.fields.values() if field.is_read_only)
    return frozenset((*read_only, *model.implied_fields))
