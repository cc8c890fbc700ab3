"""Verify signatures version 4 as S3 does: in headers, in presigned URLs, and of chunks."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote_to_bytes

from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.requests import S3Request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"

_MAX_SKEW = 15 * 60.0
_MAX_EXPIRES = 7 * 24 * 3600
_FIELDS = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([^, ]+) *, *SignedHeaders=([^, ]+) *, *Signature=([0-9a-f]+) *"
)
_CREDENTIAL = re.compile(r"([^/]+)/(([0-9]{8})/[a-z0-9-]+/([a-z0-9-]+)/aws4_request)")
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a request and its parameters."""

    access_key_id: str
    scope: str
    """The scope of the signing key: date, region and service."""
    timestamp: str
    signed_at: float
    signed_headers: str
    """Header names, separated by semicolons."""
    value: str = field(repr=False)
    token: str | None = field(repr=False)
    payload_hash: str
    expires: int | None = None
    """Seconds after *signed_at*, for a presigned URL."""


def read_signature(request: S3Request) -> Signature:
    """Return the signature of *request*. Raises S3Error, AccessDenied if it was not signed."""
    headers = request.headers
    authorization = headers.get("authorization")
    if authorization is None:
        if {"x-amz-algorithm", "x-amz-signature"} & request.signature.keys():
            return _from_query(request)
        if not {"AWSAccessKeyId", "Signature"} & request.parameters.keys():
            raise S3Error("AccessDenied")
    if authorization is None or not authorization.startswith(ALGORITHM):
        raise S3Error(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. "
            "Please use AWS4-HMAC-SHA256.",
        )
    match = _FIELDS.fullmatch(authorization)
    if match is None:
        raise S3Error("AuthorizationHeaderMalformed")
    timestamp = headers.get("x-amz-date", "")
    signed_at = _epoch(timestamp)
    if signed_at is None:
        raise S3Error(
            "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"
        )
    payload_hash = headers.get("x-amz-content-sha256")
    if payload_hash is None:
        raise S3Error(
            "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"
        )
    key, scope = _scope(match[1], timestamp, "AuthorizationHeaderMalformed")
    return Signature(
        access_key_id=key,
        scope=scope,
        timestamp=timestamp,
        signed_at=signed_at,
        signed_headers=match[2],
        value=match[3],
        token=headers.get("x-amz-security-token"),
        payload_hash=payload_hash,
    )


def _from_query(request: S3Request) -> Signature:
    given, headers = request.signature, request.headers
    malformed = "AuthorizationQueryParametersError"
    if given.get("x-amz-algorithm") != ALGORITHM:
        raise S3Error(malformed, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    for name in ("credential", "date", "expires", "signedheaders", "signature"):
        if f"x-amz-{name}" not in given:
            raise S3Error(malformed, f"Query-string authentication lacks X-Amz-{name.title()}.")
    timestamp = given["x-amz-date"]
    signed_at = _epoch(timestamp)
    if signed_at is None:
        raise S3Error(malformed, "X-Amz-Date must be in the ISO8601 Long Format")
    expires = given["x-amz-expires"]
    if not re.fullmatch("[0-9]{1,18}", expires):
        raise S3Error(malformed, "X-Amz-Expires should be a number")
    if int(expires) > _MAX_EXPIRES:
        raise S3Error(
            malformed, "X-Amz-Expires must be less than a week (in seconds); that is, 604800"
        )
    payload_hash = given.get("x-amz-content-sha256") or headers.get("x-amz-content-sha256")
    key, scope = _scope(given["x-amz-credential"], timestamp, malformed)
    return Signature(
        access_key_id=key,
        scope=scope,
        timestamp=timestamp,
        signed_at=signed_at,
        signed_headers=given["x-amz-signedheaders"],
        value=given["x-amz-signature"],
        token=given.get("x-amz-security-token") or headers.get("x-amz-security-token"),
        payload_hash=payload_hash or UNSIGNED,
        expires=int(expires),
    )


def check_expiry(signature: Signature, now: float) -> None:
    """Raise S3Error for a presigned URL that has expired or is not valid yet."""
    if signature.expires is None:
        return
    if now > signature.signed_at + signature.expires:
        raise S3Error("AccessDenied", "Request has expired")
    if now < signature.signed_at - _MAX_SKEW:
        raise S3Error("AccessDenied", "Request is not valid yet")


def verify(signature: Signature, secret: str, request: S3Request, now: float) -> ChunkVerifier:
    """Verify that *secret* signed *request* recently, and return the verifier of its chunks.

    Raises S3Error.
    """
    if signature.expires is None and abs(now - signature.signed_at) > _MAX_SKEW:
        raise S3Error("RequestTimeTooSkewed")
    # For a presigned URL too: a signed parameter does not cover the header of the same name.
    unsigned = {"host", *(name for name in request.sent.headers if name.startswith("x-amz-"))}
    unsigned -= {*signature.signed_headers.split(";")}
    if unsigned:
        raise S3Error(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            HeadersNotSigned=", ".join(sorted(unsigned)),
        )
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    canonical = hashlib.sha256(_canonical(signature, request)).hexdigest()
    text = f"{ALGORITHM}\n{signature.timestamp}\n{signature.scope}\n{canonical}"
    _check(key, text, signature.value)
    check_expiry(signature, now)
    return ChunkVerifier(key, signature)


def _check(key: bytes, text: str, given: str) -> None:
    """Raise S3Error unless *given* is the signature of *text*."""
    expected = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise S3Error("SignatureDoesNotMatch")


class ChunkVerifier:
    """Verifies the signatures of chunks and trailers; each one also signs the one before it."""

    def __init__(self, key: bytes, signature: Signature) -> None:
        self._key = key
        self._prefix = f"{signature.timestamp}\n{signature.scope}"
        self._previous = signature.value

    def check_chunk(self, digest: str, given: str) -> None:
        self._check(f"{ALGORITHM}-PAYLOAD", f"{_EMPTY}\n{digest}", given)

    def check_trailer(self, digest: str, given: str) -> None:
        self._check(f"{ALGORITHM}-TRAILER", digest, given)

    def _check(self, algorithm: str, digests: str, given: str) -> None:
        _check(self._key, f"{algorithm}\n{self._prefix}\n{self._previous}\n{digests}", given)
        self._previous = given


def _canonical(signature: Signature, request: S3Request) -> bytes:
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.pairs
        if name.lower() != b"x-amz-signature"
    )
    headers = (
        f"{name}:{' '.join(request.sent.headers.get(name, '').split())}\n"
        for name in signature.signed_headers.split(";")
    )
    lines = (
        request.sent.method,
        quote(unquote_to_bytes(request.sent.raw_path), safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in query),
        "".join(headers),
        signature.signed_headers,
        signature.payload_hash,
    )
    return "\n".join(lines).encode("latin-1", "replace")


def _scope(credential: str, timestamp: str, malformed: str) -> tuple[str, str]:
    """Return the access key and the scope in *credential*. Raises S3Error *malformed*."""
    match = _CREDENTIAL.fullmatch(credential)
    if match is None:
        raise S3Error(malformed, "The credential is malformed.")
    key, scope, date, service = match.groups()
    if date != timestamp[:8]:
        raise S3Error(malformed, "The credential's date is not that of the request.")
    if service != "s3":
        raise S3Error(malformed, f'The credential is for "{service}"; expected "s3".')
    return key, scope


def _epoch(timestamp: str) -> float | None:
    if _TIMESTAMP.fullmatch(timestamp):
        with contextlib.suppress(ValueError):
            return datetime.strptime(f"{timestamp}+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
    return None
