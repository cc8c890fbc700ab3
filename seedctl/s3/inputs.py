"""Validate the arguments of a storage call before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from seedctl.aws.credentials import Identity
from seedctl.errors import (
    InvalidAWSAccountID,
    InvalidCopyOperationStorageBucket,
    InvalidStorageOperationInput,
    InvalidStoragePathInput,
    NoDestinationPath,
    NoIdentityId,
    NoSourcePath,
    UrlExpirationMaxLimitExceed,
)
from seedctl.s3.results import (
    ChecksumAlgorithm,
    ContentDisposition,
    CopyDestination,
    CopySource,
    NewFile,
    StoragePath,
)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_METADATA_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_MAX_URL_SECONDS = 7 * 24 * 3600
_MAX_PATH_BYTES = 1024


def resolve_path(path: StoragePath, identity: Identity, *, may_be_empty: bool = False) -> str:
    """Return the object's key; call *path* with the identity id if it is a function.

    Raises InvalidStorageOperationInput, InvalidStoragePathInput, NoIdentityId.
    """
    if callable(path):
        current = identity.credentials()
        if current is None:
            raise NoIdentityId(
                "Missing identity ID when accessing objects in protected or private access level.",
                resolution="Sign a user in first; the backend needs an identity pool.",
            )
        path = path(current.identity_id)
    return check_path(path, may_be_empty=may_be_empty)


def check_path(path: object, *, may_be_empty: bool = False) -> str:
    """Return *path* if it can be an object's key.

    Raises InvalidStorageOperationInput, InvalidStoragePathInput.
    """
    if not isinstance(path, str) or not (path or may_be_empty):
        raise InvalidStorageOperationInput(
            "Path or key parameter must be specified in the input. Both can not be specified at "
            "the same time.",
            resolution="Give the path as text, or as a function of the identity id.",
        )
    if path.startswith("/"):
        raise InvalidStoragePathInput(
            "Input `path` does not allow a leading slash (/).",
            resolution=f"Write {path.lstrip('/')!r}.",
        )
    try:
        length = len(path.encode())
    except UnicodeEncodeError as error:
        raise InvalidStoragePathInput("The path is not valid Unicode text.") from error
    if length > _MAX_PATH_BYTES:
        raise InvalidStoragePathInput(f"The path has {length} bytes; S3 allows {_MAX_PATH_BYTES}.")
    return path


def owner_option(expected_bucket_owner: str | None) -> dict[str, Any]:
    """Return S3's parameter for the account the bucket must belong to.

    Raises InvalidAWSAccountID.
    """
    if expected_bucket_owner is None:
        return {}
    if not isinstance(expected_bucket_owner, str) or not _ACCOUNT.fullmatch(expected_bucket_owner):
        raise InvalidAWSAccountID(
            "Invalid AWS account ID was provided.", resolution="Give its twelve digits, as text."
        )
    return {"ExpectedBucketOwner": expected_bucket_owner}


def upload_options(
    file: NewFile,
    *,
    prevent_overwrite: bool,
    expected_bucket_owner: str | None,
    checksum_algorithm: ChecksumAlgorithm | None,
) -> dict[str, Any]:
    """Return S3's parameters for an upload, without a content type if none is given.

    Raises InvalidStorageOperationInput, InvalidAWSAccountID.
    """
    if checksum_algorithm not in {None, "crc-32"}:
        raise InvalidStorageOperationInput(
            f"There is no checksum algorithm {checksum_algorithm!r}.", resolution='Use "crc-32".'
        )
    options = owner_option(expected_bucket_owner)
    if file.content_type:
        options["ContentType"] = _header_value("content_type", file.content_type)
    if file.content_disposition is not None:
        options["ContentDisposition"] = _disposition_header(file.content_disposition)
    if file.content_encoding is not None:
        options["ContentEncoding"] = _header_value("content_encoding", file.content_encoding)
    if file.metadata:
        options["Metadata"] = _metadata_headers(file.metadata)
    if prevent_overwrite:
        options["IfNoneMatch"] = "*"
    if checksum_algorithm is not None:
        options["ChecksumAlgorithm"] = "CRC32"
    return options


def response_header_options(
    content_type: str | None,
    content_disposition: str | ContentDisposition | None,
    cache_control: str | None,
) -> dict[str, str]:
    """Return the S3 parameters that override headers of the response."""
    options: dict[str, str] = {}
    if content_type is not None:
        options["ResponseContentType"] = _header_value("content_type", content_type)
    if content_disposition is not None:
        options["ResponseContentDisposition"] = _disposition_header(content_disposition)
    if cache_control is not None:
        options["ResponseCacheControl"] = _header_value("cache_control", cache_control)
    return options


def check_url_expiration(expires_in: int) -> None:
    """Raise an error unless S3 accepts this lifetime in seconds.

    Raises UrlExpirationMaxLimitExceed, InvalidStorageOperationInput.
    """
    if expires_in > _MAX_URL_SECONDS:
        raise UrlExpirationMaxLimitExceed(
            "Url Expiration can not be greater than 7 Days.",
            resolution=f"Give at most {_MAX_URL_SECONDS} seconds.",
        )
    if expires_in < 1:
        raise InvalidStorageOperationInput(
            f"A URL cannot be valid for {expires_in} seconds.", resolution="Give 1 or more."
        )


def range_header(bytes_range: tuple[int, int]) -> str:
    """Return the Range header for *bytes_range*: the first and the last byte, both included."""
    start, end = bytes_range
    if not 0 <= start <= end:
        raise InvalidStorageOperationInput(
            f"{start} to {end} is not a range of bytes.",
            resolution="Give the first and the last byte, counted from 0.",
        )
    return f"bytes={start}-{end}"


def copy_parameters(
    source: StoragePath | CopySource, destination: StoragePath | CopyDestination
) -> tuple[CopySource, CopyDestination, dict[str, Any]]:
    """Return both sides of a copy as mappings, and the S3 parameters for its conditions.

    Raises NoSourcePath, NoDestinationPath, InvalidCopyOperationStorageBucket,
    InvalidAWSAccountID.
    """
    origin = source if isinstance(source, Mapping) else CopySource(path=source)
    target = destination if isinstance(destination, Mapping) else CopyDestination(path=destination)
    if not origin.get("path"):
        raise NoSourcePath("Missing source path in copy api call.")
    if not target.get("path"):
        raise NoDestinationPath("Missing destination path in copy api call.")
    if ("bucket" in origin) != ("bucket" in target):
        raise InvalidCopyOperationStorageBucket(
            "Missing bucket option in either source or destination.",
            resolution="Name the bucket on both sides, or on neither.",
        )
    options = owner_option(target.get("expected_bucket_owner"))
    owner = owner_option(origin.get("expected_bucket_owner"))
    if owner:
        options["ExpectedSourceBucketOwner"] = owner["ExpectedBucketOwner"]
    if "e_tag" in origin:
        options["CopySourceIfMatch"] = origin["e_tag"]
    if "not_modified_since" in origin:
        options["CopySourceIfUnmodifiedSince"] = origin["not_modified_since"]
    return origin, target, options


def _header_value(option: str, value: object) -> str:
    """Return *value*, given as *option*, if it can be sent. Raises InvalidStorageOperationInput."""
    if not isinstance(value, str):
        raise InvalidStorageOperationInput(f"{option} must be text, not {type(value).__name__}.")
    if _CONTROL.search(value):
        raise _cannot_be_sent(option, "line breaks or other control characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _cannot_be_sent(option, "invalid Unicode") from error
    return value


def _metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return *metadata* with its names in lower case, as S3 stores them.

    Raises InvalidStorageOperationInput.
    """
    if not isinstance(metadata, Mapping):
        raise InvalidStorageOperationInput(
            f"metadata is a {type(metadata).__name__}.",
            resolution="Give a mapping of text to text.",
        )
    found: dict[str, str] = {}
    for name, value in metadata.items():
        if not isinstance(name, str) or not _METADATA_NAME.fullmatch(name):
            raise InvalidStorageOperationInput(
                f"{name!r} cannot be a metadata name: it becomes part of a header name.",
                resolution="Use letters, digits and hyphens.",
            )
        option = f"metadata[{name!r}]"
        if not _header_value(option, value).isascii():
            raise _cannot_be_sent(option, "non-ASCII characters")
        found[name.lower()] = value
    return found


def _disposition_header(disposition: str | ContentDisposition) -> str:
    """Return the Content-Disposition header. Raises InvalidStorageOperationInput."""
    option = "content_disposition"
    if not isinstance(disposition, Mapping):
        return _header_value(option, disposition)
    kind = _header_value(f"{option}['type']", disposition.get("type", "attachment"))
    filename = disposition.get("filename")
    if filename is None:
        return kind
    # Unescaped, a quotation mark would end the name, and the rest would be read as parameters.
    escaped = re.sub(r'(["\\])', r"\\\1", _header_value(f"{option}['filename']", filename))
    return f'{kind}; filename="{escaped}"'


def _cannot_be_sent(option: str, what: str) -> InvalidStorageOperationInput:
    return InvalidStorageOperationInput(
        f"{option} cannot be sent as a header: it contains {what}.",
        resolution="Remove or encode them.",
    )
