"""S3 calls, transfers and presigned URLs, made as users and guests of an identity pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from s3transfer.manager import TransferConfig, TransferManager
from s3transfer.subscribers import BaseSubscriber

from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Identity, ObjectLocation
from seedctl.aws.identity_client import IdentityBoundClient, with_identity
from seedctl.aws.logs import redacted_logs

_CHUNK_SIZE = 1024 * 1024
_MAX_QUEUED_CHUNKS = 100  # waiting to be written, 256 KiB each; the default is ten times as many
_READ_ATTEMPTS = 5  # as many as the transfer manager makes when a response breaks off
_BROKEN_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, ConnectionError)


class S3:
    """Makes the storage calls. Thread-safe."""

    def __init__(self, aws: AWS) -> None:
        self._aws = aws

    def call(
        self,
        operation: str,
        location: ObjectLocation,
        parameters: Mapping[str, Any],
        *,
        identity: Identity,
    ) -> dict[str, Any]:
        """Make one call as *identity* on the bucket of *location*; *parameters* has the key, if any.

        A Body among the parameters must be seekable. Raises StorageError, and what
        ``seedctl.aws.calls.AWS.call`` raises.
        """
        with self._aws.translating("s3", operation):
            client = IdentityBoundClient(self._client(location), identity)
            return client.call(operation, Bucket=location.bucket, **parameters)

    def upload(
        self,
        location: ObjectLocation,
        source: IO[bytes] | str,
        options: Mapping[str, Any],
        *,
        part_size: int,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
        on_parts_left: Callable[[str], None],
    ) -> dict[str, Any]:
        """Upload *source*, a stream or a file's path, and return S3's last response.

        What is larger than *part_size* bytes is sent in parts, several at a time; if there were
        more than 10,000 parts, they are made larger. *on_progress* is called with the bytes of each
        piece, and with a negative number when a piece is sent again. After a failure the stored
        parts are deleted; if that fails, *on_parts_left* is called with the id of the upload.
        """
        client = IdentityBoundClient(self._client(location), identity, on_parts_left)
        # The transfer manager would send this option with the first of several requests.
        client.only_if_absent = "IfNoneMatch" in options
        extra = {name: value for name, value in options.items() if name != "IfNoneMatch"}
        config = TransferConfig(multipart_threshold=part_size + 1, multipart_chunksize=part_size)
        with self._aws.translating("s3", "upload"), TransferManager(client, config) as manager:
            manager.upload(
                source, location.bucket, location.key, extra, _subscribers(on_progress)
            ).result()
        return client.response

    def download(
        self,
        location: ObjectLocation,
        target: str,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
    ) -> dict[str, Any]:
        """Download an object to a file, in parallel ranges, and return S3's properties of it.

        The file *target* is created or replaced only once the download is complete.
        """
        client = IdentityBoundClient(self._client(location), identity)
        config = TransferConfig(max_io_queue_size=_MAX_QUEUED_CHUNKS)
        with self._aws.translating("s3", "GetObject"), TransferManager(client, config) as manager:
            subscribers = _subscribers(on_progress)
            manager.download(
                location.bucket, location.key, target, dict(options), subscribers
            ).result()
        if not client.response:  # no range was requested, since the object is empty
            with self._aws.translating("s3", "HeadObject"):
                client.head_object(Bucket=location.bucket, Key=location.key, **options)
        return client.response

    def read(
        self, location: ObjectLocation, options: Mapping[str, Any], *, identity: Identity
    ) -> tuple[dict[str, Any], Iterator[bytes]]:
        """Return the response to one GET, and the object's bytes in chunks."""

        def get(more: Mapping[str, Any]) -> dict[str, Any]:
            parameters = {"Key": location.key, **options, **more}
            return self.call("get_object", location, parameters, identity=identity)

        response = get({})
        return response, self._chunks(response, get)

    def presigned_url(
        self,
        location: ObjectLocation,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        expires_in: int,
    ) -> str:
        """Return a URL by which anyone can download the object for *expires_in* seconds."""
        parameters = {"Bucket": location.bucket, "Key": location.key, **options}
        with self._aws.translating("s3", "GetObject"), redacted_logs():
            url: str = self._client(location).generate_presigned_url(
                "get_object", {**parameters, **with_identity(identity)}, ExpiresIn=expires_in
            )
        return url

    def _chunks(
        self, response: dict[str, Any], get: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Iterator[bytes]:
        """Yield the body of *response*; when it breaks off, request the rest with *get*."""
        first, _, rest = str(response.get("ContentRange") or "bytes 0-").partition("-")
        start = int(first.removeprefix("bytes "))
        last = rest.partition("/")[0]
        received = 0
        for attempt in range(1, _READ_ATTEMPTS + 1):
            with self._aws.translating("s3", "GetObject"):
                try:
                    for chunk in response["Body"].iter_chunks(_CHUNK_SIZE):
                        received += len(chunk)
                        yield chunk
                except _BROKEN_OFF:
                    if attempt == _READ_ATTEMPTS:
                        raise
                else:
                    return
                finally:  # also if the caller stops reading in the middle
                    response["Body"].close()
            # IfMatch: the object may have been replaced in the meantime.
            response = get(
                {"Range": f"bytes={start + received}-{last}", "IfMatch": response["ETag"]}
            )

    def _client(self, location: ObjectLocation) -> Any:
        return self._aws.client("s3", location.region, accelerate=location.accelerate)


class _Progress(BaseSubscriber):  # type: ignore[misc]
    def __init__(self, on_bytes: Callable[[int], None]) -> None:
        self._on_bytes = on_bytes

    def on_progress(self, *, bytes_transferred: int, **_: object) -> None:
        self._on_bytes(bytes_transferred)


def _subscribers(on_progress: Callable[[int], None] | None) -> list[_Progress]:
    return [_Progress(on_progress)] if on_progress is not None else []
