"""The types that storage calls return and accept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from seedctl.errors import SeedctlError
from seedctl.s3.section import BucketInfo
from seedctl.s3.sources import UploadData

StoragePath = str | Callable[[str], str]
"""The object's key, or a function that returns it for the caller's identity id."""

BucketChoice = str | BucketInfo
"""A bucket's friendly name in the outputs file, or a BucketInfo with its real name."""

ChecksumAlgorithm = Literal["crc-32"]


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How many bytes an upload or download has transferred."""

    transferred_bytes: int
    total_bytes: int | None
    """None if the size is unknown until the end."""


OnProgress = Callable[[TransferProgress], None]
"""Called after each transferred piece, from one thread at a time."""


@dataclass(frozen=True, slots=True)
class UploadedObject:
    """An object after its upload."""

    path: str
    e_tag: str
    """The ETag in quotation marks, as S3 sends it."""
    content_type: str
    size: int | None
    """In bytes."""
    version_id: str | None = None
    """None if the bucket has no versioning."""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StorageItem:
    """An object in a list result."""

    path: str
    e_tag: str
    last_modified: datetime
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class StoragePage:
    """One page of a list result."""

    items: tuple[StorageItem, ...]
    next_token: str | None = None
    """Pass it to ``list`` to get the next page; None on the last page."""
    excluded_subpaths: tuple[str, ...] = ()
    """The folders left out by the subpath strategy "exclude"."""


@dataclass(frozen=True, slots=True)
class ObjectProperties:
    """The properties that S3 stores with an object."""

    path: str
    e_tag: str
    last_modified: datetime
    size: int
    """In bytes. After downloading a range, the size of the range."""
    content_type: str | None
    metadata: Mapping[str, str]
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadedObject(ObjectProperties):
    """A downloaded object."""

    body: bytes | None = field(default=None, repr=False)
    """The content; None if it was written to a file."""

    def text(self) -> str:
        """Return the body as UTF-8 text."""
        return self._content().decode("utf-8")

    def json(self) -> Any:
        """Return the body as parsed JSON."""
        return json.loads(self._content())

    def _content(self) -> bytes:
        if self.body is None:
            raise TypeError("The object was written to a file: read it from there.")
        return self.body


@dataclass(frozen=True, slots=True)
class StorageUrl:
    """A presigned URL: anyone who has it can download the object until it expires."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RemovedObject:
    """The result of ``remove``."""

    path: str
    count: int | None
    """How many objects of a folder were deleted; None for a single path, where S3 does not say."""


@dataclass(frozen=True, slots=True)
class CopiedObject:
    """The result of ``copy``."""

    path: str
    """The key of the copy."""


class SubpathStrategy(TypedDict, total=False):
    """``{"strategy": "exclude"}`` leaves out keys that have *delimiter* ("/") after the path."""

    strategy: Literal["include", "exclude"]
    delimiter: str


class CopySource(TypedDict, total=False):
    """``path`` is required. S3 refuses the copy if the object does not match the other members."""

    path: StoragePath
    bucket: BucketChoice
    e_tag: str
    not_modified_since: datetime
    expected_bucket_owner: str


class CopyDestination(TypedDict, total=False):
    """``path`` is required."""

    path: StoragePath
    bucket: BucketChoice
    expected_bucket_owner: str


class ContentDisposition(TypedDict, total=False):
    """A Content-Disposition header; ``type`` is "attachment" by default."""

    type: Literal["attachment", "inline"]
    filename: str


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
