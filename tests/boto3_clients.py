"""Clients of boto3 for a server on this machine, and the errors of their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3


def client_of(
    session: boto3.Session,
    service: str,
    url: str,
    *,
    key: str = "local",
    secret: str = "local",
    token: str | None = None,
) -> Any:
    """Return a client that tries each call once, and names buckets in the path."""
    return session.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )


def error_code(call: Callable[..., object], **given: Any) -> str:
    """Return AWS's code of the error that *call* must raise."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    code: str = caught.value.response["Error"]["Code"]
    return code
