"""Writing objects: put, copy, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from seedctl.local.http1 import Response
from seedctl.local.s3 import index
from seedctl.local.s3.checksums import checksum_elements, checksum_headers
from seedctl.local.s3.conditions import check_reading, check_writing
from seedctl.local.s3.documents import iso, read, reply
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.payload import MAX_OBJECT, Payload, read_document
from seedctl.local.s3.requests import MAX_KEY_BYTES
from seedctl.local.s3.rules import DELETE, GET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject
    from seedctl.local.store import View

    Result = TypeVar("Result")

META = "x-amz-meta-"
DEFAULT_TYPE = "binary/octet-stream"

KEPT = (
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "cache-control",
    "expires",
)
"""The headers that an object is given back with."""
_MAX_METADATA = 2048
_MAX_DELETED = 1000
_MAX_DELETE_BODY = 4 * 1024 * 1024


def put_object(call: Context) -> Response:
    headers, metadata = described(call.request.headers)
    payload = Payload(call)
    # Told before the body is read; it is asked again when it counts.
    check_writing(call.request.headers, call.find(call.bucket, call.key))
    with call.files.writing() as new:
        received = payload.receive(new.write)
        stored = index.StoredObject(
            bucket=call.bucket,
            key=call.key,
            file=new.finish(),
            size=received.size,
            etag=received.md5,
            modified=call.now,
            headers=headers,
            metadata=metadata,
            checksums=received.checksums,
        )
        _commit(call, stored)
    checks = checksum_headers(stored.checksums, stored.checksum_type)
    return Response(200, b"", (("ETag", stored.quoted_etag), *checks))


def _commit(call: Context, stored: StoredObject) -> None:
    with call.store.transaction() as view:
        replaced = put_if_allowed(call, view, stored)
    call.files.remove(replaced)


def put_if_allowed(call: Context, view: View, stored: StoredObject) -> str | None:
    """Let *stored* take its place if the request's conditions hold. Raises S3Error.

    Return the file of the object that was there, None if there was none.
    """
    found = index.find(view, stored.bucket, stored.key)
    check_writing(call.request.headers, found)
    index.put(view, stored)
    return None if found is None else found.file


def described(headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what an object is given back with: its headers and its user metadata."""
    kept = {name: headers[name] for name in KEPT if headers.get(name)}
    if "content-encoding" in kept:
        # How it travelled is not how it is stored.
        codings = [coding.strip() for coding in kept.pop("content-encoding").split(",")]
        codings = [coding for coding in codings if coding.lower() != "aws-chunked"]
        if codings:
            kept["content-encoding"] = ",".join(codings)
    kept.setdefault("content-type", DEFAULT_TYPE)
    metadata = {
        name[len(META) :]: value for name, value in headers.items() if name.startswith(META)
    }
    size = sum(len(name) + len(value.encode("latin-1")) for name, value in metadata.items())
    if size > _MAX_METADATA:
        raise S3Error("MetadataTooLarge", Size=str(size), MaxSizeAllowed=str(_MAX_METADATA))
    return kept, metadata


def copy_object(call: Context) -> Response:
    return with_current(lambda: copy_source(call), lambda source: _copy(call, source))


def with_current(find: Callable[[], StoredObject], use: Callable[[StoredObject], Result]) -> Result:
    """Return what *use* makes of the object that *find* returns, as it is then. Raises S3Error."""
    while True:
        stored = find()
        try:
            return use(stored)
        except FileNotFoundError:
            # Replaced in between, or lost: the table has not changed then, and that is a fault.
            if find().file == stored.file:
                raise


def _copy(call: Context, source: StoredObject) -> Response:
    directive = call.header("x-amz-metadata-directive") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise S3Error("InvalidArgument", "Unknown metadata directive.")
    if (source.bucket, source.key, directive) == (call.bucket, call.key, "COPY"):
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location or "
            "encryption attributes.",
        )
    if source.size > MAX_OBJECT:
        raise S3Error(
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy source",
        )
    headers, metadata = source.headers, source.metadata
    if directive == "REPLACE":
        headers, metadata = described(call.request.headers)
    with call.files.writing() as new:
        call.files.clone(source.file, new)
        stored = replace(
            source,
            bucket=call.bucket,
            key=call.key,
            file=new.name,
            modified=call.now,
            headers=headers,
            metadata=metadata,
        )
        if "-" in source.etag:
            # A copy is made in one go, whatever its source was made of.
            stored = replace(stored, etag=call.files.md5(stored.file), checksums={})
        _commit(call, stored)
    content = {"LastModified": iso(call.now), "ETag": stored.quoted_etag}
    return reply("CopyObjectResult", content | checksum_elements(stored.checksums))


def copy_source(call: Context) -> StoredObject:
    """Return the object that x-amz-copy-source names. Raises S3Error."""
    given = call.header("x-amz-copy-source")
    try:
        # Some clients send it without encoding it.
        text = unquote_to_bytes(given.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidArgument", "The copy source is not UTF-8.") from error
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise S3Error("InvalidArgument", "Invalid copy source object key")
    if "?versionId=" in given:
        raise S3Error("NotImplemented", "There are no versions on the local sandbox.")
    call.check(GET, bucket, key)
    found = call.existing(bucket, key)
    check_reading(call.request.headers, found, "x-amz-copy-source-")
    return found


def delete_object(call: Context) -> Response:
    if "if-match" in call.request.headers:
        raise S3Error("NotImplemented", "Deletes have no conditions on the local sandbox.")
    _delete(call, [call.key])
    return Response(204, b"")


def delete_objects(call: Context) -> Response:
    headers = call.request.headers
    if "content-md5" not in headers and not any(
        name.startswith(("x-amz-checksum-", "x-amz-trailer")) for name in headers
    ):
        raise S3Error(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )
    root = read(read_document(call, _MAX_DELETE_BODY), "Delete")
    keys: list[str] = []
    for entry in root.all("Object"):
        key = entry.text_of("Key")
        if not key or len(keys) == _MAX_DELETED:
            raise S3Error("MalformedXML")
        if {child.name for child in entry.children} != {"Key"}:
            raise S3Error("NotImplemented", "Deletes have no conditions on the local sandbox.")
        keys.append(key)
    if not keys:
        raise S3Error("MalformedXML")
    quiet = (root.text_of("Quiet") or "").strip().lower() == "true"
    refused = {key: _refusal(call, key) for key in keys}
    _delete(call, [key for key in keys if refused[key] is None])
    content: list[Any] = []
    for key in keys:
        refusal = refused[key]
        if refusal is not None:
            error = {"Key": key, "Code": refusal.code, "Message": refusal.message}
            content.append({"Error": error})
        elif not quiet:
            content.append({"Deleted": {"Key": key}})
    return reply("DeleteResult", content)


def _refusal(call: Context, key: str) -> S3Error | None:
    if len(key.encode()) > MAX_KEY_BYTES:
        return S3Error("KeyTooLongError")
    return None if call.may(DELETE, call.bucket, key) else S3Error("AccessDenied")


def _delete(call: Context, keys: list[str]) -> None:
    if not keys:
        return
    with call.store.transaction() as view:
        files = [index.delete(view, call.bucket, key) for key in keys]
    call.files.remove(*files)
