"""Request bodies, read in pieces as they arrive and never held in memory completely."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

_Result = TypeVar("_Result")

PIECE = 1024 * 1024
_MAX_LINE = 4096
_MAX_TRAILERS = 100
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class RefusedRequestError(Exception):
    """An invalid request. The server answers with *status* and closes the connection."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ConnectionEndedError(ConnectionError):
    """The connection is to be closed without a response."""


class ClientGoneError(ConnectionEndedError):
    """The client closed the connection before the end of the body."""


class Stream(Protocol):
    def readline(self, size: int, /) -> bytes: ...

    def read(self, size: int, /) -> bytes: ...


class Body:
    """The body of a request: *length* bytes by Content-Length, or chunked if *length* is None.

    *proceed* sends ``100 Continue`` to a client that waits for it. It is called at the first read,
    so that a client uploads nothing if the call fails before.
    """

    def __init__(
        self, stream: Stream, length: int | None, proceed: Callable[[], object] | None = None
    ) -> None:
        self.length = length
        self._stream = stream
        self._left = length or 0
        """The number of bytes left of the body, or of the current chunk."""
        self._proceed = proceed
        self.is_finished = length == 0

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, none only at the end. Raises ClientGoneError."""
        if self.is_finished or not self._begin():
            return b""
        size = min(size, self._left)
        data = _read_connection(self._stream.read, size)
        if len(data) < size:
            raise ClientGoneError
        self._end_piece(data)
        return data

    def readline(self, size: int) -> bytes:
        """Return a line with its line break, at most *size* bytes; none only at the end."""
        line = b""
        while len(line) < size and not line.endswith(b"\n"):
            if self.is_finished or not self._begin():
                break
            part = _read_connection(self._stream.readline, min(size - len(line), self._left))
            if not part:
                raise ClientGoneError
            self._end_piece(part)
            line += part
        return line

    def discard(self, limit: int) -> bool:
        """Skip the rest if it is at most *limit* bytes; return whether the body is finished."""
        # A client that still waits for 100 Continue has sent no body, and will not after an error.
        if self._proceed is None and self.length is not None and self._left <= limit:
            while self.read(PIECE):
                pass
        return self.is_finished

    def _begin(self) -> bool:
        """Prepare the next read; return False at the end of a chunked body."""
        if self._proceed is not None:
            proceed, self._proceed = self._proceed, None
            _read_connection(proceed)
        if not self._left:
            self._next_chunk()
        return not self.is_finished

    def _end_piece(self, data: bytes) -> None:
        """Count *data* as read, and finish the body or the chunk if nothing is left of it."""
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
        line = _read_connection(self._stream.readline, _MAX_LINE)
        if not line.endswith(b"\n"):
            if len(line) == _MAX_LINE:
                raise RefusedRequestError(431, "A chunk's line is too long.")
            raise ClientGoneError
        return line


def _read_connection(call: Callable[..., _Result], *sizes: int) -> _Result:
    """Return the result of *call*. Raises ClientGoneError if the connection fails."""
    try:
        return call(*sizes)
    except OSError as error:
        raise ClientGoneError from error
