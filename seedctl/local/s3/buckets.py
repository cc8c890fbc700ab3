"""The buckets of the outputs file and the requests for S3. Loaded when the sandbox starts."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from urllib.parse import unquote

from seedctl.local.http1 import Request
from seedctl.outputs.sections import BucketOutputs, StorageOutputs

_SCOPE = re.compile(r"Credential=[^/, ]+/[0-9]*/[a-z0-9-]*/([a-z0-9-]+)/aws4_request")
_DELETE = re.compile(r"(?:^|&)delete(?:[=&]|$)")
_QUERY_SCOPE = re.compile(r"(?:^|&)X-Amz-Credential=([^&]*)")


def buckets_of(storage: StorageOutputs | None) -> Mapping[str, BucketOutputs]:
    """Return the buckets in *storage* by their names."""
    if storage is None:
        return {}
    # If several entries have one name, the last in this order wins: the first in the list of
    # buckets. Unlike the entry of the default bucket it has the path rules.
    entries = (storage.default, *reversed(storage.buckets))
    return {entry.bucket_name: entry for entry in entries}


def is_for_s3(request: Request, buckets: Container[str]) -> bool:
    """Whether the request is signed for S3 or, if unsigned, its path begins with one of *buckets*.

    Decides by the head of the request alone, before the body is read.
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
        return True  # DeleteObjects without a bucket: S3 can explain that, no other service can
    return unquote(request.raw_path[1:].partition("/")[0]) in buckets
