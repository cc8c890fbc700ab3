"""Validate what S3 stores as headers of an object, so that errors name the option."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from seedctl.errors import InvalidStorageOperationInput

if TYPE_CHECKING:
    from seedctl.s3.results import ContentDisposition

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def header_value(option: str, value: object) -> str:
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


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
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
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidStorageOperationInput(
                f"{name!r} cannot be a metadata name: it becomes part of a header name.",
                resolution="Use letters, digits and hyphens.",
            )
        option = f"metadata[{name!r}]"
        if not header_value(option, value).isascii():
            raise _cannot_be_sent(option, "non-ASCII characters")
        found[name.lower()] = value
    return found


def disposition_header(disposition: str | ContentDisposition) -> str:
    """Return the Content-Disposition header. Raises InvalidStorageOperationInput."""
    option = "content_disposition"
    if not isinstance(disposition, Mapping):
        return header_value(option, disposition)
    kind = header_value(f"{option}['type']", disposition.get("type", "attachment"))
    filename = disposition.get("filename")
    if filename is None:
        return kind
    # Unescaped, a quotation mark would end the name, and the rest would be read as parameters.
    escaped = re.sub(r'(["\\])', r"\\\1", header_value(f"{option}['filename']", filename))
    return f'{kind}; filename="{escaped}"'


def _cannot_be_sent(option: str, what: str) -> InvalidStorageOperationInput:
    return InvalidStorageOperationInput(
        f"{option} cannot be sent as a header: it contains {what}.",
        resolution="Remove or encode them.",
    )
