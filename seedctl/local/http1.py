"""HTTP/1.1 requests and responses, as far as AWS clients and browsers use the protocol."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import unquote

from seedctl.local.bodies import Body, RefusedRequestError, Stream

MAX_BODY = 16 * 1024 * 1024
_MAX_LINE = 64 * 1024
_MAX_HEADERS = 200
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) ([!-~]{1,8192}) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_WITHOUT_BODY = (101, 204, 304)  # no Content-Length either
_ONCE = ("host", "content-length", "transfer-encoding", "authorization")
JSON_TYPE = "application/x-amz-json-1.1"


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Without the query, percent-decoded."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(default=b"", repr=False)
    """Empty if the service reads the body from *stream*."""
    keep_alive: bool = True
    raw_path: str = ""
    """The path as sent: signatures cover it, and ``%2F`` differs from ``/``."""
    stream: Body | None = field(default=None, repr=False)
    """The body as it arrives, for services that read it themselves."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A range of an open file; the sender closes the file."""

    file: BinaryIO
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    file: FilePart | None = field(default=None, repr=False)
    """Sent after *body*."""
    length: int | None = None
    """The Content-Length of a response to HEAD, which has no body to measure."""
    upgraded: Callable[[Stream, Callable[[bytes], object]], None] | None = None
    """For status 101: speaks the new protocol until the end of the connection."""

    @classmethod
    def json(
        cls,
        status: int,
        document: Mapping[str, Any],
        headers: tuple[tuple[str, str], ...] = (),
        content_type: str = JSON_TYPE,
    ) -> Response:
        body = json.dumps(document, separators=(",", ":")).encode()
        return cls(status, body, (("Content-Type", content_type), *headers))

    @classmethod
    def text(cls, status: int, message: str) -> Response:
        return cls(status, f"{message}\n".encode(), (("Content-Type", "text/plain"),))

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        return replace(self, headers=(*self.headers, *headers))

    def encode(self, *, keep_alive: bool, body: bool = True) -> bytes:
        """Return head and body in one piece: two separate writes cost 40 ms on loopback."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        # S3 has its own request id header, and repeats the id in its errors.
        if all(name != "x-amz-request-id" for name, _ in self.headers):
            lines.append(f"x-amzn-RequestId: {uuid.uuid4()}")
        if self.status not in _WITHOUT_BODY:
            length = len(self.body) + (self.file.length if self.file is not None else 0)
            lines.append(f"Content-Length: {length if self.length is None else self.length}")
        connection = "keep-alive" if keep_alive else "close"
        lines += [f"Connection: {'Upgrade' if self.upgraded else connection}", "\r\n"]
        return "\r\n".join(lines).encode("latin-1") + (self.body if body else b"")


def read_request(
    stream: Stream,
    send: Callable[[bytes], object],
    is_streamed: Callable[[Request], bool],
    on_begin: Callable[[], object],
) -> Request | None:
    """Read the next request; return None at the end of the connection.

    Args:
        stream: The connection's input.
        send: Writes to the connection; used for ``100 Continue``.
        is_streamed: Decides by a request's head whether the service reads the body itself.
        on_begin: Called when the first line of the request has arrived.

    Raises:
        RefusedRequestError: The request is malformed, too large or not supported.
    """
    line = _read_line(stream)
    if line == "":
        line = _read_line(stream)  # some clients send an extra line break after a body
    if not line:
        return None
    on_begin()
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise RefusedRequestError(400, "This is not an HTTP/1.1 request.")
    method, target, minor = match.groups()
    headers = _read_headers(stream)
    if headers is None:
        return None
    connection = headers.get("connection", "").lower()
    path, _, query = target.partition("?")
    request = Request(
        method=method,
        path=unquote(path),
        query=query,
        headers=headers,
        keep_alive=connection == "keep-alive" if minor == "0" else connection != "close",
        raw_path=path,
    )
    waits = headers.get("expect", "").lower() == "100-continue"
    if is_streamed(request):
        proceed = partial(send, _CONTINUE) if waits else None
        return replace(request, stream=Body(stream, _streamed_length(headers), proceed))
    if "transfer-encoding" in headers:
        raise RefusedRequestError(501, "Transfer-Encoding is not supported: send Content-Length.")
    length = _content_length(headers)
    if length > MAX_BODY:
        raise RefusedRequestError(413, f"The body is larger than {MAX_BODY} bytes.")
    if length and waits:
        send(_CONTINUE)
    body = stream.read(length)
    return replace(request, body=body) if len(body) == length else None


def _read_line(stream: Stream) -> str | None:
    """Return a line without its line break, None at the end of the connection."""
    raw = stream.readline(_MAX_LINE + 1)
    if len(raw) > _MAX_LINE:
        raise RefusedRequestError(431, "A header line is too long.")
    return raw.rstrip(b"\r\n").decode("latin-1") if raw.endswith(b"\n") else None


def _read_headers(stream: Stream) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = _read_line(stream)
        if not line:
            return None if line is None else headers
        match = _HEADER.fullmatch(line)
        if match is None:
            raise RefusedRequestError(400, "A header line is malformed.")
        name = match[1].lower()
        if name in headers and name in _ONCE:
            # Repeating these headers is a technique of request smuggling.
            raise RefusedRequestError(400, f"The header {match[1]} is given twice.")
        headers[name] = match[2]
    raise RefusedRequestError(431, "There are too many headers.")


def _streamed_length(headers: Mapping[str, str]) -> int | None:
    """Return the length of the body, None if it is chunked."""
    coding = headers.get("transfer-encoding")
    if coding is None:
        return _content_length(headers)
    if coding.lower() != "chunked":
        raise RefusedRequestError(501, "Only the Transfer-Encoding chunked is supported.")
    if "content-length" in headers:
        raise RefusedRequestError(400, "Transfer-Encoding and Content-Length exclude each other.")
    return None


def _content_length(headers: Mapping[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(text):
        raise RefusedRequestError(400, "Content-Length is not a number.")
    return int(text)
