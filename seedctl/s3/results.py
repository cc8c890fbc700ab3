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
    """How many bytes an upload or download has transferred.

    Attributes:
        transferred_bytes: How many bytes have been transferred so far.
        total_bytes: The size in bytes; None if it is unknown until the end.
    """

    transferred_bytes: int
    total_bytes: int | None


OnProgress = Callable[[TransferProgress], None]
"""Called after each transferred piece, from one thread at a time."""


@dataclass(frozen=True, slots=True)
class UploadedObject:
    """An object after its upload.

    Attributes:
        path: The object's key.
        e_tag: The ETag in quotation marks, as S3 sends it.
        content_type: The Content-Type stored with the object.
        size: In bytes.
        version_id: None if the bucket has no versioning.
        metadata: The user-defined metadata stored with the object.
    """

    path: str
    e_tag: str
    content_type: str
    size: int | None
    version_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StorageItem:
    """An object in a list result.

    Attributes:
        path: The object's key.
        e_tag: The ETag in quotation marks, as S3 sends it.
        last_modified: When the object was stored, in UTC.
        size: In bytes.
    """

    path: str
    e_tag: str
    last_modified: datetime
    size: int


@dataclass(frozen=True, slots=True)
class StoragePage:
    """One page of a list result.

    Attributes:
        items: The objects, in the order of their keys.
        next_token: Pass it to ``list`` to get the next page; None on the last page.
        excluded_subpaths: The folders left out by the subpath strategy "exclude".
    """

    items: tuple[StorageItem, ...]
    next_token: str | None = None
    excluded_subpaths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectProperties:
    """The properties that S3 stores with an object.

    Attributes:
        path: The object's key.
        e_tag: The ETag in quotation marks, as S3 sends it.
        last_modified: When the object was stored, in UTC.
        size: In bytes. After downloading a range, the size of the range.
        content_type: The stored Content-Type; None if S3 sent none.
        metadata: The user-defined metadata, by lower-case name.
        version_id: None if the bucket has no versioning.
    """

    path: str
    e_tag: str
    last_modified: datetime
    size: int
    content_type: str | None
    metadata: Mapping[str, str]
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadedObject(ObjectProperties):
    """A downloaded object.

    Attributes:
        body: The content; None if it was written to a file.
    """

    body: bytes | None = field(default=None, repr=False)

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
    """A presigned URL: anyone who has it can download the object until it expires.

    Attributes:
        url: The URL. It contains a signature: treat it as a secret.
        expires_at: When the URL stops working.
    """

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RemovedObject:
    """The result of ``remove``.

    Attributes:
        path: The key or the folder that was given.
        count: How many objects of a folder were deleted; None for a single path, where S3 does not
            say.
    """

    path: str
    count: int | None


@dataclass(frozen=True, slots=True)
class CopiedObject:
    """The result of ``copy``.

    Attributes:
        path: The key of the copy.
    """

    path: str


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
    """The outcome of one file.

    Attributes:
        index: The file's position among the files given, from 0.
        path: The object's key; None if the file was invalid and had no path.
        state: "existed": *if_exists* is "skip", and the object was there. "not tried": the call
            stopped before this file, for a reason that affects all files.
        error: Why it failed; None unless ``state`` is "failed".
        uploaded: What ``upload_data`` returned; None unless ``state`` is "uploaded".
    """

    index: int
    path: str | None
    state: FileState
    error: SeedctlError | None = None
    uploaded: UploadedObject | None = None
