"""What goes wrong with records: AppSync's errors, and calls that never reach it.

All have exit code 1, but for what is missing from the backend's set-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class GraphQLError(SeedctlError):
    """AppSync answered with errors; its own text is the message."""

    def __init__(
        self,
        message: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        data: Any = None,
        auth_mode: str = "",
        auth_mode_source: str = "",
        resolution: str | None = None,
    ) -> None:
        """*data* is what came along with the errors; *auth_mode_source* is call, client or default."""
        super().__init__(message, resolution=resolution)
        self.errors = list(errors)
        self.data = data
        self.auth_mode = auth_mode
        self.auth_mode_source = auth_mode_source


class UnauthorizedError(GraphQLError):
    """The API's rules do not let this caller do this, or it does not accept the credentials."""


class ConditionalCheckFailedError(GraphQLError):
    """A create of what is there already, or an update or delete of what is not there."""


class InvalidArgumentsError(GraphQLError):
    """Arguments that AppSync's resolvers refuse in their combination."""


class GraphQLValidationError(GraphQLError):
    """The document or its variables do not fit the deployed schema; nothing was done."""


class DynamoDBError(GraphQLError):
    """The table refused the request."""


class InvalidInputError(SeedctlError):
    """Fields, keys or arguments that do not fit the schema; nothing was sent."""


class InvalidSelectionSetError(SeedctlError):
    """A selection set that names what the model does not have; nothing was sent."""


class InvalidAuthModeError(SeedctlError):
    """No such auth mode, or one that does not go with the other options."""


class _NoSuchNameError(SeedctlError, AttributeError):
    """Also an AttributeError, so that hasattr() works on what looks names up."""

    @property
    def name(self) -> str:
        return type(self).__name__

    @name.setter
    def name(self, value: str) -> None:
        """Take no notice: Python would set the attribute's name here, for its own suggestions."""


class UnknownModelError(_NoSuchNameError):
    """The schema has no model or enum of this name."""


class UnknownOperationError(_NoSuchNameError):
    """The model or the schema has no operation of this name."""


class NoValidAuthTokens(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The auth mode needs a signed-in user, and nobody is signed in."""


class NoSignedUser(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The signed-in user's tokens could not be had; the cause says why."""


class NoCredentials(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The auth mode needs AWS credentials, and there are none."""


class NoAuthorizationHeader(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The lambda auth mode needs a token, and none was given."""


class NoEndpoint(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The backend has no data resource, and the call needs one."""

    exit_code = 3


class NoApiKey(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The auth mode needs an API key, and the outputs have none."""

    exit_code = 3
