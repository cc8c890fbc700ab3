"""Sign requests that seedctl sends without botocore, with Signature Version 4."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from botocore import credentials as boto
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

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
    """Return *headers* with the signature of a POST request; it covers all of *headers*.

    *moment* is the time of signing, by default the current time.
    """
    signer = SigV4Auth(
        boto.Credentials(
            credentials.access_key_id, credentials.secret_access_key, credentials.session_token
        ),
        service,
        region,
    )
    timestamp = (moment or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "x-amz-date": timestamp}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    request = AWSRequest("POST", url, data=body, headers=signed)
    # Step by step, since botocore's add_auth() always uses the current time.
    request.context["timestamp"] = timestamp
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    names = signer.signed_headers(signer.headers_to_sign(request))
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
        f"Signature={signer.signature(to_sign, request)}"
    )
    return signed
