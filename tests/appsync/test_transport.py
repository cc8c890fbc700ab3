"""Connections, retries and addresses, against a real server on loopback."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import pytest
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError

from seedctl import errors
from seedctl.appsync.transport import Transport, _new_pool
from tests.appsync.appsync import FakeNetwork, FakePool, FakeTransport
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL = "https://example.appsync-api.us-east-1.amazonaws.com/graphql"


class Server:
    """Answers each request with the next of *script*: a status, or "cut" for no response."""

    def __init__(self) -> None:
        self.script: list[Any] = []
        self.seen: list[dict[str, Any]] = []
        self.connections: set[Any] = set()
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one write per answer

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with server.lock:
                    server.connections.add(self.client_address)
                    server.seen.append({"path": self.path, "body": body, "headers": self.headers})
                    step = server.script.pop(0) if server.script else 200
                if step == "cut":
                    self.close_connection = True
                    return
                data = json.dumps({"data": {}}).encode()
                self.send_response(step)
                if step == 400:
                    self.send_header("x-amzn-errortype", "ThrottlingException:")
                if step == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/graphql"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def transport(slept: list[float]) -> Iterator[Transport]:
    made = Transport(FakeNetwork(is_emulator=True), sleep=slept.append)
    yield made
    made.close()


def _headers() -> dict[str, str]:
    return {"x-one": "1"}


@pytest.mark.parametrize(
    ("script", "is_repeatable", "status", "attempts"),
    [
        pytest.param([200], True, 200, 1, id="at once"),
        pytest.param([503, "cut", 200], True, 200, 3, id="recovers"),
        pytest.param([504, 429, 200], True, 200, 3, id="recovers from a timeout"),
        pytest.param([500, 502, 504], True, 504, 3, id="gives up"),
        pytest.param([408, 200], True, 408, 1, id="another failure is not repeated"),
        pytest.param([500], False, 500, 1, id="a write is not repeated"),
        pytest.param([429, 400, 200], False, 200, 3, id="a throttled write is repeated"),
        pytest.param([401, 200], True, 401, 1, id="a refusal is not repeated"),
        pytest.param([302, 200], True, 302, 1, id="redirects are not followed"),
    ],
)
def test_only_what_is_repeatable_is_repeated(
    server: Server,
    transport: Transport,
    slept: list[float],
    script: list[Any],
    is_repeatable: bool,
    status: int,
    attempts: int,
) -> None:
    """Reads are tried three times; a write is repeated only if it was certainly not executed."""
    server.script = script
    answer = transport.post(server.url, b"{}", _headers, is_repeatable=is_repeatable, operation="x")
    assert (answer.status, len(server.seen)) == (status, attempts)
    assert len(slept) == attempts - 1
    for least, pause in zip((0.2, 0.4), slept, strict=False):
        assert least <= pause <= least + 0.1


def test_a_write_without_a_response_is_not_repeated(server: Server, transport: Transport) -> None:
    """The error says that the write may have been carried out."""
    server.script = ["cut", 200]
    with pytest.raises(errors.EndpointUnreachableError, match="may have been carried out"):
        transport.post(server.url, b"{}", _headers, is_repeatable=False, operation="x")
    assert len(server.seen) == 1


def test_a_response_after_an_unclear_attempt(server: Server, transport: Transport) -> None:
    """The response says that an earlier attempt may have run; throttled attempts do not count."""
    server.script = ["cut", 200]
    assert transport.post(
        server.url, b"{}", _headers, is_repeatable=True, operation="x"
    ).may_have_run_before
    server.script = [429, 200]
    assert not transport.post(
        server.url, b"{}", _headers, is_repeatable=True, operation="x"
    ).may_have_run_before


def test_a_request_that_was_never_sent_is_repeated(
    transport: Transport, slept: list[float]
) -> None:
    """After a refused connection, writes are tried again, too."""
    with pytest.raises(errors.EndpointUnreachableError, match="Nothing was sent"):
        transport.post(
            "http://127.0.0.1:9/graphql", b"{}", _headers, is_repeatable=False, operation="x"
        )
    assert len(slept) == 2


def _refused() -> Exception:
    return NewConnectionError(cast("Any", None), "refused")


def test_what_all_attempts_may_have_done() -> None:
    """One attempt that may have been executed decides, whatever the later ones say."""
    cut, busy = ProtocolError("cut"), {"status": 429, "body": {}}
    replies: list[Any]
    for replies, may_have_run in (
        ([cut, _refused(), _refused()], True),
        ([_refused(), ConnectTimeoutError("slow"), _refused()], False),
        ([cut, _refused(), {}], True),
        ([cut, busy, {}], True),
        ([{"status": 502, "body": {}}, _refused(), {}], True),
        ([_refused(), busy, {}], False),
    ):
        with case(replies):
            pool = FakePool()
            pool.replies = list(replies)
            transport = FakeTransport(pool)
            transport._network = network = FakeNetwork()
            options: Any = {"is_repeatable": True, "operation": "x"}
            if isinstance(replies[-1], Exception):
                message = "may have been carried out" if may_have_run else "Nothing was sent"
                with pytest.raises(errors.EndpointUnreachableError, match=message):
                    transport.post("http://x", b"{}", _headers, **options)
            else:
                answer = transport.post("http://x", b"{}", _headers, **options)
                assert answer.may_have_run_before is may_have_run
            assert len(pool.requests) == 3
            throttled = sum(each is busy for each in replies)
            assert network.counted == Counter({("x", True): throttled, ("x", False): 3 - throttled})


def test_a_connection_is_verified_and_limited_in_time() -> None:
    """The server's certificate is required, and no request waits forever."""
    options = _new_pool(None, "/company.pem").connection_pool_kw
    assert (options["cert_reqs"], options["ca_certs"]) == ("CERT_REQUIRED", "/company.pem")
    assert (options["timeout"].connect_timeout, options["timeout"].read_timeout) == (30, 30)
    pool = Transport(FakeNetwork())._pool("https://api.example/graphql")
    assert pool.connection_pool_kw["ca_certs"] == "/no/such/bundle.pem"


