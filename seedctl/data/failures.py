"""From AppSync's answers to seedctl's errors, with AppSync's own text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedctl.errors import (
    ConditionalCheckFailedError,
    DynamoDBError,
    GraphQLError,
    GraphQLValidationError,
    InvalidArgumentsError,
    InvalidResponseError,
    LocalSandboxError,
    ServiceFailedError,
    ThrottledError,
    UnauthorizedError,
)

if TYPE_CHECKING:
    from seedctl.data.auth_modes import Chosen
    from seedctl.data.transport import Answer

_CONDITIONAL = "ConditionalCheckFailedException"
_LONGEST = 500


def parse_answer(answer: Answer, operation: str, chosen: Chosen) -> dict[str, Any]:
    """Return the JSON object of *answer*, whose ``errors`` are the caller's to look at.

    Raises UnauthorizedError and other errors for an answer that is not a result at all.
    """
    of_sandbox = LocalSandboxError.from_headers(answer.headers)
    if of_sandbox is not None:
        raise of_sandbox
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if 200 <= answer.status < 300:
        if not _is_result(body):
            raise InvalidResponseError.of("appsync", operation)
        result: dict[str, Any] = body
        return result
    if answer.status < 400:  # a proxy's redirection
        raise InvalidResponseError.of("appsync", operation)
    found = body.get("errors") if isinstance(body, dict) else None
    entries = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if not entries:
        text = body.get("message") if isinstance(body, dict) else None
        entries = [{"message": text or f"HTTP status {answer.status}"}]
    entries = [{"errorType": answer.error_type, **entry} for entry in entries]
    said = f"{operation}: {entries[0].get('message')}"[:_LONGEST]
    facts = {"service": "appsync", "operation": operation, "code": answer.error_type}
    if answer.is_throttled:
        raise ThrottledError(
            f"AppSync refuses {said} (its rate).",
            resolution="Wait a little and run again, with fewer threads.",
            **facts,
        )
    if answer.status >= 500:
        raise ServiceFailedError(
            f"AppSync failed: {said.removesuffix('.')}.",
            resolution="Run again in a moment.",
            **facts,
        )
    if answer.status in {401, 403}:
        entries[0]["errorType"] = entries[0]["errorType"] or "UnauthorizedException"
    raise graphql_error(entries, operation, chosen)


def graphql_error(
    entries: list[dict[str, Any]], operation: str, chosen: Chosen, data: Any = None
) -> GraphQLError:
    """Return the error for AppSync's *entries*, of which the first names the class."""
    first = entries[0]
    kind = _class_of(first)
    more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
    mode = f" ({chosen})" if kind is UnauthorizedError else ""
    return kind(
        f"{operation}: {first.get('message')}{mode}{more}",
        errors=entries,
        data=data,
        auth_mode=chosen.mode,
        auth_mode_source=chosen.source,
        resolution=_resolution(kind, operation),
    )


def _is_result(body: Any) -> bool:
    """Whether *body* is what a GraphQL server answers: data, or errors, or both."""
    if not isinstance(body, dict):
        return False
    data, entries = body.get("data"), body.get("errors")
    if not entries:
        return isinstance(data, dict) and isinstance(entries, list | None)
    return (
        isinstance(data, dict | None)
        and isinstance(entries, list)
        and all(isinstance(entry, dict) for entry in entries)
    )


def _class_of(entry: dict[str, Any]) -> type[GraphQLError]:
    error_type = str(entry.get("errorType") or "")
    if error_type in {"Unauthorized", "UnauthorizedException"}:
        return UnauthorizedError
    if error_type.endswith(_CONDITIONAL):
        return ConditionalCheckFailedError
    if error_type == "InvalidArgumentsError":
        return InvalidArgumentsError
    if error_type.startswith("DynamoDB:"):
        return DynamoDBError
    # AppSync refuses a document or variables without naming a type, or a path.
    if error_type in {"", "ValidationError"} and entry.get("path") is None:
        return GraphQLValidationError
    return GraphQLError


def _resolution(kind: type[GraphQLError], operation: str) -> str | None:
    if kind is UnauthorizedError:
        return (
            "Use an auth_mode and a user that the rules in amplify/data/resource.ts let do this, "
            'or write with your own AWS credentials: generate_client(credentials="caller").'
        )
    if kind is ConditionalCheckFailedError:
        if operation.startswith("create"):
            return "A record with this key is there already: upsert creates or updates."
        return "There is no record with this key."
    if kind is GraphQLValidationError:
        return "Check the call against the schema; after a change of the schema, deploy it."
    return None
