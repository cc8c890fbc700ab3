"""The table of objects, which lists a bucket in the order of its keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from seedctl.local.store import View


@dataclass(frozen=True, slots=True)
class StoredObject:
    bucket: str
    key: str
    file: str
    size: int
    etag: str
    """Without quotes."""
    modified: float
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"

    @property
    def quoted_etag(self) -> str:
        return f'"{self.etag}"'


def is_referenced(view: View, name: str) -> bool:
    """Whether an object or a part of an upload refers to the file *name*."""
    query = "SELECT 1 FROM object WHERE file = ?1 UNION ALL SELECT 1 FROM part WHERE file = ?1"
    return view.row(query, name) is not None


def find(view: View, bucket: str, key: str) -> StoredObject | None:
    row = view.row("SELECT * FROM object WHERE bucket = ? AND key = ?", bucket, key)
    return None if row is None else StoredObject(**row)


def put(view: View, stored: StoredObject) -> None:
    """Store *stored*; it replaces an object with the same key."""
    view.put("object", **asdict(stored))


def delete(view: View, bucket: str, key: str) -> str | None:
    """Delete the object and return the name of its file; None if it did not exist."""
    found = find(view, bucket, key)
    view.execute("DELETE FROM object WHERE bucket = ? AND key = ?", (bucket, key))
    return None if found is None else found.file


def scan(view: View, bucket: str, start: str | bytes, end: str | bytes) -> Iterator[StoredObject]:
    """Yield the objects with keys from *start* up to *end*, in order."""
    query = "SELECT * FROM object WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key"
    return (StoredObject(**row) for row in view.rows(query, bucket, start, end))
