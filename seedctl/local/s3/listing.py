"""Listing: the buckets, and a bucket's keys in order, page by page, rolled up at a delimiter."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seedctl.local.http1 import Response
from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index
from seedctl.local.s3.documents import iso, reply
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import LIST
from seedctl.local.store import prefix_end

if TYPE_CHECKING:
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject
    from seedctl.local.store import View

MAX_KEYS = 1000


def list_buckets(call: Context) -> Response:
    buckets = [{"Name": name, "CreationDate": iso(0)} for name in sorted(call.buckets)]
    content = {"Owner": {"ID": ACCOUNT}, "Buckets": {"Bucket": buckets}}
    return reply("ListAllMyBucketsResult", content)


def head_bucket(call: Context) -> Response:
    region = call.outputs_of(call.bucket).aws_region
    return Response(200, b"", (("x-amz-bucket-region", region),))


def get_bucket_location(call: Context) -> Response:
    region = call.outputs_of(call.bucket).aws_region
    # The first region has no name here, for as long as there has been S3.
    return reply("LocationConstraint", "" if region == "us-east-1" else region)


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
    token, start_after = call.parameter("continuation-token"), call.parameter("start-after")
    last = _read_token(token) if "continuation-token" in call.request.parameters else None
    found, head = _list(call, last, start_after=start_after)
    content = {
        **head,
        "ContinuationToken": token or None,
        "StartAfter": _shown(call, start_after) or None,
        "KeyCount": len(found.objects) + len(found.prefixes),
        "NextContinuationToken": None if found.last is None else _token(found.last),
        **_entries(call, found, has_owner=call.parameter("fetch-owner").lower() == "true"),
    }
    return reply("ListBucketResult", content)


def list_objects(call: Context) -> Response:
    marker = call.parameter("marker")
    found, head = _list(call, marker)
    content = {**head, "Marker": _shown(call, marker)}
    if found.last is not None and call.parameter("delimiter"):
        content["NextMarker"] = _shown(call, found.last)
    return reply("ListBucketResult", content | _entries(call, found, has_owner=True))


def _list(call: Context, last: str | None, *, start_after: str = "") -> tuple[Page, dict[str, Any]]:
    """List behind *last*, with which a page ended; without one, behind the key *start_after*.

    Return the page, and how the answer begins.
    """
    prefix, delimiter = call.parameter("prefix"), call.parameter("delimiter")
    call.check(LIST, call.bucket, prefix)
    size = limit_of(call, "max-keys", MAX_KEYS)
    encoding = call.request.parameters.get("encoding-type")
    if encoding not in (None, "url"):
        raise S3Error("InvalidArgument", "Invalid Encoding Method specified in Request")
    start: str | bytes = _next_key(start_after)
    if last:
        start = behind(last, prefix=prefix, delimiter=delimiter)
    with call.store.reading() as view:
        found = page(view, call.bucket, prefix=prefix, delimiter=delimiter, start=start, size=size)
    head = {
        "Name": call.bucket,
        "Prefix": _shown(call, prefix),
        "MaxKeys": size,
        "Delimiter": _shown(call, delimiter) or None,
        "EncodingType": encoding,
    }
    return found, head


def _shown(call: Context, key: str) -> str:
    """Return *key* as the answer has it: percent-encoded if the client asked for it."""
    return quote(key, safe="/-_.~") if call.parameter("encoding-type") else key


def _entries(call: Context, found: Page, *, has_owner: bool) -> dict[str, Any]:
    owner = {"ID": ACCOUNT} if has_owner else None
    return {
        "IsTruncated": found.last is not None,
        "Contents": [
            {
                "Key": _shown(call, stored.key),
                "LastModified": iso(stored.modified),
                "ETag": stored.quoted_etag,
                "Size": stored.size,
                "Owner": owner,
                "StorageClass": "STANDARD",
            }
            for stored in found.objects
        ],
        "CommonPrefixes": [{"Prefix": _shown(call, prefix)} for prefix in found.prefixes],
    }


def limit_of(call: Context, name: str, maximum: int, default: int | None = None) -> int:
    """Return the number that the parameter *name* gives, at most *maximum*. Raises S3Error.

    *default* is *maximum* itself.
    """
    text = call.parameter(name)
    if not text:
        return maximum if default is None else default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**31):
        message = f"Provided {name} not an integer or within integer range"
        raise S3Error("InvalidArgument", message, ArgumentName=name)
    return min(int(text), maximum)


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
