"""Write objects: put, copy and delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from seedctl.local.http1 import Response
from seedctl.local.s3 import index
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.checksums import checksum_elements, checksum_headers
from seedctl.local.s3.conditions import check_reading, check_writing
from seedctl.local.s3.documents import iso_time, parse_document, xml_response
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.index import StoredObject
from seedctl.local.s3.payload import MAX_OBJECT, Payload, read_body
from seedctl.local.s3.requests import MAX_KEY_BYTES
from seedctl.local.s3.rules import DELETE, GET
from seedctl.local.store import View

Result = TypeVar("Result")

META = "x-amz-meta-"
DEFAULT_TYPE = "binary/octet-stream"

STORED_HEADERS = (
    "content-type",
    "content-disposition",
    "content-encoding",
    "content-language",
    "cache-control",
    "expires",
)
"""The headers that are stored with an object and returned when it is read."""
_MAX_METADATA = 2048
_MAX_DELETED = 1000
_MAX_DELETE_BODY = 4 * 1024 * 1024


def put_object(call: S3Call) -> Response:
    headers, metadata = object_headers(call.request.headers)
    payload = Payload(call)
    # Fail before the body is read; the check that counts is in the transaction.
    check_writing(call.request.headers, call.find_object(call.bucket, call.key))
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


def _commit(call: S3Call, stored: StoredObject) -> None:
    with call.store.transaction() as view:
        replaced = put_if_conditions_hold(call, view, stored)
    call.files.remove(replaced)


def put_if_conditions_hold(call: S3Call, view: View, stored: StoredObject) -> str | None:
    """Store *stored* and return the file of the object that it replaces, None if it is new.

    Raises S3Error if the request has conditions that do not hold.
    """
    found = index.find(view, stored.bucket, stored.key)
    check_writing(call.request.headers, found)
    index.put(view, stored)
    return None if found is None else found.file


def object_headers(headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the user metadata to store with an object. Raises S3Error."""
    stored = {name: headers[name] for name in STORED_HEADERS if headers.get(name)}
    if "content-encoding" in stored:
        # aws-chunked is the encoding of the transfer, not of the object.
        codings = [coding.strip() for coding in stored.pop("content-encoding").split(",")]
        codings = [coding for coding in codings if coding.lower() != "aws-chunked"]
        if codings:
            stored["content-encoding"] = ",".join(codings)
    stored.setdefault("content-type", DEFAULT_TYPE)
    metadata = {
        name[len(META) :]: value for name, value in headers.items() if name.startswith(META)
    }
    size = sum(len(name) + len(value.encode("latin-1")) for name, value in metadata.items())
    if size > _MAX_METADATA:
        raise S3Error("MetadataTooLarge", Size=str(size), MaxSizeAllowed=str(_MAX_METADATA))
    return stored, metadata


def copy_object(call: S3Call) -> Response:
    return retry_if_replaced(lambda: copy_source(call), lambda source: _copy(call, source))


def retry_if_replaced(
    find: Callable[[], StoredObject], use: Callable[[StoredObject], Result]
) -> Result:
    """Return the result of *use* for the object that *find* returns.

    Try again if the object was replaced before *use* opened its file. Raises S3Error.
    """
    while True:
        stored = find()
        try:
            return use(stored)
        except FileNotFoundError:
            # If the table still refers to the file, it is lost, which is an internal error.
            if find().file == stored.file:
                raise


def _copy(call: S3Call, source: StoredObject) -> Response:
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
        headers, metadata = object_headers(call.request.headers)
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
            # The source was uploaded in parts, but its copy is a single object.
            stored = replace(stored, etag=call.files.md5(stored.file), checksums={})
        _commit(call, stored)
    content = {"LastModified": iso_time(call.now), "ETag": stored.quoted_etag}
    return xml_response("CopyObjectResult", content | checksum_elements(stored.checksums))


def copy_source(call: S3Call) -> StoredObject:
    """Return the object that x-amz-copy-source names. Raises S3Error."""
    given = call.header("x-amz-copy-source")
    try:
        # Some clients do not encode the value.
        text = unquote_to_bytes(given.encode("latin-1")).decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidArgument", "The copy source is not UTF-8.") from error
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise S3Error("InvalidArgument", "Invalid copy source object key")
    if "?versionId=" in given:
        raise S3Error("NotImplemented", "Object versions are not available on the local sandbox.")
    call.require(GET, bucket, key)
    found = call.require_object(bucket, key)
    check_reading(call.request.headers, found, "x-amz-copy-source-")
    return found


def delete_object(call: S3Call) -> Response:
    if "if-match" in call.request.headers:
        raise S3Error(
            "NotImplemented", "Conditional deletes are not available on the local sandbox."
        )
    _delete(call, [call.key])
    return Response(204, b"")


def delete_objects(call: S3Call) -> Response:
    headers = call.request.headers
    if "content-md5" not in headers and not any(
        name.startswith(("x-amz-checksum-", "x-amz-trailer")) for name in headers
    ):
        raise S3Error(
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        )
    root = parse_document(read_body(call, _MAX_DELETE_BODY), "Delete")
    keys: list[str] = []
    for entry in root.all("Object"):
        key = entry.text_of("Key")
        if not key or len(keys) == _MAX_DELETED:
            raise S3Error("MalformedXML")
        if {child.name for child in entry.children} != {"Key"}:
            raise S3Error(
                "NotImplemented", "Conditional deletes are not available on the local sandbox."
            )
        keys.append(key)
    if not keys:
        raise S3Error("MalformedXML")
    quiet = (root.text_of("Quiet") or "").strip().lower() == "true"
    errors = {key: _deletion_error(call, key) for key in keys}
    _delete(call, [key for key in keys if errors[key] is None])
    content: list[Any] = []
    for key in keys:
        error = errors[key]
        if error is not None:
            failed = {"Key": key, "Code": error.code, "Message": error.message}
            content.append({"Error": failed})
        elif not quiet:
            content.append({"Deleted": {"Key": key}})
    return xml_response("DeleteResult", content)


def _deletion_error(call: S3Call, key: str) -> S3Error | None:
    if len(key.encode()) > MAX_KEY_BYTES:
        return S3Error("KeyTooLongError")
    return None if call.is_allowed(DELETE, call.bucket, key) else S3Error("AccessDenied")


def _delete(call: S3Call, keys: list[str]) -> None:
    if not keys:
        return
    with call.store.transaction() as view:
        files = [index.delete(view, call.bucket, key) for key in keys]
    call.files.remove(*files)
