"""The HTTP server: loopback only, one write per response, robust against any request."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import LocalSandboxError
from seedctl.local import LocalSandbox
from seedctl.local.bodies import Body, ClientGoneError, RefusedRequestError
from seedctl.local.connections import send
from seedctl.local.http1 import MAX_BODY, FilePart, Response, read_request
from seedctl.local.server import Server
from tests.cases import case

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def echo() -> Any:
    """A server that answers with the request's body, and raises an exception for /boom."""

    def answer(request: Any) -> Response:
        if request.path == "/boom":
            raise ValueError("the secret is hunter2")
        return Response(200, request.body, (("X-Path", request.path),))

    server = Server(answer, port=0)
    yield server
    server.stop()


def _exchange(port: int, sent: bytes, *, shut: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def _status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def _request(headers: str = "", body: bytes = b"", line: str = "POST / HTTP/1.1") -> bytes:
    head = f"{line}\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode("latin-1") + body


def test_host_header(echo: Any) -> None:
    """Only loopback host names are served, because of DNS rebinding."""
    for host, status in (
        ("127.0.0.1", 200),
        ("127.0.0.1:{port}", 200),
        ("localhost", 200),
        ("LOCALHOST:{port}", 200),
        ("[::1]", 200),
        ("[::1]:{port}", 200),
        ("localhost:1", 403),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("127.0.0.1:", 200),
        ("", 403),
        (":{port}", 403),
    ):
        with case(host, status):
            name = host.format(port=echo.port)
            sent = f"POST / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
            assert _status(_exchange(echo.port, sent)) == status


def test_host_header_is_required(echo: Any) -> None:
    """A request without a Host header is refused too."""
    assert _status(_exchange(echo.port, b"POST / HTTP/1.0\r\n\r\n")) == 403


def test_listens_on_loopback_only(echo: Any) -> None:
    """The sockets are bound to 127.0.0.1 and, at the same port, to ::1 only."""
    places = [listener.getsockname()[:2] for listener in echo._listeners]
    assert places[0] == ("127.0.0.1", echo.port)
    assert places[1:] in ([], [("::1", echo.port)])


def test_keep_alive(echo: Any) -> None:
    """One connection serves many requests."""
    connection = http.client.HTTPConnection("127.0.0.1", echo.port)
    sockets = set()
    for number in range(5):
        connection.request("POST", f"/n%20{number}?q", f"body {number}")
        assert connection.sock is not None
        sockets.add(connection.sock.getsockname())
        response = connection.getresponse()
        assert response.getheader("X-Path") == f"/n {number}"
        assert response.read() == f"body {number}".encode()
    connection.close()
    assert len(sockets) == 1


def test_answer_is_one_write(echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body are one write with TCP_NODELAY; two writes cost 40 ms."""
    writes: list[bytes] = []
    options = []
    send_all = socket.socket.sendall

    def recorded(self: socket.socket, data: bytes, *rest: Any) -> None:
        if self.getsockname()[1] == echo.port:
            writes.append(bytes(data))
            options.append(self.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        send_all(self, data, *rest)

    monkeypatch.setattr(socket.socket, "sendall", recorded)
    _exchange(echo.port, _request(body=b"x" * 5000))
    assert len(writes) == 1
    assert writes[0].endswith(b"x" * 5000)
    assert options[0] != 0


def test_refused_requests(echo: Any) -> None:
    """An invalid request gets its own status, and the connection is closed."""
    for case_name, sent, status in (
        ("no request", b"nonsense\r\n\r\n", 400),
        ("other version", b"GET / HTTP/2\r\n\r\n", 400),
        ("no colon", b"POST / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        ("folded", b"POST / HTTP/1.1\r\na: b\r\n folded\r\n\r\n", 400),
        ("empty name", b"POST / HTTP/1.1\r\n : b\r\n\r\n", 400),
        ("length", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        ("negative", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        ("signed", b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        ("two", b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("two hosts", b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("too large a body", b"POST / HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n", 413),
        ("long line", b"POST / HTTP/1.1\r\na: " + b"x" * 70000 + b"\r\n\r\n", 431),
        ("many lines", b"POST / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
        ("chunked", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    ):
        with case(case_name):
            answer = _exchange(echo.port, sent, shut=False)
            assert _status(answer) == status
            assert b"Connection: close" in answer


def _read(head: str, *, is_streamed: bool) -> Any:
    stream = io.BytesIO(f"POST / HTTP/1.1\r\n{head}\r\n\r\n".encode())
    return read_request(stream, lambda _: None, lambda _: is_streamed, lambda: None)


def test_framing() -> None:
    """A request whose end two programs could see at different places is refused."""
    for head, is_streamed, status in (
        ("Host: a\r\nHost: a", False, 400),
        ("Content-Length: 0\r\nContent-Length: 0", False, 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", True, 400),
        ("Authorization: a\r\nauthorization: b", False, 400),
        ("Transfer-Encoding: chunked", False, 501),
        ("Transfer-Encoding: gzip, chunked", True, 501),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0", True, 400),
        ("Content-Length: +1", False, 400),
        ("Content-Length: 1, 1", True, 400),
        (f"Content-Length: {MAX_BODY + 1}", False, 413),
    ):
        with case(head, is_streamed), pytest.raises(RefusedRequestError) as caught:
            _read(head, is_streamed=is_streamed)
        assert caught.value.status == status
    # The largest body is read, and this one has broken off; other headers may be repeated.
    assert _read(f"Content-Length: {MAX_BODY}", is_streamed=False) is None
    assert _read("Accept: a\r\nAccept: b", is_streamed=False).headers == {"accept": "b"}


def test_bodies() -> None:
    """A body that is not complete is an error, whichever way it is read."""

    def fail(*_: object) -> bytes:
        raise TimeoutError

    for sent, length, error in (
        (b"half", 9, ClientGoneError),
        (b"5\r\nhel", None, ClientGoneError),
        (b"3\r\nhello\r\n0\r\n\r\n", None, RefusedRequestError),
        (b"3\r\nhel", None, ClientGoneError),
    ):
        for method in ("read", "readline"):
            read = getattr(Body(io.BytesIO(sent), length), method)
            with case(sent, method), pytest.raises(error):
                list(iter(partial(read, 100), b""))
    stalled = io.BytesIO()
    stalled.read = fail  # type: ignore[method-assign]
    with pytest.raises(ClientGoneError):
        Body(stalled, 9).read(1)


def test_what_is_skipped_of_a_body() -> None:
    """A short rest is read, a long one and one that the client has not sent yet are not."""
    for limit, proceed, is_finished in ((9, None, True), (8, None, False), (9, list, False)):
        with case(limit, proceed):
            stream = io.BytesIO(b"x" * 9)
            assert Body(stream, 9, proceed).discard(limit) is is_finished
            assert stream.tell() == (9 if is_finished else 0)


def test_heads_of_responses() -> None:
    """A response has one request id, and none without a body has a length."""
    ours = Response(200, b"x").encode(keep_alive=True)
    assert ours.count(b"x-amzn-RequestId: ") == ours.count(b"Content-Length: 1\r\n") == 1
    of_s3 = Response(200, b"x", (("x-amz-request-id", "1"),)).encode(keep_alive=True)
    assert b"x-amzn-RequestId" not in of_s3
    for status in (204, 304):
        assert b"Content-Length" not in Response(status, b"").encode(keep_alive=True)


def test_a_file_that_became_shorter(tmp_path: Path) -> None:
    """The connection fails, since the length has been sent already; the file is closed."""
    (tmp_path / "file").write_bytes(b"12345")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for length, is_sent in ((5, True), (6, False)):
            file = (tmp_path / "file").open("rb")
            response = Response(200, b"", file=FilePart(file, 0, length))
            with nullcontext() if is_sent else pytest.raises(ConnectionError, match="shorter"):
                send(ours, response, keep_alive=False, body=True)
            assert file.closed
            assert theirs.recv(4096).endswith(b"12345")


def test_broken_off_requests(echo: Any) -> None:
    """An incomplete request gets no response and does no harm."""
    for sent in (
        b"",
        b"\r\n",
        b"POST / HTTP/1.1",
        b"POST / HTTP/1.1\r\nHost: localhost",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf",
    ):
        with case(sent):
            assert _exchange(echo.port, sent) == b""
            assert _status(_exchange(echo.port, _request())) == 200


def test_client_that_goes_away(echo: Any) -> None:
    """A client that resets the connection does no harm."""
    connection = socket.create_connection(("127.0.0.1", echo.port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.sendall(_request(body=b"x"))
    connection.close()
    assert _status(_exchange(echo.port, _request())) == 200
    assert echo.handler_errors == []


def test_line_break_before_a_request(echo: Any) -> None:
    """One empty line before the request line is skipped, as HTTP requires."""
    assert _status(_exchange(echo.port, b"\r\n" + _request())) == 200


def test_old_clients(echo: Any) -> None:
    """HTTP/1.0 closes the connection unless it requests keep-alive."""
    assert b"Connection: close" in _exchange(echo.port, _request(line="POST / HTTP/1.0"))
    kept_alive = _exchange(
        echo.port, _request("Connection: Keep-Alive\r\n", line="POST / HTTP/1.0")
    )
    assert b"Connection: keep-alive" in kept_alive


def test_expect_continue(echo: Any) -> None:
    """A client that waits with its body gets 100 Continue."""
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        head = b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert connection.recv(1000).endswith(b"body")


def test_head_has_no_body(echo: Any) -> None:
    """A response to HEAD has a length but no body."""
    answer = _exchange(echo.port, _request(body=b"1234", line="HEAD / HTTP/1.1"))
    assert b"Content-Length: 4\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_fault_is_answered_and_recorded(echo: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """An exception becomes an InternalFailure and is recorded without request values."""
    answer = _exchange(echo.port, _request(line="POST /boom HTTP/1.1"))
    assert _status(answer) == 500
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["__type"] == "InternalFailure"
    (fault,) = echo.handler_errors
    assert (fault.request, fault.error) == ("POST /boom", "ValueError")
    assert "in answer" in fault.where[-1]
    assert "hunter2" not in repr(fault) + answer.decode()
    assert capfd.readouterr() == ("", "")


def test_connection_that_cannot_be_accepted(echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure to accept, such as too many files, the server continues."""
    failures = [OSError("too many open files")] * 2
    accept = socket.socket.accept

    def sometimes(self: socket.socket) -> Any:
        if failures:
            raise failures.pop()
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", sometimes)
    assert _status(_exchange(echo.port, _request())) == 200
    assert failures == []


def test_idle_connections_do_not_delay_the_stop(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop does not wait for idle connections; nothing listens or runs afterwards."""
    monkeypatch.setattr("seedctl.local.server._STOP_SECONDS", 600.0)
    server = client.sandbox._server
    connections = [http.client.HTTPConnection("127.0.0.1", client.port) for _ in range(3)]
    for connection in connections:
        connection.request("GET", "/")
        connection.getresponse().read()
    threads = [server._accepting, *server._connections.values()]
    assert len(threads) == 4
    stopping = threading.Thread(target=client.sandbox.stop)
    stopping.start()
    stopping.join(60)
    assert not stopping.is_alive()
    for connection in connections:
        connection.close()
    with pytest.raises(OSError, match=r"refused"):
        socket.create_connection(("127.0.0.1", client.port), timeout=1)
    client.sandbox.stop()
    assert not any(thread.is_alive() for thread in threads)


def test_a_request_under_way_is_answered() -> None:
    """A stop waits for the response in progress."""
    begun, go_on = threading.Event(), threading.Event()

    def answer(request: Any) -> Response:
        begun.set()
        assert go_on.wait(20)
        return Response(200, b"done")

    server = Server(answer, port=0)
    answers: list[bytes] = []
    client = threading.Thread(
        target=lambda: answers.append(_exchange(server.port, _request(), shut=False))
    )
    client.start()
    assert begun.wait(20)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    server._accepting.join(20)  # now the stop waits only for the response
    assert stopping.is_alive()
    go_on.set()
    for thread in (client, stopping):
        thread.join(20)
    assert answers[0].endswith(b"done")


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_body_under_way_is_read(is_streamed: bool) -> None:
    """A stop in the middle of a body waits for the rest of it."""

    def answer(request: Any) -> Response:
        body = request.stream.read(100) if request.stream is not None else request.body
        return Response(200, b"got " + body)

    server = Server(answer, port=0, is_streamed=lambda _: is_streamed)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as idle,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection,
    ):
        head = b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(
            b"HTTP/1.1 100"
        )  # the server is reading the request now
        connection.sendall(b"half")
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert idle.recv(1) == b""  # now the stop waits only for the body
        assert stopping.is_alive()
        connection.sendall(b"half")
        received = connection.recv(1000)
        assert received.endswith(b"got halfhalf")
        assert b"Connection: close" in received
        stopping.join(20)
    assert not stopping.is_alive()
    assert server._connections == {}


def test_a_body_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that exceeds the stop's time-out is cut off, and its thread ends."""
    monkeypatch.setattr("seedctl.local.server._STOP_SECONDS", 0.05)
    server = Server(lambda request: Response(200, request.body), port=0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        threads = list(server._connections.values())
        server.stop()
        assert connection.recv(100) == b""
    assert not any(thread.is_alive() for thread in threads)


def test_a_connection_that_falls_idle_during_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keep-alive connection does not wait for another request during a stop."""
    # Longer than the client waits, so that it is not the time-out that ends the connection.
    monkeypatch.setattr("seedctl.local.server._STOP_SECONDS", 30.0)
    server = Server(lambda _: Response(200, b"x"), port=0)
    send, stops = socket.socket.sendall, [threading.Thread(target=server.stop)]

    def stop_meanwhile(self: socket.socket, data: bytes) -> None:
        if stops:  # the response already has keep-alive
            stops[0].start()
            server._accepting.join(20)
            stops.pop()
        send(self, data)

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        request = _request()
        stopping = stops[0]
        monkeypatch.setattr(socket.socket, "sendall", stop_meanwhile)
        connection.send(request)
        assert b"keep-alive" in connection.recv(1000)
        assert connection.recv(1000) == b""
        stopping.join(20)
    assert server._connections == {}


def test_connection_during_the_stop(echo: Any) -> None:
    """A connection that arrives while the server stops is closed without an answer."""
    echo._stopping = True
    ours, theirs = socket.socketpair()
    echo._start_thread(theirs)
    assert ours.recv(1) == b""
    ours.close()
    echo._stopping = False


@pytest.mark.parametrize("port", ["taken", 70000])
def test_port_that_cannot_be_had(echo: Any, tmp_path: Path, port: Any) -> None:
    """A port in use, or an invalid port, is a LocalSandboxError that names it."""
    number = echo.port if port == "taken" else port
    with pytest.raises(LocalSandboxError, match=f"127.0.0.1:{number}") as caught:
        LocalSandbox.start(state_folder=tmp_path / "s", outputs=None, port=number)
    assert "another port" in (caught.value.resolution or "")


def test_explicit_port(tmp_path: Path) -> None:
    """The URL contains the given port."""
    with socket.socket() as reserved:
        # Linux lets the server have the port too, and gives it to no other program meanwhile.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with LocalSandbox.start(state_folder=tmp_path / "s", outputs=None, port=port) as sandbox:
            assert sandbox.url == f"http://127.0.0.1:{port}"
