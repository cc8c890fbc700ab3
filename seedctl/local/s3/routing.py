"""Whether a request is for S3, by its head alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Container

    from seedctl.local.http1 import Request

_SCOPE = re.compile(r"Credential=[^/, ]+/[0-9]*/[a-z0-9-]*/([a-z0-9-]+)/aws4_request")
_DELETE = re.compile(r"(?:^|&)delete(?:[=&]|$)")
_QUERY_SCOPE = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")


def is_for_s3(request: Request, buckets: Container[str]) -> bool:
    """Whether the signature is S3's or, without any, the path begins with one of *buckets*."""
    if "x-amz-target" in request.headers:
        return False
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is not None:
        return scope[1] == "s3"
    credential = _QUERY_SCOPE.search(request.query)
    if credential is not None and unquote(credential[1]).endswith("/s3/aws4_request"):
        return True
    if request.method == "POST" and request.raw_path == "/" and _DELETE.search(request.query):
        return True  # it lacks its bucket, which S3 can tell and no other service
    return unquote(request.raw_path[1:].partition("/")[0]) in buckets
