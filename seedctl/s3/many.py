"""``upload_many`` and ``upload_directory``: the bulk call that uploads files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from seedctl.bulk.engine import BulkOptions, unwritten_state
from seedctl.bulk.row_by_row import RowByRowCall
from seedctl.errors import (
    InvalidStorageOperationInput,
    InvalidStoragePathInput,
    PreconditionFailed,
    SeedctlError,
)
from seedctl.masking import mask
from seedctl.report import Event, Observer, failure
from seedctl.s3.inputs import check_path
from seedctl.s3.results import AnyFile, FileResult, NewFile, UploadedObject


class BulkUploader(RowByRowCall[AnyFile, NewFile, FileResult]):
    """Uploads the files of one call of ``upload_many``."""

    noun = "files"
    item_type = "NewFile"
    item_example = "NewFile(path, data), or of pairs (path, data)"
    error_type = InvalidStorageOperationInput
    next_runs: ClassVar[Mapping[str, str]] = {
        "update": "Run again: existing files are replaced.",
        "skip": "Run again: existing files are left as they are.",
        "error": 'Run again with if_exists="skip" to continue where this run stopped.',
    }

    def __init__(
        self,
        send: Callable[[NewFile], UploadedObject],
        observer: Observer,
        bucket: str,
        identity_id: str,
        options: BulkOptions,
    ) -> None:
        """*send* stores a file and reports it to *observer*; for one that exists it may raise.

        *bucket* is the display name. Paths that are functions are called with *identity_id*.
        """
        super().__init__(observer, options)
        self._send = send
        self._bucket = bucket
        self._identity_id = identity_id
        self._if_exists = options.if_exists
        self.on_invalid = self.on_duplicate = "raise" if options.on_error == "raise" else "skip"

    def check(self, index: int, item: AnyFile) -> NewFile:
        """Return *item* as a NewFile, with its path for the caller's identity."""
        file = _as_file(item)
        if file is None:
            raise InvalidStorageOperationInput(
                f"Row {index} is a {type(item).__name__}, which is not a file to upload.",
                resolution="Give NewFile(path, data), or a pair (path, data).",
            )
        path = file.path(self._identity_id) if callable(file.path) else file.path
        if not isinstance(path, str):
            raise InvalidStorageOperationInput(
                f"The path of row {index} is a {type(path).__name__}.",
                resolution="Give the path as text, or as a function of the identity id.",
            )
        try:
            return replace(file, path=check_path(path))
        except (InvalidStorageOperationInput, InvalidStoragePathInput) as error:
            text = f"Row {index}: {error.message}"
            raise type(error)(text, resolution=error.resolution) from None

    def key(self, row: NewFile) -> str:
        return str(row.path)

    def shared_by(self, row: NewFile) -> str:
        return f"have the same path, {mask(str(row.path))}"

    def can_repeat(self, row: NewFile) -> bool:
        data = row.data
        return isinstance(data, str | bytes) or (isinstance(data, Path) and data.is_file())

    def write_row(self, index: int, row: NewFile) -> FileResult:
        path = str(row.path)
        try:
            stored = self._send(row)
        except PreconditionFailed:
            if self._if_exists != "skip":
                raise
            self._observer.on_event(Event("file", self._bucket, "existed"))
            return FileResult(index, path, "existed")
        return FileResult(index, path, "uploaded", uploaded=stored)

    def unwritten(self, index: int, row: AnyFile, error: SeedctlError | None) -> FileResult:
        file = _as_file(row)
        path = file.path if file is not None and isinstance(file.path, str) else None
        return FileResult(index, path, unwritten_state(error), error)

    def failure(self, result: FileResult, error: SeedctlError) -> Event:
        name = result.path or f"rows[{result.index}]"
        return failure("file", self._bucket, error, row=name)


def _as_file(item: AnyFile) -> NewFile | None:
    if isinstance(item, tuple) and len(item) == 2:
        return NewFile(*item)
    return item if isinstance(item, NewFile) else None
