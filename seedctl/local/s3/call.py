"""One S3 request with its caller and the state that its handler works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedctl.local.s3 import index
from seedctl.local.s3.callers import Requester
from seedctl.local.s3.errors import S3Error
from seedctl.local.s3.files import Files
from seedctl.local.s3.index import StoredObject
from seedctl.local.s3.requests import S3Request
from seedctl.local.s3.rules import LIST, allows
from seedctl.local.store import Store
from seedctl.outputs.sections import BucketOutputs


@dataclass(frozen=True, slots=True)
class S3Call:
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
        """Return the entry of *bucket* in the outputs file. Raises S3Error if there is none."""
        if bucket not in self.buckets:
            raise S3Error("NoSuchBucket", BucketName=bucket)
        return self.buckets[bucket]

    def is_allowed(self, action: str, bucket: str, path: str) -> bool:
        """Whether the caller may do *action* at *path*. Raises S3Error without such a bucket."""
        paths, role = self.outputs_of(bucket).paths, self.caller.role
        return role is None or allows(paths, role, action, path)

    def require(self, action: str, bucket: str, path: str) -> None:
        """Raise S3Error AccessDenied unless the caller may do *action* at *path*."""
        if not self.is_allowed(action, bucket, path):
            raise S3Error("AccessDenied")

    def find_object(self, bucket: str, key: str) -> StoredObject | None:
        with self.store.reading() as view:
            return index.find(view, bucket, key)

    def require_object(self, bucket: str, key: str) -> StoredObject:
        """Return that object. Raises S3Error if it does not exist.

        Only a caller who may list gets NoSuchKey; others get AccessDenied.
        """
        found = self.find_object(bucket, key)
        if found is not None:
            return found
        # [?] The permission to list is checked with the key itself as the prefix.
        self.require(LIST, bucket, key)
        raise S3Error("NoSuchKey", Key=key)
