"""Listing: a bucket's keys in order, page by page, rolled up at a delimiter."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index
from seedctl.local.s3.context import iso, reply
from seedctl.local.s3.documents import document, element
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import LIST
from seedctl.local.store import prefix_end

if TYPE_CHECKING:
    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject
    from seedctl.local.store import View

MAX_KEYS = 1000


@dataclass(slots=True)
class Page:
    objects: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None
    """The key or common prefix behind which the next page begins; None when there is none."""


def page(
    view: View, bucket: str, *, prefix: str, delimiter: str, start: str | bytes, size: int
) -> Page:
    """Return the first *size* objects and common prefixes from *start* on."""
    found, end = Page(), prefix_end(prefix)
    following: str | bytes | None = max(start, prefix) if isinstance(start, str) else start
    while following is not None:
        rows = index.listed(view, bucket, following, end)
        following = None
        for stored in rows:
            if len(found.objects) + len(found.prefixes) == size:
                return found if size else Page()
            cut = stored.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                found.objects.append(stored)
                found.last = stored.key
            else:
                found.last = stored.key[: cut + len(delimiter)]
                found.prefixes.append(found.last)
                # Over all that lies below it, however much that is.
                following = prefix_end(found.last)
                break
    found.last = None
    return found


def behind(last: str, *, prefix: str, delimiter: str) -> str | bytes:
    """Return where the page begins behind one that ended with *last*, maybe a common prefix."""
    cut = last.find(delimiter, len(prefix)) if delimiter else -1
    return _next_key(last) if cut < 0 else prefix_end(last[: cut + len(delimiter)])


def _next_key(key: str) -> str:
    return key + "\0" if key else ""


def list_objects_v2(call: Context) -> Response:
    last = None
    if "continuation-token" in call.request.parameters:
        last = _read_token(call.parameter("continuation-token"))
    found, shown = _list(call, last, start_after=call.parameter("start-after"))
    fetch_owner = call.parameter("fetch-owner").lower() == "true"
    content = [
        *shown.head,
        *_given(call, shown, "continuation-token", "ContinuationToken", encoded=False),
        *_given(call, shown, "start-after", "StartAfter"),
        element("KeyCount", len(found.objects) + len(found.prefixes)),
    ]
    if found.last is not None:
        content.append(element("NextContinuationToken", _token(found.last)))
    content += shown.entries(found, fetch_owner=fetch_owner)
    return reply(body=document("ListBucketResult", content))


def list_objects(call: Context) -> Response:
    marker = call.parameter("marker")
    found, shown = _list(call, marker)
    content = [*shown.head, element("Marker", shown.text(marker))]
    if found.last is not None and call.parameter("delimiter"):
        content.append(element("NextMarker", shown.text(found.last)))
    content += shown.entries(found, fetch_owner=True)
    return reply(body=document("ListBucketResult", content))


class _Shown:
    """How a listing is written: with keys percent-encoded if the client asked for it."""

    def __init__(self, call: Context, size: int) -> None:
        encoding = call.request.parameters.get("encoding-type")
        if encoding not in (None, "url"):
            raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
        self._is_encoded = encoding is not None
        self.head = [
            element("Name", call.bucket.name),
            element("Prefix", self.text(call.parameter("prefix"))),
            element("MaxKeys", size),
            *_given(call, self, "delimiter", "Delimiter"),
        ]
        if encoding is not None:
            self.head.append(element("EncodingType", encoding))

    def text(self, key: str) -> str:
        return quote(key, safe="/-_.~") if self._is_encoded else key

    def entries(self, found: Page, *, fetch_owner: bool) -> list[str]:
        owner = [element("Owner", [element("ID", ACCOUNT)])] if fetch_owner else []
        return [
            element("IsTruncated", found.last is not None),
            *(
                element(
                    "Contents",
                    [
                        element("Key", self.text(stored.key)),
                        element("LastModified", iso(stored.modified)),
                        element("ETag", stored.quoted_etag),
                        element("Size", stored.size),
                        *owner,
                        element("StorageClass", "STANDARD"),
                    ],
                )
                for stored in found.objects
            ),
            *(
                element("CommonPrefixes", [element("Prefix", self.text(prefix))])
                for prefix in found.prefixes
            ),
        ]


def _list(call: Context, last: str | None, *, start_after: str = "") -> tuple[Page, _Shown]:
    """List behind *last*, with which a page ended; without one, behind the key *start_after*."""
    prefix, delimiter = call.parameter("prefix"), call.parameter("delimiter")
    call.caller.check(LIST, call.bucket, prefix)
    size = limit_of(call, "max-keys", MAX_KEYS)
    shown = _Shown(call, size)
    start: str | bytes = _next_key(start_after)
    if last:
        start = behind(last, prefix=prefix, delimiter=delimiter)
    bucket = call.bucket.name
    with call.room.store.reading() as view:
        found = page(view, bucket, prefix=prefix, delimiter=delimiter, start=start, size=size)
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
    return [element(tag, shown.text(value) if encoded else value)]


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(b"1" + last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
    except ValueError:
        raw = ""
    if not raw.startswith("1"):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")
    return raw[1:]
