"""Take connections, also where the process may open no more files: then they are told so."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.local.http1 import Response
from seedctl.local.sending import linger
from seedctl.local.state_folder import TOO_MANY_FILES, USE_FEWER_FILES

if TYPE_CHECKING:
    import socket

_PAUSE = 0.01
_PATIENCE_SECONDS = 1.0  # for which other connections may end


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
