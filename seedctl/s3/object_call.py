"""One call on one path: who makes it, where, and why it was denied if it was."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from seedctl.errors import AccessDenied, NoCredentials
from seedctl.s3.rules import explain_denial, may

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

    from seedctl.aws.credentials import Identity, IdentityCredentials
    from seedctl.s3.rules import Action
    from seedctl.s3.section import Bucket


class ObjectLocation(NamedTuple):
    """Where an object is."""

    bucket: str
    key: str
    region: str
    accelerate: bool = False


class Objects(Protocol):
    """What the storage room asks of S3; :class:`seedctl.aws.S3` does it."""

    def call(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str,
        identity: Identity,
        accelerate: bool = False,
    ) -> dict[str, Any]: ...

    def upload(
        self,
        location: ObjectLocation,
        source: IO[bytes] | str,
        options: Mapping[str, Any],
        *,
        part_size: int,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
        on_left_behind: Callable[[str], None],
    ) -> dict[str, Any]: ...

    def download(
        self,
        location: ObjectLocation,
        target: str,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        on_progress: Callable[[int], None] | None,
    ) -> dict[str, Any]: ...

    def read(
        self, location: ObjectLocation, options: Mapping[str, Any], *, identity: Identity
    ) -> tuple[dict[str, Any], Iterator[bytes]]: ...

    def presigned_url(
        self,
        location: ObjectLocation,
        options: Mapping[str, Any],
        *,
        identity: Identity,
        expires_in: int,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class ObjectCall:
    objects: Objects
    bucket: Bucket
    path: str
    identity: Identity
    accelerate: bool = False

    @property
    def location(self) -> ObjectLocation:
        return ObjectLocation(
            self.bucket.bucket_name, self.path, self.bucket.region, self.accelerate
        )

    def credentials(self) -> IdentityCredentials:
        """Return what signs the requests. Raises NoCredentials."""
        current = self.identity.credentials()
        if current is None:
            raise NoCredentials(
                "Credentials should not be empty.",
                resolution="Sign a user in first, or let guests in: files are reached with what "
                "the backend's identity pool gives.",
            )
        return current

    def call(self, operation: str, action: Action, **parameters: Any) -> dict[str, Any]:
        """Make one call on the bucket, which needs *action* at the path."""
        with self.explain_denials(action):
            return self.objects.call(
                operation,
                {"Bucket": self.bucket.bucket_name, **parameters},
                region=self.bucket.region,
                identity=self.identity,
                accelerate=self.accelerate,
            )

    @contextmanager
    def explain_source_denial(self) -> Iterator[None]:
        """Of a denied copy, say so where it is the source that may not be read."""
        try:
            yield
        except AccessDenied as error:
            current = self.identity.credentials()
            identity_id = current.identity_id if current is not None else ""
            caller = (self.identity.groups(), identity_id)
            if not may(self.bucket, self.path, "get", *caller):
                error.resolution = explain_denial(self.bucket, self.path, "get", *caller)
            raise

    @contextmanager
    def explain_denials(self, action: Action, path: str | None = None) -> Iterator[None]:
        """Add to a denial which path rule of the outputs file would have allowed *action*."""
        try:
            yield
        except AccessDenied as error:
            if error.resolution is not None:  # S3 has said that it is not about path rules
                raise
            current = self.identity.credentials()
            error.resolution = explain_denial(
                self.bucket,
                self.path if path is None else path,
                action,
                self.identity.groups(),
                current.identity_id if current is not None else "",
            )
            raise
