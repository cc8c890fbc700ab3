"""A request and a response of HTTP/1.1, as far as AWS clients and browsers go with it."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY = 16 * 1024 * 1024
_MAX_LINE = 64 * 1024
_MAX_HEADERS = 200
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) ([!-~]{1,8192}) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
JSON_TYPE = "application/x-amz-json-1.1"


class RefusedRequestError(Exception):
    """A request that cannot be read on; the connection ends with *status*."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Stream(Protocol):
    def readline(self, size: int, /) -> bytes: ...

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Without the query, percent-decoded."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()

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

    def encode(self, *, keep_alive: bool, body: bool = True) -> bytes:
        """Return all of it, for one write: headers and body sent apart stall 40 ms on loopback."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in self.headers),
            f"x-amzn-RequestId: {uuid.uuid4()}",
            f"Content-Length: {len(self.body)}",
            f"Connection: {'keep-alive' if keep_alive else 'close'}",
            "\r\n",
        ]
        return "\r\n".join(lines).encode("latin-1") + (self.body if body else b"")


def read_request(stream: _Stream, send: Callable[[bytes], object]) -> Request | None:
    """Read the next request, None at the end of the connection.

    *send* tells a client that waits before its body to go on. Raises RefusedRequestError.
    """
    line = _line(stream)
    if line == "":
        line = _line(stream)  # some clients end a body with a line break too many
    if not line:
        return None
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise RefusedRequestError(400, "This is not an HTTP/1.1 request.")
    method, target, minor = match.groups()
    headers = _headers(stream)
    if headers is None:
        return None
    length = _body_length(headers)
    connection = headers.get("connection", "").lower()
    if length and headers.get("expect", "").lower() == "100-continue":
        send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = stream.read(length)
    if len(body) < length:
        return None
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=unquote(path),
        query=query,
        headers=headers,
        body=body,
        keep_alive=connection == "keep-alive" if minor == "0" else connection != "close",
    )


def _line(stream: _Stream) -> str | None:
    """Return a line without its end, None at the end of the connection."""
    raw = stream.readline(_MAX_LINE + 1)
    if len(raw) > _MAX_LINE:
        raise RefusedRequestError(431, "A header line is too long.")
    return raw.rstrip(b"\r\n").decode("latin-1") if raw.endswith(b"\n") else None


def _headers(stream: _Stream) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = _line(stream)
        if not line:
            return None if line is None else headers
        match = _HEADER.fullmatch(line)
        if match is None:
            raise RefusedRequestError(400, "A header line is malformed.")
        name = match[1].lower()
        if name in headers and name in ("host", "content-length"):
            # Two of these are how requests are smuggled.
            raise RefusedRequestError(400, f"The header {match[1]} comes twice.")
        headers[name] = match[2]
    raise RefusedRequestError(431, "There are too many headers.")


def _body_length(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise RefusedRequestError(501, "Transfer-Encoding is not supported: send Content-Length.")
    text = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(text):
        raise RefusedRequestError(400, "Content-Length is not a number.")
    length = int(text)
    if length > MAX_BODY:
        raise RefusedRequestError(413, f"The body is larger than {MAX_BODY} bytes.")
    return length
