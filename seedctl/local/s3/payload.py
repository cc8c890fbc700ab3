"""The content of an upload: unwrapped, measured and compared with all that was said of it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.bodies import PIECE
from seedctl.local.s3.checksums import (
    COMPUTED,
    PREFIX,
    SIZES,
    check_form,
    checksum_in,
    decoded,
    encoded,
)
from seedctl.local.s3.chunks import ChunkedBody
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seedctl.local.s3.callers import Caller
    from seedctl.local.s3.requests import S3Request

MAX_OBJECT = 5 * 1024**3
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_TRAILER = "-TRAILER"
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Received:
    size: int
    md5: str
    checksums: dict[str, str]


class Payload:
    """What *request* carries; all that its head tells is checked before the body is read."""

    def __init__(
        self,
        request: S3Request,
        caller: Caller,
        *,
        limit: int = MAX_OBJECT,
        has_checksum: bool = True,
    ) -> None:
        """*has_checksum* is False where the headers' checksum is of something else.

        Raises S3Error.
        """
        kind = caller.payload_hash
        self._sha256 = kind if _HASH.fullmatch(kind) else None
        self._md5 = _content_md5(request)
        self._checksums = checksum_in(request.headers) if has_checksum else {}
        self._body = request.body
        self._limit = limit
        self._chunked: ChunkedBody | None = None
        self._promised: str | None = None
        size = request.body.length
        if kind.startswith("STREAMING-"):
            self._promised = self._promised_trailer(request, kind)
            self._chunked = ChunkedBody(
                request.body, is_signed=kind != _UNSIGNED_CHUNKS, signer=caller.signer
            )
            stated = request.header("x-amz-decoded-content-length") or ""
            if not re.fullmatch("[0-9]{1,18}", stated):
                raise S3Error("MissingContentLength")
            size = int(stated)
        elif size == 0 and "content-length" not in request.headers:
            raise S3Error("MissingContentLength")
        self._size = size
        if size is not None and size > limit:
            raise self._too_large()

    @property
    def named_algorithms(self) -> set[str]:
        named = set(self._checksums)
        return named | {self._promised} if self._promised else named

    def receive(self, write: Callable[[bytes], object]) -> Received:
        """Hand the content to *write* piece by piece. Raises S3Error if it is not as promised."""
        md5 = hashlib.md5(usedforsecurity=False)
        sha256 = hashlib.sha256() if self._sha256 is not None else None
        sums = {name: COMPUTED[name]() for name in self.named_algorithms if name in COMPUTED}
        # Often the same hash is asked for twice.
        wanted = [md5, *([sha256] if sha256 is not None else []), *sums.values()]
        size = 0
        for piece in self._pieces():
            size += len(piece)
            if size > self._limit or (self._size is not None and size > self._size):
                raise self._too_large() if size > self._limit else S3Error("IncompleteBody")
            for digest in wanted:
                digest.update(piece)
            write(piece)
        if self._size is not None and size != self._size:
            raise S3Error("IncompleteBody")
        if sha256 is not None and not hmac.compare_digest(sha256.hexdigest(), self._sha256 or ""):
            raise S3Error("XAmzContentSHA256Mismatch")
        if self._md5 is not None and md5.digest() != self._md5:
            raise S3Error("BadDigest")
        checksums = {**self._checksums, **self._trailer_checksum()}
        for name, digest in sums.items():
            if encoded(digest.digest()) != checksums[name]:
                raise S3Error("BadDigest", f"The {name.upper()} you specified did not match.")
        return Received(size, md5.hexdigest(), checksums)

    def _pieces(self) -> Iterator[bytes]:
        if self._chunked is not None:
            yield from self._chunked
            return
        while piece := self._body.read(PIECE):
            yield piece

    def _promised_trailer(self, request: S3Request, kind: str) -> str | None:
        """Return the algorithm of the checksum that comes behind the chunks."""
        if kind not in (_UNSIGNED_CHUNKS, _SIGNED_CHUNKS, _SIGNED_CHUNKS + _TRAILER):
            raise S3Error("NotImplemented", f"{kind[:100]!a} is not available locally.")
        name = request.header("x-amz-trailer")
        if name is None:
            return None
        algorithm = name.strip().lower().removeprefix(PREFIX)
        if not kind.endswith(_TRAILER) or algorithm not in SIZES or self._checksums:
            raise S3Error(
                "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"
            )
        return algorithm

    def _trailer_checksum(self) -> dict[str, str]:
        trailers = dict(self._chunked.trailers) if self._chunked is not None else {}
        if self._promised is None:
            if trailers:
                raise S3Error("InvalidRequest", "There is a trailer that was not announced.")
            return {}
        value = trailers.pop(PREFIX + self._promised, None)
        if value is None or trailers:
            raise S3Error("InvalidRequest", "The trailers are not those of x-amz-trailer.")
        check_form(self._promised, value)
        return {self._promised: value}

    def _too_large(self) -> S3Error:
        return S3Error("EntityTooLarge", MaxSizeAllowed=str(self._limit))


def read_document(
    request: S3Request, caller: Caller, limit: int, *, has_checksum: bool = True
) -> bytes:
    """Return the whole of a small body, checked as any upload is. Raises S3Error."""
    parts: list[bytes] = []
    payload = Payload(request, caller, limit=limit, has_checksum=has_checksum)
    payload.receive(parts.append)
    return b"".join(parts)


def _content_md5(request: S3Request) -> bytes | None:
    value = request.header("content-md5")
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        raw = decoded(value, 16)
        if raw is not None:
            return raw
    raise S3Error("InvalidDigest")
