"""The checksums that clients send with an object, and that S3 verifies."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from seedctl.local.s3.errors import Headers, S3Error

PREFIX = "x-amz-checksum-"


class Digest(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


class CRC32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


SIZES = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
# No installed library computes the other two fast enough: they are stored as sent, unverified.
_COMPUTED: Mapping[str, Callable[[], Digest]] = {
    "crc32": CRC32,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


def digest_of(algorithm: str | None) -> Digest | None:
    """Return a new digest of *algorithm*, None if the sandbox does not compute it."""
    make = _COMPUTED.get(algorithm or "")
    return make() if make is not None else None


def checksum_in(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the checksum in *headers* by its algorithm, {} if there is none. Raises S3Error."""
    found = {name: headers[PREFIX + name] for name in SIZES if PREFIX + name in headers}
    if len(found) > 1:
        raise S3Error(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )
    for algorithm, value in found.items():
        if from_base64(value, SIZES[algorithm]) is None:
            raise S3Error("InvalidRequest", f"Value for {PREFIX}{algorithm} header is invalid.")
    return found


def from_base64(value: str, size: int) -> bytes | None:
    """Return the *size* bytes that *value* encodes, None if it does not encode that many bytes."""
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None


def to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def checksum_of_parts(algorithm: str, parts: list[dict[str, str]]) -> str | None:
    """Return the checksum of the checksums of *parts*, None if it cannot be computed."""
    digest = digest_of(algorithm)
    raw = [from_base64(part.get(algorithm, ""), SIZES[algorithm]) for part in parts]
    if digest is None or None in raw:
        return None
    digest.update(b"".join(filter(None, raw)))
    return f"{to_base64(digest.digest())}-{len(parts)}"


def checksum_headers(checksums: Mapping[str, str], kind: str) -> Headers:
    if not checksums:
        return ()
    return (*part_headers(checksums), (f"{PREFIX}type", kind))


def part_headers(checksums: Mapping[str, str]) -> Headers:
    return tuple((PREFIX + algorithm, value) for algorithm, value in checksums.items())


def checksum_elements(checksums: Mapping[str, str]) -> dict[str, str]:
    return {f"Checksum{algorithm.upper()}": value for algorithm, value in checksums.items()}
