"""Sign requests that seedctl sends itself, with Signature Version 4."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from botocore import credentials as boto
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.aws.credentials import Credentials


def signed_headers(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    credentials: Credentials,
    service: str,
    region: str,
    moment: datetime | None = None,
) -> dict[str, str]:
    """Return *headers* with the signature of a POST of *body*; all of them are part of it.

    *moment* is when it is signed, now unless told.
    """
    moment = moment or datetime.now(timezone.utc)
    signer = SigV4Auth(
        boto.Credentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token
        ),
        service,
        region,
    )
    timestamp = moment.strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "x-amz-date": timestamp}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    request = AWSRequest("POST", url, data=body, headers=signed)
    # Step by step, since botocore's add_auth() takes no clock.
    request.context["timestamp"] = timestamp
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    names = signer.signed_headers(signer.headers_to_sign(request))
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signer.signature(to_sign, request)}"
    )
    return signed
