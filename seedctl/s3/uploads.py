"""Upload one object: in a single request, or in parts through the transfer manager."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import IO, Any, Literal

from seedctl.errors import AccessDenied, PreconditionFailed, StorageError
from seedctl.masking import mask
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.results import OnProgress, TransferProgress, UploadedObject
from seedctl.s3.sources import Source, SourceStoppedError

MIB = 1024 * 1024
PART_SIZE = 5 * MIB
"""In bytes. An object up to this size is sent in one request, as in the JavaScript client."""
# Large files get larger parts: fewer requests, which was measured to be a fifth faster. Their parts
# are read from the file while they are sent, so they take no memory.
_LARGE_FILE, _LARGE_PART_SIZE = 256 * MIB, 16 * MIB


class ByteProgress:
    """Adds up the bytes that threads report, and calls *on_progress* from one thread at a time."""

    def __init__(self, on_progress: OnProgress | None, total: int | None) -> None:
        self.total = total
        self.transferred = 0
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self.transferred += count
            if self._on_progress is not None:
                self._on_progress(TransferProgress(self.transferred, self.total))


def upload(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    on_progress: OnProgress | None,
    warn: Callable[[str], None],
    *,
    skip_existing: bool,
) -> tuple[UploadedObject, Literal["uploaded", "existed"]]:
    """Upload *source*, and return the object and whether it was uploaded or existed before.

    With *skip_existing* an object that existed is returned; without, PreconditionFailed is raised.
    Raises StorageError.
    """
    try:
        return _upload(call, source, options, on_progress, warn), "uploaded"
    except PreconditionFailed:
        if not skip_existing:
            raise
    found = call.send("head_object", "get", Key=call.path)
    return _uploaded(call.path, found, found, found["ContentLength"]), "existed"


def _upload(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    on_progress: OnProgress | None,
    warn: Callable[[str], None],
) -> UploadedObject:
    progress = ByteProgress(on_progress, source.size)
    if source.size is not None and source.size <= PART_SIZE:
        # Not through the transfer manager, which would start threads for a single request.
        response = _put(call, source.stream, options)
        progress.add(source.size)
        size = source.size
    else:
        response, size = _upload_in_parts(call, source, options, progress, warn)
    return _uploaded(call.path, response, options, size)


def _uploaded(
    path: str, response: Mapping[str, Any], headers: Mapping[str, Any], size: int
) -> UploadedObject:
    return UploadedObject(
        path=path,
        e_tag=response["ETag"],
        content_type=headers.get("ContentType", ""),
        size=size,
        version_id=response.get("VersionId"),
        metadata=dict(headers.get("Metadata", {})),
    )


def _put(call: ObjectCall, stream: IO[bytes], options: Mapping[str, Any]) -> dict[str, Any]:
    start = stream.tell()  # its size is known, so it can seek
    try:
        return call.send("put_object", "write", Key=call.path, Body=stream, **options)
    except PreconditionFailed as refusal:
        if not refusal.was_repeated:
            raise
        # An earlier attempt that got no response may have stored this very object.
        stream.seek(start)
        stored = _stored(call)
        if stored is None or stored["ETag"].strip('"') != _md5(stream):
            raise
        return stored


def _stored(call: ObjectCall) -> dict[str, Any] | None:
    try:
        return call.send("head_object", "get", Key=call.path)
    except StorageError:  # a caller who may write may not be allowed to read
        return None


def _md5(stream: IO[bytes]) -> str:
    # The ETag of an object sent in one request, unless it is encrypted with a KMS key.
    return hashlib.md5(stream.read(), usedforsecurity=False).hexdigest()


def _upload_in_parts(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    progress: ByteProgress,
    warn: Callable[[str], None],
) -> tuple[dict[str, Any], int]:
    def warn_parts_left(upload_id: str) -> None:
        warn(
            f"The uploaded parts of {mask(call.path)} could not be deleted: the unfinished upload "
            f"{upload_id} stays in the bucket {call.bucket.bucket_name}."
        )

    is_large = source.path is not None and (source.size or 0) > _LARGE_FILE
    try:
        with call.explain_denials("write"):
            response = call.s3.upload(
                call.location,
                source.stream if source.path is None else str(source.path),
                options,
                part_size=_LARGE_PART_SIZE if is_large else PART_SIZE,
                identity=call.identity,
                on_progress=progress.add,
                on_parts_left=warn_parts_left,
            )
    except SourceStoppedError as stopped:
        raise stopped.reason from None
    expected = source.size if source.size is not None else progress.transferred
    try:
        found = call.send("head_object", "get", Key=call.path)["ContentLength"]
    except AccessDenied:
        # A caller who may write may not be allowed to read. S3 verified the hash of each part.
        return response, expected
    if found != expected:
        raise StorageError(
            f"Upload failed. Expected object size {expected}, but got {found}.",
            code="UploadSizeMismatch",
            resolution="Another writer changed the object, or the file grew during the upload: run again.",
        )
    return response, expected
