"""From AppSync's answers to seedctl's errors, with AppSync's own text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from seedctl.aws.clocks import clock_advice, is_about_time, seconds_ahead
from seedctl.aws.denials import explain_denial
from seedctl.aws.foreign_responses import (
    describe_response,
    foreign_response_error,
    is_proxy_login,
)
from seedctl.errors import (
    AccessDeniedError,
    ConditionalCheckFailedError,
    DynamoDBError,
    GraphQLError,
    GraphQLValidationError,
    InvalidArgumentsError,
    InvalidCredentialError,
    LocalSandboxError,
    SeedctlError,
    ServiceFailedError,
    ThrottledError,
    UnauthorizedError,
)
from seedctl.masking import mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seedctl.appsync.auth_modes import ResolvedAuthMode
    from seedctl.appsync.transport import Answer

# What to do where AppSync does not accept what a call was sent with, by the auth mode.
_NOT_ACCEPTED: Mapping[str, str] = {
    "apiKey": "The API key has expired or is another API's: deploy, which renews it and the outputs "
    "file, or give api_key= to generate_client(). An API may also not accept keys at all.",
    "userPool": "The API does not accept the user's token: check that the outputs file has the user "
    "pool and the API of one backend, and that this machine's clock is right.",
    "lambda": "The API's Lambda authorizer did not accept the token: check auth_token=.",
}
_SIGNING = {"iam", "identityPool"}
_CONDITIONAL = "ConditionalCheckFailedException"
_LONGEST = 500


def parse_answer(answer: Answer, operation: str, chosen: ResolvedAuthMode) -> dict[str, Any]:
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
    is_ended = 200 <= answer.status < 300
    if is_ended and _is_result(body):
        result: dict[str, Any] = body
        return result
    # A proxy's redirection, its wish for a login, or a page.
    is_foreign = is_ended or answer.status < 400 or is_proxy_login(answer.status)
    is_text = not isinstance(body, dict) and bool(answer.body.strip())
    if is_foreign or (is_text and answer.status < 500):
        raise foreign_response_error(
            "appsync",
            operation,
            url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )
    found = body.get("errors") if isinstance(body, dict) else None
    entries = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    if not entries:
        text = body.get("message") if isinstance(body, dict) else None
        entries = [
            {"message": text or describe_response(answer.status, answer.headers, answer.body)}
        ]
    entries = [{"errorType": answer.error_type, **entry} for entry in entries]
    _raise_unless_graphql(answer, operation, entries[0])
    if answer.status in {401, 403}:
        entries[0]["errorType"] = entries[0]["errorType"] or "UnauthorizedException"
    raise graphql_error(entries, operation, chosen)


def _raise_unless_graphql(answer: Answer, operation: str, entry: Mapping[str, Any]) -> None:
    """Raise for a refusal that is no matter of the API's schema and rules."""
    said = f"{operation}: {entry.get('message')}"[:_LONGEST]
    words = mask(str(entry.get("message")))
    code = str(entry.get("errorType") or "")
    facts = {"service": "appsync", "operation": operation, "code": code}
    error: SeedctlError
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
    if is_about_time(words):
        error = InvalidCredentialError(
            f"AppSync does not accept the time at which {operation} was signed.",
            resolution=clock_advice(seconds_ahead(answer.headers, words)),
        )
    elif "not authorized to perform: appsync:" in words:
        what, advice = explain_denial("appsync:GraphQL", words)
        error = AccessDeniedError(what, resolution=advice, **facts)
    elif code.startswith("WAF"):
        error = AccessDeniedError(
            f"A web ACL of AWS WAF refuses {operation}.",
            resolution="Let this machine's address through in the web ACL of the API.",
            **facts,
        )
    else:
        return
    error.service_code, error.service_message = code, words
    raise error


def graphql_error(
    entries: list[dict[str, Any]], operation: str, chosen: ResolvedAuthMode, data: Any = None
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
        resolution=_resolution(kind, operation, chosen, is_of_call=first.get("path") is None),
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


def _resolution(
    kind: type[GraphQLError], operation: str, chosen: ResolvedAuthMode, *, is_of_call: bool
) -> str | None:
    """Return what to do; *is_of_call* is of a refusal before any field was looked at."""
    if kind is UnauthorizedError:
        if is_of_call and chosen.mode in _NOT_ACCEPTED:
            return _NOT_ACCEPTED[chosen.mode]
        advice = (
            "Use an auth_mode and a user that the rules in amplify/data/resource.ts let do this"
        )
        if chosen.mode in _SIGNING:  # such calls may be signed by the developer already
            return f"{advice}."
        return (
            f"{advice}, or write with your own AWS credentials: "
            'generate_client(credentials="caller").'
        )
    if kind is ConditionalCheckFailedError:
        if operation.startswith("create"):
            return "A record with this key is there already: upsert creates or updates."
        return "There is no record with this key: create it, or use upsert."
    if kind is GraphQLValidationError:
        return "Check the call against the schema; after a change of the schema, deploy it."
    return None
