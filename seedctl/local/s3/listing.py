"""List the buckets, and the keys of a bucket in pages, grouped by common prefixes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from seedctl.local.http1 import Response
from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.documents import iso_time, xml_response
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.index import StoredObject
from seedctl.local.s3.rules import LIST
from seedctl.local.store import View, prefix_end

MAX_KEYS = 1000


def list_buckets(call: S3Call) -> Response:
    buckets = [{"Name": name, "CreationDate": iso_time(0)} for name in sorted(call.buckets)]
    content = {"Owner": {"ID": ACCOUNT}, "Buckets": {"Bucket": buckets}}
    return xml_response("ListAllMyBucketsResult", content)


def head_bucket(call: S3Call) -> Response:
    region = call.outputs_of(call.bucket).aws_region
    return Response(200, b"", (("x-amz-bucket-region", region),))


def get_bucket_location(call: S3Call) -> Response:
    region = call.outputs_of(call.bucket).aws_region
    # S3 reports its first region without a name.
    return xml_response("LocationConstraint", "" if region == "us-east-1" else region)


@dataclass(slots=True)
class Page:
    objects: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str | None = None
    """The key or common prefix after which the next page begins; None on the last page."""


def read_page(
    view: View, bucket: str, *, prefix: str, delimiter: str, start: str | bytes, size: int
) -> Page:
    """Return the first *size* objects and common prefixes, beginning at *start*."""
    page, end = Page(), prefix_end(prefix)
    following: str | bytes | None = max(start, prefix) if isinstance(start, str) else start
    while following is not None:
        rows = index.scan(view, bucket, following, end)
        following = None
        for stored in rows:
            if len(page.objects) + len(page.prefixes) == size:
                return page if size else Page()
            cut = stored.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                page.objects.append(stored)
                page.last = stored.key
            else:
                page.last = stored.key[: cut + len(delimiter)]
                page.prefixes.append(page.last)
                # A new query skips all keys below the common prefix.
                following = prefix_end(page.last)
                break
    page.last = None
    return page


def start_after(last: str, *, prefix: str, delimiter: str) -> str | bytes:
    """Return where the next page begins; *last* is the last key or common prefix before it."""
    cut = last.find(delimiter, len(prefix)) if delimiter else -1
    return _next_key(last) if cut < 0 else prefix_end(last[: cut + len(delimiter)])


def _next_key(key: str) -> str:
    return key + "\0" if key else ""


def list_objects_v2(call: S3Call) -> Response:
    token, after = call.parameter("continuation-token"), call.parameter("start-after")
    last = _decode_token(token) if "continuation-token" in call.request.parameters else None
    page, head = _list(call, last, after=after)
    content = {
        **head,
        "ContinuationToken": token or None,
        "StartAfter": _encoded(call, after) or None,
        "KeyCount": len(page.objects) + len(page.prefixes),
        "NextContinuationToken": None if page.last is None else _encode_token(page.last),
        **_entries(call, page, has_owner=call.parameter("fetch-owner").lower() == "true"),
    }
    return xml_response("ListBucketResult", content)


def list_objects(call: S3Call) -> Response:
    marker = call.parameter("marker")
    page, head = _list(call, marker)
    content = {**head, "Marker": _encoded(call, marker)}
    if page.last is not None and call.parameter("delimiter"):
        content["NextMarker"] = _encoded(call, page.last)
    return xml_response("ListBucketResult", content | _entries(call, page, has_owner=True))


def _list(call: S3Call, last: str | None, *, after: str = "") -> tuple[Page, dict[str, Any]]:
    """Return a page and the first elements of its response.

    The page begins after *last*, the last entry of the page before, else after the key *after*.
    """
    prefix, delimiter = call.parameter("prefix"), call.parameter("delimiter")
    call.require(LIST, call.bucket, prefix)
    size = read_limit(call, "max-keys", MAX_KEYS)
    encoding = call.request.parameters.get("encoding-type")
    if encoding not in (None, "url"):
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
    start: str | bytes = _next_key(after)
    if last:
        start = start_after(last, prefix=prefix, delimiter=delimiter)
    with call.store.reading() as view:
        page = read_page(
            view, call.bucket, prefix=prefix, delimiter=delimiter, start=start, size=size
        )
    head = {
        "Name": call.bucket,
        "Prefix": _encoded(call, prefix),
        "MaxKeys": size,
        "Delimiter": _encoded(call, delimiter) or None,
        "EncodingType": encoding,
    }
    return page, head


def _encoded(call: S3Call, key: str) -> str:
    """Return *key* for the response: percent-encoded if the client asked for that."""
    return quote(key, safe="/-_.~") if call.parameter("encoding-type") else key


def _entries(call: S3Call, page: Page, *, has_owner: bool) -> dict[str, Any]:
    owner = {"ID": ACCOUNT} if has_owner else None
    return {
        "IsTruncated": page.last is not None,
        "Contents": [
            {
                "Key": _encoded(call, stored.key),
                "LastModified": iso_time(stored.modified),
                "ETag": stored.quoted_etag,
                "Size": stored.size,
                "Owner": owner,
                "StorageClass": "STANDARD",
            }
            for stored in page.objects
        ],
        "CommonPrefixes": [{"Prefix": _encoded(call, prefix)} for prefix in page.prefixes],
    }


def read_limit(call: S3Call, name: str, maximum: int, default: int | None = None) -> int:
    """Return the number in the parameter *name*, at most *maximum*. Raises S3Error.

    Without the parameter return *default*, or *maximum* if there is no default.
    """
    text = call.parameter(name)
    if not text:
        return maximum if default is None else default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31):
        message = f"Provided {name} not an integer or within integer range"
        raise S3Error("InvalidArgument", message, ArgumentName=name)
    return min(int(text), maximum)


def _encode_token(last: str) -> str:
    return base64.urlsafe_b64encode(b"1" + last.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
    except ValueError:
        raw = ""
    if not raw.startswith("1"):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect")
    return raw[1:]
