"""Errors about records: AppSync refused a call, or seedctl did before it was sent.

Exit code 1, or 3 if the backend lacks what the call needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedctl.errors.base import SeedctlError


class GraphQLError(SeedctlError):
    """AppSync's response contains errors; the message is AppSync's own text."""

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
        """*errors* and *data* are those of AppSync's response.

        *auth_mode_source* says what chose *auth_mode*: "call", "client" or "default".
        """
        super().__init__(message, resolution=resolution)
        self.errors = list(errors)
        self.data = data
        self.auth_mode = auth_mode
        self.auth_mode_source = auth_mode_source


class UnauthorizedError(GraphQLError):
    """The API's authorization rules deny this call, or AppSync does not accept the credentials."""


class ConditionalCheckFailedError(GraphQLError):
    """The record to create exists already, or the one to update or delete does not exist."""


class InvalidArgumentsError(GraphQLError):
    """AppSync does not allow this combination of arguments."""


class GraphQLValidationError(GraphQLError):
    """The document or its variables do not match the deployed schema; nothing was done."""


class DynamoDBError(GraphQLError):
    """DynamoDB refused the request."""


class InvalidInputError(SeedctlError):
    """The fields, keys or arguments do not match the schema; nothing was sent."""


class DataFileError(SeedctlError):
    """A file of rows, or a row or cell in it, does not fit the model; the message names the place."""


class InvalidSelectionSetError(SeedctlError):
    """The selection set names fields that the model does not have; nothing was sent."""


class InvalidAuthModeError(SeedctlError):
    """There is no such auth mode, or the other options do not allow it."""


class _NoSuchNameError(SeedctlError, AttributeError):
    """Also an AttributeError, so that hasattr() works for names that are looked up."""

    @property
    def name(self) -> str:
        return type(self).__name__

    @name.setter
    def name(self, value: str) -> None:
        """Ignore *value*: Python sets the missing attribute's name here, for its suggestions."""


class UnknownModelError(_NoSuchNameError):
    """The schema has no model or enum with this name."""


class UnknownOperationError(_NoSuchNameError):
    """The model or the schema has no operation with this name."""


class NoValidAuthTokens(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The auth mode needs a signed-in user, and nobody is signed in."""


class NoSignedUser(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The signed-in user has no valid tokens; the cause says why."""


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


class StaleSchemaFileError(SeedctlError):
    """The file of ``seedctl types`` does not exist, or it does not fit the models."""
