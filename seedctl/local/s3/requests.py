"""An HTTP request parsed as S3 does: bucket, key, parameters and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

from seedctl.local.bodies import Body
from seedctl.local.http1 import Request
from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3.errors import S3Error

MAX_KEY_BYTES = 1024

# The parameters that belong to the signature of a presigned URL.
_SIGNATURE = re.compile(
    "x-amz-(algorithm|content-sha256|credential|date|expires|security-token|signature|signedheaders)"
)
# tagging-directive has no effect, since objects have no tags here.
_KNOWN_HEADERS = re.compile(
    r"""x-amz-(
        acl | checksum-.* | content-sha256 | copy-source(-if-.*|-range)? | date
        | decoded-content-length | expected-bucket-owner | grant-.* | meta-.* | metadata-directive
        | mp-object-size | request-payer | sdk-checksum-algorithm | security-token
        | server-side-encryption | source-expected-bucket-owner | storage-class
        | tagging-directive | trailer
        | user-agent )""",
    re.VERBOSE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class S3Request:
    sent: Request
    """The request as it was received, which the signature covers."""
    body: Body
    bucket: str
    key: str
    """Taken literally: slashes and dots have no meaning in it."""
    pairs: list[tuple[bytes, bytes]]
    """All parameters, to verify the signature."""
    parameters: Mapping[str, str]
    """The other parameters, by name."""
    signature: Mapping[str, str]
    """The parameters of the signature, by name in lower case."""
    headers: Mapping[str, str]
    """The received headers, overridden by ``x-amz-`` parameters of a presigned URL."""


def read_request(request: Request) -> S3Request:
    """Parse *request*. Raises S3Error."""
    assert request.stream is not None
    bucket, _, key = request.raw_path[1:].partition("/")
    # Decoded as latin-1 each character is one byte: the client may have encoded any bytes.
    read = parse_qsl(request.query, keep_blank_values=True, encoding="latin-1")
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in read]
    headers = dict(request.headers)
    parameters, signature = {}, {}
    for name, value in {_text(name): _text(value) for name, value in pairs}.items():
        lower = name.lower()
        if _SIGNATURE.fullmatch(lower):
            signature[lower] = value
        elif lower.startswith("x-amz-"):
            # A presigned URL has headers as parameters. They win over received headers, since
            # they are what was signed.
            headers[lower] = value
        elif lower != "x-id":  # names the operation, which follows from the rest anyway
            parameters[name] = value
    return S3Request(
        sent=request,
        body=request.stream,
        bucket=_text(unquote_to_bytes(bucket)),
        key=_text(unquote_to_bytes(key)),
        pairs=pairs,
        parameters=parameters,
        signature=signature,
        headers=headers,
    )


def check_headers(request: S3Request) -> None:
    """Raise S3Error for a header that asks for something the sandbox does not do."""
    for name, value in request.headers.items():
        _check_header(name, value)
    # Amplify creates buckets with ACLs disabled.
    if request.headers.get("x-amz-acl", "private") not in ("private", "bucket-owner-full-control"):
        raise S3Error("AccessControlListNotSupported")
    for name, only in (("storage-class", "STANDARD"), ("server-side-encryption", "AES256")):
        if request.headers.get(f"x-amz-{name}", only) != only:
            raise S3Error("NotImplemented", f"x-amz-{name} must be {only} on the local sandbox.")
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        if request.headers.get(name, ACCOUNT) != ACCOUNT:
            raise S3Error("AccessDenied")
    size = len(request.key.encode())
    if size > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", MaxSizeAllowed=str(MAX_KEY_BYTES), Size=str(size))


def _check_header(name: str, value: str) -> None:
    if _CONTROL.search(value):
        raise S3Error("InvalidArgument", f"The header {name} has control characters.")
    if name.startswith("x-amz-") and not _KNOWN_HEADERS.fullmatch(name):
        raise S3Error(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            Header=name,
        )
    if name.startswith("x-amz-grant-"):
        raise S3Error("AccessControlListNotSupported")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidURI") from error
