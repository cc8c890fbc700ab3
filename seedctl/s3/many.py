"""``upload_many`` and ``upload_directory``: the bulk call that uploads files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from seedctl.bulk.engine import BulkOptions, unwritten_state
from seedctl.bulk.row_by_row import RowByRowCall
from seedctl.errors import (
    InvalidStorageOperationInput,
    InvalidStoragePathInput,
    PreconditionFailed,
    SeedctlError,
)
from seedctl.masking import mask
from seedctl.report import Event, failure
from seedctl.s3.inputs import check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.report import Observer
    from seedctl.s3.results import ContentDisposition, StoragePath, UploadedObject
    from seedctl.s3.sources import UploadData

IfFileExists = Literal["error", "skip", "update"]
FileState = Literal["uploaded", "existed", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """One file for ``upload_many``.

    Args:
        path: The object's key, without a leading slash. A function is called with the caller's
            identity id and returns the key.
        data: As for ``upload_data``. Only text, bytes and the ``pathlib.Path`` of a regular file
            can be sent again after a failure.
        content_type: As for ``upload_data``; by default guessed from the path.
        content_disposition: As for ``upload_data``.
        content_encoding: As for ``upload_data``.
        metadata: As for ``upload_data``.
    """

    path: StoragePath
    data: UploadData = field(repr=False)
    content_type: str | None = None
    content_disposition: str | ContentDisposition | None = None
    content_encoding: str | None = None
    metadata: Mapping[str, str] | None = None


AnyFile = NewFile | tuple["StoragePath", "UploadData"]
"""A file, or a pair of its path and its data."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """The outcome of one file."""

    index: int
    """The file's position among the files given, from 0."""
    path: str | None
    """The object's key; None if the file was invalid and had no path."""
    state: FileState
    error: SeedctlError | None = None
    """Why it failed; None unless ``state`` is "failed"."""
    uploaded: UploadedObject | None = None
    """What ``upload_data`` returned; None unless ``state`` is "uploaded"."""


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
        send: Callable[..., UploadedObject],
        observer: Observer,
        bucket: str,
        identity_id: str,
        options: BulkOptions,
    ) -> None:
        """*send* is ``upload_data``; it reports the files that it stores to *observer*.

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
        if len(_path_and_data(item)) == 1:
            raise InvalidStorageOperationInput(
                f"Row {index} is a {type(item).__name__}, which is not a file to upload.",
                resolution="Give NewFile(path, data), or a pair (path, data).",
            )
        file = item if isinstance(item, NewFile) else NewFile(*item)
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
            stored = self._send(
                path,
                row.data,
                content_type=row.content_type,
                content_disposition=row.content_disposition,
                content_encoding=row.content_encoding,
                metadata=row.metadata,
                prevent_overwrite=self._if_exists != "update",
            )
        except PreconditionFailed:
            if self._if_exists != "skip":
                raise
            self._observer.on_event(Event("file", self._bucket, "existed"))
            return FileResult(index, path, "existed")
        return FileResult(index, path, "uploaded", uploaded=stored)

    def unwritten(self, index: int, row: AnyFile, error: SeedctlError | None) -> FileResult:
        path = _path_and_data(row)[0]
        path = path if isinstance(path, str) else None
        return FileResult(index, path, unwritten_state(error), error)

    def failure(self, result: FileResult, error: SeedctlError) -> Event:
        name = result.path or f"rows[{result.index}]"
        return failure("file", self._bucket, error, row=name)


def _path_and_data(given: AnyFile) -> tuple[object, ...]:
    """Return the path and the data of *given*, or ``(None,)`` if it is not a file."""
    if isinstance(given, NewFile):
        return given.path, given.data
    return given if isinstance(given, tuple) and len(given) == 2 else (None,)
