"""A fake AWS on loopback with given responses, for errors that no emulator can produce."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from types import TracebackType

_XML_ERROR = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>request-1</RequestId></ErrorResponse>"
)


Reply: TypeAlias = "Mapping[str, object] | str | tuple[str, str] | tuple[str, str, int]"


class FakeAWS:
    """*replies* maps an operation to a JSON body, an XML text or (error code, message[, status]),
    or to an iterator that gives one of these for each call. The default status is 400."""

    def __init__(self, **replies: Reply | Iterator[Reply]) -> None:
        self.replies = replies
        self.calls: list[tuple[str, dict[str, Any]]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, kind, text = fake._answer(self.headers.get("X-Amz-Target", ""), body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Print no log line."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeAWS:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def _answer(self, target: str, body: bytes) -> tuple[int, str, bytes]:
        if target:
            operation, parameters = target.partition(".")[2], json.loads(body)
        else:
            parameters = {key: value[0] for key, value in parse_qs(body.decode()).items()}
            operation = parameters["Action"]
        self.calls.append((operation, parameters))
        reply = self.replies.get(
            operation, ("UnknownOperationException", "no reply was given for it")
        )
        if isinstance(reply, Iterator):
            reply = next(reply)
        if isinstance(reply, tuple):
            code, message, status = (*reply, 400)[:3]
            if target:
                text = json.dumps({"__type": code, "message": message})
                return status, "application/x-amz-json-1.1", text.encode()
            return status, "text/xml", _XML_ERROR.format(code=code, message=message).encode()
        if isinstance(reply, str):
            return 200, "text/xml", reply.encode()
        return 200, "application/x-amz-json-1.1", json.dumps(reply).encode()


def described_stack(pool: str) -> str:
    """Return the response of DescribeStacks for a sandbox whose user pool is *pool*."""
    return (
        '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        "<DescribeStacksResult><Stacks><member><StackName>s</StackName>"
        "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
        f"<Outputs><member><OutputKey>userPoolId</OutputKey><OutputValue>{pool}</OutputValue>"
        "</member></Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )


CALLER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/dev</Arn><UserId>U</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
