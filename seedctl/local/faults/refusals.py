"""How each service says that it throttles a call, that it failed itself, or that its machine did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.local import sts
from seedctl.local.protocol import ServiceError, refused

if TYPE_CHECKING:
    from seedctl.local.http1 import Request, Response

_RATE = "Rate exceeded"
_FAILED = "The local sandbox fails on purpose."  # AWS's own words are not known [?]
_THROTTLED_CODES = {
    "cognito-idp": "TooManyRequestsException",
    "cognito-identity": "TooManyRequestsException",
    "ssm": "ThrottlingException",
}
_FAILED_CODES = {
    "cognito-idp": "InternalErrorException",
    "cognito-identity": "InternalErrorException",
    "ssm": "InternalServerError",
}


def throttled(request: Request, service: str) -> Response:
    """Return the answer of *service* to a call too many."""
    if service == "s3":
        return _s3("SlowDown", request)
    if service == "appsync":
        return _appsync(429, "ThrottlingException", _RATE)  # the type [?]
    if service == "sts":
        return sts.refusal(ServiceError("Throttling", _RATE))
    return refused(ServiceError(_THROTTLED_CODES[service], _RATE))


def failed(request: Request, service: str) -> Response:
    """Return the answer of *service* when it fails: 500, which clients repeat."""
    if service == "s3":
        return _s3("InternalError", request)
    if service == "appsync":
        return _appsync(500, "InternalFailureException", _FAILED)  # the type [?]
    if service == "sts":
        return sts.refusal(ServiceError("InternalFailure", _FAILED, status=500))
    return refused(ServiceError(_FAILED_CODES[service], _FAILED, status=500))


def machine_failed(request: Request, service: str | None, message: str) -> Response:
    """Return the answer of *service* where *message* is wrong with the sandbox's machine: 507."""
    error = ServiceError("LocalSandboxFailure", message, status=507)
    if service == "s3":
        return _s3(error.code, request, message)
    if service == "appsync":
        return _appsync(error.status, error.code, message)
    return sts.refusal(error) if service == "sts" else refused(error)


def _s3(code: str, request: Request, message: str | None = None) -> Response:
    from seedctl.local.s3.errors import S3Error  # noqa: PLC0415 - for those who use S3
    from seedctl.local.s3.refusals import refusal  # noqa: PLC0415

    return refusal(S3Error(code, message), request.method)


def _appsync(status: int, error_type: str, message: str) -> Response:
    from seedctl.local.appsync.errors import RefusedCallError  # noqa: PLC0415 - as above

    return RefusedCallError(status, error_type, message).response()
