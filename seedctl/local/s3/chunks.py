"""``aws-chunked``: a body sent in chunks, which may be signed, followed by trailers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from seedctl.local.bodies import PIECE, Body
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.signature import ChunkVerifier

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,100}):[ \t]*([ -~]{0,500}?)[ \t]*\r?\n")
_MAX_LINE = 1024
_MAX_TRAILERS = 10
_SIGNATURE = "x-amz-trailer-signature"


class ChunkedBody:
    """Yields the content of *body*, then fills *trailers*, with names in lower case."""

    def __init__(self, body: Body, *, is_signed: bool, verifier: ChunkVerifier | None) -> None:
        """*verifier* is None if the secret key is unknown, so that signatures cannot be checked."""
        self.trailers: dict[str, str] = {}
        self._body = body
        self._is_signed = is_signed
        self._verifier = verifier if is_signed else None

    def __iter__(self) -> Iterator[bytes]:
        """Raises S3Error."""
        while True:
            match = _CHUNK.fullmatch(self._body.readline(_MAX_LINE))
            if match is None or (match[2] is None) == self._is_signed:
                raise _malformed()
            size = int(match[1], 16)
            digest = hashlib.sha256()
            for piece in self._chunk(size):
                if self._verifier is not None:
                    digest.update(piece)
                yield piece
            if self._verifier is not None:
                self._verifier.check_chunk(digest.hexdigest(), match[2].decode())
            if size == 0:
                self._read_trailers()
                return
            if self._body.readline(2) != b"\r\n":
                raise _malformed()

    def _chunk(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self._body.read(min(size, PIECE))
            if not piece:
                raise S3Error("IncompleteBody")
            size -= len(piece)
            yield piece

    def _read_trailers(self) -> None:
        signed = b""
        for _ in range(_MAX_TRAILERS):
            line = self._body.readline(_MAX_LINE)
            if line in (b"", b"\r\n"):
                break
            match = _TRAILER.fullmatch(line)
            if match is None:
                raise _malformed()
            name, value = match[1].decode().lower(), match[2].decode()
            if name in self.trailers:
                raise _malformed()
            self.trailers[name] = value
            if name != _SIGNATURE:
                signed += f"{name}:{value}\n".encode()
        # Some clients end the body with one more empty line.
        while not self._body.is_finished:
            if self._body.readline(_MAX_LINE) not in (b"", b"\r\n"):
                raise _malformed()
        given = self.trailers.pop(_SIGNATURE, "")
        if self._verifier is not None and self.trailers:
            self._verifier.check_trailer(hashlib.sha256(signed).hexdigest(), given)


def _malformed() -> S3Error:
    return S3Error("IncompleteBody", "The chunks of the body are malformed.")
