"""The buckets that the outputs file lists, and which requests are for S3: needed from the start."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from seedctl.local.http1 import Request
    from seedctl.outputs.sections import BucketOutputs, StorageOutputs

_SCOPE = re.compile(r"Credential=[^/, ]+/[0-9]*/[a-z0-9-]*/([a-z0-9-]+)/aws4_request")
_DELETE = re.compile(r"(?:^|&)delete(?:[=&]|$)")
_QUERY_SCOPE = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")


def buckets_of(storage: StorageOutputs | None) -> Mapping[str, BucketOutputs]:
    """Return the buckets in *storage* by their names."""
    if storage is None:
        return {}
    # The last entry of a name is kept: the first that is listed rather than the default bucket's
    # own, since it has the rules.
    entries = (storage.default, *reversed(storage.buckets))
    return {entry.bucket_name: entry for entry in entries}


def is_for_s3(request: Request, buckets: Container[str]) -> bool:
    """Whether the signature is S3's or, without any, the path begins with one of *buckets*.

    That is told by the head alone.
    """
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
