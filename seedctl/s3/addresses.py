"""Addresses by which anybody may get an object for a while."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from seedctl.s3.headers import disposition_header, header_value
from seedctl.s3.results import StorageUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.s3.object_call import ObjectCall
    from seedctl.s3.results import ContentDisposition


def answer_options(
    content_type: str | None,
    content_disposition: str | ContentDisposition | None,
    cache_control: str | None,
) -> dict[str, str]:
    """Return S3's parameters for what the answer's headers are to say."""
    options: dict[str, str] = {}
    if content_type is not None:
        options["ResponseContentType"] = header_value("content_type", content_type)
    if content_disposition is not None:
        options["ResponseContentDisposition"] = disposition_header(content_disposition)
    if cache_control is not None:
        options["ResponseCacheControl"] = header_value("cache_control", cache_control)
    return options


def address(call: ObjectCall, options: Mapping[str, Any], expires_in: int) -> StorageUrl:
    """Sign an address for *expires_in* seconds, or as long as the keys that sign it hold."""
    now = datetime.now(timezone.utc)
    ends = call.credentials().credentials.expiration
    if ends is not None:
        expires_in = max(1, min(expires_in, int((ends - now).total_seconds())))
    url = call.objects.presigned_url(
        call.location, options, identity=call.identity, expires_in=expires_in
    )
    return StorageUrl(url, now + timedelta(seconds=expires_in))
