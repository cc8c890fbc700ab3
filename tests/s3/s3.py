"""A fake S3 on loopback that records requests, and a storage client connected to it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.aws.objects import S3
from seedctl.aws.settings import AWSSettings
from seedctl.outputs import load_outputs
from seedctl.report import Report
from seedctl.s3.client import Storage
from seedctl.s3.section import StorageSection, parse_storage_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

DATA = Path(__file__).parent.parent / "data"


class Sent(NamedTuple):
    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int = 200
    headers: Mapping[str, str] = {}
    body: str = ""
    cut_after: int | None = None
    """The connection is closed after this many bytes of the body."""


def error(code: str, message: str = "", status: int = 403) -> Reply:
    body = (
        f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>R1</RequestId>"
        "<HostId>H1</HostId></Error>"
    )
    return Reply(status, {"content-type": "application/xml", "x-amz-request-id": "R1"}, body)


class FakeS3:
    """Sends the next of its replies, or what *answer* returns."""

    def __init__(self, *replies: Reply, answer: Callable[[Sent], Reply] | None = None) -> None:
        self.sent: list[Sent] = []
        self._replies = list(replies)
        self._answer = answer
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                reply = fake.receive(self.command, self.path, dict(self.headers), body)
                content = reply.body.encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if "content-length" not in reply.headers:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content[: reply.cut_after])
                if reply.cut_after is not None:
                    self.close_connection = True

            do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _serve

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Print nothing: interrupted clients close the connection early."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def receive(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        parts = urlsplit(target)
        bucket, _, key = parts.path.removeprefix("/").partition("/")
        sent = Sent(
            method,
            bucket,
            unquote(key),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in headers.items()},
            body,
        )
        with self._lock:
            self.sent.append(sent._replace(body=b"") if len(body) > 6_000_000 else sent)
            if self._answer is not None:
                return self._answer(sent)
            return self._replies.pop(0)

    def __enter__(self) -> FakeS3:
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


@dataclass
class FakeIdentity:
    """A caller with credentials, or without."""

    identity_id: str | None = "us-east-1:aaaaaaaa-bbbb-cccc-dddd-000000000001"
    keys: Credentials = field(
        default_factory=lambda: Credentials(
            "ASIAEXAMPLEACCESSKEY",
            "exampleSecretAccessKey0123456789abcdefgh",
            "EXAMPLESESSIONTOKEN==",
            datetime.now(timezone.utc) + timedelta(hours=1),
        )
    )
    member_of: tuple[str, ...] | None = ()
    renewals: int = 0

    def bind(self) -> FakeIdentity:
        return self

    def credentials(self, *, renew: bool = False) -> IdentityCredentials | None:
        self.renewals += renew
        if self.identity_id is None:
            return None
        return IdentityCredentials(self.identity_id, self.keys)

    def groups(self) -> tuple[str, ...] | None:
        return self.member_of


@cache
def _section(outputs: str) -> StorageSection:
    return parse_storage_section(load_outputs(DATA / "outputs" / outputs))


class StorageHarness:
    """A storage client connected to a fake S3, with everything that it reports."""

    def __init__(
        self,
        url: str,
        outputs: str = "storage_only_multi_bucket.json",
        identity: FakeIdentity | None = None,
    ) -> None:
        self.identity = identity or FakeIdentity()
        self.report = Report()
        self.announced = 0
        self.aws = AWS(AWSSettings(region="us-east-1", endpoint_url=url))
        section = _section(outputs)
        objects = S3(self.aws)
        self.storage = Storage(
            lambda: objects, lambda: section, self.identity, self.report, self._announce
        )

    def _announce(self, *_: str) -> None:
        self.announced += 1
