"""How an answer leaves: in one write when it is small, from its file when it is not."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.local.http1 import Response

# A whole part of any common client: it is sent before the client looks for an answer.
_LINGER_BYTES = 8 * 1024 * 1024
_LINGER_SECONDS = 2.0
_PIECE = 256 * 1024


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
