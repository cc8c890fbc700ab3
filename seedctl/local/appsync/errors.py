"""The errors of AppSync: of a whole request, or of one field."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from seedctl.local.http1 import Response

if TYPE_CHECKING:
    from graphql import GraphQLResolveInfo

JSON_TYPE = "application/json;charset=UTF-8"
NOT_AVAILABLE = "NotAvailableLocally"
NO_SUBSCRIPTIONS = (
    "Subscriptions are not available on the local sandbox. Read the records again to see changes."
)


class RefusedCallError(Exception):
    """A request that is rejected before execution, with *status* and without data."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type

    def response(self) -> Response:
        document = {"errors": [{"errorType": self.error_type, "message": str(self)}]}
        headers = (("x-amzn-ErrorType", self.error_type),)
        return Response.json(self.status, document, headers, JSON_TYPE)


class InvalidInputError(Exception):
    """A document or variables that are not valid for the schema; no resolver runs."""

    def __init__(
        self,
        message: str,
        locations: list[dict[str, Any]] | None = None,
        error_type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.locations = locations
        self.error_type = error_type

    def document(self) -> dict[str, Any]:
        error = {"path": None, "locations": self.locations, "message": str(self)}
        if self.error_type is not None:
            error["errorType"] = self.error_type
        return {"data": None, "errors": [error]}


class MissingValueError(Exception):
    """A required field that has no value: AppSync returns null and adds the error."""


class FieldError(Exception):
    """An error of a resolver: AppSync returns null for the field and adds the error."""

    def __init__(self, error_type: str | None, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def unauthenticated(message: str = "You are not authorized to make this call.") -> RefusedCallError:
    return RefusedCallError(401, "UnauthorizedException", message)


def malformed(message: str) -> RefusedCallError:
    return RefusedCallError(400, "MalformedHttpRequestException", message)


def unauthorized(info: GraphQLResolveInfo[Any]) -> FieldError:
    """Return the error that the caller may not access the field of *info*."""
    where = f"{info.field_name} on type {info.parent_type.name}"
    return FieldError("Unauthorized", f"Not Authorized to access {where}")


def unauthorized_names(names: Iterable[str]) -> FieldError:
    """Return the error that the caller may not send *names* in the input of a mutation."""
    return FieldError("Unauthorized", f"Unauthorized on [{', '.join(names)}]")


def invalid_arguments(message: str) -> FieldError:
    return FieldError("InvalidArgumentsError", message)


def untyped_error(message: str) -> FieldError:
    """Return the error of a resolver that gives no error type."""
    return FieldError(None, message)


def conditional_check_failed() -> FieldError:
    return dynamodb_error("The conditional request failed", "ConditionalCheckFailedException")


def dynamodb_error(message: str, error_type: str = "DynamoDbException") -> FieldError:
    source = f"(Service: DynamoDb, Status Code: 400, Request ID: {uuid.uuid4()})"
    return FieldError(f"DynamoDB:{error_type}", f"{message} {source}")
