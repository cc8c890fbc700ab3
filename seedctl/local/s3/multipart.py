"""Multipart uploads: begin, send parts, abort, and look at what is under way."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from seedctl.local.http1 import Response
from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import uploads
from seedctl.local.s3.checksums import SIZES, checksum_elements, part_headers
from seedctl.local.s3.documents import iso, reply
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.listing import limit_of
from seedctl.local.s3.payload import MAX_OBJECT, Payload
from seedctl.local.s3.uploads import Part, Upload
from seedctl.local.s3.writing import copy_source, described, with_current

if TYPE_CHECKING:
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject
    from seedctl.local.store import View

_MAX_PART = 10_000
_MAX_LISTED = 1000
_COPY_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})")
_PIECE = 1024 * 1024


def create_multipart_upload(call: Context) -> Response:
    headers, metadata = described(call.request.headers)
    algorithm = call.header("x-amz-checksum-algorithm").lower() or None
    default = "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE"
    kind = call.header("x-amz-checksum-type") or default
    if algorithm not in (None, *SIZES) or kind not in ("COMPOSITE", "FULL_OBJECT"):
        raise S3Error("InvalidRequest", "The checksum algorithm or its type is unknown.")
    upload = Upload(
        id=secrets.token_urlsafe(48),
        bucket=call.bucket,
        key=call.key,
        begun=call.now,
        headers=headers,
        metadata=metadata,
        algorithm=algorithm,
        checksum_type=kind,
    )
    with call.store.transaction() as view:
        uploads.begin(view, upload)
    named: tuple[tuple[str, str], ...] = ()
    if algorithm is not None:
        named = (("x-amz-checksum-algorithm", algorithm.upper()), ("x-amz-checksum-type", kind))
    return reply("InitiateMultipartUploadResult", _named(upload), named)


def _named(upload: Upload) -> dict[str, str | int]:
    return {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}


def upload_of(call: Context, view: View) -> Upload:
    """Return the upload that the call names. Raises S3Error."""
    return uploads.find(view, call.parameter("uploadId"), call.bucket, call.key)


def find_upload(call: Context) -> Upload:
    """Return the upload that the call names, as it is now. Raises S3Error."""
    with call.store.reading() as view:
        return upload_of(call, view)


def upload_part(call: Context) -> Response:
    number = _part_number(call)
    payload = Payload(call)
    upload = find_upload(call)
    with call.files.writing() as new:
        size, md5, checksums = payload.receive(new.write)
        _commit(call, Part(upload.id, number, new.finish(), size, md5, call.now, checksums))
    return Response(200, b"", (("ETag", f'"{md5}"'), *part_headers(checksums)))


def upload_part_copy(call: Context) -> Response:
    number = _part_number(call)
    upload = find_upload(call)
    return with_current(
        lambda: copy_source(call), lambda source: _copy_part(call, upload, number, source)
    )


def _copy_part(call: Context, upload: Upload, number: int, source: StoredObject) -> Response:
    first, length = 0, source.size
    asked = call.request.headers.get("x-amz-copy-source-range")
    if asked is not None:
        match = _COPY_RANGE.fullmatch(asked)
        if match is None or not int(match[1]) <= int(match[2]) < source.size:
            raise S3Error("InvalidArgument", "The x-amz-copy-source-range value is not valid.")
        first, length = int(match[1]), int(match[2]) - int(match[1]) + 1
    if length > MAX_OBJECT:
        raise S3Error("InvalidRequest", "The part to copy is larger than a part may be.")
    digest = hashlib.md5(usedforsecurity=False)
    with call.files.open(source.file) as file, call.files.writing() as new:
        file.seek(first)
        left = length
        while left and (piece := file.read(min(left, _PIECE))):
            left -= len(piece)
            digest.update(piece)
            new.write(piece)
        md5 = digest.hexdigest()
        _commit(call, Part(upload.id, number, new.finish(), length, md5, call.now, {}))
    return reply("CopyPartResult", {"LastModified": iso(call.now), "ETag": f'"{md5}"'})


def _commit(call: Context, part: Part) -> None:
    with call.store.transaction() as view:
        upload_of(call, view)  # it may have been completed or aborted while the part came in
        replaced = uploads.put_part(view, part)
    call.files.remove(replaced)


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
    with call.store.transaction() as view:
        files = uploads.end(view, upload_of(call, view).id)
    call.files.remove(*files)
    return Response(204, b"")


def list_parts(call: Context) -> Response:
    upload = find_upload(call)
    size = limit_of(call, "max-parts", _MAX_LISTED)
    marker = limit_of(call, "part-number-marker", 2**31 - 1, default=0)
    with call.store.reading() as view:
        rest = uploads.parts_of(view, upload.id, marker, size + 1)
    shown = rest[:size]
    content = {
        **_named(upload),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1].number if shown else marker,
        "MaxParts": size,
        "IsTruncated": len(shown) < len(rest),
        "StorageClass": "STANDARD",
        "Owner": {"ID": ACCOUNT},
        "Part": [
            {
                "PartNumber": part.number,
                "LastModified": iso(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **checksum_elements(part.checksums),
            }
            for part in shown
        ],
    }
    return reply("ListPartsResult", content)


def list_multipart_uploads(call: Context) -> Response:
    prefix = call.parameter("prefix")
    size = limit_of(call, "max-uploads", _MAX_LISTED)
    key, upload_id = call.parameter("key-marker"), call.parameter("upload-id-marker")
    with call.store.reading() as view:
        rest = uploads.listed(view, call.bucket, prefix, (key, upload_id), size + 1)
    shown = rest[:size]
    content = {
        "Bucket": call.bucket,
        "KeyMarker": key,
        "UploadIdMarker": upload_id,
        "NextKeyMarker": shown[-1].key if shown else "",
        "NextUploadIdMarker": shown[-1].id if shown else "",
        "Prefix": prefix,
        "MaxUploads": size,
        "IsTruncated": len(shown) < len(rest),
        "Upload": [
            {
                "Key": upload.key,
                "UploadId": upload.id,
                "Initiated": iso(upload.begun),
                "StorageClass": "STANDARD",
            }
            for upload in shown
        ],
    }
    return reply("ListMultipartUploadsResult", content)
