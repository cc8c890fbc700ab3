"""The tables of pending multipart uploads and of their parts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from seedctl.local.s3.errors import S3Error
from seedctl.local.store import View, prefix_end


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
    upload_id: str
    number: int
    file: str
    size: int
    etag: str
    modified: float
    checksums: dict[str, str]


def put(view: View, upload: Upload) -> None:
    view.put("upload", **asdict(upload))


def find(view: View, upload_id: str, bucket: str, key: str) -> Upload:
    """Return the upload with that id. Raises S3Error if this object has no such upload."""
    query = "SELECT * FROM upload WHERE id = ? AND bucket = ? AND key = ?"
    row = view.row(query, upload_id, bucket, key)
    if row is None:
        raise S3Error("NoSuchUpload", UploadId=upload_id)
    return Upload(**row)


def list_page(
    view: View, bucket: str, prefix: str, marker: tuple[str, str], size: int
) -> list[Upload]:
    """Return the first *size* uploads of keys with *prefix*, sorted by key and age.

    The page begins after *marker*: the key and id of an upload, or a key and an empty id.
    """
    query = """
        SELECT * FROM upload
        WHERE bucket = :bucket AND key >= :prefix AND key < :end AND (
            key > :key OR (key = :key AND (begun, id) > (
                SELECT begun, id FROM upload WHERE id = :id AND bucket = :bucket AND key = :key
            ))
        ) ORDER BY key, begun, id LIMIT :size
    """
    values = {"bucket": bucket, "prefix": prefix, "end": prefix_end(prefix)}
    key, upload_id = marker
    return [Upload(**row) for row in view.rows(query, **values, key=key, id=upload_id, size=size)]


def put_part(view: View, part: Part) -> str | None:
    """Store *part* and return the file of the part that it replaces, None if it is new."""
    query = "SELECT file FROM part WHERE upload_id = ? AND number = ?"
    replaced = view.row(query, part.upload_id, part.number)
    view.put("part", **asdict(part))
    return None if replaced is None else replaced["file"]


def parts_of(view: View, upload_id: str, after: int = 0, size: int = -1) -> list[Part]:
    """Return the parts with a number above *after*, in order: the first *size*, all if -1."""
    query = "SELECT * FROM part WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?"
    return [Part(**row) for row in view.rows(query, upload_id, after, size)]


def delete(view: View, upload_id: str) -> list[str]:
    """Delete the upload and its parts, and return the files of the parts."""
    files = [part.file for part in parts_of(view, upload_id)]
    view.execute("DELETE FROM part WHERE upload_id = ?", (upload_id,))
    view.execute("DELETE FROM upload WHERE id = ?", (upload_id,))
    return files
