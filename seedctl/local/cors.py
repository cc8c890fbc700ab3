"""Cross-origin resource sharing: which web pages may call the sandbox.

Any web page in a browser can send requests to this machine. Browsers add ``Origin`` to them, other
programs do not. Requests from another origin are refused unless that origin is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from seedctl.errors import InvalidCommandInputError
from seedctl.local.http1 import Request, Response

ANY = "*"

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_HEADER_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]{1,4096}")
# "*" covers all headers, such as x-amz-meta-*, for requests without cookies; others do not occur.
_EXPOSED = (
    "*, ETag, Content-Length, Content-Range, Last-Modified, Date, x-amz-version-id, "
    "x-amz-request-id, x-amz-id-2, x-amzn-RequestId, x-amzn-ErrorType"
)


def checked_origin(text: str) -> str:
    """Return *text* in the form browsers send in ``Origin``. Raises InvalidCommandInputError."""
    if text == ANY:
        return text
    match = _ORIGIN.fullmatch(text)
    port = match["port"] if match is not None else None
    if match is None or (port is not None and not 1 <= int(port) <= 65535):
        raise InvalidCommandInputError(
            f"The origin {text!r} is invalid.",
            resolution="Give scheme, host and port of the page, with no path and no slash at the "
            "end, such as http://localhost:3000; or * for every page.",
        )
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if port is None or str(int(port)) == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{int(port)}"


class CrossOrigin:
    """A wrapper around the services: answers preflights and refuses origins not allowed."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = frozenset(checked_origin(origin) for origin in allowed)

    def answer(self, request: Request, answer: Callable[[Request], Response]) -> Response:
        """Return the response of *answer* to *request*, or an error if its origin is not allowed."""
        origin = request.headers.get("origin")
        if origin is None or origin == f"http://{request.headers.get('host')}":
            return answer(request)
        if self._allowed.isdisjoint((origin, ANY)):
            # Refuse before executing the call: it can do harm even if the page cannot read the reply.
            return Response.text(
                403,
                "Web pages of this origin may not call the local sandbox: start it with "
                "seedctl local start --allow-origin ORIGIN.",
            )
        is_preflight = (
            request.method == "OPTIONS" and "access-control-request-method" in request.headers
        )
        response = _preflight(request) if is_preflight else answer(request)
        return response.with_headers(
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", _EXPOSED),
            ("Vary", "Origin"),
        )


def _preflight(request: Request) -> Response:
    asked = request.headers.get("access-control-request-headers", "")
    methods = ("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE, HEAD")
    headers = [methods, ("Access-Control-Max-Age", "600")]
    if _HEADER_NAMES.fullmatch(asked):
        headers.append(("Access-Control-Allow-Headers", asked))
    return Response(204, b"", tuple(headers))
