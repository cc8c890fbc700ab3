"""One call on one object or prefix: its bucket, key and caller, and why S3 denied it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seedctl.aws.credentials import Identity, IdentityCredentials, ObjectLocation
from seedctl.errors import AccessDenied, NoCredentials
from seedctl.s3.rules import Action, explain_denial, may
from seedctl.s3.section import Bucket

if TYPE_CHECKING:
    from seedctl.aws.objects import S3


@dataclass(frozen=True, slots=True)
class ObjectCall:
    s3: S3
    bucket: Bucket
    path: str
    """The object's key, or the beginning of several."""
    identity: Identity
    """The caller, bound: it stays the same in all threads of this call."""
    accelerate: bool = False

    @property
    def location(self) -> ObjectLocation:
        return ObjectLocation(
            self.bucket.bucket_name, self.path, self.bucket.region, self.accelerate
        )

    def credentials(self) -> IdentityCredentials:
        """Return the caller's identity and credentials. Raises NoCredentials."""
        current = self.identity.credentials()
        if current is None:
            raise NoCredentials(
                "Credentials should not be empty.",
                resolution="Sign a user in first, or allow guest access: storage calls need "
                "credentials from the backend's identity pool.",
            )
        return current

    def send(self, operation: str, action: Action, **parameters: object) -> dict[str, Any]:
        """Call S3 on this bucket, which needs permission for *action* at the path."""
        with self.explain_denials(action):
            return self.s3.call(operation, self.location, parameters, identity=self.identity)

    @contextmanager
    def explain_source_denial(self) -> Iterator[None]:
        """For a denied copy, explain the denial if the caller may not read the source."""
        try:
            yield
        except AccessDenied as error:
            if not may(self.bucket, self.path, "get", *self._caller()):
                error.resolution = explain_denial(self.bucket, self.path, "get", *self._caller())
            raise

    @contextmanager
    def explain_denials(self, action: Action, path: str | None = None) -> Iterator[None]:
        """Add to a denial which path rules of the outputs file allow *action*."""
        try:
            yield
        except AccessDenied as error:
            if error.resolution is not None:  # S3 named another cause than the path rules
                raise
            denied = self.path if path is None else path
            error.resolution = explain_denial(self.bucket, denied, action, *self._caller())
            raise

    def _caller(self) -> tuple[tuple[str, ...] | None, str]:
        """Return the caller's user pool groups and identity id."""
        current = self.identity.credentials()
        return self.identity.groups(), current.identity_id if current is not None else ""
