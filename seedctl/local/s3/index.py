"""Which objects there are: sealed documents, and each bucket's keys in order.

The database alone tells nothing, keys included, so it cannot sort them. The order is kept in
memory: a log of the keys that came and went since keeps it in step with other processes, and only
one that fell far behind reads the whole bucket again.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.documents import from_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.local.store import Store, View

_LOGGED = 1000  # changes; whoever is further behind reads the bucket
_ALL = 1 << 62


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    file: str
    size: int
    etag: str
    """Without its quotes."""
    modified: float
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"

    @property
    def quoted_etag(self) -> str:
        return f'"{self.etag}"'


@dataclass(slots=True)
class _Order:
    version: int = -1
    keys: list[bytes] = field(default_factory=list)
    """In UTF-8, as S3 sorts them."""


def refer(view: View, name: str) -> None:
    """Note that the file *name* is in use, so that cleaning leaves it alone."""
    view.put("s3 file", name, {})


def forget(view: View, name: str) -> None:
    view.delete("s3 file", name)


def is_referred_to(view: View, name: str) -> bool:
    return view.get("s3 file", name) is not None


def find(view: View, bucket: str, key: str) -> StoredObject | None:
    document = view.get(f"s3 object {bucket}", key)
    return None if document is None else from_document(StoredObject, document)


def put(view: View, bucket: str, stored: StoredObject) -> str | None:
    """Store *stored*, and return the file of the object that it replaces."""
    replaced = find(view, bucket, stored.key)
    view.put(f"s3 object {bucket}", stored.key, asdict(stored))
    refer(view, stored.file)
    if replaced is None:
        _log(view, bucket, stored.key, present=True)
        return None
    forget(view, replaced.file)
    return replaced.file


def delete(view: View, bucket: str, key: str) -> str | None:
    """Delete the object, and return its file; None if there was none."""
    found = find(view, bucket, key)
    if found is None:
        return None
    view.delete(f"s3 object {bucket}", key)
    forget(view, found.file)
    _log(view, bucket, key, present=False)
    return found.file


def _log(view: View, bucket: str, key: str, *, present: bool) -> None:
    version = _version(view, bucket) + 1
    view.put("s3 version", bucket, {"version": version})
    kind = f"s3 change {bucket}"
    view.put(kind, str(version), {"key": key, "present": present})
    view.delete(kind, str(version - _LOGGED))


def _version(view: View, bucket: str) -> int:
    document: dict[str, Any] = view.get("s3 version", bucket) or {"version": 0}
    version: int = document["version"]
    return version


class Keys:
    """The keys of all buckets in their order, as one process remembers them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._orders: dict[str, _Order] = {}

    @contextmanager
    def of(self, bucket: str) -> Iterator[tuple[View, list[bytes]]]:
        """Give the keys of *bucket*, and a view that has just these."""
        # The lock comes before the view, or an older view might be read with younger keys.
        with self._lock, self._store.reading() as view:
            order = self._orders.setdefault(bucket, _Order())
            version = _version(view, bucket)
            if version != order.version:
                behind = version - order.version
                if order.version < 0 or not 0 < behind <= _LOGGED:
                    order.keys = sorted(_read_keys(view, bucket))
                else:
                    for number in range(order.version + 1, version + 1):
                        _apply(order.keys, view.get(f"s3 change {bucket}", str(number)))
                order.version = version
            yield view, order.keys


def _read_keys(view: View, bucket: str) -> Iterator[bytes]:
    for _, document in view.scan_page(f"s3 object {bucket}", b"", _ALL):
        yield document["key"].encode()


def _apply(keys: list[bytes], change: dict[str, Any] | None) -> None:
    assert change is not None
    key = change["key"].encode()
    if change["present"]:
        insort(keys, key)
    else:
        del keys[bisect_left(keys, key)]
