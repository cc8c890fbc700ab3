"""A request's body while it arrives: read piece by piece, never held as a whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")

PIECE = 1024 * 1024
_MAX_LINE = 4096
_MAX_TRAILERS = 100
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class RefusedRequestError(Exception):
    """A request that cannot be read on; the connection ends with *status*."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ConnectionEndedError(ConnectionError):
    """The connection ends here, and the request gets no answer."""


class ClientGoneError(ConnectionEndedError):
    """The client ended the connection in the middle of a body: there is nobody to answer."""


class Stream(Protocol):
    def readline(self, size: int, /) -> bytes: ...

    def read(self, size: int, /) -> bytes: ...


class Body:
    """What follows a request's head, by its Content-Length or in chunks (*length* None).

    *proceed* tells a client that waits before its body to go on; it is called at the first read
    and not before, so that a call that is refused costs no upload.
    """

    def __init__(
        self, stream: Stream, length: int | None, proceed: Callable[[], object] | None = None
    ) -> None:
        self.length = length
        self._stream = stream
        self._left = length or 0
        """Bytes until the end of the body, or of the present chunk."""
        self._proceed = proceed
        self.is_finished = length == 0

    def read(self, size: int) -> bytes:
        """Return *size* bytes, or fewer; none only at the end. Raises ClientGoneError."""
        if self.is_finished or not self._begin():
            return b""
        size = min(size, self._left)
        data = _or_gone(self._stream.read, size)
        if len(data) < size:
            raise ClientGoneError
        self._end_piece(data)
        return data

    def readline(self, size: int) -> bytes:
        """Return a line with its end, or *size* bytes of it; none only at the end of the body."""
        line = b""
        while len(line) < size and not line.endswith(b"\n"):
            if self.is_finished or not self._begin():
                break
            part = _or_gone(self._stream.readline, min(size - len(line), self._left))
            if not part:
                raise ClientGoneError
            self._end_piece(part)
            line += part
        return line

    def discard(self, limit: int) -> bool:
        """Read on if at most *limit* bytes are left, and say whether the body has been read."""
        # One who waits for permission has sent nothing, and will not once refused.
        if self._proceed is None and self.length is not None and self._left <= limit:
            while self.read(PIECE):
                pass
        return self.is_finished

    def _begin(self) -> bool:
        """Make sure that something is left to read; False at the end of a chunked body."""
        if self._proceed is not None:
            proceed, self._proceed = self._proceed, None
            _or_gone(proceed)
        if not self._left:
            self._next_chunk()
        return not self.is_finished

    def _end_piece(self, data: bytes) -> None:
        """Take *data* as read; where nothing is left, the body or the chunk is at its end."""
        self._left -= len(data)
        if self._left:
            return
        if self.length is not None:
            self.is_finished = True
        elif self._line() not in (b"\r\n", b"\n"):
            raise RefusedRequestError(400, "A chunk is longer than it says.")

    def _next_chunk(self) -> None:
        match = _CHUNK.fullmatch(self._line())
        if match is None:
            raise RefusedRequestError(400, "A chunk's size is malformed.")
        self._left = int(match[1], 16)
        if not self._left:
            self.is_finished = any(self._line() in (b"\r\n", b"\n") for _ in range(_MAX_TRAILERS))
            if not self.is_finished:
                raise RefusedRequestError(431, "There are too many trailers.")

    def _line(self) -> bytes:
        line = _or_gone(self._stream.readline, _MAX_LINE)
        if not line.endswith(b"\n"):
            if len(line) == _MAX_LINE:
                raise RefusedRequestError(431, "A chunk's line is too long.")
            raise ClientGoneError
        return line


def _or_gone(call: Callable[..., _Result], *sizes: int) -> _Result:
    """Return what *call* returns. Raises ClientGoneError where the connection fails."""
    try:
        return call(*sizes)
    except OSError as error:
        raise ClientGoneError from error
