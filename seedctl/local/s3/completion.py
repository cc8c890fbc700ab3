"""The end of a multipart upload: its parts, compared with the client's list, become one object."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from seedctl.local.s3 import index, uploads
from seedctl.local.s3.checksums import (
    checksum_elements,
    checksum_in,
    checksum_of_parts,
    digest_of,
    encoded,
)
from seedctl.local.s3.conditions import check_writing
from seedctl.local.s3.documents import read, reply
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.multipart import find_upload, upload_of
from seedctl.local.s3.payload import read_document
from seedctl.local.s3.writing import put_if_allowed

if TYPE_CHECKING:
    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.documents import Element
    from seedctl.local.s3.files import NewFile
    from seedctl.local.s3.uploads import Part, Upload
    from seedctl.local.store import View

_MIN_PART = 5 * 1024 * 1024
_MAX_BODY = 8 * 1024 * 1024
_NUMBER = re.compile("[0-9]{1,5}")


def complete_multipart_upload(call: Context) -> Response:
    upload = find_upload(call)
    check_writing(call.request.headers, call.find(call.bucket, call.key))
    # [?] Of this call the headers' checksum is the object's, not the document's.
    given = checksum_in(call.request.headers).get(upload.algorithm or "")
    root = read(read_document(call, _MAX_BODY, has_checksum=False), "CompleteMultipartUpload")
    with call.store.reading() as view:
        upload_of(call, view)
        known = {part.number: part for part in uploads.parts_of(view, upload.id)}
    parts = _named_parts(root, known)
    size = sum(part.size for part in parts)
    if call.header("x-amz-mp-object-size", str(size)) != str(size):
        raise S3Error("InvalidRequest", "The x-amz-mp-object-size is not that of the parts.")
    md5 = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    with call.files.writing() as new:
        try:
            checksums = _assemble(call, upload, parts, given, new)
        except FileNotFoundError:
            # Completed, aborted or sent anew in between; else a file was lost, and that is a fault.
            with call.store.reading() as view:
                _check_current(call, view, parts)
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
            _check_current(call, view, parts)
            replaced = put_if_allowed(call, view, stored)
            files = uploads.end(view, upload.id)
    call.files.remove(*files, replaced)
    content = {
        "Location": f"/{upload.bucket}/{upload.key}",
        "Bucket": upload.bucket,
        "Key": upload.key,
        "ETag": stored.quoted_etag,
        **checksum_elements(checksums),
    }
    return reply("CompleteMultipartUploadResult", content)


def _check_current(call: Context, view: View, parts: list[Part]) -> None:
    """Raise S3Error unless the upload is still under way, with these *parts*."""
    upload_of(call, view)
    if any(not index.is_referred_to(view, part.file) for part in parts):
        raise S3Error("InvalidPart")  # sent anew since


def _named_parts(root: Element, known: dict[int, Part]) -> list[Part]:
    """Return the parts that the document names, in its order. Raises S3Error."""
    parts: list[Part] = []
    for entry in root.all("Part"):
        number, etag = entry.text_of("PartNumber"), entry.text_of("ETag")
        if number is None or etag is None or not _NUMBER.fullmatch(number.strip()):
            raise S3Error("MalformedXML")
        if parts and int(number) <= parts[-1].number:
            raise S3Error("InvalidPartOrder")
        part = known.get(int(number))
        if part is None or etag.strip().strip('"') != part.etag or not _is_as_said(entry, part):
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


def _is_as_said(entry: Element, part: Part) -> bool:
    said = checksum_elements(part.checksums).items()
    return all(entry.text_of(name) in (None, value) for name, value in said)


def _assemble(
    call: Context, upload: Upload, parts: list[Part], given: str | None, new: NewFile
) -> dict[str, str]:
    """Write all *parts* to *new*, and return the object's checksum. Raises S3Error.

    *given* is what the client says that it is.
    """
    name = upload.algorithm
    is_whole = upload.checksum_type == "FULL_OBJECT"
    whole = digest_of(name) if is_whole else None
    for part in parts:
        for piece in call.files.pieces(part.file):
            if whole is not None:
                whole.update(piece)
            new.write(piece)
    if name is None:
        return {}
    value = given if whole is None else encoded(whole.digest())
    if not is_whole:
        value = checksum_of_parts(name, [part.checksums for part in parts])
    if given and value is not None and given.partition("-")[0] != value.partition("-")[0]:
        raise S3Error("BadDigest", f"The {name.upper()} you specified did not match.")
    return {} if value is None else {name: value}
