"""The HTTP/1.1 server on loopback, independent of the services behind it.

It does not use ``http.server``, which takes longer to load than the sandbox takes to start, parses
headers as e-mail and sends a response in several writes.
"""

from __future__ import annotations

import contextlib
import io
import os
import selectors
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from seedctl.errors import LocalSandboxError
from seedctl.local.bodies import ConnectionEndedError, RefusedRequestError
from seedctl.local.connections import Acceptor, linger, send
from seedctl.local.cors import CrossOrigin
from seedctl.local.http1 import Request, Response, read_request

_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_IDLE_SECONDS = 300.0
_STOP_SECONDS = 5.0
_CUT_OFF_SECONDS = 0.5
_MAX_DISCARDED = 64 * 1024  # a longer rest of an unread body closes the connection


@dataclass(frozen=True, slots=True)
class HandlerError:
    """An exception that a handler raised: where and of which type, without any value sent."""

    request: str
    error: str
    where: tuple[str, ...]


class Server:
    """Serves each connection in a daemon thread of its own."""

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        port: int,
        is_streamed: Callable[[Request], bool] = lambda _: False,
        origins: Sequence[str] = (),
    ) -> None:
        """Listen on 127.0.0.1 and, if the machine has IPv6, on ::1.

        *is_streamed* decides by a request's head whether *answer* reads the body itself. Web pages
        of *origins* may call the server. Raises LocalSandboxError if the port cannot be used, and
        OSError for other failures of the system.
        """
        self.handler_errors: list[HandlerError] = []
        self._answer = answer
        self._is_streamed = is_streamed
        self._cross_origin = CrossOrigin(origins)
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._in_request: set[socket.socket] = set()
        self._stopping = False
        with contextlib.ExitStack() as opened:
            self._listeners = [opened.enter_context(listener) for listener in _listen(port)]
            self.port: int = self._listeners[0].getsockname()[1]
            endings = ("", ":", f":{self.port}")
            self._hosts = {f"{host}{ending}" for host in _HOSTS for ending in endings}
            self._acceptor = Acceptor()
            opened.callback(self._acceptor.close)
            self._wake_sender, self._wake_receiver = map(opened.enter_context, socket.socketpair())
            self._accepting = threading.Thread(
                target=self._accept, name="seedctl-local", daemon=True
            )
            self._accepting.start()
            self._opened = opened.pop_all()

    def stop(self) -> None:
        """Finish the requests in progress, up to the time-out, and close all connections."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            connections = dict(self._connections)
            for connection in connections.keys() - self._in_request:
                # A request that has already arrived is still read.
                _shut_down(connection, socket.SHUT_RD)
        self._wake_sender.send(b"x")
        self._accepting.join()
        self._opened.close()
        _join(connections.values(), _STOP_SECONDS)
        with self._lock:
            left = dict(self._connections)
            for connection in left:
                _shut_down(connection, socket.SHUT_RDWR)
        # Give the handlers time to clean up while the state is still open.
        _join(left.values(), _CUT_OFF_SECONDS)

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (*self._listeners, self._wake_receiver):
                selector.register(each, selectors.EVENT_READ)
            while True:
                ready = selector.select()
                if self._stopping:
                    return
                for key, _ in ready:
                    connection = self._acceptor.accept(cast("socket.socket", key.fileobj))
                    if connection is not None:
                        self._start_thread(connection)

    def _start_thread(self, connection: socket.socket) -> None:
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="seedctl-local-call", daemon=True
        )
        with self._lock:
            if self._stopping:
                connection.close()
                return
            self._connections[connection] = thread
            # Start it under the lock: stop() must not join a thread that has not started.
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            # It is not an error if the client closes the connection.
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_IDLE_SECONDS)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with connection.makefile("rb") as stream:
                    while self._serve_one(connection, stream):
                        pass
        finally:
            with self._lock:
                self._connections.pop(connection, None)
                self._in_request.discard(connection)

    def _serve_one(self, connection: socket.socket, stream: io.BufferedReader) -> bool:
        self._mark_idle(connection)
        try:
            request = read_request(
                stream, connection.sendall, self._is_streamed, partial(self._mark_busy, connection)
            )
            if request is None:
                return False
            response = self._respond(request)
            is_read = request.stream is None or request.stream.discard(_MAX_DISCARDED)
        except RefusedRequestError as refusal:
            response = Response.text(refusal.status, str(refusal))
            connection.sendall(response.encode(keep_alive=False))
            return False
        keep_alive = request.keep_alive and not self._stopping and is_read
        send(connection, response, keep_alive=keep_alive, body=request.method != "HEAD")
        if response.upgraded is not None:
            self._mark_idle(connection)
            response.upgraded(stream, connection.sendall)
            linger(connection)
            return False
        if not is_read:
            linger(connection)
        return keep_alive

    def _mark_idle(self, connection: socket.socket) -> None:
        with self._lock:
            self._in_request.discard(connection)
            if self._stopping:
                _shut_down(connection, socket.SHUT_RD)

    def _mark_busy(self, connection: socket.socket) -> None:
        with self._lock:
            self._in_request.add(connection)

    def _respond(self, request: Request) -> Response:
        if request.headers.get("host", "").lower() not in self._hosts:
            # DNS rebinding: another site's name may resolve to 127.0.0.1.
            return Response.text(403, "The local sandbox answers loopback host names only.")
        return self._cross_origin.answer(request, self._answer_or_fail)

    def _answer_or_fail(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except (ConnectionEndedError, RefusedRequestError):
            raise
        except Exception as error:  # noqa: BLE001 - answers 500 and records the error
            # Without the message and local variables: they may contain values that were sent.
            frames = traceback.extract_tb(error.__traceback__)
            where = tuple(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
            called = request.headers.get("x-amz-target") or f"{request.method} {request.path}"
            self.handler_errors.append(HandlerError(called, type(error).__name__, where))
            failure = {"__type": "InternalFailure", "message": "The local sandbox failed."}
            return Response.json(500, failure)


def _listen(port: int) -> list[socket.socket]:
    """Return the listening sockets; *port* 0 picks a free port. Raises LocalSandboxError."""
    if not 0 <= port <= 65535:
        raise _cannot_listen(port, "bind(): port must be 0-65535.")
    try:
        listeners = [socket.create_server(("127.0.0.1", port))]
    except OSError as error:
        # create_server adds the address to strerror.
        raise _cannot_listen(port, os.strerror(error.errno or 0)) from error
    # Some clients try ::1 first for localhost. Without IPv6 they fall back to 127.0.0.1.
    with contextlib.suppress(OSError):
        address = ("::1", listeners[0].getsockname()[1])
        listeners.append(socket.create_server(address, family=socket.AF_INET6))
    return listeners


def _cannot_listen(port: int, reason: str) -> LocalSandboxError:
    return LocalSandboxError(
        f"The local sandbox cannot listen on 127.0.0.1:{port}: {reason}.",
        resolution="Choose another port, or leave it out to get a free one.",
    )


def _shut_down(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(how)


def _join(threads: Iterable[threading.Thread], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(timeout=max(0.0, deadline - time.monotonic()))
