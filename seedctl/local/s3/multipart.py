"""Multipart uploads: begin, send parts, complete or abort, and look at what is under way."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import index, uploads
from seedctl.local.s3.checksums import SIZES, checksum_headers
from seedctl.local.s3.conditions import check_writing
from seedctl.local.s3.context import iso, reply
from seedctl.local.s3.documents import document, element
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.listing import limit_of
from seedctl.local.s3.payload import MAX_OBJECT, Payload
from seedctl.local.s3.rules import WRITE
from seedctl.local.s3.uploads import Part, Upload
from seedctl.local.s3.writing import described, from_source

if TYPE_CHECKING:
    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject

_MAX_PART = 10_000
_MAX_LISTED = 1000
_COPY_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})")
_PIECE = 1024 * 1024


def create_multipart_upload(call: Context) -> Response:
    call.check(WRITE)
    headers, metadata = described(call.request.headers)
    algorithm = (call.request.header("x-amz-checksum-algorithm") or "").lower() or None
    default = "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE"
    kind = call.request.header("x-amz-checksum-type") or default
    if (algorithm is not None and algorithm not in SIZES) or kind not in (
        "COMPOSITE",
        "FULL_OBJECT",
    ):
        raise S3Error("InvalidRequest", "The checksum algorithm or its type is unknown.")
    upload = Upload(
        id=secrets.token_urlsafe(48),
        bucket=call.bucket.name,
        key=call.key,
        begun=call.now,
        headers=headers,
        metadata=metadata,
        algorithm=algorithm,
        checksum_type=kind,
    )
    with call.room.store.transaction() as view:
        uploads.begin(view, upload)
    content = (
        element("Bucket", upload.bucket),
        element("Key", upload.key),
        element("UploadId", upload.id),
    )
    named: tuple[tuple[str, str], ...] = ()
    if algorithm is not None:
        named = (("x-amz-checksum-algorithm", algorithm.upper()), ("x-amz-checksum-type", kind))
    return reply(body=document("InitiateMultipartUploadResult", content), headers=named)


def find_upload(call: Context) -> Upload:
    """Return the upload that the call names. Raises S3Error."""
    with call.room.store.reading() as view:
        return uploads.find(view, call.parameter("uploadId"), call.bucket.name, call.key)


def upload_part(call: Context) -> Response:
    call.check(WRITE)
    number = _part_number(call)
    payload = Payload(call.request, call.caller)
    find_upload(call)
    with call.room.files.writing() as unkept:
        received = payload.receive(unkept.file.write)
        part = Part(
            number=number,
            file=call.room.files.finish(unkept),
            size=received.size,
            etag=received.md5,
            modified=call.now,
            checksums=received.checksums,
        )
        _commit(call, part)
        unkept.is_kept = True
    checks = checksum_headers(part.checksums, "FULL_OBJECT")[: len(part.checksums)]
    return reply(headers=(("ETag", f'"{part.etag}"'), *checks))


def upload_part_copy(call: Context) -> Response:
    call.check(WRITE)
    number = _part_number(call)
    find_upload(call)
    return from_source(call, lambda _, source: _copy_part(call, number, source))


def _copy_part(call: Context, number: int, source: StoredObject) -> Response:
    first, length = 0, source.size
    asked = call.request.header("x-amz-copy-source-range")
    if asked is not None:
        match = _COPY_RANGE.fullmatch(asked)
        if match is None or not int(match[1]) <= int(match[2]) < source.size:
            raise S3Error("InvalidArgument", "The x-amz-copy-source-range value is not valid.")
        first, length = int(match[1]), int(match[2]) - int(match[1]) + 1
    if length > MAX_OBJECT:
        raise S3Error("InvalidRequest", "The part to copy is larger than a part may be.")
    digest = hashlib.md5(usedforsecurity=False)
    with call.room.files.open(source.file) as file, call.room.files.writing() as unkept:
        file.seek(first)
        left = length
        while left and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            digest.update(piece)
            unkept.file.write(piece)
        part = Part(
            number=number,
            file=call.room.files.finish(unkept),
            size=length,
            etag=digest.hexdigest(),
            modified=call.now,
            checksums={},
        )
        _commit(call, part)
        unkept.is_kept = True
    content = (element("LastModified", iso(call.now)), element("ETag", f'"{part.etag}"'))
    return reply(body=document("CopyPartResult", content))


def _commit(call: Context, part: Part) -> None:
    with call.room.store.transaction() as view:
        # It may have been completed or aborted while the part came in.
        upload = uploads.find(view, call.parameter("uploadId"), call.bucket.name, call.key)
        replaced = uploads.put_part(view, upload, part)
    if replaced is not None:
        call.room.files.remove(replaced)


def _part_number(call: Context) -> int:
    text = call.parameter("partNumber")
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= _MAX_PART:
        raise S3Error(
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
        )
    return int(text)


def abort_multipart_upload(call: Context) -> Response:
    call.check(WRITE)
    with call.room.store.transaction() as view:
        upload = uploads.find(view, call.parameter("uploadId"), call.bucket.name, call.key)
        files = uploads.end(view, upload.id)
    call.room.files.remove(*files)
    return reply(204)


def list_parts(call: Context) -> Response:
    call.check(WRITE)
    upload = find_upload(call)
    size = limit_of(call, "max-parts", _MAX_LISTED)
    marker = limit_of(call, "part-number-marker", 2**31 - 1) if _has_marker(call) else 0
    with call.room.store.reading() as view:
        rest = uploads.parts_of(view, upload.id, marker, size + 1)
    shown = rest[:size]
    content = [
        element("Bucket", upload.bucket),
        element("Key", upload.key),
        element("UploadId", upload.id),
        element("PartNumberMarker", marker),
        element("NextPartNumberMarker", shown[-1].number if shown else marker),
        element("MaxParts", size),
        element("IsTruncated", len(shown) < len(rest)),
        element("StorageClass", "STANDARD"),
        element("Owner", [element("ID", ACCOUNT)]),
        *(
            element(
                "Part",
                [
                    element("PartNumber", part.number),
                    element("LastModified", iso(part.modified)),
                    element("ETag", f'"{part.etag}"'),
                    element("Size", part.size),
                    *(
                        element(f"Checksum{name.upper()}", value)
                        for name, value in part.checksums.items()
                    ),
                ],
            )
            for part in shown
        ),
    ]
    return reply(body=document("ListPartsResult", content))


def _has_marker(call: Context) -> bool:
    return bool(call.parameter("part-number-marker"))


def list_multipart_uploads(call: Context) -> Response:
    call.check_is_developer()
    prefix = call.parameter("prefix")
    size = limit_of(call, "max-uploads", _MAX_LISTED)
    key, upload_id = call.parameter("key-marker"), call.parameter("upload-id-marker")
    with call.room.store.reading() as view:
        rest = uploads.listed(view, call.bucket.name, prefix, (key, upload_id), size + 1)
    shown = rest[:size]
    content = [
        element("Bucket", call.bucket.name),
        element("KeyMarker", key),
        element("UploadIdMarker", upload_id),
        element("NextKeyMarker", shown[-1].key if shown else ""),
        element("NextUploadIdMarker", shown[-1].id if shown else ""),
        element("Prefix", prefix),
        element("MaxUploads", size),
        element("IsTruncated", len(shown) < len(rest)),
        *(
            element(
                "Upload",
                [
                    element("Key", upload.key),
                    element("UploadId", upload.id),
                    element("Initiated", iso(upload.begun)),
                    element("StorageClass", "STANDARD"),
                ],
            )
            for upload in shown
        ),
    ]
    return reply(body=document("ListMultipartUploadsResult", content))


def check_unchanged(call: Context) -> None:
    with call.room.store.reading() as view:
        check_writing(call.request.headers, index.find(view, call.bucket.name, call.key))
