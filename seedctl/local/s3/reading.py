"""Read an object: all of its content, a range of it, or only its headers."""

from __future__ import annotations

import re
from email.utils import formatdate

from seedctl.local.http1 import FilePart, Response
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.checksums import checksum_headers
from seedctl.local.s3.conditions import check_reading
from seedctl.local.s3.errors import Headers, S3Error
from seedctl.local.s3.index import StoredObject
from seedctl.local.s3.writing import META, STORED_HEADERS, retry_if_replaced

OVERRIDE = "response-"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AT_ONCE = 64 * 1024  # bytes; up to this size head and body are sent in one write


def get_object(call: S3Call) -> Response:
    stored, file = retry_if_replaced(
        lambda: call.require_object(call.bucket, call.key),
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


def head_object(call: S3Call) -> Response:
    headers, (_, length), status = _describe(call, call.require_object(call.bucket, call.key))
    return Response(status, b"", headers, length=length)


def _describe(call: S3Call, stored: StoredObject) -> tuple[Headers, tuple[int, int], int]:
    """Return the headers, the range as its first byte and its length, and the status."""
    check_reading(call.request.headers, stored)
    part = _range(call, stored)
    first, length = part or (0, stored.size)
    headers = {name.title(): value for name, value in stored.headers.items()}
    for name in STORED_HEADERS:
        value = call.request.parameters.get(OVERRIDE + name)
        if value is None:
            continue
        if _CONTROL.search(value):
            raise S3Error("InvalidArgument", f"{OVERRIDE}{name} has control characters.")
        # The server encodes headers as latin-1: this sends the value as UTF-8.
        headers[name.title()] = value.encode().decode("latin-1")
    listed = [
        ("ETag", stored.quoted_etag),
        ("Last-Modified", formatdate(int(stored.modified), usegmt=True)),
        ("Accept-Ranges", "bytes"),
        *headers.items(),
        *((META + name, value) for name, value in stored.metadata.items()),
    ]
    if part is not None:
        listed.append(("Content-Range", f"bytes {first}-{first + length - 1}/{stored.size}"))
    elif call.header("x-amz-checksum-mode").upper() == "ENABLED":
        listed.extend(checksum_headers(stored.checksums, stored.checksum_type))
    return tuple(listed), (first, length), 200 if part is None else 206


def _range(call: S3Call, stored: StoredObject) -> tuple[int, int] | None:
    """Return the first byte and the length of the requested range, None for all. Raises S3Error."""
    match = _RANGE.fullmatch(call.header("range"))
    if_range = call.request.headers.get("if-range")
    # HTTP lets servers ignore a malformed range or a request for several ranges.
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
