"""Turn AppSync's error responses into seedctl's errors, which keep AppSync's own message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedctl import errors
from seedctl.appsync.auth_modes import SIGNING_MODES, ResolvedAuthMode
from seedctl.aws.clocks import clock_advice, is_about_time, seconds_ahead
from seedctl.aws.denials import explain_denial
from seedctl.aws.foreign_responses import describe_response, foreign_response_error, is_proxy_login
from seedctl.masking import mask

if TYPE_CHECKING:
    from seedctl.appsync.transport import HTTPResponse

# What to do when AppSync rejects the key or token of a call, by auth mode.
_REJECTED_CREDENTIALS: Mapping[str, str] = {
    "apiKey": "The API key has expired or belongs to another API: deploy, which renews it and the "
    "outputs file, or give api_key= to generate_client(). Some APIs accept no keys at all.",
    "userPool": "The API does not accept the user's token: check that the user pool and the API in "
    "the outputs file belong to one backend, and that this machine's clock is right.",
    "lambda": "The API's Lambda authorizer did not accept the token: check auth_token=.",
}
_CONDITIONAL = "ConditionalCheckFailedException"
_MAX_MESSAGE = 500


def parse_response(
    response: HTTPResponse, operation: str, auth_mode: ResolvedAuthMode
) -> dict[str, Any]:
    """Return the JSON object of *response*. Its ``errors`` are left to the caller.

    Raises UnauthorizedError and other errors for a response that is not a GraphQL result.
    """
    sandbox_error = errors.LocalSandboxError.from_headers(response.headers)
    if sandbox_error is not None:
        raise sandbox_error
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        body = None
    is_success = 200 <= response.status < 300
    if is_success and _is_result(body):
        result: dict[str, Any] = body
        return result
    # A redirect, a login request or a web page comes from a proxy, not from AppSync.
    is_foreign = is_success or response.status < 400 or is_proxy_login(response.status)
    is_text = not isinstance(body, dict) and bool(response.body.strip())
    if is_foreign or (is_text and response.status < 500):
        raise foreign_response_error(
            "appsync",
            operation,
            url=response.url,
            status=response.status,
            headers=response.headers,
            body=response.body,
        )
    entries = _error_entries(response, body)
    _raise_if_not_graphql(response, operation, entries[0])
    if response.status in {401, 403}:
        entries[0]["errorType"] = entries[0]["errorType"] or "UnauthorizedException"
    raise graphql_error(entries, operation, auth_mode)


def _error_entries(response: HTTPResponse, body: object) -> list[dict[str, Any]]:
    """Return the errors of a failed *response* in GraphQL's form; at least one."""
    found = body if isinstance(body, dict) else {}
    listed = found.get("errors")
    entries = (
        [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    )
    if not entries:
        described = describe_response(response.status, response.headers, response.body)
        entries = [{"message": found.get("message") or described}]
    return [{"errorType": response.error_type, **entry} for entry in entries]


def _raise_if_not_graphql(response: HTTPResponse, operation: str, entry: Mapping[str, Any]) -> None:
    """Raise for a failure whose cause is not the API's schema or its authorization rules."""
    message = mask(str(entry.get("message")))
    described = f"{operation}: {message}"[:_MAX_MESSAGE]
    code = str(entry.get("errorType") or "")
    facts = {"service": "appsync", "operation": operation, "code": code}
    error: errors.SeedctlError
    if response.is_throttled:
        raise errors.ThrottledError(
            f"AppSync throttled {described.removesuffix('.')}.",
            resolution="Wait a little and run again, with fewer threads.",
            **facts,
        )
    if response.status >= 500:
        raise errors.ServiceFailedError(
            f"AppSync failed: {described.removesuffix('.')}.",
            resolution="Run again in a moment.",
            **facts,
        )
    if is_about_time(message):
        error = errors.InvalidCredentialError(
            f"AppSync does not accept the time at which {operation} was signed.",
            resolution=clock_advice(seconds_ahead(response.headers, message)),
        )
    elif "not authorized to perform: appsync:" in message:
        what, advice = explain_denial("appsync:GraphQL", message)
        error = errors.AccessDeniedError(what, resolution=advice, **facts)
    elif code.startswith("WAF"):
        error = errors.AccessDeniedError(
            f"A web ACL of AWS WAF refuses {operation}.",
            resolution="Allow this machine's address in the web ACL of the API.",
            **facts,
        )
    else:
        return
    error.service_code, error.service_message = code, message
    raise error


def graphql_error(
    entries: list[dict[str, Any]], operation: str, auth_mode: ResolvedAuthMode, data: object = None
) -> errors.GraphQLError:
    """Return the error for AppSync's *entries*. The first entry decides the error class."""
    first = entries[0]
    kind = _error_class(first)
    more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
    mode = f" ({auth_mode})" if kind is errors.UnauthorizedError else ""
    return kind(
        f"{operation}: {first.get('message')}{mode}{more}",
        errors=entries,
        data=data,
        auth_mode=auth_mode.mode,
        auth_mode_source=auth_mode.source,
        resolution=_resolution(kind, operation, auth_mode, first),
    )


def _is_result(body: object) -> bool:
    """Whether *body* is what a GraphQL server returns: data, or errors, or both."""
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


def _error_class(entry: dict[str, Any]) -> type[errors.GraphQLError]:
    error_type = str(entry.get("errorType") or "")
    if error_type in {"Unauthorized", "UnauthorizedException"}:
        return errors.UnauthorizedError
    if error_type.endswith(_CONDITIONAL):
        return errors.ConditionalCheckFailedError
    if error_type == "InvalidArgumentsError":
        return errors.InvalidArgumentsError
    if error_type.startswith("DynamoDB:"):
        return errors.DynamoDBError
    # AppSync refuses a document or variables without naming a type, or a path.
    if error_type in {"", "ValidationError"} and entry.get("path") is None:
        return errors.GraphQLValidationError
    return errors.GraphQLError


def _resolution(
    kind: type[errors.GraphQLError],
    operation: str,
    auth_mode: ResolvedAuthMode,
    entry: Mapping[str, Any],
) -> str | None:
    # Without a path AppSync refused the call before it ran any field.
    has_path = entry.get("path") is not None
    if kind is errors.UnauthorizedError:
        if not has_path and auth_mode.mode in _REJECTED_CREDENTIALS:
            return _REJECTED_CREDENTIALS[auth_mode.mode]
        advice = (
            "Use an auth_mode and a user that the rules in amplify/data/resource.ts let do this"
        )
        if auth_mode.mode in SIGNING_MODES:  # the developer's credentials may be in use already
            return f"{advice}."
        return (
            f"{advice}, or write with your own AWS credentials: "
            'generate_client(credentials="caller").'
        )
    if kind is errors.ConditionalCheckFailedError:
        if operation.startswith("create"):
            return (
                'A record with this key already exists: if_exists="skip" leaves it unchanged, '
                'if_exists="update" updates it.'
            )
        return "There is no record with this key: create it, or use upsert."
    if kind is errors.GraphQLValidationError:
        return "Check the call against the schema; after a change of the schema, deploy it."
    # Validators give their message alone, without a type.
    is_write = operation.startswith(("create", "update"))
    if has_path and is_write and not entry.get("errorType"):
        return (
            "If a validator in amplify/data/resource.ts refuses the value, correct the value or the "
            "validator."
        )
    return None
