"""From botocore's exceptions to seedctl's: one table, by error code."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from seedctl import errors
from seedctl.aws.credential_failures import (
    NO_CREDENTIALS,
    credential_error,
    is_of_credentials,
    one_line,
    whose_credentials,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seedctl.errors import SeedctlError

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_INVALID = {
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "NotAuthorized", "UnauthorizedOperation"}
THROTTLED = {
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
}

_DENIED_CLASS: Mapping[str, type[errors.AccessDeniedError]] = {
    "cognito-idp": errors.NotAuthorizedError,
    "ssm": errors.SSMCredentialsError,
}
_IN_SEED_POLICY = {
    "cognito-idp:AdminAddUserToGroup",
    "cognito-idp:AdminCreateUser",
    "ssm:GetParameter",
    "ssm:PutParameter",
}

_IN_DEPLOY_ACCESS = {
    "cloudformation:DescribeStacks",
    "ssm:DeleteParameter",
    "ssm:DeleteParameters",
    "ssm:GetParametersByPath",
}

# Cognito's complaints about the data: the script's fault, and each under Cognito's own name.
_COGNITO_CLASS: Mapping[str, type[errors.CognitoError]] = {
    "InvalidParameterException": errors.InvalidParameterException,
    "InvalidPasswordException": errors.InvalidPasswordException,
    "NotAuthorizedException": errors.NotAuthorizedException,
    "PasswordResetRequiredException": errors.PasswordResetRequiredException,
    "UserNotConfirmedException": errors.UserNotConfirmedException,
}
_COGNITO_DATA = {
    "AliasExistsException",
    "CodeDeliveryFailureException",
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "InvalidLambdaResponseException",
    "MFAMethodNotFoundException",
    "PasswordHistoryPolicyViolationException",
    "PreconditionNotMetException",
    "ResourceNotFoundException",
    "SoftwareTokenMFANotFoundException",
    "UnexpectedLambdaException",
    "UnsupportedUserStateException",
    "UserLambdaValidationException",
    "UserNotFoundException",
    "UsernameExistsException",
}

_S3_STATUS = {"403": "AccessDenied", "404": "NotFound", "412": "PreconditionFailed"}
_S3_CLASS: Mapping[str, type[errors.StorageError]] = {
    "AccessDenied": errors.AccessDenied,
    "NoSuchKey": errors.NoSuchKey,
    "NotFound": errors.NotFound,
    "PreconditionFailed": errors.PreconditionFailed,
}

_UNREACHABLE = (boto.HTTPClientError, boto.ConnectionError, boto.EndpointConnectionError)
_LONGEST = 500
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:\w+)")
_REFRESH = (
    "Refresh them (aws sso login, a new session from your identity provider, or new keys), then "
    "run again."
)


def translate(
    error: Exception, *, service: str, operation: str, profile: str | None
) -> SeedctlError | None:
    """Return the seedctl error for *error*, or None for what is not AWS's doing."""
    call = f"{service}:{operation}"
    if isinstance(error, boto.ClientError):
        return _from_answer(error, service, operation, profile)
    if isinstance(error, boto.NoRegionError | boto.InvalidRegionError):
        return errors.MissingRegionError(
            f"{call} has no usable AWS region: {error}",
            resolution="Give a region such as us-east-1 with --region or AWS_REGION.",
        )
    if isinstance(error, NO_CREDENTIALS):
        return credential_error(error, profile)
    if isinstance(error, _UNREACHABLE):
        return errors.EndpointUnreachableError(
            f"{call} got no answer: {one_line(error)}",
            service=service,
            operation=operation,
            resolution="Check the network, proxy, region and --endpoint-url, then run again.",
        )
    if isinstance(error, ResponseParserError):
        return errors.AWSError(
            f"{call} got an answer that is not AWS's; something else answers there.",
            service=service,
            operation=operation,
            resolution="Check --endpoint-url, AWS_ENDPOINT_URL and any proxy on the way.",
        )
    if isinstance(error, errors.SeedctlError):
        return None
    if is_of_credentials(error):
        return credential_error(error, profile)
    return _from_botocore(error, service, operation)


def _from_botocore(error: Exception, service: str, operation: str) -> SeedctlError | None:
    call = f"{service}:{operation}"
    if isinstance(error, boto.ParamValidationError):
        return errors.InvalidParameterException(f"{call} cannot be sent: {one_line(error)}")
    if isinstance(error, boto.BotoCoreError):
        return errors.AWSError(
            f"{call} failed: {one_line(error)}", service=service, operation=operation
        )
    return None


def _from_answer(
    error: boto.ClientError, service: str, operation: str, profile: str | None
) -> SeedctlError:
    metadata = error.response.get("ResponseMetadata", {})
    of_sandbox = errors.LocalSandboxError.from_headers(metadata.get("HTTPHeaders", {}))
    if of_sandbox is not None:
        return of_sandbox
    if is_of_credentials(error) and _is_refusal_of_source(error):
        return credential_error(error, profile)
    return _from_code(error, service, operation, whose_credentials(profile))


