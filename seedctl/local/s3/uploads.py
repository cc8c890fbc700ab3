"""Multipart uploads that are under way: sealed documents for each, and for each of its parts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from seedctl.local.documents import from_document
from seedctl.local.s3 import index
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from seedctl.local.store import View

_KIND = "s3 upload"


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    bucket: str
    key: str
    begun: float
    headers: dict[str, str]
    metadata: dict[str, str]
    algorithm: str | None = None
    checksum_type: str = "COMPOSITE"


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    file: str
    size: int
    etag: str
    modified: float
    checksums: dict[str, str]


def begin(view: View, upload: Upload) -> None:
    view.put(_KIND, upload.id, asdict(upload))


def find(view: View, upload_id: str, bucket: str, key: str) -> Upload:
    """Return the upload of that id. Raises S3Error if there is none for the object."""
    document = view.get(_KIND, upload_id)
    if document is None or (document["bucket"], document["key"]) != (bucket, key):
        raise S3Error("NoSuchUpload", UploadId=upload_id)
    return from_document(Upload, document)


def all_in(view: View, bucket: str) -> list[Upload]:
    found = [from_document(Upload, document) for document in view.scan(_KIND)]
    mine = [upload for upload in found if upload.bucket == bucket]
    return sorted(mine, key=lambda upload: (upload.key.encode(), upload.begun, upload.id))


def put_part(view: View, upload: Upload, part: Part) -> str | None:
    """Store *part*, and return the file of the part that it replaces."""
    kind = _parts(upload.id)
    replaced = view.get(kind, str(part.number))
    view.put(kind, str(part.number), asdict(part))
    index.refer(view, part.file)
    if replaced is None:
        return None
    old: str = replaced["file"]
    index.forget(view, old)
    return old


def parts_of(view: View, upload_id: str) -> list[Part]:
    found = (from_document(Part, document) for document in view.scan(_parts(upload_id)))
    return sorted(found, key=lambda part: part.number)


def end(view: View, upload_id: str) -> list[str]:
    """Delete the upload and its parts, and return their files."""
    parts = parts_of(view, upload_id)
    for part in parts:
        view.delete(_parts(upload_id), str(part.number))
        index.forget(view, part.file)
    view.delete(_KIND, upload_id)
    return [part.file for part in parts]


def _parts(upload_id: str) -> str:
    return f"s3 part {upload_id}"
