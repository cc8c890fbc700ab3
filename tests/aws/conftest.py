"""Fixtures for the tests of seedctl.aws: AWS profiles on disk, and a server in place of AWS."""

from __future__ import annotations

import http.server
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


# Something for each of the operations that these tests call.
_ANSWER = {
    "Parameter": {"Name": "x", "Value": "v", "Version": 1, "LastModifiedDate": 0},
    "ChallengeName": "PASSWORD_VERIFIER",
    "User": {"Username": "ann"},
}


@dataclass
class Endpoint:
    """A loopback server that records each request and sends the same response to all."""

    url: str = ""
    status: int = 200
    body: dict[str, Any] = field(default_factory=lambda: dict(_ANSWER))
    raw: bytes | None = None
    """Sent in place of *body*, if it is not None."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers that are added to the usual ones, or replace them."""
    requests: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, names in lower case; the request line under ``line``."""

    @property
    def key_ids(self) -> list[str]:
        return [self._credential(request)[0] for request in self.requests]

    @property
    def regions(self) -> list[str]:
        return [self._credential(request)[1] for request in self.requests]

    @staticmethod
    def _credential(request: dict[str, str]) -> tuple[str, str]:
        found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", request["authorization"])
        assert found is not None
        return found.group(1), found.group(2)


@contextmanager
def _serve() -> Iterator[Endpoint]:
    endpoint = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        wbufsize = -1  # one write: a reply in two stalls for 40 ms

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            endpoint.requests.append({"line": self.requestline, **headers})
            body = json.dumps(endpoint.body).encode() if endpoint.raw is None else endpoint.raw
            self.send_response(endpoint.status)
            usual = {"Content-Type": "application/x-amz-json-1.1", "Content-Length": str(len(body))}
            for name, value in {**usual, **endpoint.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_DELETE = do_GET = do_HEAD = do_PUT = do_POST

        def do_CONNECT(self) -> None:
            endpoint.requests.append({"line": self.requestline})
            self.send_error(502)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        endpoint.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with _serve() as endpoint:
        yield endpoint


@pytest.fixture
def other_endpoint() -> Iterator[Endpoint]:
    with _serve() as endpoint:
        yield endpoint


@pytest.fixture
def write_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write text into the AWS config and credentials files."""

    def write(config: str = "", credentials: str = "") -> None:
        for name, text in (
            ("AWS_CONFIG_FILE", config),
            ("AWS_SHARED_CREDENTIALS_FILE", credentials),
        ):
            path = tmp_path / name
            path.write_text(text, encoding="utf-8")
            monkeypatch.setenv(name, str(path))

    return write


@pytest.fixture
def environment_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Access keys in the environment, with a session token, as in a CI job."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-the-environment")
