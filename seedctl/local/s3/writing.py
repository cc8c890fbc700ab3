"""Writing objects: put, copy, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from seedctl.local.s3 import index
from seedctl.local.s3.checksums import checksum_headers
from seedctl.local.s3.conditions import check_reading, check_writing
from seedctl.local.s3.context import iso, reply
from seedctl.local.s3.documents import document, element, read
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.payload import MAX_OBJECT, Payload, read_document
from seedctl.local.s3.requests import MAX_KEY_BYTES
from seedctl.local.s3.rules import DELETE, GET, LIST, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.local.http1 import Response
    from seedctl.local.s3.context import Context
    from seedctl.local.s3.index import StoredObject

META = "x-amz-meta-"
DEFAULT_TYPE = "binary/octet-stream"

_KEPT = (
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "cache-control",
    "expires",
)
_MAX_METADATA = 2048
_MAX_DELETED = 1000
_MAX_DELETE_BODY = 4 * 1024 * 1024


def put_object(call: Context) -> Response:
    call.check(WRITE)
    headers, metadata = described(call.request.headers)
    payload = Payload(call.request, call.caller)
    with call.room.store.reading() as view:
        # Told before the body is read; it is asked again when it counts.
        check_writing(call.request.headers, index.find(view, call.bucket.name, call.key))
    with call.room.files.writing() as unkept:
        received = payload.receive(unkept.file.write)
        stored = index.StoredObject(
            key=call.key,
            file=call.room.files.finish(unkept),
            size=received.size,
            etag=received.md5,
            modified=call.now,
            headers=headers,
            metadata=metadata,
            checksums=received.checksums,
        )
        commit(call, stored)
        unkept.is_kept = True
    checks = checksum_headers(stored.checksums, stored.checksum_type)
    return reply(headers=(("ETag", stored.quoted_etag), *checks))


def commit(call: Context, stored: StoredObject) -> None:
    """Let *stored* take its place if the request's conditions hold; the old file is removed."""
    bucket = call.bucket.name
    with call.room.store.transaction() as view:
        check_writing(call.request.headers, index.find(view, bucket, stored.key))
        replaced = index.put(view, bucket, stored)
    if replaced is not None:
        call.room.files.remove(replaced)


def described(headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what an object is given back with: its headers and its user metadata."""
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
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
    call.check(WRITE)
    return from_source(call, lambda bucket, source: _copy(call, bucket, source))


def from_source(call: Context, copy: Callable[[str, StoredObject], Response]) -> Response:
    """Return what *copy* answers to the source's bucket and object, as it is then. Raises S3Error."""
    while True:
        bucket, source = copy_source(call)
        try:
            return copy(bucket, source)
        except FileNotFoundError:
            # Replaced in between, or lost: the index has not changed then, and that is a fault.
            if copy_source(call)[1].file == source.file:
                raise


def _copy(call: Context, bucket: str, source: StoredObject) -> Response:
    directive = call.request.header("x-amz-metadata-directive") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise S3Error("InvalidArgument", "Unknown metadata directive.")
    if (bucket, source.key, directive) == (call.bucket.name, call.key, "COPY"):
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
    with call.room.files.writing() as unkept:
        call.room.files.clone(source.file, unkept)
        stored = replace(
            source,
            key=call.key,
            file=call.room.files.finish(unkept),
            modified=call.now,
            headers=headers,
            metadata=metadata,
        )
        if "-" in source.etag:
            # A copy is made in one go, whatever its source was made of.
            stored = replace(stored, etag=call.room.files.md5(stored.file), checksums={})
        commit(call, stored)
        unkept.is_kept = True
    content = (
        element("LastModified", iso(call.now)),
        element("ETag", stored.quoted_etag),
        *(element(f"Checksum{name.upper()}", value) for name, value in stored.checksums.items()),
    )
    return reply(body=document("CopyObjectResult", content))


def copy_source(call: Context) -> tuple[str, StoredObject]:
    """Return the bucket and the object that x-amz-copy-source names. Raises S3Error."""
    # Some clients send it without encoding it.
    raw = unquote_to_bytes((call.request.header("x-amz-copy-source") or "").encode("latin-1"))
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidArgument", "The copy source is not UTF-8.") from error
    name, slash, key = text.removeprefix("/").partition("/")
    if not slash or not name or not key:
        raise S3Error("InvalidArgument", "Invalid copy source object key")
    if "?versionId=" in (call.request.header("x-amz-copy-source") or ""):
        raise S3Error("NotImplemented", "There are no versions on the local sandbox.")
    bucket = call.room.bucket(name)
    call.caller.check(GET, bucket, key)
    with call.room.store.reading() as view:
        found = index.find(view, name, key)
    if found is None:
        raise missing(call, bucket_name=name, key=key)
    check_reading(call.request.headers, found, "x-amz-copy-source-")
    return name, found


def missing(call: Context, *, bucket_name: str, key: str) -> S3Error:
    """Return what says that there is no such object, to those who may know."""
    # [?] What a role may list is asked with the key itself as the prefix.
    if call.caller.may(LIST, call.room.bucket(bucket_name), key):
        return S3Error("NoSuchKey", Key=key)
    return S3Error("AccessDenied")


def delete_object(call: Context) -> Response:
    call.check(DELETE)
    if "if-match" in call.request.headers:
        raise S3Error("NotImplemented", "Deletes have no conditions on the local sandbox.")
    _delete(call, [call.key])
    return reply(204)


def delete_objects(call: Context) -> Response:
    headers = call.request.headers
    if "content-md5" not in headers and not any(
        name.startswith(("x-amz-checksum-", "x-amz-trailer")) for name in headers
    ):
        raise S3Error(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )
    root = read(read_document(call.request, call.caller, _MAX_DELETE_BODY), "Delete")
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
    content = []
    for key in keys:
        refusal = refused[key]
        if refusal is not None:
            lines = (("Key", key), ("Code", refusal.code), ("Message", refusal.message))
            content.append(element("Error", [element(name, text) for name, text in lines]))
        elif not quiet:
            content.append(element("Deleted", [element("Key", key)]))
    return reply(body=document("DeleteResult", content))


def _refusal(call: Context, key: str) -> S3Error | None:
    if len(key.encode()) > MAX_KEY_BYTES:
        return S3Error("KeyTooLongError")
    return None if call.caller.may(DELETE, call.bucket, key) else S3Error("AccessDenied")


def _delete(call: Context, keys: list[str]) -> None:
    if not keys:
        return
    with call.room.store.transaction() as view:
        files = [index.delete(view, call.bucket.name, key) for key in keys]
    call.room.files.remove(*filter(None, files))
