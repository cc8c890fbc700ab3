"""Answers that are not the service's: what a proxy, a firewall or another server has sent."""

from __future__ import annotations

import html
import http.client
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedctl.aws.endpoints import is_loopback
from seedctl.errors import InvalidResponseError
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+)?html\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_BEGINNING = 4096  # bytes of a page, enough for its title
_LONGEST = 200
_PROXY_LOGIN = 407


def is_page(body: bytes) -> bool:
    """Whether *body* is an HTML page, which no AWS service answers a call with."""
    return _PAGE.match(body[:_BEGINNING]) is not None


def is_redirection(status: int, headers: Mapping[str, str]) -> bool:
    """Whether something on the way sends the call elsewhere. S3's own say who has answered."""
    is_awss = any(name.lower().startswith("x-amz") for name in headers)
    return status in {301, 302, 303, 307, 308} and not is_awss


def is_from_proxy(status: int) -> bool:
    """Whether only a proxy answers with *status*: it wants to know who asks."""
    return status == _PROXY_LOGIN


def summary(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return the status and the title of a page, or the beginning of another text."""
    parts = [f"HTTP status {status}"]
    reason = http.client.responses.get(status)
    if reason is not None:
        parts[0] += f" ({reason})"
    target = urlsplit(next((v for k, v in headers.items() if k.lower() == "location"), "")).netloc
    if target:
        parts.append(f"to {target.rpartition('@')[2]}")
    title = _TITLE.search(body[: 4 * _BEGINNING])
    if title is not None:
        parts.append(f'with a page titled "{_text(title.group(1))}"')
    elif is_page(body):
        parts.append("with a page that has no title")
    elif status >= 400 and body.strip() and body.lstrip()[:1] not in b"{[":
        # Half of an answer is never shown: it may be half of a secret.
        parts.append(f'with the text "{_text(body)}"')
    return mask(" ".join(parts))


def not_the_services(
    service: str,
    operation: str,
    lacks: str = "",
    *,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> InvalidResponseError:
    """Return the error for an answer to *operation* that *url*'s service has not given.

    *lacks* says what is not in it.
    """
    proxy = proxy_variable(url)
    advice = None
    if is_from_proxy(status) or proxy is not None:
        scheme = urlsplit(url).scheme or "https"
        advice = proxy_advice(proxy or f"{scheme}_proxy".upper(), wants_login=is_from_proxy(status))
    elif status in {401, 403}:
        advice = (
            "A firewall, such as AWS WAF, or a proxy on the way refuses the call: have this machine "
            "let through, check --endpoint-url, and run again."
        )
    error = InvalidResponseError.of(service, operation, lacks, resolution=advice)
    if status >= 300 or is_page(body):
        error.code = str(status)
        error.service_message = summary(status, headers, body)
    return error


def proxy_advice(variable: str, *, wants_login: bool) -> str:
    """Return what to do about the proxy that the environment's *variable* names."""
    if wants_login:
        return (
            f"The proxy wants a login: put it into {variable}, as in http://USER:PASSWORD@HOST:PORT, "
            "or leave the proxy out with NO_PROXY. Then run again."
        )
    return (
        f"The call goes through the proxy in {variable}: have it let AWS through, or leave it out "
        "with NO_PROXY. Then run again."
    )


def proxy_variable(url: str) -> str | None:
    """Return the environment variable whose proxy calls to *url* go through, if there is one."""
    from urllib.request import proxy_bypass  # noqa: PLC0415 - only for failures

    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc):
        return None
    # What is in lower case wins, as in botocore and urllib.
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), None)


def failed_proxy(words: str, url: str | None = None) -> tuple[str, str]:
    """Return what happened at the proxy on the way to *url*, and what to do.

    *words* are of the library that tried; no address of a proxy is shown, as it may hold a login.
    """
    urls = [url] if url is not None else ["https://amazonaws.com", "http://amazonaws.com"]
    variable = next(filter(None, map(proxy_variable, urls)), "HTTPS_PROXY")
    what = f"the proxy in {variable} gave no way through: {words}"
    return what, proxy_advice(variable, wants_login=str(_PROXY_LOGIN) in words)


def _text(raw: bytes) -> str:
    text = " ".join(html.unescape(raw[:_BEGINNING].decode("utf-8", "replace")).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
