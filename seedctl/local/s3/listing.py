"""Listing: a bucket's keys in order, page by page, rolled up at a delimiter."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index
from seedctl.local.s3.context import iso, reply
from seedctl.local.s3.documents import document, element
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import LIST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject

MAX_KEYS = 1000
# Greater than any key below a prefix: no byte of UTF-8 is as great.
_BEHIND = b"\xff"


@dataclass(frozen=True, slots=True)
class Page:
    keys: list[bytes]
    prefixes: list[bytes]
    last: bytes | None
    """Where the next page goes on; None when there is none."""


def page(
    keys: Sequence[bytes], *, prefix: bytes, delimiter: bytes, after: bytes, size: int
) -> Page:
    """Return the *size* keys and common prefixes that come behind *after*."""
    found: list[bytes] = []
    prefixes: list[bytes] = []
    place = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
    end = bisect_left(keys, prefix + _BEHIND)
    last = b""
    while place < end:
        if len(found) + len(prefixes) == size:
            return Page(found, prefixes, last if size else None)
        key = keys[place]
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        if cut < 0:
            found.append(key)
            last = key
            place += 1
        else:
            common = key[: cut + len(delimiter)]
            prefixes.append(common)
            last = common + _BEHIND
            # Over all that lies below it, however much that is.
            place = bisect_left(keys, last, place, end)
    return Page(found, prefixes, None)


def list_objects_v2(call: Context) -> Response:
    token, start_after = call.parameter("continuation-token"), call.parameter("start-after")
    after = _read_token(token) if "continuation-token" in call.request.parameters else b""
    found, shown = _list(call, after or start_after.encode())
    fetch_owner = call.parameter("fetch-owner").lower() == "true"
    content = [
        *shown.head,
        *_given(call, shown, "continuation-token", "ContinuationToken", encoded=False),
        *_given(call, shown, "start-after", "StartAfter"),
        element("KeyCount", len(found.keys) + len(found.prefixes)),
    ]
    if found.last is not None:
        content.append(element("NextContinuationToken", _token(found.last)))
    content += shown.entries(found, fetch_owner=fetch_owner)
    return reply(body=document("ListBucketResult", content))


def list_objects(call: Context) -> Response:
    marker, delimiter = call.parameter("marker").encode(), call.parameter("delimiter").encode()
    after = marker
    if delimiter:
        # A marker may be a common prefix of the page before.
        cut = marker.find(delimiter, len(call.parameter("prefix").encode()))
        if cut >= 0:
            after = marker[: cut + len(delimiter)] + _BEHIND
    found, shown = _list(call, after)
    content = [*shown.head, element("Marker", shown.text(marker))]
    if found.last is not None and delimiter:
        content.append(element("NextMarker", shown.text(found.last.removesuffix(_BEHIND))))
    content += shown.entries(found, fetch_owner=True)
    return reply(body=document("ListBucketResult", content))


class _Shown:
    """How a listing is written: with keys percent-encoded if the client asked for it."""

    def __init__(self, call: Context, size: int) -> None:
        encoding = call.request.parameters.get("encoding-type")
        if encoding not in (None, "url"):
            raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
        self._is_encoded = encoding is not None
        self.objects: list[StoredObject] = []
        self.head = [
            element("Name", call.bucket.name),
            element("Prefix", self.text(call.parameter("prefix").encode())),
            element("MaxKeys", size),
            *_given(call, self, "delimiter", "Delimiter"),
        ]
        if encoding is not None:
            self.head.append(element("EncodingType", encoding))

    def text(self, key: bytes) -> str:
        return quote(key, safe="/-_.~") if self._is_encoded else key.decode()

    def entries(self, found: Page, *, fetch_owner: bool) -> list[str]:
        owner = [element("Owner", [element("ID", ACCOUNT)])] if fetch_owner else []
        return [
            element("IsTruncated", found.last is not None),
            *(
                element(
                    "Contents",
                    [
                        element("Key", self.text(stored.key.encode())),
                        element("LastModified", iso(stored.modified)),
                        element("ETag", stored.quoted_etag),
                        element("Size", stored.size),
                        *owner,
                        element("StorageClass", "STANDARD"),
                    ],
                )
                for stored in self.objects
            ),
            *(
                element("CommonPrefixes", [element("Prefix", self.text(prefix))])
                for prefix in found.prefixes
            ),
        ]


def _list(call: Context, after: bytes) -> tuple[Page, _Shown]:
    call.caller.check(LIST, call.bucket, call.parameter("prefix"))
    size = limit_of(call, "max-keys", MAX_KEYS)
    shown = _Shown(call, size)
    with call.room.keys.of(call.bucket.name) as (view, keys):
        found = page(
            keys,
            prefix=call.parameter("prefix").encode(),
            delimiter=call.parameter("delimiter").encode(),
            after=after,
            size=size,
        )
        for key in found.keys:
            stored = index.find(view, call.bucket.name, key.decode())
            assert stored is not None
            shown.objects.append(stored)
    return found, shown


def limit_of(call: Context, name: str, maximum: int) -> int:
    """Return the page size that the parameter *name* asks for. Raises S3Error."""
    text = call.parameter(name)
    if not text:
        return maximum
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31):
        raise S3Error(
            "InvalidArgument",
            f"Provided {name} not an integer or within integer range",
            ArgumentName=name,
        )
    return min(int(text), maximum)


def _given(call: Context, shown: _Shown, name: str, tag: str, *, encoded: bool = True) -> list[str]:
    """Return the parameter *name* as the answer repeats it, nothing if it was not given."""
    value = call.parameter(name)
    if not value:
        return []
    return [element(tag, shown.text(value.encode()) if encoded else value)]


def _token(last: bytes) -> str:
    return base64.urlsafe_b64encode(b"1" + last).decode()


def _read_token(token: str) -> bytes:
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw.startswith(b"1"):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")
    return raw[1:]