def _is_refusal_of_source(error: boto.ClientError) -> bool:
    """Whether STS or another source of credentials refused what the profile says."""
    details = error.response.get("Error", {})
    is_missing_permission = _ACTION.search(str(details.get("Message"))) is not None
    is_passing = details.get("Code") in THROTTLED or _is_failure_of_aws(error)
    return not is_missing_permission and not is_passing


def _from_code(error: boto.ClientError, service: str, operation: str, whose: str) -> SeedctlError:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "Unknown")), _readable(details.get("Message"))
    facts = {
        "service": service,
        "operation": operation,
        "code": code,
        "request_id": str(error.response.get("ResponseMetadata", {}).get("RequestId", "")),
    }
    call = f"{service}:{operation}"
    if service == "s3" and code not in THROTTLED and not _is_failure_of_aws(error):
        return _from_s3(error, code, message)
    if code in _EXPIRED:
        return errors.InvalidCredentialError(
            f"The AWS credentials from {whose} have expired ({call}: {code}).", resolution=_REFRESH
        )
    if code in _INVALID:
        return errors.InvalidCredentialError(
            f"AWS does not accept the credentials from {whose} ({call}: {code}).",
            resolution="Check the profile, its keys and this machine's clock, or sign in again.",
        )
    if code in _DENIED or (code == "NotAuthorizedException" and operation.startswith("Admin")):
        return _denied(message, facts)
    if code in THROTTLED:
        return errors.ThrottledError(
            f"AWS refuses {call} for its rate or a limit: {code} {message}".rstrip(),
            resolution="Wait a little and run again; users already made are kept.",
            **facts,
        )
    if code == "LimitExceededException":
        return errors.LimitExceededError(
            f"AWS refuses {call} for a limit that is reached: {message}".rstrip(": "),
            resolution="Wait until the limit is free again (some are counted by the day), or have "
            "it raised.",
            **facts,
        )
    if service == "cognito-idp" and code in _COGNITO_CLASS:
        return _COGNITO_CLASS[code](message or code, code=code, server_time=_server_time(error))
    if service == "cognito-idp" and code in _COGNITO_DATA:
        return errors.CognitoError(message or code, code=code, server_time=_server_time(error))
    request = f" (request {facts['request_id']})" if facts["request_id"] else ""
    said = f": {message.removesuffix('.')}" if message else ""
    if _is_failure_of_aws(error):
        return errors.ServiceFailedError(
            f"{call} failed on AWS's side with {code}{said}{request}.",
            resolution="Run again in a moment.",
            **facts,
        )
    return errors.AWSError(f"{call} failed with {code}{said}{request}.", **facts)


def _from_s3(error: boto.ClientError, code: str, message: str) -> errors.StorageError:
    """Return what S3 refused to an identity of the identity pool: never the developer's keys."""
    metadata = error.response.get("ResponseMetadata", {})
    # An answer to HEAD has no body; botocore puts the status in the code's place.
    code = _S3_STATUS.get(code, code)
    kind = _S3_CLASS.get(code, errors.StorageError)
    refusal = kind(
        code if not message or message == "Not Found" else message,
        code=code,
        http_status=metadata.get("HTTPStatusCode"),
        request_id=str(metadata.get("RequestId", "")),
        extended_request_id=str(metadata.get("HostId", "")),
    )
    refusal.was_repeated = metadata.get("RetryAttempts", 0) > 0
    return refusal


def _is_failure_of_aws(error: boto.ClientError) -> bool:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500


def _denied(message: str, facts: dict[str, str]) -> errors.AccessDeniedError:
    found = _ACTION.search(message)
    action = found.group(1) if found else f"{facts['service']}:{facts['operation']}"
    if action in _IN_SEED_POLICY:
        fix = (
            "Run seedctl generate-policy > seed-policy.json, attach it to your role with aws iam "
            "put-role-policy (docs/permissions.md), and use that role."
        )
    else:
        fix = f"Allow {action} for the identity you use."
        if action in _IN_DEPLOY_ACCESS:
            fix += " AmplifyBackendDeployFullAccess contains it."
    denied = _DENIED_CLASS.get(facts["service"], errors.AccessDeniedError)
    return denied(f"Your AWS identity may not call {action}.", resolution=fix, **facts)


def _readable(message: object) -> str:
    """Return what AWS said as one line; gateways and emulators answer with whole web pages."""
    text = " ".join(str(message or "").split())
    if text.startswith("<"):
        return ""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _server_time(error: boto.ClientError) -> datetime | None:
    """Return when AWS answered, by AWS's clock."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
