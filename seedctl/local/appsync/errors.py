"""AppSync's refusals: one request at a time, or one field at a time."""

from __future__ import annotations

import uuid
from typing import Any

from seedctl.local.http1 import Response

JSON_TYPE = "application/json;charset=UTF-8"
UNAUTHORIZED = "Unauthorized"
INVALID_ARGUMENTS = "InvalidArgumentsError"
NOT_AVAILABLE = "NotAvailableLocally"
_CONDITIONAL = "DynamoDB:ConditionalCheckFailedException"
_DYNAMODB = "DynamoDB:DynamoDbException"


class RefusedCallError(Exception):
    """A request that is not executed: answered with *status* and without data."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type

    def document(self) -> dict[str, Any]:
        return {"errors": [{"errorType": self.error_type, "message": str(self)}]}

    def response(self) -> Response:
        headers = (("x-amzn-ErrorType", self.error_type),)
        return Response.json(self.status, self.document(), headers, JSON_TYPE)


class InvalidInputError(Exception):
    """A document or variables that the schema refuses, before any resolver."""

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


class FieldError(Exception):
    """A resolver's refusal: its field is null and the error is listed."""

    def __init__(self, error_type: str | None, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def unauthenticated(message: str = "You are not authorized to make this call.") -> RefusedCallError:
    return RefusedCallError(401, "UnauthorizedException", message)


def malformed(message: str) -> RefusedCallError:
    return RefusedCallError(400, "MalformedHttpRequestException", message)


def unauthorized(field: str, type_name: str) -> FieldError:
    return FieldError(UNAUTHORIZED, f"Not Authorized to access {field} on type {type_name}")


def invalid_arguments(message: str) -> FieldError:
    return FieldError(INVALID_ARGUMENTS, message)


def refused(message: str) -> FieldError:
    """Return a refusal of a resolver's own, which has no type."""
    return FieldError(None, message)


def conditional_check_failed() -> FieldError:
    return FieldError(_CONDITIONAL, f"The conditional request failed {_from_dynamodb()}")


def dynamodb(message: str) -> FieldError:
    return FieldError(_DYNAMODB, f"{message} {_from_dynamodb()}")


def _from_dynamodb() -> str:
    return f"(Service: DynamoDb, Status Code: 400, Request ID: {uuid.uuid4()})"
