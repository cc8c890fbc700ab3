"""Send one object: in a single request, or in parts through the transfer manager."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

from seedctl.errors import AccessDenied, PreconditionFailed, StorageError
from seedctl.masking import mask
from seedctl.s3.results import TransferProgress, UploadedObject
from seedctl.s3.sources import SourceStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO, Literal

    from seedctl.s3.object_call import ObjectCall
    from seedctl.s3.results import OnProgress
    from seedctl.s3.sources import Source

MIB = 1024 * 1024
PART_SIZE = 5 * MIB
"""In bytes: an object up to this goes in one request, as the JavaScript client has it."""
# Of a large file, whose parts are read as they are sent and fill no memory: fewer requests, which
# takes a fifth off the time.
_LARGE_FILE, _LARGE_PART_SIZE = 256 * MIB, 16 * MIB


class ByteProgress:
    """Adds up what S3's threads tell, and passes it on, one at a time."""

    def __init__(self, tell: OnProgress | None, total: int | None) -> None:
        self.total = total
        self.transferred = 0
        self._tell = tell
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        with self._lock:
            self.transferred += count
            if self._tell is not None:
                self._tell(TransferProgress(self.transferred, self.total))


def upload(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    on_progress: OnProgress | None,
    warn: Callable[[str], None],
    *,
    keeps: bool,
) -> tuple[UploadedObject, Literal["uploaded", "existed"]]:
    """Return when the object is there, all of it, and whether it was there already.

    With *keeps* one that was there is no failure. Raises StorageError.
    """
    try:
        return _upload(call, source, options, on_progress, warn), "uploaded"
    except PreconditionFailed:
        if not keeps:
            raise
    found = call.call("head_object", "get", Key=call.path)
    stored = UploadedObject(
        path=call.path,
        e_tag=found["ETag"],
        content_type=found.get("ContentType", ""),
        size=found["ContentLength"],
        version_id=found.get("VersionId"),
        metadata=dict(found.get("Metadata", {})),
    )
    return stored, "existed"


def _upload(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    on_progress: OnProgress | None,
    warn: Callable[[str], None],
) -> UploadedObject:
    progress = ByteProgress(on_progress, source.size)
    if source.size is not None and source.size <= PART_SIZE:
        # Without the manager, which would start threads for the one request.
        reply = _put(call, source.stream, options)
        progress.add(source.size)
        size = source.size
    else:
        reply, size = _upload_in_parts(call, source, options, progress, warn)
    return UploadedObject(
        path=call.path,
        e_tag=reply["ETag"],
        content_type=options["ContentType"],
        size=size,
        version_id=reply.get("VersionId"),
        metadata=dict(options.get("Metadata", {})),
    )


def _put(call: ObjectCall, stream: IO[bytes], options: Mapping[str, Any]) -> dict[str, Any]:
    began_at = stream.tell() if stream.seekable() else None
    try:
        return call.call("put_object", "write", Key=call.path, Body=stream, **options)
    except PreconditionFailed as refusal:
        if not refusal.was_repeated or began_at is None:
            raise
        # Of an attempt that got no answer: the object that is in the way may be its own.
        stream.seek(began_at)
        stored = _stored(call)
        if stored is None or stored["ETag"].strip('"') != _md5(stream):
            raise
        return stored


def _stored(call: ObjectCall) -> dict[str, Any] | None:
    try:
        return call.call("head_object", "get", Key=call.path)
    except StorageError:  # who may write need not be allowed to read
        return None


def _md5(stream: IO[bytes]) -> str:
    # S3's entity tag of an object that was sent in one request, unless a KMS key encrypts it.
    return hashlib.md5(stream.read(), usedforsecurity=False).hexdigest()


def _upload_in_parts(
    call: ObjectCall,
    source: Source,
    options: Mapping[str, Any],
    progress: ByteProgress,
    warn: Callable[[str], None],
) -> tuple[dict[str, Any], int]:
    def left_behind(upload_id: str) -> None:
        warn(
            f"The parts of {mask(call.path)} that had arrived could not be taken away again: the "
            f"bucket {call.bucket.bucket_name} keeps the unfinished upload {upload_id}."
        )

    is_large = source.path is not None and (source.size or 0) > _LARGE_FILE
    try:
        with call.explain_denials("write"):
            reply = call.objects.upload(
                call.location,
                source.stream if source.path is None else str(source.path),
                options,
                part_size=_LARGE_PART_SIZE if is_large else PART_SIZE,
                identity=call.identity,
                on_progress=progress.add,
                on_left_behind=left_behind,
            )
    except SourceStoppedError as stopped:
        raise stopped.reason from None
    expected = source.size if source.size is not None else progress.transferred
    try:
        found = call.call("head_object", "get", Key=call.path)["ContentLength"]
    except AccessDenied:
        # Who may write need not be allowed to read; S3 has checked each part by its hash.
        return reply, expected
    if found != expected:
        raise StorageError(
            f"Upload failed. Expected object size {expected}, but got {found}.",
            code="UploadSizeMismatch",
            resolution="Something else has written to the path, or the file grew meanwhile: run "
            "again.",
        )
    return reply, expected
