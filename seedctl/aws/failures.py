"""Translate botocore's exceptions into seedctl's, by error code."""

from __future__ import annotations

from collections.abc import Mapping

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from seedctl import errors
from seedctl.aws import clocks
from seedctl.aws.credential_failures import (
    NO_PROFILE,
    credential_error,
    credential_source,
    is_credential_failure,
    is_raised_in,
)
from seedctl.aws.denials import explain_denial, is_beyond_own_rules
from seedctl.aws.foreign_responses import is_html_page, proxy_failure
from seedctl.errors import SeedctlError
from seedctl.masking import mask, mask_line

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
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
_WRONG_TIME = {"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"}
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
# Errors about the data that the script passed. Some have a class, which has the same name.
_COGNITO_DATA = {
    "AliasExistsException",
    "CodeDeliveryFailureException",
    "CodeMismatchException",
    "EnableSoftwareTokenMFAException",
    "ExpiredCodeException",
    "InvalidLambdaResponseException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "MFAMethodNotFoundException",
    "NotAuthorizedException",
    "PasswordHistoryPolicyViolationException",
    "PasswordResetRequiredException",
    "PreconditionNotMetException",
    "ResourceNotFoundException",
    "SoftwareTokenMFANotFoundException",
    "UnexpectedLambdaException",
    "UnsupportedUserStateException",
    "UserLambdaValidationException",
    "UserNotConfirmedException",
    "UserNotFoundException",
    "UsernameExistsException",
}

_S3_STATUS = {"403": "AccessDenied", "404": "NotFound", "412": "PreconditionFailed"}
_S3_CLASSES = (errors.AccessDenied, errors.NoSuchKey, errors.NotFound, errors.PreconditionFailed)

_UNREACHABLE = (boto.HTTPClientError, boto.ConnectionError, boto.EndpointConnectionError)
_MAX_MESSAGE = 2000  # characters; the reason of a denial is at the end of a long sentence
# Resolutions for errors without a class of their own, by service and AWS's code.
_ADVICE: Mapping[tuple[str, str], str] = {
    ("cognito-identity", "NotAuthorizedException"): "Check that the user pool and the identity "
    "pool in the outputs file belong to the same backend; for guests, allow guest access in "
    "amplify/auth/resource.ts.",
    ("cognito-identity", "ResourceNotFoundException"): "Check --profile and the region, and "
    "regenerate amplify_outputs.json with seedctl outputs.",
    ("cognito-idp", "ForbiddenException"): "If an AWS WAF web ACL protects the user pool, allow "
    "this machine's address there.",
    ("ssm", "InvalidKeyId"): "Enable the KMS key of that secret, or store the secret again with "
    "seedctl secret set, which uses the AWS managed key.",
}


def translate(
    error: Exception, *, service: str, operation: str, profile: str | None, renew: str = NO_PROFILE
) -> SeedctlError | None:
    """Return the seedctl error for *error*, or None if it does not come from AWS or botocore.

    It contains AWS's own message. *renew* tells how to get new credentials.
    """
    call = f"{service}:{operation}"
    if isinstance(error, boto.ClientError):
        return _from_response(error, service, operation, profile, renew)
    if isinstance(error, boto.NoRegionError | boto.InvalidRegionError):
        return errors.MissingRegionError(
            f"{call} has no usable AWS region: {error}",
            resolution="Give a region such as us-east-1 with --region or AWS_REGION.",
        )
    if isinstance(error, _UNREACHABLE):
        return _unreachable(error, service, operation)
    if isinstance(error, ResponseParserError) or is_raised_in("botocore.parsers", error):
        return errors.InvalidResponseError.of(service, operation)
    if isinstance(error, errors.SeedctlError):
        return None
    if is_credential_failure(error):
        return credential_error(error, profile, renew)
    if isinstance(error, boto.ParamValidationError):
        return errors.InvalidParameterException(f"{call} cannot be sent: {mask_line(error)}")
    if isinstance(error, boto.BotoCoreError):
        return errors.AWSError(
            f"{call} failed: {mask_line(error)}", service=service, operation=operation
        )
    return None


def _unreachable(error: Exception, service: str, operation: str) -> errors.EndpointUnreachableError:
    advice = "Check the network, proxy, region and --endpoint-url, then run again."
    words = mask_line(error)
    if isinstance(error, boto.ProxyConnectionError):
        # botocore's message names the proxy, but not the proxy's response: that is in the innermost
        # of urllib3's nested errors.
        cause = error.kwargs.get("error")
        while (inner := getattr(cause, "original_error", None)) is not None:
            cause = inner
        words, advice = proxy_failure(mask_line(cause))
    elif isinstance(error, boto.SSLError):
        advice = (
            "If your company's proxy inspects TLS connections, set AWS_CA_BUNDLE to the file of its "
            "certificates. Otherwise check this machine's clock and --endpoint-url."
        )
    return errors.EndpointUnreachableError(
        f"{service}:{operation} got no response: {words}",
        service=service,
        operation=operation,
        resolution=advice,
    )


def _from_response(
    error: boto.ClientError, service: str, operation: str, profile: str | None, renew: str
) -> SeedctlError:
    metadata = error.response.get("ResponseMetadata", {})
    sandbox_error = errors.LocalSandboxError.from_headers(metadata.get("HTTPHeaders", {}))
    if sandbox_error is not None:
        return sandbox_error
    if is_credential_failure(error) and _is_refusal_of_source(error):
        return credential_error(error, profile, renew)
    if service == "s3":  # its callers pass the names of botocore's methods
        operation = error.operation_name
    translated = _from_code(error, service, operation, credential_source(profile), renew)
    details = error.response.get("Error", {})
    translated.service_code = str(details.get("Code", ""))
    translated.service_message = mask(_readable(details.get("Message")))
    return translated