def test_connections_are_reused(server: Server, transport: Transport) -> None:
    """Consecutive requests use one connection, which close() closes."""
    for _ in range(20):
        transport.post(server.url, b"{}", _headers, is_repeatable=True, operation="x")
    assert len(server.connections) == 1
    pool = transport._pool(server.url)
    assert len(pool.pools) == 1
    transport.close()
    assert len(pool.pools) == 0
    assert server.seen[0]["headers"]["user-agent"].startswith("seedctl/")


def test_many_threads_share_the_transport(server: Server, transport: Transport) -> None:
    """Each thread gets the response to its own request, over at most one connection a thread."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda number: (
                    transport.post(
                        server.url,
                        str(number).encode(),
                        _headers,
                        is_repeatable=True,
                        operation="x",
                    ).status
                ),
                range(200),
            )
        )
    assert answers == [200] * 200
    assert sorted(int(each["body"]) for each in server.seen) == list(range(200))
    assert len(server.connections) <= 8


def test_the_local_sandbox_replaces_the_api() -> None:
    """With --local the URL of the outputs file is not used."""
    network = FakeNetwork(is_local=True, is_emulator=True, url="http://127.0.0.1:4001/")
    assert Transport(network).url(REAL) == "http://127.0.0.1:4001/graphql"


@pytest.mark.parametrize(
    ("is_emulator", "url"),
    [
        pytest.param(True, REAL, id="emulated AWS, real AppSync"),
        pytest.param(False, "http://localhost:20002/graphql", id="real AWS, emulated AppSync"),
    ],
)
def test_real_and_local_do_not_mix(is_emulator: bool, url: str) -> None:
    """A run uses either this machine or AWS for all services."""
    with pytest.raises(errors.MixedEndpointsError, match="AppSync"):
        Transport(FakeNetwork(is_emulator=is_emulator)).url(url)


@pytest.mark.parametrize(
    ("is_emulator", "url"),
    [
        pytest.param(True, "http://localhost:20002/graphql", id="an emulator, loopback"),
        pytest.param(True, "http://emulator.test:4566/graphql/abc", id="an emulator, by name"),
        pytest.param(False, REAL, id="AWS"),
        pytest.param(False, "https://api.example.com/graphql", id="AWS, a domain of its own"),
    ],
)
def test_the_outputs_file_says_where_the_api_is(is_emulator: bool, url: str) -> None:
    """The URL of the outputs file is used; a custom domain is allowed for AWS and emulators."""
    assert Transport(FakeNetwork(is_emulator=is_emulator)).url(url) == url


def test_a_proxy_is_used_with_its_login(server: Server) -> None:
    """The login in HTTPS_PROXY is sent to the proxy; a URL without a proxy is reached directly."""
    pool = _new_pool("http://ann:se%20cret@proxy.example:8080", None)
    assert (pool.proxy.host, pool.proxy.port) == ("proxy.example", 8080)  # type: ignore[union-attr]
    login = b64encode(b"ann:se cret").decode()
    assert pool.proxy_headers["proxy-authorization"] == f"Basic {login}"  # type: ignore[attr-defined]
    assert _new_pool("proxy.example:3128", None).proxy.port == 3128  # type: ignore[union-attr]
    network = FakeNetwork(is_emulator=True, proxies={REAL: "http://proxy.example:8080"})
    transport = Transport(network)
    assert transport._pool(server.url).proxy is None
    assert transport._pool(REAL).proxy is not None
    transport.close()
    assert transport._pools == {}
