"""Complete a multipart upload: check the client's list of parts and join them to one object."""

from __future__ import annotations

import hashlib
import re

from seedctl.local.http1 import Response
from seedctl.local.s3 import index, uploads
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.checksums import (
    checksum_elements,
    checksum_in,
    checksum_of_parts,
    digest_of,
    to_base64,
)
from seedctl.local.s3.conditions import check_writing
from seedctl.local.s3.documents import Element, parse_document, xml_response
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import NewFile
from seedctl.local.s3.multipart import current_upload, find_upload
from seedctl.local.s3.payload import read_body
from seedctl.local.s3.uploads import Part, Upload
from seedctl.local.s3.writing import put_if_conditions_hold
from seedctl.local.store import View

_MIN_PART = 5 * 1024 * 1024
_MAX_BODY = 8 * 1024 * 1024
_NUMBER = re.compile("[0-9]{1,5}")


def complete_multipart_upload(call: S3Call) -> Response:
    upload = current_upload(call)
    check_writing(call.request.headers, call.find_object(call.bucket, call.key))
    # [?] In this call the checksum in the headers is of the whole object, not of the XML body.
    given = checksum_in(call.request.headers).get(upload.algorithm or "")
    root = parse_document(read_body(call, _MAX_BODY, has_checksum=False), "CompleteMultipartUpload")
    with call.store.reading() as view:
        find_upload(call, view)
        known = {part.number: part for part in uploads.parts_of(view, upload.id)}
    parts = _listed_parts(root, known)
    size = sum(part.size for part in parts)
    if call.header("x-amz-mp-object-size", str(size)) != str(size):
        raise S3Error("InvalidRequest", "The x-amz-mp-object-size is not that of the parts.")
    md5 = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    with call.files.writing() as new:
        try:
            checksums = _assemble(call, upload, parts, given, new)
        except FileNotFoundError:
            # Another request completed or aborted the upload, or replaced a part: report that.
            # Otherwise the file is lost, which is an internal error.
            with call.store.reading() as view:
                _check_unchanged(call, view, parts)
            raise
        stored = index.StoredObject(
            bucket=upload.bucket,
            key=upload.key,
            file=new.finish(),
            size=size,
            etag=f"{md5.hexdigest()}-{len(parts)}",
            modified=call.now,
            headers=upload.headers,
            metadata=upload.metadata,
            checksums=checksums,
            checksum_type=upload.checksum_type,
        )
        with call.store.transaction() as view:
            _check_unchanged(call, view, parts)
            replaced = put_if_conditions_hold(call, view, stored)
            files = uploads.delete(view, upload.id)
    call.files.remove(*files, replaced)
    content = {
        "Location": f"/{upload.bucket}/{upload.key}",
        "Bucket": upload.bucket,
        "Key": upload.key,
        "ETag": stored.quoted_etag,
        **checksum_elements(checksums),
    }
    return xml_response("CompleteMultipartUploadResult", content)


def _check_unchanged(call: S3Call, view: View, parts: list[Part]) -> None:
    """Raise S3Error unless the upload is still pending and its *parts* were not replaced."""
    find_upload(call, view)
    if any(not index.is_referenced(view, part.file) for part in parts):
        raise S3Error("InvalidPart")


def _listed_parts(root: Element, known: dict[int, Part]) -> list[Part]:
    """Return the parts listed in the document, in its order. Raises S3Error."""
    parts: list[Part] = []
    for entry in root.all("Part"):
        number, etag = entry.text_of("PartNumber"), entry.text_of("ETag")
        if number is None or etag is None or not _NUMBER.fullmatch(number.strip()):
            raise S3Error("MalformedXML")
        if parts and int(number) <= parts[-1].number:
            raise S3Error("InvalidPartOrder")
        part = known.get(int(number))
        if part is None or etag.strip().strip('"') != part.etag or not _matches(entry, part):
            raise S3Error("InvalidPart", PartNumber=number, ETag=etag)
        parts.append(part)
    if not parts:
        raise S3Error("MalformedXML")
    for part in parts[:-1]:
        if part.size < _MIN_PART:
            raise S3Error(
                "EntityTooSmall",
                ProposedSize=str(part.size),
                MinSizeAllowed=str(_MIN_PART),
                PartNumber=str(part.number),
                ETag=part.etag,
            )
    return parts


def _matches(entry: Element, part: Part) -> bool:
    checksums = checksum_elements(part.checksums).items()
    return all(entry.text_of(name) in (None, value) for name, value in checksums)


def _assemble(
    call: S3Call, upload: Upload, parts: list[Part], given: str | None, new: NewFile
) -> dict[str, str]:
    """Write all *parts* to *new* and return the object's checksum. Raises S3Error.

    *given* is the checksum that the client sent.
    """
    name = upload.algorithm
    is_full_object = upload.checksum_type == "FULL_OBJECT"
    digest = digest_of(name) if is_full_object else None
    for part in parts:
        for piece in call.files.pieces(part.file):
            if digest is not None:
                digest.update(piece)
            new.write(piece)
    if name is None:
        return {}
    value = given if digest is None else to_base64(digest.digest())
    if not is_full_object:
        value = checksum_of_parts(name, [part.checksums for part in parts])
    if given and value is not None and given.partition("-")[0] != value.partition("-")[0]:
        raise S3Error("BadDigest", f"The {name.upper()} you specified did not match.")
    return {} if value is None else {name: value}
