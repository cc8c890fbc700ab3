"""A request as S3 reads it: bucket, key, parameters, and the headers that mean something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from seedctl.local.protocol import ACCOUNT
from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.bodies import Body
    from seedctl.local.http1 import Request

MAX_KEY_BYTES = 1024

# Of the parameters, these are the signature's.
_SIGNATURE = re.compile(
    "x-amz-(algorithm|content-sha256|credential|date|expires|security-token|signature|signedheaders)"
)
# No object has tags here: whether to copy them makes no difference.
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
    """What the signature covers."""
    body: Body
    bucket: str
    key: str
    """Literal: neither slashes nor dots mean anything in it."""
    pairs: list[tuple[bytes, bytes]]
    """All parameters, for the signature."""
    parameters: Mapping[str, str]
    """Those that are not the signature's, by name."""
    signature: Mapping[str, str]
    """The signature's, by name in lower case."""
    headers: Mapping[str, str]
    """Those that were sent, and in their place what the parameters say of the same."""


def read_request(request: Request) -> S3Request:
    """Return *request* as S3 reads it. Raises S3Error."""
    assert request.stream is not None
    bucket, _, key = request.raw_path[1:].partition("/")
    # As latin-1 each character is a byte, of whatever the client percent-encoded.
    read = parse_qsl(request.query, keep_blank_values=True, encoding="latin-1")
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in read]
    headers = dict(request.headers)
    parameters, signature = {}, {}
    for name, value in {_text(name): _text(value) for name, value in pairs}.items():
        lower = name.lower()
        if _SIGNATURE.fullmatch(lower):
            signature[lower] = value
        elif lower.startswith("x-amz-"):
            # A presigned URL carries headers too: there is nobody to send them. Whoever sends
            # others all the same does not change what was signed.
            headers[lower] = value
        elif lower != "x-id":  # the operation's name, which the rest tells too
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
    """Refuse what asks for more than is done here, rather than do something else. Raises S3Error."""
    for name, value in request.headers.items():
        _check_header(name, value)
    # Buckets that Amplify makes have ACLs disabled.
    if request.headers.get("x-amz-acl", "private") not in ("private", "bucket-owner-full-control"):
        raise S3Error("AccessControlListNotSupported")
    for name, only in (("storage-class", "STANDARD"), ("server-side-encryption", "AES256")):
        if request.headers.get(f"x-amz-{name}", only) != only:
            raise S3Error("NotImplemented", f"Of x-amz-{name} only {only} is available locally.")
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
