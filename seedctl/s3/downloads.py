"""Download one object into memory, a file or an open file object; or sign a URL for it."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any

from seedctl.errors import FileAccessError, InvalidStorageOperationInput
from seedctl.s3.object_call import ObjectCall
from seedctl.s3.results import DownloadedObject, ObjectProperties, OnProgress, StorageUrl
from seedctl.s3.uploads import ByteProgress


def download(
    call: ObjectCall,
    to: Path | IO[bytes] | None,
    options: Mapping[str, Any],
    on_progress: OnProgress | None,
) -> DownloadedObject:
    """Download to *to*, or into memory if it is None. Raises StorageError, FileAccessError."""
    is_binary = hasattr(to, "write") and not isinstance(to, io.TextIOBase)
    if to is not None and not isinstance(to, Path) and not is_binary:
        raise InvalidStorageOperationInput(
            f"The object cannot be written to a {type(to).__name__}.",
            resolution="Give a pathlib.Path, or a file opened in binary mode.",
        )
    with call.explain_denials("get"):
        if isinstance(to, Path):
            with _explaining_write_errors(to):
                return _to_path(call, to, options, on_progress)
        memory = io.BytesIO()
        response = _read_into(memory if to is None else to, call, options, on_progress)
    body = memory.getvalue() if to is None else None
    return DownloadedObject(**_facts(call.path, response), body=body)


def properties_of(path: str, response: Mapping[str, Any]) -> ObjectProperties:
    return ObjectProperties(**_facts(path, response))


def presigned_url(call: ObjectCall, options: Mapping[str, Any], expires_in: int) -> StorageUrl:
    """Sign a URL for *expires_in* seconds, or until the signing credentials expire if sooner."""
    now = datetime.now(timezone.utc)
    ends = call.credentials().credentials.expiration
    if ends is not None:
        expires_in = max(1, min(expires_in, int((ends - now).total_seconds())))
    url = call.s3.presigned_url(
        call.location, options, identity=call.identity, expires_in=expires_in
    )
    return StorageUrl(url, now + timedelta(seconds=expires_in))


def _to_path(
    call: ObjectCall, to: Path, options: Mapping[str, Any], on_progress: OnProgress | None
) -> DownloadedObject:
    if "Range" not in options:
        # Counting pieces costs time: do it only for a callback.
        count = ByteProgress(on_progress, None).add if on_progress is not None else None
        response = call.s3.download(
            call.location, str(to), options, identity=call.identity, on_progress=count
        )
        return DownloadedObject(**_facts(call.path, response))
    unfinished = to.with_name(f"{to.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:  # first, so that no request is sent if this fails
            response = _read_into(file, call, options, on_progress)
        unfinished.replace(to)
    finally:
        unfinished.unlink(missing_ok=True)
    return DownloadedObject(**_facts(call.path, response))


@contextmanager
def _explaining_write_errors(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = error.filename  # a number for a call with a file descriptor
        if isinstance(name, int) or (
            name is not None and Path(os.fsdecode(name)).parent != to.parent
        ):
            raise  # from the script's own callback
        raise FileAccessError(
            f"{to} cannot be written: {error.strerror or type(error).__name__}.",
            resolution="Give a path in a folder that exists and is writable.",
        ) from error


def _read_into(
    file: IO[bytes], call: ObjectCall, options: Mapping[str, Any], on_progress: OnProgress | None
) -> dict[str, Any]:
    response, pieces = call.s3.read(call.location, options, identity=call.identity)
    progress = ByteProgress(on_progress, response["ContentLength"])
    for piece in pieces:
        file.write(piece)
        progress.add(len(piece))
    return response


def _facts(path: str, response: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": path,
        "e_tag": response["ETag"],
        "last_modified": response["LastModified"],
        "size": response["ContentLength"],
        "content_type": response.get("ContentType"),
        "metadata": response.get("Metadata", {}),
        "version_id": response.get("VersionId"),
    }
