"""Multipart uploads: create, send parts, abort, and list the pending ones."""

from __future__ import annotations

import hashlib
import re
import secrets

from seedctl.local.http1 import Response
from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3 import uploads
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.checksums import SIZES, checksum_elements, part_headers
from seedctl.local.s3.documents import iso_time, xml_response
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.index import StoredObject
from seedctl.local.s3.listing import read_limit
from seedctl.local.s3.payload import MAX_OBJECT, Payload
from seedctl.local.s3.uploads import Part, Upload
from seedctl.local.s3.writing import copy_source, object_headers, retry_if_replaced
from seedctl.local.store import View

_MAX_PART = 10_000
_MAX_LISTED = 1000
_COPY_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})")
_PIECE = 1024 * 1024


def create_multipart_upload(call: S3Call) -> Response:
    stored_headers, metadata = object_headers(call.request.headers)
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
        headers=stored_headers,
        metadata=metadata,
        algorithm=algorithm,
        checksum_type=kind,
    )
    with call.store.transaction() as view:
        uploads.put(view, upload)
    headers: tuple[tuple[str, str], ...] = ()
    if algorithm is not None:
        headers = (("x-amz-checksum-algorithm", algorithm.upper()), ("x-amz-checksum-type", kind))
    return xml_response("InitiateMultipartUploadResult", _upload_elements(upload), headers)


def _upload_elements(upload: Upload) -> dict[str, str | int]:
    return {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}


def find_upload(call: S3Call, view: View) -> Upload:
    """Return the upload that the request names. Raises S3Error."""
    return uploads.find(view, call.parameter("uploadId"), call.bucket, call.key)


def current_upload(call: S3Call) -> Upload:
    """Return the upload that the request names, read in a transaction. Raises S3Error."""
    with call.store.reading() as view:
        return find_upload(call, view)


def upload_part(call: S3Call) -> Response:
    number = _part_number(call)
    payload = Payload(call)
    upload = current_upload(call)
    with call.files.writing() as new:
        size, md5, checksums = payload.receive(new.write)
        _commit(call, Part(upload.id, number, new.finish(), size, md5, call.now, checksums))
    return Response(200, b"", (("ETag", f'"{md5}"'), *part_headers(checksums)))


def upload_part_copy(call: S3Call) -> Response:
    number = _part_number(call)
    upload = current_upload(call)
    return retry_if_replaced(
        lambda: copy_source(call), lambda source: _copy_part(call, upload, number, source)
    )


def _copy_part(call: S3Call, upload: Upload, number: int, source: StoredObject) -> Response:
    first, length = 0, source.size
    copy_range = call.request.headers.get("x-amz-copy-source-range")
    if copy_range is not None:
        match = _COPY_RANGE.fullmatch(copy_range)
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
    return xml_response("CopyPartResult", {"LastModified": iso_time(call.now), "ETag": f'"{md5}"'})


def _commit(call: S3Call, part: Part) -> None:
    with call.store.transaction() as view:
        find_upload(call, view)  # it may have been completed or aborted during the transfer
        replaced = uploads.put_part(view, part)
    call.files.remove(replaced)


def _part_number(call: S3Call) -> int:
    text = call.parameter("partNumber")
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= _MAX_PART:
        raise S3Error(
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
        )
    return int(text)


def abort_multipart_upload(call: S3Call) -> Response:
    with call.store.transaction() as view:
        files = uploads.delete(view, find_upload(call, view).id)
    call.files.remove(*files)
    return Response(204, b"")


def list_parts(call: S3Call) -> Response:
    upload = current_upload(call)
    size = read_limit(call, "max-parts", _MAX_LISTED)
    marker = read_limit(call, "part-number-marker", 2**31 - 1, default=0)
    with call.store.reading() as view:
        found = uploads.parts_of(view, upload.id, marker, size + 1)
    page = found[:size]
    content = {
        **_upload_elements(upload),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else marker,
        "MaxParts": size,
        "IsTruncated": len(page) < len(found),
        "StorageClass": "STANDARD",
        "Owner": {"ID": ACCOUNT},
        "Part": [
            {
                "PartNumber": part.number,
                "LastModified": iso_time(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **checksum_elements(part.checksums),
            }
            for part in page
        ],
    }
    return xml_response("ListPartsResult", content)


def list_multipart_uploads(call: S3Call) -> Response:
    prefix = call.parameter("prefix")
    size = read_limit(call, "max-uploads", _MAX_LISTED)
    key, upload_id = call.parameter("key-marker"), call.parameter("upload-id-marker")
    with call.store.reading() as view:
        found = uploads.list_page(view, call.bucket, prefix, (key, upload_id), size + 1)
    page = found[:size]
    content = {
        "Bucket": call.bucket,
        "KeyMarker": key,
        "UploadIdMarker": upload_id,
        "NextKeyMarker": page[-1].key if page else "",
        "NextUploadIdMarker": page[-1].id if page else "",
        "Prefix": prefix,
        "MaxUploads": size,
        "IsTruncated": len(page) < len(found),
        "Upload": [
            {
                "Key": upload.key,
                "UploadId": upload.id,
                "Initiated": iso_time(upload.begun),
                "StorageClass": "STANDARD",
            }
            for upload in page
        ],
    }
    return xml_response("ListMultipartUploadsResult", content)
