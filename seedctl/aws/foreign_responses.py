"""Recognize and describe responses from a proxy, a firewall or another server in place of AWS."""

from __future__ import annotations

import html
import http.client
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from seedctl.aws.settings import is_loopback
from seedctl.errors import InvalidResponseError
from seedctl.masking import mask, mask_line

_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf|<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+)?html\b",
    re.IGNORECASE | re.DOTALL,
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HEAD_SIZE = 4096  # bytes of a page, enough for its title
_MAX_TEXT = 200  # characters
_PROXY_LOGIN = 407


def is_html_page(body: bytes) -> bool:
    """Whether *body* is an HTML page, which no AWS service sends."""
    return _PAGE.match(body[:_HEAD_SIZE]) is not None


def is_proxy_login(status: int) -> bool:
    """Whether *status* means that a proxy requires a login; AWS never sends it."""
    return status == _PROXY_LOGIN


def is_from_proxy(status: int, headers: Mapping[str, str]) -> bool:
    """Whether a proxy requires a login or redirects the call. S3's own redirections have x-amz headers."""
    is_from_aws = any(name.lower().startswith("x-amz") for name in headers)
    is_redirection = status in {301, 302, 303, 307, 308} and not is_from_aws
    return is_proxy_login(status) or is_redirection


def describe_response(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Return the status, and the title of a web page or the beginning of another text."""
    parts = [f"HTTP status {status}"]
    reason = http.client.responses.get(status)
    if reason is not None:
        parts[0] += f" ({reason})"
    target = urlsplit(next((v for k, v in headers.items() if k.lower() == "location"), "")).netloc
    if target:
        parts.append(f"to {target.rpartition('@')[2]}")
    title = _TITLE.search(body[: 4 * _HEAD_SIZE])
    if title is not None:
        parts.append(f'with a page titled "{_text(title.group(1))}"')
    elif is_html_page(body):
        parts.append("with a page that has no title")
    elif status >= 400 and body.strip() and body.lstrip()[:1] not in b"{[":
        # Truncated JSON is not shown: it may contain a truncated secret, which cannot be masked.
        parts.append(f'with the text "{_text(body)}"')
    return mask(" ".join(parts))


def foreign_response_error(
    service: str,
    operation: str,
    details: str = "",
    *,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> InvalidResponseError:
    """Return the error for a response to *operation* that is not from the service at *url*.

    *details* says which members are missing.
    """
    proxy = proxy_variable(url)
    advice = None
    if is_proxy_login(status) or proxy is not None:
        variable = proxy or f"{urlsplit(url).scheme or 'https'}_proxy".upper()
        advice = proxy_advice(variable, wants_login=is_proxy_login(status))
    elif status in {401, 403}:
        advice = (
            "A firewall, such as AWS WAF, or a proxy blocks the call: have this machine allowed there, "
            "check --endpoint-url, and run again."
        )
    error = InvalidResponseError.of(service, operation, details, resolution=advice)
    if status >= 300 or is_html_page(body):
        error.code = str(status)
        error.service_message = describe_response(status, headers, body)
    return error


def proxy_advice(variable: str, *, wants_login: bool) -> str:
    """Return what to do about the proxy that the environment variable *variable* names."""
    if wants_login:
        return (
            f"The proxy requires a login: put it into {variable}, as in http://USER:PASSWORD@HOST:PORT, "
            "or bypass the proxy with NO_PROXY. Then run again."
        )
    return (
        f"The call goes through the proxy in {variable}: have AWS allowed there, or bypass it with "
        "NO_PROXY. Then run again."
    )


def proxy_variable(url: str) -> str | None:
    """Return the environment variable with the proxy for *url*; None if no proxy is used."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.netloc):
        return None
    # Lower case takes precedence, as in botocore and urllib.
    names = (f"{parts.scheme}_proxy", f"{parts.scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), None)


def proxy_failure(words: str, url: str | None = None) -> tuple[str, str]:
    """Return the message and the resolution for a failed connection to the proxy for *url*.

    *words* is the HTTP library's message. The proxy's URL is not shown: it may contain a login.
    """
    urls = [url] if url is not None else ["https://amazonaws.com", "http://amazonaws.com"]
    variable = next(filter(None, map(proxy_variable, urls)), "HTTPS_PROXY")
    what = f"the proxy in {variable} refused the connection: {words}"
    return what, proxy_advice(variable, wants_login=str(_PROXY_LOGIN) in words)


def _text(raw: bytes) -> str:
    text = mask_line(html.unescape(raw[:_HEAD_SIZE].decode("utf-8", "replace")))
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
