"""What one call has at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedctl.local.s3 import index
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.rules import LIST, allows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.local.s3.callers import Requester
    from seedctl.local.s3.files import Files
    from seedctl.local.s3.index import StoredObject
    from seedctl.local.s3.requests import S3Request
    from seedctl.local.store import Store
    from seedctl.outputs.sections import BucketOutputs


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    files: Files
    buckets: Mapping[str, BucketOutputs]
    request: S3Request
    caller: Requester
    now: float

    @property
    def bucket(self) -> str:
        return self.request.bucket

    @property
    def key(self) -> str:
        return self.request.key

    def header(self, name: str, default: str = "") -> str:
        return self.request.headers.get(name, default)

    def parameter(self, name: str) -> str:
        return self.request.parameters.get(name, "")

    def outputs_of(self, bucket: str) -> BucketOutputs:
        """Return what the outputs file says of *bucket*. Raises S3Error if that is nothing."""
        if bucket not in self.buckets:
            raise S3Error("NoSuchBucket", BucketName=bucket)
        return self.buckets[bucket]

    def may(self, action: str, bucket: str, path: str) -> bool:
        """Whether the caller may do *action* there. Raises S3Error if there is no such bucket."""
        paths, role = self.outputs_of(bucket).paths, self.caller.role
        return role is None or allows(paths, role, action, path)

    def check(self, action: str, bucket: str, path: str) -> None:
        """Raise S3Error AccessDenied unless the caller may do *action* there."""
        if not self.may(action, bucket, path):
            raise S3Error("AccessDenied")

    def find(self, bucket: str, key: str) -> StoredObject | None:
        with self.store.reading() as view:
            return index.find(view, bucket, key)

    def existing(self, bucket: str, key: str) -> StoredObject:
        """Return that object. Raises S3Error; it tells only those who may list what is not there."""
        found = self.find(bucket, key)
        if found is not None:
            return found
        # [?] What a role may list is asked with the key itself as the prefix.
        if self.may(LIST, bucket, key):
            raise S3Error("NoSuchKey", Key=key)
        raise S3Error("AccessDenied")
