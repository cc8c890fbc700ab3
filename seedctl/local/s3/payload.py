"""The content of an upload: decoded, counted, and verified against its headers and trailers."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from seedctl.local.bodies import PIECE
from seedctl.local.s3.call import S3Call
from seedctl.local.s3.checksums import PREFIX, SIZES, checksum_in, digest_of, from_base64, to_base64
from seedctl.local.s3.chunks import ChunkedBody
from seedctl.local.s3.errors import S3Error

MAX_OBJECT = 5 * 1024**3
_SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_TRAILER = "-TRAILER"
_HASH = re.compile("[0-9a-f]{64}")


class Received(NamedTuple):
    size: int
    md5: str
    checksums: dict[str, str]


class Payload:
    """The content of a request; what the headers say is checked before the body is read."""

    def __init__(self, call: S3Call, *, limit: int = MAX_OBJECT, has_checksum: bool = True) -> None:
        """*has_checksum* is False if the checksum in the headers is not of this content.

        Raises S3Error.
        """
        kind, headers = call.caller.payload_hash, call.request.headers
        self._sha256 = kind if _HASH.fullmatch(kind) else None
        self._md5 = _content_md5(headers.get("content-md5"))
        self._checksums = checksum_in(headers) if has_checksum else {}
        self._limit = limit
        self._trailer_algorithm: str | None = None
        self._trailers: dict[str, str] = {}
        body = call.request.body
        self._pieces: Iterable[bytes] = iter(lambda: body.read(PIECE), b"")
        self._size = body.length
        if kind.startswith("STREAMING-"):
            self._trailer_algorithm = self._announced_trailer(headers.get("x-amz-trailer"), kind)
            is_signed = kind != _UNSIGNED_CHUNKS
            self._pieces = chunked = ChunkedBody(
                body, is_signed=is_signed, verifier=call.caller.verifier
            )
            self._trailers = chunked.trailers
            stated = call.header("x-amz-decoded-content-length")
            if not re.fullmatch("[0-9]{1,18}", stated):
                raise S3Error("MissingContentLength")
            self._size = int(stated)
        elif self._size == 0 and "content-length" not in headers:
            raise S3Error("MissingContentLength")
        if self._size is not None and self._size > limit:
            raise self._too_large()

    def receive(self, write: Callable[[bytes], object]) -> Received:
        """Pass the content to *write* piece by piece. Raises S3Error if verification fails."""
        md5 = hashlib.md5(usedforsecurity=False)
        sha256 = hashlib.sha256() if self._sha256 is not None else None
        name = self._trailer_algorithm or next(iter(self._checksums), "")
        checksum = digest_of(name)
        digests = [digest for digest in (md5, sha256, checksum) if digest is not None]
        size = 0
        for piece in self._pieces:
            size += len(piece)
            if size > self._limit or (self._size is not None and size > self._size):
                raise self._too_large() if size > self._limit else S3Error("IncompleteBody")
            for digest in digests:
                digest.update(piece)
            write(piece)
        if self._size is not None and size != self._size:
            raise S3Error("IncompleteBody")
        if sha256 is not None and not hmac.compare_digest(sha256.hexdigest(), self._sha256 or ""):
            raise S3Error("XAmzContentSHA256Mismatch")
        if self._md5 is not None and md5.digest() != self._md5:
            raise S3Error("BadDigest")
        checksums = {**self._checksums, **self._trailer_checksum()}
        if checksum is not None and to_base64(checksum.digest()) != checksums[name]:
            raise S3Error("BadDigest", f"The {name.upper()} you specified did not match.")
        return Received(size, md5.hexdigest(), checksums)

    def _announced_trailer(self, name: str | None, kind: str) -> str | None:
        """Return the algorithm of the checksum in the trailer, None without one. Raises S3Error."""
        if kind not in (_UNSIGNED_CHUNKS, _SIGNED_CHUNKS, _SIGNED_CHUNKS + _TRAILER):
            raise S3Error("NotImplemented", f"{kind[:100]!a} is not available locally.")
        if name is None:
            return None
        algorithm = name.strip().lower().removeprefix(PREFIX)
        if not kind.endswith(_TRAILER) or algorithm not in SIZES or self._checksums:
            raise S3Error(
                "InvalidRequest", "The value specified in the x-amz-trailer header is not supported"
            )
        return algorithm

    def _trailer_checksum(self) -> dict[str, str]:
        if self._trailer_algorithm is None:
            if self._trailers:
                raise S3Error("InvalidRequest", "The trailer is not announced by x-amz-trailer.")
            return {}
        if self._trailers.keys() != {PREFIX + self._trailer_algorithm}:
            raise S3Error("InvalidRequest", "The trailers are not those of x-amz-trailer.")
        return checksum_in(self._trailers)

    def _too_large(self) -> S3Error:
        return S3Error("EntityTooLarge", MaxSizeAllowed=str(self._limit))


def read_body(call: S3Call, limit: int, *, has_checksum: bool = True) -> bytes:
    """Return the content of a small body, verified as any upload is. Raises S3Error."""
    parts: list[bytes] = []
    Payload(call, limit=limit, has_checksum=has_checksum).receive(parts.append)
    return b"".join(parts)


def _content_md5(value: str | None) -> bytes | None:
    raw = None if value is None else from_base64(value, 16)
    if value is not None and raw is None:
        raise S3Error("InvalidDigest")
    return raw