def _is_refusal_of_source(error: boto.ClientError) -> bool:
    """Whether STS, or another source of credentials, rejected the profile's settings."""
    details = error.response.get("Error", {})
    is_missing_permission = "not authorized to perform" in str(details.get("Message"))
    is_transient = details.get("Code") in THROTTLED or _is_failure_of_aws(error)
    return not is_missing_permission and not is_transient


def _from_code(
    error: boto.ClientError, service: str, operation: str, source: str, renew: str
) -> SeedctlError:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "Unknown")), _readable(details.get("Message"))
    facts = {
        "service": service,
        "operation": operation,
        "code": code,
        "request_id": str(error.response.get("ResponseMetadata", {}).get("RequestId", "")),
    }
    call = f"{service}:{operation}"
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # Credentials that S3 rejects are from the identity pool, not the developer's.
    if code in ({"RequestTimeTooSkewed"} if service == "s3" else _EXPIRED | _INVALID | _WRONG_TIME):
        return _rejected_credentials(code, message, headers, call, source, renew)
    if service == "s3" and code not in THROTTLED and not _is_failure_of_aws(error):
        return _from_s3(error, code, message)
    if code in _DENIED or (code == "NotAuthorizedException" and operation.startswith("Admin")):
        what, fix = explain_denial(call, message)
        denied = _DENIED_CLASS.get(service, errors.AccessDeniedError)
        return denied(what, resolution=fix, **facts)
    if code in THROTTLED:
        return errors.ThrottledError(
            f"AWS throttled {call}: {code} {message}".rstrip(),
            resolution="Wait a little and run again. Users created so far remain: with "
            'if_exists="skip" or "sign_in" they are no error.',
            **facts,
        )
    if code == "LimitExceededException":
        return errors.LimitExceededError(
            f"AWS refuses {call} because a limit is reached: {message}".rstrip(": "),
            resolution="Wait until the limit resets (some are daily limits), or request an increase.",
            **facts,
        )
    if service == "cognito-idp" and code in _COGNITO_DATA:
        kind: type[errors.CognitoError] = getattr(errors, code, errors.CognitoError)
        return kind(message or code, code=code, server_time=clocks.server_time(headers))
    request = f" (request {facts['request_id']})" if facts["request_id"] else ""
    detail = f": {message.removesuffix('.')}" if message else ""
    if _is_failure_of_aws(error):
        where, what = "on AWS's side", f"{code}{detail}"
        if message.startswith("HTTP status"):  # from a gateway, see response_checks
            where, what = "on AWS's side or on the way to it", message
        return errors.ServiceFailedError(
            f"{call} failed {where} with {what}{request}.",
            resolution="Run again in a moment.",
            **facts,
        )
    advice = _ADVICE.get((service, code))
    return errors.AWSError(
        f"{call} failed with {code}{detail}{request}.", resolution=advice, **facts
    )


def _rejected_credentials(  # noqa: PLR0917 - all of them text of one message
    code: str, message: str, headers: Mapping[str, str], call: str, source: str, renew: str
) -> errors.InvalidCredentialError:
    """Return the error for credentials or a signature that AWS rejects."""
    if code in _EXPIRED:
        return errors.InvalidCredentialError(
            f"The AWS credentials from {source} have expired ({call}: {code}).", resolution=renew
        )
    ahead = clocks.seconds_ahead(headers, message)
    is_wrong = ahead is not None and abs(ahead) >= clocks.MAX_CLOCK_SKEW
    if code in _WRONG_TIME or clocks.is_about_time(message) or is_wrong:
        return errors.InvalidCredentialError(
            f"AWS does not accept the time at which {call} was signed ({code}).",
            resolution=clocks.clock_advice(ahead),
        )
    return errors.InvalidCredentialError(
        f"AWS does not accept the credentials from {source} ({call}: {code}).",
        resolution=f"Check the profile and its keys. {renew}",
    )


def _from_s3(error: boto.ClientError, code: str, message: str) -> errors.StorageError:
    """Return the error for a call that S3 refused to a user or guest of the identity pool."""
    metadata = error.response.get("ResponseMetadata", {})
    # A response to HEAD has no body; botocore uses the status as the code.
    code = _S3_STATUS.get(code, code)
    kind = next((each for each in _S3_CLASSES if each.__name__ == code), errors.StorageError)
    call = f"s3:{error.operation_name}"
    refusal = kind(
        code if not message or message == "Not Found" else message,
        code=code,
        http_status=metadata.get("HTTPStatusCode"),
        request_id=str(metadata.get("RequestId", "")),
        extended_request_id=str(metadata.get("HostId", "")),
        resolution=explain_denial(call, message)[1] if is_beyond_own_rules(message) else None,
    )
    refusal.was_repeated = metadata.get("RetryAttempts", 0) > 0
    return refusal


def _is_failure_of_aws(error: boto.ClientError) -> bool:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500


def _readable(message: object) -> str:
    """Return AWS's message on one line; "" for a web page, as gateways and emulators send.

    What is changed or cut is masked first, since a part of a secret would not be recognised.
    """
    whole = str(message or "")
    if is_html_page(whole.encode()):
        return ""
    if len(whole) <= _MAX_MESSAGE and " ".join(whole.split()) == whole:
        return whole
    text = mask_line(whole)
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "…"
