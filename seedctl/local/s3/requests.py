"""A request as S3 reads it: bucket, key, parameters, and the headers that mean something."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from seedctl.local.s3.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.bodies import Body
    from seedctl.local.http1 import Request

MAX_KEY_BYTES = 1024

# Parameters of the signature itself, and those that only say what is said elsewhere.
_SIGNATURE = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
)
_IGNORED = _SIGNATURE | {"x-id", "x-amz-content-sha256"}
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
    method: str
    path: bytes
    """Percent-decoded once."""
    bucket: str
    key: str
    """Literal: neither slashes nor dots mean anything in it."""
    pairs: tuple[tuple[bytes, bytes], ...]
    """All parameters, for the signature."""
    parameters: Mapping[str, str]
    """Those that are not the signature's, by name."""
    signature: Mapping[str, str]
    """The signature's, by name in lower case."""
    headers: Mapping[str, str]
    """Those that were sent, and in their place what the parameters say of the same."""
    sent_headers: Mapping[str, str]
    """For the signature."""
    body: Body

    def header(self, name: str) -> str | None:
        return self.headers.get(name)


def read_request(request: Request) -> S3Request:
    """Return *request* as S3 reads it. Raises S3Error."""
    assert request.stream is not None
    path = unquote_to_bytes(request.raw_path)
    bucket, _, key = request.raw_path[1:].partition("/")
    pairs = tuple(_pairs(request.query))
    named = {_text(name): _text(value) for name, value in pairs}
    signature = {name.lower(): value for name, value in named.items() if _is_signature(name)}
    headers = dict(request.headers)
    parameters = {}
    for name, value in named.items():
        if name.lower() in _IGNORED:
            continue
        if name.lower().startswith("x-amz-"):
            # A presigned URL carries headers too: there is nobody to send them. Whoever sends
            # others all the same does not change what was signed.
            headers[name.lower()] = value
        else:
            parameters[name] = value
    return S3Request(
        method=request.method,
        path=path,
        bucket=_text(unquote_to_bytes(bucket)),
        key=_text(unquote_to_bytes(key)),
        pairs=pairs,
        parameters=parameters,
        signature=signature,
        headers=headers,
        sent_headers=request.headers,
        body=request.stream,
    )


def check_headers(request: S3Request, account: str) -> None:
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
        if request.headers.get(name, account) != account:
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


def _is_signature(name: str) -> bool:
    return name.lower() in _SIGNATURE or name.lower() == "x-amz-content-sha256"


def _pairs(query: str) -> list[tuple[bytes, bytes]]:
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.replace("+", " ").partition("=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise S3Error("InvalidURI") from error
