"""Connections: taken also where the process may open no more files, answered, ended with care."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from seedctl.errors import LocalSandboxError
from seedctl.local.http1 import Response
from seedctl.local.state_folder import TOO_MANY_FILES, USE_FEWER_FILES

_PAUSE = 0.01
_PATIENCE_SECONDS = 1.0  # for which other connections may end
# A whole part of any common client: it is sent before the client looks for an answer.
_LINGER_BYTES = 8 * 1024 * 1024
_LINGER_SECONDS = 2.0
_PIECE = 256 * 1024


class Acceptor:
    """Accepts connections for one thread. It keeps a descriptor, to be able to refuse one."""

    def __init__(self) -> None:
        self._spare = os.open(os.devnull, os.O_RDONLY)
        self._full_since: float | None = None

    def accept(self, listener: socket.socket) -> socket.socket | None:
        """Return the next connection, None where it is gone again or could not be taken."""
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
        """Answer the next connection, whatever it asks, that the machine has too many files open."""
        error = LocalSandboxError(
            f"The local sandbox cannot take another connection: {reason.strerror}.",
            resolution=USE_FEWER_FILES,
        )
        refusal = Response(507, b"", (error.to_header(),))
        self.close()
        with contextlib.suppress(OSError):  # another thread took the descriptor, or it is gone
            connection, _ = listener.accept()
            with connection:
                connection.sendall(refusal.encode(keep_alive=False))
                linger(connection)
        with contextlib.suppress(OSError):
            self._spare = os.open(os.devnull, os.O_RDONLY)


def send(connection: socket.socket, response: Response, *, keep_alive: bool, body: bool) -> None:
    """Send *response*, without its *body* in answer to HEAD."""
    part = response.file
    try:
        connection.sendall(response.encode(keep_alive=keep_alive, body=body))
        if body and part is not None and part.length:
            # The kernel copies it, and waits as long as the client takes.
            sent = connection.sendfile(part.file, part.offset, part.length)
            if sent < part.length:
                raise ConnectionError("The file is shorter than it was.")
    finally:
        if part is not None:
            part.file.close()


def linger(connection: socket.socket) -> None:
    """Take in a little of what the client still sends, so that it gets to read the answer.

    Closing at once would reset the connection, and a reset discards the answer on its way.
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
