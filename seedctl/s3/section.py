"""The ``storage`` section of the outputs file: buckets and their path rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seedctl.errors import InvalidStorageBucket, InvalidStorageOperationInput, NoBucket
from seedctl.outputs import AmplifyOutputs
from seedctl.outputs.sections import BucketPaths


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """A bucket by its real name, for one that the outputs file does not list.

    Args:
        bucket_name: The name of the bucket in S3.
        region: The AWS region it is in, such as "us-east-1".
    """

    bucket_name: str
    region: str


@dataclass(frozen=True, slots=True)
class Bucket:
    bucket_name: str
    region: str
    name: str | None = None
    """The friendly name; None if the outputs file has none."""
    rules: BucketPaths | None = field(default=None, repr=False)
    """None if the outputs file does not list the rules."""

    @property
    def display_name(self) -> str:
        return self.name or self.bucket_name


@dataclass(frozen=True, slots=True)
class StorageSection:
    default: Bucket
    named: Mapping[str, Bucket]
    """The buckets by friendly name."""

    def lists(self, bucket: Bucket) -> bool:
        """Whether *bucket* is one of the outputs file."""
        listed = (self.default, *self.named.values())
        return any(each.bucket_name == bucket.bucket_name for each in listed)

    def bucket(self, choice: str | BucketInfo | None) -> Bucket:
        """Return the bucket *choice* names; the default bucket for None.

        Raises InvalidStorageBucket, InvalidStorageOperationInput.
        """
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
    """Return the storage section of *outputs* as the client uses it. Raises NoBucket."""
    storage = outputs.storage
    if storage is None:
        raise NoBucket(
            f"{outputs.path} has no storage section: this backend has no storage resource.",
            resolution="Add one in amplify/storage/resource.ts and deploy; or, for --local, run "
            "seedctl local init.",
        )
    named = {
        entry.name: Bucket(entry.bucket_name, entry.aws_region, entry.name, entry.paths)
        for entry in storage.buckets
        if entry.name is not None
    }
    name = storage.default.bucket_name
    listed = (bucket for bucket in named.values() if bucket.bucket_name == name)
    unlisted = Bucket(name, storage.default.aws_region, rules=storage.default.paths)
    return StorageSection(next(listed, unlisted), named)
