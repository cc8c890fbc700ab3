"""Identify the AWS call that a request makes and its user; build the service's error responses."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NamedTuple

from seedctl.local import sts
from seedctl.local.http1 import Request, Response
from seedctl.local.protocol import JSON_SERVICES, ServiceError, json_error_response
from seedctl.local.s3.documents import error_response as s3_error_response
from seedctl.local.s3.errors import S3Error

_OPERATION = re.compile(r"[A-Za-z]{1,64}")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]{1,64})(?:&|$)")

# For each service: the error code of a throttled call, and of an internal error.
_CODES = {
    "appsync": ("ThrottlingException", "InternalFailureException"),  # both [?]
    "cognito-identity": ("TooManyRequestsException", "InternalErrorException"),
    "cognito-idp": ("TooManyRequestsException", "InternalErrorException"),
    "s3": ("SlowDown", "InternalError"),
    "ssm": ("ThrottlingException", "InternalServerError"),
    "sts": ("Throttling", "InternalFailure"),
}


class ServiceCall(NamedTuple):
    service: str
    """The service's name in credential scopes, such as ``cognito-idp``."""
    operation: str

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


def call_of(request: Request) -> ServiceCall | None:
    """Return the call that *request* makes; None for a GET of a public document."""
    if request.stream is not None:
        return ServiceCall("s3", request.method)
    if request.method != "POST":
        return None
    if request.path == "/graphql":
        return ServiceCall("appsync", "GraphQL")
    target = request.headers.get("x-amz-target")
    if target is None:
        action = _ACTION.search(request.body)
        return ServiceCall("sts", action[1].decode()) if action is not None else None
    prefix, _, operation = target.partition(".")
    service, _ = JSON_SERVICES.get(prefix, (None, None))
    if service is None or not _OPERATION.fullmatch(operation):
        return None
    return ServiceCall(service, operation)


def user_of(request: Request) -> str | None:
    """Return the user that a user pool call names, by user name or by the subject of a token.

    The same user called by name and by id counts as two users: this function looks nobody up.
    """
    given = _json_object(request.body)
    names = (
        given.get("Username"),
        _within(given.get("AuthParameters"), "USERNAME"),
        _within(given.get("ChallengeResponses"), "USERNAME"),
        _subject(given.get("AccessToken")),
    )
    return next((name.casefold() for name in names if isinstance(name, str)), None)


def throttled(request: Request, service: str) -> Response:
    """Return the throttling error of *service*."""
    code, _ = _CODES[service]
    status = 429 if service == "appsync" else 400
    return error_response(request, service, ServiceError(code, "Rate exceeded", status=status))


def failed(request: Request, service: str) -> Response:
    """Return the internal error of *service*: status 500, which clients retry."""
    _, code = _CODES[service]
    text = "The local sandbox fails on purpose."  # AWS's message is not known [?]
    return error_response(request, service, ServiceError(code, text, status=500))


def error_response(request: Request, service: str | None, error: ServiceError) -> Response:
    """Return *error* in the format of *service*; S3 supplies its own messages for its own codes."""
    if service == "s3":
        message = None if error.code in _CODES["s3"] else error.message
        return s3_error_response(S3Error(error.code, message), request.method)
    if service == "appsync":
        from seedctl.local.appsync.errors import RefusedCallError  # noqa: PLC0415 - loads graphql

        return RefusedCallError(error.status, error.code, error.message).response()
    return sts.error_response(error) if service == "sts" else json_error_response(error)


def _within(section: object, key: str) -> Any:
    return section.get(key) if isinstance(section, dict) else None


def _subject(token: object) -> Any:
    """Return the ``sub`` claim of *token*, unverified: the service itself checks the token."""
    if not isinstance(token, str) or token.count(".") != 2:
        return None
    payload = token.split(".")[1]
    try:
        claims = _json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims.get("sub")
    except ValueError:
        return None


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
