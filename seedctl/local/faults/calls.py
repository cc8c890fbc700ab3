"""Which call of which service a request is, whom it is about, and how its service refuses it."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from seedctl.local import sts
from seedctl.local.protocol import JSON_SERVICES, ServiceError, refused

if TYPE_CHECKING:
    from seedctl.local.http1 import Request, Response

_OPERATION = re.compile(r"[A-Za-z]{1,64}")
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z]{1,64})(?:&|$)")

# How each service says that it throttles a call, and that it failed.
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
    """As it is called in credential scopes."""
    operation: str

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


def call_of(request: Request) -> ServiceCall | None:
    """Return the call that *request* makes; None for a document that is just published."""
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
    """Return whom a call of the user pool is about, by the name or token that it gives.

    A name and the id of the same user are two here: what they belong to is known only later.
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
    """Return the answer of *service* to a call too many."""
    code, _ = _CODES[service]
    status = 429 if service == "appsync" else 400
    return refusal(request, service, ServiceError(code, "Rate exceeded", status=status))


def failed(request: Request, service: str) -> Response:
    """Return the answer of *service* when it fails: 500, which clients repeat."""
    _, code = _CODES[service]
    text = "The local sandbox fails on purpose."  # AWS's own words are not known [?]
    return refusal(request, service, ServiceError(code, text, status=500))


def refusal(request: Request, service: str | None, error: ServiceError) -> Response:
    """Return *error* as *service* answers it; S3 has words of its own for what AWS answers too."""
    if service == "s3":
        from seedctl.local.s3.documents import error_response  # noqa: PLC0415
        from seedctl.local.s3.errors import S3Error  # noqa: PLC0415 - for those who use S3

        message = None if error.code in _CODES["s3"] else error.message
        return error_response(S3Error(error.code, message), request.method)
    if service == "appsync":
        from seedctl.local.appsync.errors import RefusedCallError  # noqa: PLC0415 - as above

        return RefusedCallError(error.status, error.code, error.message).response()
    return sts.refusal(error) if service == "sts" else refused(error)


def _within(section: Any, key: str) -> Any:
    return section.get(key) if isinstance(section, dict) else None


def _subject(token: Any) -> Any:
    """Return the subject that *token* claims; whether it is true shows when the call is made."""
    if not isinstance(token, str) or token.count(".") != 2:
        return None
    payload = token.split(".")[1]
    try:
        return _json_object(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get(
            "sub"
        )
    except ValueError:
        return None


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
