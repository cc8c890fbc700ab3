"""Signature version 4 as S3 checks it: in headers, in a presigned URL, and over chunks."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import quote

from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from seedctl.local.s3.requests import S3Request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"

_MAX_SKEW = 15 * 60.0
_MAX_EXPIRES = 7 * 24 * 3600
_FIELDS = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^, ]+) *, *SignedHeaders=([^, ]+) *, *Signature=([0-9a-f]+) *"
)
_CREDENTIAL = re.compile(r"([^/]+)/([0-9]{8})/([a-z0-9-]+)/([a-z0-9-]+)/(aws4_request)")
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signature:
    """What a request says of how it was signed."""

    access_key_id: str
    timestamp: str
    signed_at: float
    region: str
    signed_headers: tuple[str, ...]
    value: str = field(repr=False)
    token: str | None = field(repr=False)
    payload_hash: str
    expires: int | None = None
    """Seconds from *signed_at*, for a presigned URL."""

    @property
    def scope(self) -> str:
        return f"{self.timestamp[:8]}/{self.region}/s3/aws4_request"


def read_signature(request: S3Request) -> Signature:
    """Return the signature of *request*. Raises S3Error, AccessDenied if it was not signed."""
    authorization = request.header("authorization")
    if authorization is None:
        if "x-amz-algorithm" in request.signature or "x-amz-signature" in request.signature:
            return _from_query(request)
        if {"AWSAccessKeyId", "Signature"} & request.parameters.keys():
            raise _unsupported()
        raise S3Error("AccessDenied")
    if not authorization.startswith(ALGORITHM):
        raise _unsupported()
    match = _FIELDS.fullmatch(authorization)
    if match is None:
        raise S3Error("AuthorizationHeaderMalformed")
    timestamp = request.header("x-amz-date") or ""
    signed_at = _epoch(timestamp)
    if signed_at is None:
        raise S3Error(
            "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"
        )
    payload_hash = request.header("x-amz-content-sha256")
    if payload_hash is None:
        raise S3Error(
            "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"
        )
    key, region = _scope(match[1], timestamp, "AuthorizationHeaderMalformed")
    return Signature(
        access_key_id=key,
        timestamp=timestamp,
        signed_at=signed_at,
        region=region,
        signed_headers=tuple(match[2].split(";")),
        value=match[3],
        token=request.header("x-amz-security-token"),
        payload_hash=payload_hash,
    )


def _from_query(request: S3Request) -> Signature:
    given = request.signature
    malformed = "AuthorizationQueryParametersError"
    if given.get("x-amz-algorithm") != ALGORITHM:
        raise S3Error(malformed, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    for name in ("credential", "date", "expires", "signedheaders", "signature"):
        if f"x-amz-{name}" not in given:
            raise S3Error(malformed, f"Query-string authentication lacks X-Amz-{name.title()}.")
    signed_at = _epoch(given["x-amz-date"])
    if signed_at is None:
        raise S3Error(malformed, "X-Amz-Date must be in the ISO8601 Long Format")
    expires = given["x-amz-expires"]
    if not re.fullmatch("[0-9]{1,18}", expires):
        raise S3Error(malformed, "X-Amz-Expires should be a number")
    if int(expires) > _MAX_EXPIRES:
        raise S3Error(
            malformed, "X-Amz-Expires must be less than a week (in seconds); that is, 604800"
        )
    key, region = _scope(given["x-amz-credential"], given["x-amz-date"], malformed)
    payload_hash = given.get("x-amz-content-sha256") or request.header("x-amz-content-sha256")
    return Signature(
        access_key_id=key,
        timestamp=given["x-amz-date"],
        signed_at=signed_at,
        region=region,
        signed_headers=tuple(given["x-amz-signedheaders"].split(";")),
        value=given["x-amz-signature"],
        token=given.get("x-amz-security-token") or request.header("x-amz-security-token"),
        payload_hash=payload_hash or UNSIGNED,
        expires=int(expires),
    )


def check_expiry(signature: Signature, now: float) -> None:
    """Refuse a presigned URL that is no longer good, or not yet. Raises S3Error."""
    if signature.expires is None:
        return
    if now > signature.signed_at + signature.expires:
        raise S3Error("AccessDenied", "Request has expired")
    if now < signature.signed_at - _MAX_SKEW:
        raise S3Error("AccessDenied", "Request is not valid yet")


def verify(signature: Signature, secret: str, request: S3Request, now: float) -> bytes:
    """Return the key that signed *request*, for its chunks. Raises S3Error if it was another."""
    if signature.expires is None and abs(now - signature.signed_at) > _MAX_SKEW:
        raise S3Error("RequestTimeTooSkewed")
    # In a presigned URL too: that a parameter of the same name is signed covers no header.
    unsigned = {"host", *(name for name in request.sent_headers if name.startswith("x-amz-"))}
    unsigned -= {*signature.signed_headers}
    if unsigned:
        raise S3Error(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(sorted(unsigned)),
        )
    key = _signing_key(secret, signature)
    canonical = hashlib.sha256(_canonical(signature, request)).hexdigest()
    text = f"{ALGORITHM}\n{signature.timestamp}\n{signature.scope}\n{canonical}"
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.value.encode()):
        raise S3Error("SignatureDoesNotMatch")
    return key


class ChunkSigner:
    """Checks the signatures of chunks and trailers, each of which signs the one before it too."""

    def __init__(self, key: bytes, signature: Signature) -> None:
        self._key = key
        self._prefix = f"{signature.timestamp}\n{signature.scope}"
        self._previous = signature.value

    def check_chunk(self, digest: str, given: str) -> None:
        self._check(f"{ALGORITHM}-PAYLOAD", f"{_EMPTY}\n{digest}", given)

    def check_trailer(self, digest: str, given: str) -> None:
        self._check(f"{ALGORITHM}-TRAILER", digest, given)

    def _check(self, algorithm: str, digests: str, given: str) -> None:
        text = f"{algorithm}\n{self._prefix}\n{self._previous}\n{digests}"
        expected = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise S3Error("SignatureDoesNotMatch")
        self._previous = expected


def _canonical(signature: Signature, request: S3Request) -> bytes:
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.pairs
        if name.lower() != b"x-amz-signature"
    )
    headers = "".join(
        f"{name}:{' '.join(request.sent_headers.get(name, '').split())}\n"
        for name in signature.signed_headers
    )
    lines = (
        request.method,
        quote(request.path, safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in query),
        headers,
        ";".join(signature.signed_headers),
        signature.payload_hash,
    )
    return "\n".join(lines).encode("latin-1", "replace")


def _signing_key(secret: str, signature: Signature) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _scope(credential: str, timestamp: str, malformed: str) -> tuple[str, str]:
    """Return the access key and the region in *credential*."""
    match = _CREDENTIAL.fullmatch(credential)
    if match is None:
        raise S3Error(malformed, "The credential is malformed.")
    key, date, region, service, _ = match.groups()
    if date != timestamp[:8]:
        raise S3Error(malformed, "The credential's date is not that of the request.")
    if service != "s3":
        raise S3Error(malformed, f'The credential is for "{service}"; expected "s3".')
    return key, region


def _epoch(timestamp: str) -> float | None:
    if not _TIMESTAMP.fullmatch(timestamp):
        return None
    try:
        moment = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - set below
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc).timestamp()


def _unsupported() -> S3Error:
    return S3Error(
        "InvalidRequest",
        "The authorization mechanism you have provided is not supported. "
        "Please use AWS4-HMAC-SHA256.",
    )
