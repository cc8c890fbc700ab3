"""Reading objects: their content, a range of it, or only what is known of them."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import TYPE_CHECKING

from seedctl.local.http1 import FilePart, Response
from seedctl.local.s3.checksums import checksum_headers
from seedctl.local.s3.conditions import check_reading
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.writing import KEPT, META, with_current

if TYPE_CHECKING:
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.errors import Headers
    from seedctl.local.s3.index import StoredObject

OVERRIDE = "response-"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AT_ONCE = 64 * 1024  # bytes that go out in one write with the head


def get_object(call: Context) -> Response:
    stored, file = with_current(
        lambda: call.existing(call.bucket, call.key),
        lambda stored: (stored, call.files.open(stored.file)),
    )
    try:
        headers, (first, length), status = _describe(call, stored)
        if length > _AT_ONCE:
            return Response(status, b"", headers, FilePart(file, first, length))
        file.seek(first)
        body = file.read(length)
    except BaseException:
        file.close()
        raise
    file.close()
    return Response(status, body, headers)


def head_object(call: Context) -> Response:
    headers, (_, length), status = _describe(call, call.existing(call.bucket, call.key))
    return Response(status, b"", headers, length=length)


def _describe(call: Context, stored: StoredObject) -> tuple[Headers, tuple[int, int], int]:
    """Return the headers, the first byte and the number of bytes, and the status."""
    check_reading(call.request.headers, stored)
    part = _range(call, stored)
    first, length = part or (0, stored.size)
    shown = {name.title(): value for name, value in stored.headers.items()}
    for name in KEPT:
        value = call.request.parameters.get(OVERRIDE + name)
        if value is None:
            continue
        if _CONTROL.search(value):
            raise S3Error("InvalidArgument", f"{OVERRIDE}{name} has control characters.")
        # Headers are bytes: what does not fit latin-1 goes out as UTF-8.
        shown[name.title()] = value.encode().decode("latin-1")
    headers = [
        ("ETag", stored.quoted_etag),
        ("Last-Modified", formatdate(int(stored.modified), usegmt=True)),
        ("Accept-Ranges", "bytes"),
        *shown.items(),
        *((META + name, value) for name, value in stored.metadata.items()),
    ]
    if part is not None:
        headers.append(("Content-Range", f"bytes {first}-{first + length - 1}/{stored.size}"))
    elif call.header("x-amz-checksum-mode").upper() == "ENABLED":
        headers.extend(checksum_headers(stored.checksums, stored.checksum_type))
    return tuple(headers), (first, length), 200 if part is None else 206


def _range(call: Context, stored: StoredObject) -> tuple[int, int] | None:
    """Return the first byte and the number of bytes asked for, None for all. Raises S3Error."""
    match = _RANGE.fullmatch(call.header("range"))
    if_range = call.request.headers.get("if-range")
    # What is malformed, or asks for several ranges, is passed over, as HTTP lets servers do.
    if match is None or match.groups() == ("", "") or if_range not in (None, stored.quoted_etag):
        return None
    if not match[1]:
        length = min(int(match[2]), stored.size)
        first = stored.size - length
    else:
        first = int(match[1])
        last = min(int(match[2]) if match[2] else stored.size, stored.size - 1)
        if match[2] and int(match[2]) < first:
            return None
        length = last - first + 1
    if length <= 0:
        raise S3Error(
            "InvalidRange",
            headers=(("Content-Range", f"bytes */{stored.size}"),),
            ActualObjectSize=str(stored.size),
        )
    return first, length
