"""Which web pages may call the sandbox: none, unless their origin is allowed."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from seedctl.errors import InvalidCommandInputError
from seedctl.local.cors import checked_origin
from seedctl.local.http1 import Request, Response
from seedctl.local.server import Server
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Serve: TypeAlias = Callable[..., "RecordingServer"]

PAGE = "http://localhost:3000"


class RecordingServer:
    """A server with allowed origins, and the requests that reached its services."""

    def __init__(self, *allowed: str) -> None:
        self.seen: list[str] = []
        self.server = Server(self._answer, port=0, origins=allowed)

    def _answer(self, request: Request) -> Response:
        self.seen.append(f"{request.method} {request.path}")
        if request.path == "/boom":
            raise ValueError
        return Response(200, b"body", (("ETag", '"x"'),))

    def send(
        self, method: str, headers: dict[str, str], path: str = "/", host: str = "127.0.0.1"
    ) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(host, self.server.port, timeout=20)
        connection.request(method, path, b"", headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened: list[RecordingServer] = []

    def start(*allowed: str) -> RecordingServer:
        opened.append(RecordingServer(*allowed))
        return opened[-1]

    yield start
    for each in opened:
        each.server.stop()


def _cors(headers: dict[str, str]) -> list[str]:
    return [name for name in headers if name.startswith("access-control")]


def test_a_preflight_of_an_allowed_page(serve: Serve) -> None:
    """The answer has the methods, the requested headers and a maximum age."""
    server = serve(PAGE, "https://other.example")
    status, headers = server.send(
        "OPTIONS",
        {
            "Origin": PAGE,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type,x-amz-target",
        },
    )
    assert status == 204
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-methods"] == "GET, PUT, POST, DELETE, HEAD"
    assert headers["access-control-allow-headers"] == "content-type,x-amz-target"
    assert int(headers["access-control-max-age"]) > 0
    assert headers["vary"] == "Origin"
    assert server.seen == []


def test_a_preflight_that_asks_for_what_are_no_header_names(serve: Serve) -> None:
    """Only a valid list of header names is echoed."""
    request = {"Origin": PAGE, "Access-Control-Request-Method": "PUT"}
    request["Access-Control-Request-Headers"] = "<script>"
    assert "access-control-allow-headers" not in serve(PAGE).send("OPTIONS", request)[1]


def test_an_options_request_that_is_no_preflight(serve: Serve) -> None:
    """It reaches the services like any other request."""
    server = serve(PAGE)
    assert server.send("OPTIONS", {"Origin": PAGE})[0] == 200
    assert server.seen == ["OPTIONS /"]


@pytest.mark.parametrize("path", ["/", "/boom"])
def test_an_answer_to_an_allowed_page(serve: Serve, path: str) -> None:
    """The page may read the response and AWS's headers, even of an internal error."""
    status, headers = serve(PAGE).send("POST", {"Origin": PAGE}, path)
    assert status == (500 if path == "/boom" else 200)
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["vary"] == "Origin"
    exposed = headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "x-amzn-ErrorType", "x-amzn-RequestId", "Content-Range", "*"} <= set(exposed)


def test_other_pages_are_refused(serve: Serve) -> None:
    """Their requests execute nothing, not even requests without a preflight."""
    for method in (
        "GET",
        "POST",
        "OPTIONS",
    ):
        for label, allowed, origin in (
            ("nothing allowed", (), PAGE),
            ("other port", (PAGE,), "http://localhost:3001"),
            ("other scheme", (PAGE,), "https://localhost:3000"),
            ("begins alike", (PAGE,), "http://localhost:3000.evil.example"),
            ("null", (PAGE,), "null"),
            ("empty", (PAGE,), ""),
        ):
            with case(method, label):
                server = serve(*allowed)
                request = {"Origin": origin, "Content-Type": "text/plain"}
                if method == "OPTIONS":
                    request["Access-Control-Request-Method"] = "POST"
                status, headers = server.send(method, request)
                assert status == 403
                assert _cors(headers) == []
                assert server.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_programs_and_the_servers_own_pages(serve: Serve, host: str) -> None:
    """Programs send no Origin; the server's own origin is not a foreign one."""
    server = serve()
    assert server.send("POST", {}, host=host)[0] == 200
    own = f"http://{host}:{server.server.port}"
    status, headers = server.send("POST", {"Origin": own}, host=host)
    assert status == 200
    assert _cors(headers) == []


@pytest.mark.parametrize("origin", ["https://any.example", "null"])
def test_every_page_may_be_allowed(serve: Serve, origin: str) -> None:
    """With * as allowed origin, each page gets its own origin in the answer."""
    status, headers = serve("*").send("POST", {"Origin": origin})
    assert (status, headers["access-control-allow-origin"]) == (200, origin)


def test_an_allowed_page_does_not_lift_the_check_of_the_host(serve: Serve) -> None:
    """DNS rebinding is refused even for an allowed origin."""
    assert serve("*").send("POST", {"Origin": PAGE, "Host": "evil.example"})[0] == 403


def test_origins_are_normalised_as_browsers_send_them() -> None:
    """Origins are normalised to lower case without the default port."""
    for text, origin in (
        (PAGE, PAGE),
        ("*", "*"),
        ("HTTPS://Example.COM", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
    ):
        with case(text, origin):
            assert checked_origin(text) == origin


def test_what_is_no_origin_is_refused() -> None:
    """A path or a missing scheme would never match, so it is an error."""
    for text in (
        "localhost:3000",
        "http://localhost:3000/",
        "http://localhost:3000/path",
        "http://",
        "http://*",
        "http://localhost:0",
        "http://localhost:70000",
        "http://user@localhost",
        "",
        "null",
    ):
        with case(text), pytest.raises(InvalidCommandInputError, match="is invalid"):
            checked_origin(text)
