"""Presigned URLs: anyone who has one can download the object until it expires."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from seedctl.s3.headers import disposition_header, header_value
from seedctl.s3.results import StorageUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.s3.object_call import ObjectCall
    from seedctl.s3.results import ContentDisposition


def response_header_options(
    content_type: str | None,
    content_disposition: str | ContentDisposition | None,
    cache_control: str | None,
) -> dict[str, str]:
    """Return the S3 parameters that override headers of the response."""
    options: dict[str, str] = {}
    if content_type is not None:
        options["ResponseContentType"] = header_value("content_type", content_type)
    if content_disposition is not None:
        options["ResponseContentDisposition"] = disposition_header(content_disposition)
    if cache_control is not None:
        options["ResponseCacheControl"] = header_value("cache_control", cache_control)
    return options


def presigned_url(call: ObjectCall, options: Mapping[str, Any], expires_in: int) -> StorageUrl:
    """Sign a URL for *expires_in* seconds, or until the signing credentials expire if sooner."""
    now = datetime.now(timezone.utc)
    ends = call.credentials().credentials.expiration
    if ends is not None:
        expires_in = max(1, min(expires_in, int((ends - now).total_seconds())))
    url = call.s3.presigned_url(
        call.location, options, identity=call.identity, expires_in=expires_in
    )
    return StorageUrl(url, now + timedelta(seconds=expires_in))
