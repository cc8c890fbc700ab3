"""Accept connections, even at the limit of open files; send responses; close without a reset."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from seedctl.errors import LocalSandboxError
from seedctl.local.http1 import Response
from seedctl.local.state_folder import TOO_MANY_FILES, USE_FEWER_FILES

_PAUSE = 0.01
_PATIENCE_SECONDS = 1.0  # wait so long for other connections to close
# The size of an upload part of common clients, which send it before they look for a response.
_LINGER_BYTES = 8 * 1024 * 1024
_LINGER_SECONDS = 2.0
_PIECE = 256 * 1024


class Acceptor:
    """Accepts connections for one thread. It holds a spare descriptor, to be able to refuse one."""

    def __init__(self) -> None:
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._full_since: float | None = None

    def accept(self, listener: socket.socket) -> socket.socket | None:
        """Return the next connection, None if it could not be accepted or was closed already."""
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno in TOO_MANY_FILES and self._is_patience_over():
                self._refuse(listener, error)
            else:
                time.sleep(_PAUSE)
            return None
        self._full_since = None
        return connection

    def close(self) -> None:
        spare, self._spare = self._spare, -1
        if spare >= 0:
            os.close(spare)

    def _is_patience_over(self) -> bool:
        now = time.monotonic()
        self._full_since = self._full_since or now
        return now >= self._full_since + _PATIENCE_SECONDS

    def _refuse(self, listener: socket.socket, reason: OSError) -> None:
        """Answer the next connection, whatever its request, that too many files are open."""
        error = LocalSandboxError(
            f"The local sandbox cannot take another connection: {reason.strerror}.",
            resolution=USE_FEWER_FILES,
        )
        refusal = Response(507, b"", (error.to_header(),))
        self.close()
        with contextlib.suppress(OSError):  # another thread used the descriptor, or the client left
            connection, _ = listener.accept()
            with connection:
                connection.sendall(refusal.encode(keep_alive=False))
                linger(connection)
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)


def send(connection: socket.socket, response: Response, *, keep_alive: bool, body: bool) -> None:
    """Send *response*; for a HEAD request, without its *body*."""
    part = response.file
    try:
        connection.sendall(response.encode(keep_alive=keep_alive, body=body))
        if body and part is not None and part.length:
            # The kernel copies the file, as fast as the client reads it.
            sent = connection.sendfile(part.file, part.offset, part.length)
            if sent < part.length:
                raise ConnectionError("The file became shorter.")
    finally:
        if part is not None:
            part.file.close()


def linger(connection: socket.socket) -> None:
    """Read a limited amount of what the client still sends, before the connection is closed.

    Closing at once would reset the connection, and the client might lose the response.
    """
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(_LINGER_SECONDS)
        deadline = time.monotonic() + _LINGER_SECONDS
        left = _LINGER_BYTES
        while left > 0 and time.monotonic() < deadline:
            received = connection.recv(_PIECE)
            if not received:
                return
            left -= len(received)
