"""What goes wrong with files: S3's refusals under S3's codes, and calls that never reach it.

All have exit code 1, but for what is missing from the backend's set-up. Names are those of the
JavaScript client.
"""

from __future__ import annotations

from seedctl.errors.base import SeedctlError


class StorageError(SeedctlError):
    """S3 refused the call; its own code is the name, its own text the message."""

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
        """Whether the call was made more than once, an earlier time having had no clear answer."""

    @property
    def name(self) -> str:
        own = type(self).__name__
        return self.code if own == "StorageError" else own


class AccessDenied(StorageError):  # noqa: N818 - S3's own code
    """The role of whoever is signed in, or of a guest, may not do this at this path."""


class NoSuchKey(StorageError):  # noqa: N818 - S3's own code
    """There is no object at this path."""


class NotFound(NoSuchKey):  # the JavaScript client's name
    """There is no object at this path; said by calls that S3 answers without a body."""


class PreconditionFailed(StorageError):  # noqa: N818 - S3's own code
    """An object is there already, and was not to be overwritten; or it has changed meanwhile."""


class NoIdentityId(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The path is made from an identity id, and nobody has one."""


class InvalidStorageBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The outputs file lists no bucket of this name."""


class InvalidStoragePathInput(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The path begins with a slash."""


class InvalidStorageOperationInput(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """No path was given, or one twice, or an option that does not go with the call."""


class InvalidUploadSource(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """What was given to upload is no data."""


class ObjectIsTooLarge(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """S3 takes no object of more than 5 TB."""


class UrlExpirationMaxLimitExceed(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The address was to hold for more than seven days."""


class InvalidAWSAccountID(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The expected owner of the bucket is not an account id."""


class InvalidCopyOperationStorageBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy that names a bucket on one side only."""


class NoSourcePath(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy without its source's path."""


class NoDestinationPath(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A copy without its destination's path."""


class NoBucket(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The backend has no storage resource, and the call needs one."""

    exit_code = 3
