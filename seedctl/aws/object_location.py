"""Where an object is in S3."""

from __future__ import annotations

from typing import NamedTuple


class ObjectLocation(NamedTuple):
    """One object: its bucket, key and region."""

    bucket: str
    key: str
    region: str
    accelerate: bool = False
    """Whether to use the S3 Transfer Acceleration endpoint."""
