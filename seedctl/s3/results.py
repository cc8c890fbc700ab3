"""What the storage calls return, and what some of them take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from seedctl.s3.section import BucketInfo

if TYPE_CHECKING:
    from datetime import datetime

StoragePath = str | Callable[[str], str]
"""The object's key, or a function that makes it from the caller's identity id."""

BucketChoice = str | BucketInfo
"""A friendly name of the outputs file, or a bucket by its own name."""

ChecksumAlgorithm = Literal["crc-32"]


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How far an upload or download is, in bytes."""

    transferred_bytes: int
    total_bytes: int | None
    """None where it is not known before the end."""


OnProgress = Callable[[TransferProgress], None]


@dataclass(frozen=True, slots=True)
class UploadedObject:
    """An object that is in the bucket now."""

    path: str
    e_tag: str
    """In its quotation marks, as S3 sends it."""
    content_type: str
    size: int | None
    """In bytes."""
    version_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StorageItem:
    """An object as a list has it."""

    path: str
    e_tag: str
    last_modified: datetime
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class StoragePage:
    """One page of a list."""

    items: tuple[StorageItem, ...]
    next_token: str | None = None
    """For the next page; None on the last."""
    excluded_subpaths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectProperties:
    """What S3 keeps of an object beside its bytes."""

    path: str
    e_tag: str
    last_modified: datetime
    size: int
    """In bytes; of a range, that of the range."""
    content_type: str | None
    metadata: Mapping[str, str]
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadedObject(ObjectProperties):
    """An object that was read."""

    body: bytes | None = field(default=None, repr=False)
    """None when it was written to a file."""

    def text(self) -> str:
        """Return the body as UTF-8 text."""
        return self._whole().decode("utf-8")

    def json(self) -> Any:
        """Return the body as parsed JSON."""
        return json.loads(self._whole())

    def _whole(self) -> bytes:
        if self.body is None:
            raise TypeError("The object was written to a file: read it from there.")
        return self.body


@dataclass(frozen=True, slots=True)
class StorageUrl:
    """An address by which anybody may get the object until it expires."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RemovedObject:
    """A path at which there is nothing any more."""

    path: str
    count: int | None
    """How many objects a folder held; None for a single path, where S3 does not tell."""


@dataclass(frozen=True, slots=True)
class CopiedObject:
    path: str


class SubpathStrategy(TypedDict, total=False):
    """``{"strategy": "exclude"}`` leaves out what lies below a further *delimiter*."""

    strategy: Literal["include", "exclude"]
    delimiter: str


class CopySource(TypedDict, total=False):
    """``path`` is needed; the copy is refused when the object is not as the others say."""

    path: StoragePath
    bucket: BucketChoice
    e_tag: str
    not_modified_since: datetime
    expected_bucket_owner: str


class CopyDestination(TypedDict, total=False):
    """``path`` is needed."""

    path: StoragePath
    bucket: BucketChoice
    expected_bucket_owner: str


class ContentDisposition(TypedDict, total=False):
    type: Literal["attachment", "inline"]
    filename: str
