"""Create records from files, in parts, so that memory use does not grow with the number of rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.batch_writers import IfExists
from seedctl.appsync.batches import RowResult
from seedctl.appsync.client import DataClient
from seedctl.appsync.file_rows import FileRow
from seedctl.appsync.model_queries import requests_of
from seedctl.errors import (
    DataFileError,
    GraphQLError,
    InvalidInputError,
    SeedctlError,
    ServiceFailedError,
    UnauthorizedError,
)
from seedctl.masking import mask
from seedctl.report import Observer
from seedctl.rows.exporting import schema_of
from seedctl.rows.folder import ModelFile, model_files
from seedctl.rows.reader import CSV_SUFFIXES, JSON_SUFFIXES, read_rows
from seedctl.rows.relations import parents_first

# The first part is small: it shows whether the caller may write to the model at all.
_FIRST_PART = 100
_PART = 10_000

# Any other failure ends the import, since every other row would fail in the same way.
_OF_ONE_ROW = (DataFileError, InvalidInputError, GraphQLError, ServiceFailedError)


@dataclass(slots=True)
class ImportOutcome:
    """What an import did. The events of the run have the details of each row."""

    rows: int = 0
    failed: int = 0
    first_failure: SeedctlError | None = None
    first_place: str = ""
    """The file and the line of the row with *first_failure*."""


class _PartOfFile(Iterator[FileRow]):
    """The next rows of a file, up to a number, and how many there were."""

    def __init__(self, rows: Iterator[FileRow], size: int) -> None:
        self._rows = itertools.islice(rows, size)
        self.count = 0

    def __next__(self) -> FileRow:
        row = next(self._rows)
        self.count += 1
        return row


def files_to_import(
    client: DataClient, source: Path, wanted: Sequence[str], observer: Observer
) -> list[ModelFile]:
    """Return the files in *source* with their models, parents first. Raises DataFileError.

    In a folder, files of models whose create the schema disables are left out with a warning, unless
    models are *wanted* by name.
    """
    schema = schema_of(client)
    models = {name: schema.models[name].plural_name for name in parents_first(schema)}
    files = model_files(source, models, (*CSV_SUFFIXES, *JSON_SUFFIXES), wanted)
    if wanted or not source.is_dir():
        return files
    possible = [each for each in files if "create" not in schema.models[each.model].disabled]
    for each in files:
        if each not in possible and each.rows != 0:
            observer.on_warning(
                f"{mask(str(each.path))} is not imported: the schema disables create for {each.model}."
            )
    return possible


def import_files(
    client: DataClient,
    files: Sequence[ModelFile],
    observer: Observer,
    *,
    if_exists: IfExists = "error",
    auth_mode: AuthMode | None = None,
) -> ImportOutcome:
    """Create the records of all *files*. A row that fails does not stop the others.

    Raises what ends an import: no network, or a caller who may not write to the model at all.
    """
    outcome = ImportOutcome()
    opened = []
    for file in files:
        model = client.models[file.model]
        requests_of(model).check_enabled("create")
        if if_exists == "update":
            requests_of(model).check_enabled("update")
        opened.append((file, model, read_rows(file.path, model)))
    for file, model, rows in opened:
        before = outcome.rows
        size = _FIRST_PART
        while True:
            part = _PartOfFile(rows, size)
            results = model.create_many(
                part, if_exists=if_exists, on_error="collect", auth_mode=auth_mode
            )
            _add(outcome, results, is_first=size == _FIRST_PART)
            if part.count < size:
                break
            size = _PART
        read = outcome.rows - before
        if file.rows is not None and file.rows != read:
            observer.on_warning(
                f"{mask(str(file.path))} has {read} rows; the manifest says {file.rows}."
            )
    return outcome


def _add(outcome: ImportOutcome, results: Sequence[RowResult], *, is_first: bool) -> None:
    """Count *results*. Raises a failure with which every other row would fail too."""
    failures = [each.error for each in results if each.error is not None]
    outcome.rows += len(results)
    outcome.failed += len(failures)
    if failures and outcome.first_failure is None:
        outcome.first_failure = failures[0]
        outcome.first_place = next(each.place for each in results if each.error is not None)
    for each in failures:
        if not isinstance(each, _OF_ONE_ROW):
            raise each
    denied = [each for each in failures if isinstance(each, UnauthorizedError)]
    if is_first and denied and len(denied) == len(results):
        raise denied[0]
