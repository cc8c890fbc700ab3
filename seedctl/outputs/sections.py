"""The ``data`` and ``storage`` sections of the outputs file. None means: the file does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedctl.outputs.introspection import parse_introspection

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.outputs.models import Introspection
    from seedctl.outputs.reader import Reader

BucketPaths = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Path pattern to role to actions: ``{"pictures/*": {"authenticated": ("list", "write")}}``."""

REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
A_REGION = "an AWS region such as us-east-1"
# What botocore sends a request for, which is wider than what S3 allows to be created.
_BUCKET = re.compile(r"[a-zA-Z0-9._-]{1,255}")
_A_BUCKET = "the name of a bucket"


@dataclass(frozen=True, slots=True)
class DataOutputs:
    url: str
    aws_region: str
    default_authorization_type: str | None
    authorization_types: tuple[str, ...] | None
    api_key: str | None = field(repr=False)
    schema: Introspection | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class BucketOutputs:
    bucket_name: str
    aws_region: str
    name: str | None
    """The friendly name; None for the default bucket, which may be listed with one besides."""
    paths: BucketPaths | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StorageOutputs:
    default: BucketOutputs
    buckets: tuple[BucketOutputs, ...]


def parse_data(data: Reader, path: Path) -> DataOutputs:
    """Return the data section in *data*, of the file *path*. Raises InvalidAmplifyOutputsError."""
    url = data.text("url")
    if not _is_web_address(url):
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
    """Return the storage section in *storage*. Raises InvalidAmplifyOutputsError."""
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


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
