"""The ``data`` and ``storage`` sections of the outputs file. None means that the file does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from seedctl.outputs.introspection import parse_introspection
from seedctl.outputs.models import Introspection
from seedctl.outputs.reader import Reader

BucketPaths = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Actions by role by path pattern: ``{"pictures/*": {"authenticated": ("list", "write")}}``."""

REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
A_REGION = "an AWS region such as us-east-1"
# The bucket names that botocore accepts, which are more than those that S3 allows for new buckets.
_BUCKET = re.compile(r"[a-zA-Z0-9._-]{1,255}")
_A_BUCKET = "the name of a bucket"


@dataclass(frozen=True, slots=True)
class DataOutputs:
    """The AppSync API."""

    url: str
    aws_region: str
    default_authorization_type: str | None
    authorization_types: tuple[str, ...] | None
    api_key: str | None = field(repr=False)
    schema: Introspection | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class BucketOutputs:
    """One S3 bucket."""

    bucket_name: str
    aws_region: str
    name: str | None
    """The friendly name. None for the default bucket, which may also be listed with a name."""
    paths: BucketPaths | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StorageOutputs:
    """The default bucket, and the list of all buckets that have a friendly name."""

    default: BucketOutputs
    buckets: tuple[BucketOutputs, ...]


def parse_data(data: Reader, path: Path) -> DataOutputs:
    """Parse the data section of the file *path*. Raises InvalidAmplifyOutputsError."""
    url = data.text("url")
    if not is_web_address(url):
        data.fail("url", "an https address", url)
    introspection = data.raw("model_introspection")
    return DataOutputs(
        url=url,
        aws_region=data.matching("aws_region", REGION, A_REGION),
        default_authorization_type=data.optional_text("default_authorization_type"),
        authorization_types=data.optional_texts("authorization_types"),
        api_key=data.optional_text("api_key"),
        schema=None if introspection is None else parse_introspection(introspection, path),
    )


def parse_storage(storage: Reader) -> StorageOutputs:
    """Parse the storage section. Raises InvalidAmplifyOutputsError."""
    buckets: list[BucketOutputs] = []
    for entry in storage.optional_objects("buckets") or []:
        name = entry.text("name")
        if any(bucket.name == name for bucket in buckets):
            entry.fail("name", "a friendly name that no other bucket has", name)
        buckets.append(_bucket(entry, name))
    return StorageOutputs(_bucket(storage, None), tuple(buckets))


def _bucket(entry: Reader, name: str | None) -> BucketOutputs:
    paths = entry.child("paths")
    return BucketOutputs(
        bucket_name=entry.matching("bucket_name", _BUCKET, _A_BUCKET),
        aws_region=entry.matching("aws_region", REGION, A_REGION),
        name=name,
        paths=None
        if paths is None
        else {
            pattern: {role: roles.optional_texts(role) or () for role in roles.keys()}  # noqa: SIM118
            for pattern, roles in paths.children()
        },
    )


def is_web_address(url: str) -> bool:
    """Whether *url* is an http or https address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
