"""The ``storage`` section of the outputs file: buckets, and who may do what at which path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.errors import InvalidStorageBucket, InvalidStorageOperationInput, NoBucket
from seedctl.project.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.project import AmplifyOutputs

Rules = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Path pattern to role to actions: ``{"pictures/*": {"authenticated": ("list", "write")}}``."""


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """A bucket by its own name, for one that the outputs file does not list."""

    bucket_name: str
    region: str


@dataclass(frozen=True, slots=True)
class Bucket:
    bucket_name: str
    region: str
    name: str | None = None
    """The friendly name; None for one that the outputs file gives none."""
    rules: Rules | None = field(default=None, repr=False)
    """None where the outputs file does not tell the rules."""

    @property
    def shown(self) -> str:
        return self.name or self.bucket_name


@dataclass(frozen=True, slots=True)
class StorageSection:
    default: Bucket
    named: Mapping[str, Bucket]
    """The buckets by their friendly names."""

    def bucket(self, choice: str | BucketInfo | None) -> Bucket:
        """Return the bucket that *choice* means. Raises InvalidStorageBucket."""
        if choice is None:
            return self.default
        if isinstance(choice, BucketInfo):
            known = (each for each in self.named.values() if each.bucket_name == choice.bucket_name)
            rules = next((each.rules for each in known), None)
            return Bucket(choice.bucket_name, choice.region, rules=rules)
        if not isinstance(choice, str):
            raise InvalidStorageOperationInput(
                f"A {type(choice).__name__} does not name a bucket.",
                resolution="Give the friendly name of the outputs file, or a BucketInfo.",
            )
        if choice not in self.named:
            known_names = ", ".join(sorted(self.named)) or "none"
            raise InvalidStorageBucket(
                f"Unable to lookup bucket from provided name in Amplify configuration: {choice!r}.",
                resolution=f"The outputs file has: {known_names}.",
            )
        return self.named[choice]


def parse_storage_section(outputs: AmplifyOutputs) -> StorageSection:
    """Return the storage section of *outputs*. Raises NoBucket, InvalidAmplifyOutputsError."""
    storage = Reader(outputs.document, outputs.path).child("storage")
    if storage is None:
        raise NoBucket(
            f"{outputs.path} has no storage section: this backend has no storage resource.",
            resolution="Add one in amplify/storage/resource.ts, deploy, and run again.",
        )
    named: dict[str, Bucket] = {}
    for entry in storage.optional_objects("buckets") or []:
        bucket = Bucket(
            entry.text("bucket_name"),
            entry.text("aws_region"),
            entry.text("name"),
            _rules(entry.child("paths")),
        )
        assert bucket.name is not None
        if bucket.name in named:
            entry.fail("name", "a friendly name that no other bucket has", bucket.name)
        named[bucket.name] = bucket
    default = storage.text("bucket_name")
    region = storage.text("aws_region")
    listed = (bucket for bucket in named.values() if bucket.bucket_name == default)
    return StorageSection(next(listed, Bucket(default, region)), named)


def _rules(paths: Reader | None) -> Rules | None:
    if paths is None:
        return None
    return {pattern: dict(_roles(paths, pattern)) for pattern in paths.keys()}  # noqa: SIM118


def _roles(paths: Reader, pattern: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    roles = paths.child(pattern)
    for role in roles.keys() if roles is not None else ():
        assert roles is not None
        yield role, roles.optional_texts(role) or ()
