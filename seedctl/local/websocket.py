"""Enough of WebSocket to refuse a connection: the handshake, one client message, one reply.

A web page cannot see why a handshake failed. So the handshake succeeds, and the error is a message.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import partial

from seedctl.local.bodies import Stream
from seedctl.local.http1 import Request, Response

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_VERSION = "13"
_TEXT, _CLOSE = 0x1, 0x8
_CONTROL = 0x8  # the first opcode of control frames
_TOP_BIT = 0x80  # in a frame's first byte: final fragment; in the second: masked payload
_NORMAL = (1000).to_bytes(2, "big")
_MAX_PAYLOAD = 1024 * 1024


def is_handshake(request: Request) -> bool:
    """Whether *request* asks for an upgrade to WebSocket."""
    return request.method == "GET" and request.headers.get("upgrade", "").lower() == "websocket"


def refuse_by_message(request: Request, answer: str) -> Response:
    """Accept a handshake, and send *answer* after the client's first message."""
    key = request.headers.get("sec-websocket-key")
    if key is None or request.headers.get("sec-websocket-version") != _VERSION:
        response = Response.text(426, "Only version 13 of WebSocket is supported.")
        return response.with_headers(("Sec-WebSocket-Version", _VERSION))
    accepted = base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest())  # noqa: S324
    headers = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accepted.decode())]
    offered = request.headers.get("sec-websocket-protocol")
    if offered is not None:
        # The first entry is the protocol; credentials may follow it in the same header.
        headers.append(("Sec-WebSocket-Protocol", offered.partition(",")[0].strip()))
    return Response(101, b"", tuple(headers), upgraded=partial(_converse, answer))


def _converse(answer: str, stream: Stream, send: Callable[[bytes], object]) -> None:
    """Send *answer* after the client's first message, then close."""
    while (opcode := _read_frame(stream)) is not None and opcode != _CLOSE:
        if opcode < _CONTROL:
            send(_frame(_TEXT, answer.encode()) + _frame(_CLOSE, _NORMAL))
            return


def _read_frame(stream: Stream) -> int | None:
    """Return the opcode of the next frame, None at the end of the connection."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length > 125:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
    length += 4 if head[1] & _TOP_BIT else 0
    if length > _MAX_PAYLOAD or len(stream.read(length)) < length:
        return None
    return head[0] & 0x0F


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes([_TOP_BIT | opcode]) + length + payload
