"""Subscriptions are not served, and clients get an error at once."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local import LocalSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENTENCE = (
    "Subscriptions are not available on the local sandbox. Read the records again to see changes."
)
CREATED = "subscription { onCreateTodo { id content } }"
# As the JavaScript client sends it, with types that only subscriptions use.
FILTERED = """
subscription ($filter: ModelSubscriptionTodoFilterInput) {
  onCreateTodo(filter: $filter) { id }
}
"""
INIT = json.dumps({"type": "connection_init"}).encode()


@pytest.mark.parametrize("query", [CREATED, FILTERED, "subscription Named { anything }"])
def test_over_http(todo: Any, query: str) -> None:
    """A subscription sent as a query gets a GraphQL error, whatever its fields."""
    ann = todo.user("ann@example.com")
    document = todo.execute(ann, query, {"filter": None})
    assert document["data"] is None
    (error,) = document["errors"]
    assert (error["message"], error["errorType"]) == (SENTENCE, "NotAvailableLocally")
    assert error["locations"][0]["column"] == 1
    # Other requests still work.
    assert todo.data(ann, "{ listTodos { items { id } } }") == {"items": []}


@dataclass
class WebSocket:
    """A client that masks its frames, as the standard requires, and reads complete frames."""

    port: int
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> WebSocket:
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self._stream = self._socket.makefile("rb")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def open(self, path: str, **headers: str) -> None:
        given = {
            "Host": "localhost",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        self.status = int(self._stream.readline().split(b" ")[1])
        while line := self._stream.readline().rstrip(b"\r\n").decode():
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    def send(self, payload: bytes, *, opcode: int = 1) -> None:
        mask = b"\x0a\x0b\x0c\x0d"
        size = len(payload)
        code, width = (size, 0) if size < 126 else (126, 2) if size < 1 << 16 else (127, 8)
        length = bytes([0x80 | code]) + (size.to_bytes(width, "big") if width else b"")
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode]) + length + mask + masked)

    def end(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each frame until the connection ends."""
        while head := self._stream.read(2):
            size = head[1]
            if size == 126:
                size = int.from_bytes(self._stream.read(2), "big")
            yield head[0], self._stream.read(size)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[LocalSandbox]:
    with LocalSandbox.start(
        state_folder=tmp_path, outputs=None, origins=("http://localhost:3000",)
    ) as sandbox:
        yield sandbox
    assert sandbox.handler_errors == []


@pytest.fixture
def client(sandbox: LocalSandbox) -> Iterator[WebSocket]:
    with WebSocket(sandbox.port) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "protocol"),
    [
        pytest.param("/graphql/realtime", "graphql-ws", id="GraphQL"),
        pytest.param("/graphql/realtime?header=e30=&payload=e30=", "graphql-ws", id="by query"),
        pytest.param("/event/realtime", "aws-appsync-event-ws", id="Events"),
    ],
)
def test_over_websocket(client: WebSocket, path: str, protocol: str) -> None:
    """The first message gets an error after which clients do not retry, and a close frame."""
    client.open(path, Sec_WebSocket_Protocol=f"{protocol}, header-e30")
    assert client.status == 101
    assert client.headers["connection"] == "Upgrade"
    assert client.headers["sec-websocket-protocol"] == protocol
    # The example of RFC 6455.
    assert client.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert "content-length" not in client.headers
    client.send(INIT)
    (text, answer), (close, reason) = client.frames()
    assert (text, close, reason) == (0x81, 0x88, (1000).to_bytes(2, "big"))
    document = json.loads(answer)
    assert document["type"] == "connection_error"
    for errors in (document["errors"], document["payload"]["errors"]):
        assert errors == [
            {
                "errorType": "SubscriptionsNotAvailableLocally",
                "errorCode": 400,
                "message": SENTENCE,
            }
        ]


def test_message_of_any_size(client: WebSocket) -> None:
    """Pings may come before the first message, which may be long."""
    client.open("/graphql/realtime")
    assert "sec-websocket-protocol" not in client.headers
    client.send(b"still there?", opcode=0x9)
    client.send(b"x" * 70_000)
    assert [opcode for opcode, _ in client.frames()] == [0x81, 0x88]


def test_message_of_middle_length(client: WebSocket) -> None:
    """Lengths have three forms; this is the second."""
    client.open("/graphql/realtime")
    client.send(b"x" * 300)
    assert [opcode for opcode, _ in client.frames()] == [0x81, 0x88]


@pytest.mark.parametrize(
    "last", [pytest.param(None, id="nothing"), pytest.param(0x8, id="goodbye")]
)
def test_client_that_leaves(client: WebSocket, last: int | None) -> None:
    """A client that closes before its first message gets no error."""
    client.open("/graphql/realtime")
    if last is not None:
        client.send(b"", opcode=last)
    client.end()
    assert list(client.frames()) == []


def test_message_that_is_too_long(client: WebSocket) -> None:
    """Messages beyond a limit are not read."""
    client.open("/graphql/realtime")
    client._socket.sendall(b"\x81\xff" + (1 << 40).to_bytes(8, "big"))
    assert list(client.frames()) == []


def test_stop_does_not_wait_for_a_silent_client(
    sandbox: LocalSandbox, client: WebSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends nothing does not delay the stop of the sandbox."""
    monkeypatch.setattr("seedctl.local.server._STOP_SECONDS", 600.0)
    client.open("/graphql/realtime")
    stopping = threading.Thread(target=sandbox.stop)
    stopping.start()
    assert list(client.frames()) == []
    client.end()
    stopping.join(timeout=60)
    assert not stopping.is_alive()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Sec_WebSocket_Version": "8"}, 426, id="version"),
        pytest.param({"Sec_WebSocket_Key": ""}, 426, id="key"),
        pytest.param({"Origin": "http://elsewhere.example"}, 403, id="origin"),
        pytest.param({"Origin": "http://localhost:3000"}, 101, id="allowed origin"),
        pytest.param({"Upgrade": "h2c"}, 404, id="another protocol"),
    ],
)
def test_handshakes(client: WebSocket, headers: dict[str, str], status: int) -> None:
    """A malformed handshake, or one from a page that is not allowed, is rejected."""
    client.open("/graphql/realtime", **headers)
    assert client.status == status
