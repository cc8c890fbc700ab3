"""Errors about files: S3 refused a call, or seedctl did before it was sent.

Exit code 1, or 3 if the backend lacks what the call needs. The names are S3's error codes, or those
of the JavaScript client.
"""

from __future__ import annotations

from seedctl.errors.base import SeedctlError


class StorageError(SeedctlError):
    """S3 refused the call. The name is S3's error code, the message S3's own text."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        http_status: int | None = None,
        request_id: str = "",
        extended_request_id: str = "",
        resolution: str | None = None,
    ) -> None:
        super().__init__(message, resolution=resolution)
        self.code = code or type(self).__name__
        self.http_status = http_status
        self.request_id = request_id
        self.extended_request_id = extended_request_id
        self.was_repeated = False
        """Whether this was a retry, after an attempt without a clear response."""

    @property
    def name(self) -> str:
        own = type(self).__name__
        return self.code if own == "StorageError" else own


class AccessDenied(StorageError):  # noqa: N818 - S3's own code
    """The IAM role of the current user, or of guests, may not do this with this path."""


class NoSuchKey(StorageError):  # noqa: N818 - S3's own code
    """No object exists at this path."""


class NotFound(NoSuchKey):  # the JavaScript client's name
    """No object exists at this path; for calls to which S3 responds without a body."""


class PreconditionFailed(StorageError):  # noqa: N818 - S3's own code
    """An object exists that must not be overwritten, or it has changed meanwhile."""


class NoIdentityId(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The path needs an identity id, and the current user or guest has none."""


class InvalidStorageBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The outputs file lists no bucket with this name."""


class InvalidStoragePathInput(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The path begins with a slash, or S3 does not allow it."""


class InvalidStorageOperationInput(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """No path was given, or a path twice, or an option that this call does not allow."""


class InvalidUploadSource(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The given object is nothing that can be uploaded."""


class ObjectIsTooLarge(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The object is larger than 5 TB, which S3 does not allow."""


class UrlExpirationMaxLimitExceed(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The URL was to be valid for more than seven days."""


class InvalidAWSAccountID(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The expected owner of the bucket is not an account id."""


class InvalidCopyOperationStorageBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy names a bucket for only one of source and destination."""


class NoSourcePath(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy has no source path."""


class NoDestinationPath(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy has no destination path."""


class NoBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The call needs a storage resource, and the backend has none."""

    exit_code = 3
