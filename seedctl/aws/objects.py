"""S3 as whoever an identity pool knows: calls, transfers and presigned addresses.

One client for each region serves all identities, since making a client takes longer than a small
upload: each request is signed with the keys of the identity that came with its parameters.
"""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING, Any, Protocol

from botocore import credentials as boto
from botocore.exceptions import ClientError
from s3transfer.manager import TransferConfig, TransferManager
from s3transfer.subscribers import BaseSubscriber

from seedctl.aws.logs import redacted_logs
from seedctl.errors import NoCredentials, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.aws.calls import AWS
    from seedctl.aws.credentials import Credentials, Identity

_PIECE = 1024 * 1024
_PIECES_WAITING = 100  # to be written, of 256 KiB each: by default there are ten times as many
_READS = 5  # as the transfer manager: an answer that breaks off is asked for again
_IDENTITY_PARAM = "seedctl_identity"
# The last is all that an answer to HEAD has room for.
_EXPIRED = {"ExpiredToken", "RequestExpired", "400"}
_FINAL = {"complete_multipart_upload", "put_object"}
_FIRST = {"head_object", "get_object"}  # which of them the manager asks first is its own business


_thread = threading.local()
"""Whoever makes the call that is under way."""


class Location(Protocol):
    """Where an object is."""

    @property
    def bucket(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def accelerate(self) -> bool: ...


class S3:
    """The calls of the storage room. Thread-safe."""

    def __init__(self, aws: AWS) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._prepared: set[int] = set()

    def call(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str,
        identity: Identity,
        accelerate: bool = False,
    ) -> dict[str, Any]:
        """Make one call as *identity*, whose Body can seek if there is one.

        Raises StorageError and what AWS's calls raise.
        """

        body = parameters.get("Body")
        start = body.tell() if body is not None else 0

        def attempt() -> dict[str, Any]:
            if body is not None:
                body.seek(start)
            with self._aws.translating("s3", operation), redacted_logs():
                client = self._client(region, accelerate)
                reply: dict[str, Any] = getattr(client, operation)(
                    **parameters, **{_IDENTITY_PARAM: identity}
                )
            return reply

        return self._with_keys_that_hold(identity, attempt)

    def upload(
        self,
        location: Location,
        source: IO[bytes] | str,
        options: Mapping[str, Any],
        *,
        part_size: int,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
        on_left_behind: Callable[[str], None],
    ) -> dict[str, Any]:
        """Send *source*, a stream or a file's path, in parts of *part_size* bytes, several at a
        time; return S3's last reply.

        What fits into one part goes in one request. More than 10,000 parts are made larger.
        *on_progress* hears of each piece's bytes, fewer again where one is sent anew. After a
        failure the parts are taken away; *on_left_behind* hears the upload's id where they cannot.
        """
        acting = _IdentityBoundClient(
            self._client(location.region, location.accelerate), identity, on_left_behind
        )
        # Not among the manager's options, as it belongs to the last of several requests.
        acting.only_if_absent = "IfNoneMatch" in options
        extra = {name: value for name, value in options.items() if name != "IfNoneMatch"}
        subscribers = [_Progress(on_progress)] if on_progress is not None else []
        config = TransferConfig(multipart_threshold=part_size + 1, multipart_chunksize=part_size)
        with self._aws.translating("s3", "upload"), TransferManager(acting, config) as manager:
            manager.upload(source, location.bucket, location.key, extra, subscribers).result()
        return acting.reply

    def download(
        self,
        location: Location,
        target: str,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
    ) -> dict[str, Any]:
        """Write an object to a file, in parallel ranges, and return what S3 tells of the whole.

        A file named by its path is there whole or not at all.
        """

        def attempt() -> dict[str, Any]:
            acting = _IdentityBoundClient(
                self._client(location.region, location.accelerate), identity
            )
            subscribers = [_Progress(on_progress)] if on_progress is not None else []
            config = TransferConfig(max_io_queue_size=_PIECES_WAITING)
            with (
                self._aws.translating("s3", "GetObject"),
                TransferManager(acting, config) as manager,
            ):
                manager.download(
                    location.bucket, location.key, target, dict(options), subscribers
                ).result()
            if not acting.reply:  # of an empty object there is no first range
                with self._aws.translating("s3", "HeadObject"):
                    acting.head_object(Bucket=location.bucket, Key=location.key, **options)
            return acting.reply

        return self._with_keys_that_hold(identity, attempt)

    def read(
        self, location: Location, options: Mapping[str, Any], *, identity: Identity
    ) -> tuple[dict[str, Any], Iterator[bytes]]:
        """Return the reply to one GET and the object's bytes, in pieces."""
        parameters = {"Bucket": location.bucket, "Key": location.key, **options}

        def attempt(more: Mapping[str, Any]) -> dict[str, Any]:
            return self.call(
                "get_object",
                {**parameters, **more},
                region=location.region,
                identity=identity,
                accelerate=location.accelerate,
            )

        reply = attempt({})
        return reply, self._pieces(reply, attempt)

    def presigned_url(
        self,
        location: Location,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        expires_in: int,
    ) -> str:
        """Return an address by which anybody may get the object for *expires_in* seconds."""
        with self._aws.translating("s3", "GetObject"), redacted_logs():
            client = self._client(location.region, location.accelerate)
            url: str = client.generate_presigned_url(
                "get_object",
                {
                    "Bucket": location.bucket,
                    "Key": location.key,
                    **options,
                    _IDENTITY_PARAM: identity,
                },
                ExpiresIn=expires_in,
            )
        return url

    def _pieces(
        self, reply: dict[str, Any], again: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Iterator[bytes]:
        from botocore.exceptions import (  # noqa: PLC0415 - read where needed
            IncompleteReadError,
            ReadTimeoutError,
            ResponseStreamingError,
        )

        broken = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, ConnectionError)
        first, _, rest = str(reply.get("ContentRange") or "bytes 0-").partition("-")
        start = int(first.removeprefix("bytes "))
        last = rest.partition("/")[0]
        got = 0
        for attempt in range(1, _READS + 1):
            with self._aws.translating("s3", "GetObject"):
                try:
                    for piece in reply["Body"].iter_chunks(_PIECE):
                        got += len(piece)
                        yield piece
                except broken:
                    if attempt == _READS:
                        raise
                else:
                    return
                finally:  # also where whoever reads stops in the middle
                    reply["Body"].close()
            # Of the same object still: another one may have taken its location.
            more = {"Range": f"bytes={start + got}-{last}", "IfMatch": reply["ETag"]}
            reply = again(more)

    def _with_keys_that_hold(
        self, identity: Identity, attempt: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """Run *attempt*, and once more with new keys if S3 says that these have ended."""
        try:
            return attempt()
        except StorageError as error:
            if error.code not in _EXPIRED:
                raise
        identity.credentials(renew=True)
        return attempt()

    def _client(self, region: str, accelerate: bool) -> Any:
        client = self._aws.client("s3", region, accelerate=accelerate)
        with self._lock:
            if id(client) not in self._prepared:
                events = client.meta.events
                events.register("provide-client-params.s3", _take_identity)
                events.register("before-sign.s3", _sign_as_identity)
                self._prepared.add(id(client))
        return client


class _IdentityBoundClient:
    """A client as the transfer manager uses one, whose every call is made as one identity."""

    def __init__(
        self,
        client: Any,
        identity: Identity,
        on_left_behind: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.meta = client.meta
        self.only_if_absent = False
        self.reply: dict[str, Any] = {}
        """To the call that tells most of the object: the manager does not pass it on."""
        self._client = client
        self._identity = identity
        self._on_left_behind = on_left_behind

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        method = getattr(self._client, operation)

        @redacted_logs()
        def call(**parameters: Any) -> dict[str, Any]:
            if self.only_if_absent and operation in {"put_object", "complete_multipart_upload"}:
                parameters["IfNoneMatch"] = "*"
            reply: dict[str, Any]
            try:
                reply = method(**parameters, **{_IDENTITY_PARAM: self._identity})
            except ClientError as error:
                if error.response["Error"]["Code"] not in _EXPIRED:
                    raise
                self._identity.credentials(renew=True)
                if "Body" in parameters:
                    parameters["Body"].seek(0)
                reply = method(**parameters, **{_IDENTITY_PARAM: self._identity})
            if operation in _FINAL or (operation in _FIRST and not self.reply):
                self.reply = _facts(reply)
            return reply

        return call

    @redacted_logs()
    def abort_multipart_upload(self, **parameters: Any) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = self._client.abort_multipart_upload(
                **parameters, **{_IDENTITY_PARAM: self._identity}
            )
        except Exception:
            self._on_left_behind(parameters["UploadId"])
            raise
        return reply


class _Progress(BaseSubscriber):  # type: ignore[misc]
    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell

    def on_progress(self, *, bytes_transferred: int, **_: Any) -> None:
        self._tell(bytes_transferred)


def _facts(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return *reply* without its body, and of the first of several ranges with the whole's size."""
    facts = {name: value for name, value in reply.items() if name != "Body"}
    if "ContentRange" in facts:
        facts["ContentLength"] = int(facts["ContentRange"].rpartition("/")[2])
    return facts


def _take_identity(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # Before botocore checks the parameters against S3's own.
    # A call without an identity is one that botocore makes on the way, to find a bucket's region.
    _thread.identity = context[_IDENTITY_PARAM] = (
        params.pop(_IDENTITY_PARAM, None) or _thread.identity
    )


def _sign_as_identity(request: Any, **_: Any) -> None:
    keys = _credentials(request.context[_IDENTITY_PARAM])
    request.context.setdefault("signing", {})["request_credentials"] = boto.Credentials(
        keys.access_key_id, keys.secret_access_key, keys.session_token
    )


def _credentials(identity: Identity) -> Credentials:
    current = identity.credentials()
    if current is None:
        raise NoCredentials(
            "Credentials should not be empty.",
            resolution="Sign a user in first, or let guests in: the backend needs an identity "
            "pool that gives this caller credentials.",
        )
    return current.credentials
