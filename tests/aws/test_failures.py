"""The translation of botocore's exceptions into seedctl's, case by case."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from seedctl import errors
from seedctl.aws.failures import translate
from seedctl.errors.aws import TRANSIENT
from seedctl.masking import register
from tests.cases import case


def _refusal(code: str, message: str = "", request_id: str = "") -> boto.ClientError:
    response: dict[str, Any] = {"Error": {"Code": code, "Message": message}}
    if request_id:
        response["ResponseMetadata"] = {"RequestId": request_id}
    return boto.ClientError(response, "Operation")


def _translated(
    error: Exception,
    service: str = "ssm",
    operation: str = "GetParameter",
    profile: str | None = None,
) -> errors.SeedctlError:
    translated = translate(error, service=service, operation=operation, profile=profile)
    assert translated is not None
    return translated


# --- by error code -------------------------------------------------------------------------------


def test_expired_credentials() -> None:
    """Expired credentials get another error than wrong ones; it says how to renew them."""
    for service in (
        "ssm",
        "cognito-idp",
        "sts",
    ):
        for code in (
            "ExpiredToken",
            "ExpiredTokenException",
            "TokenRefreshRequired",
        ):
            with case(service, code):
                error = _translated(_refusal(code), service, profile="dev")
                assert type(error) is errors.InvalidCredentialError
                assert error.exit_code == 3
                assert 'profile "dev" have expired' in error.message
                assert f"{service}:GetParameter: {code}" in error.message
                assert "aws sso login" in (error.resolution or "")


def test_credentials_that_aws_does_not_accept() -> None:
    """Keys that AWS rejects are a configuration error that names their source."""
    for code in (
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
    ):
        with case(code):
            error = _translated(_refusal(code))
            assert type(error) is errors.InvalidCredentialError
            assert error.exit_code == 3
            assert (
                "does not accept the credentials from the default credential chain" in error.message
            )
            assert code in error.message
            assert "Check the profile and its keys" in (error.resolution or "")


def test_denied() -> None:
    """A denied call raises the service's class, named as in Amplify, with exit code 4."""
    for code in (
        "AccessDenied",
        "AccessDeniedException",
        "NotAuthorized",
        "UnauthorizedOperation",
    ):
        for service, expected in (
            ("cognito-idp", errors.NotAuthorizedError),
            ("ssm", errors.SSMCredentialsError),
            ("cloudformation", errors.AccessDeniedError),
            ("sts", errors.AccessDeniedError),
        ):
            with case(code, service, expected):
                error = _translated(_refusal(code, request_id="r-1"), service, "Operation")
                assert type(error) is expected
                assert error.exit_code == 4
                assert error.message == f"Your AWS identity may not call {service}:Operation."
                assert isinstance(error, errors.AWSError)
                assert (error.code, error.service) == (code, service)
                assert (error.operation, error.request_id) == ("Operation", "r-1")


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        pytest.param("AdminCreateUser", errors.NotAuthorizedError, id="an administrator's call"),
        pytest.param("AdminAddUserToGroup", errors.NotAuthorizedError, id="another"),
        pytest.param("RespondToAuthChallenge", errors.NotAuthorizedException, id="a user's call"),
    ],
)
def test_not_authorized_has_two_meanings(
    operation: str, expected: type[errors.SeedctlError]
) -> None:
    """NotAuthorizedException means a missing permission for Admin calls, else a wrong password."""
    error = _translated(_refusal("NotAuthorizedException", "No."), "cognito-idp", operation)
    assert type(error) is expected


IN_POLICY = [
    ("cognito-idp", "AdminCreateUser"),
    ("cognito-idp", "AdminAddUserToGroup"),
    ("ssm", "GetParameter"),
    ("ssm", "PutParameter"),
]
IN_DEPLOY_ACCESS = [
    ("ssm", "GetParametersByPath"),
    ("ssm", "DeleteParameter"),
    ("ssm", "DeleteParameters"),
    ("cloudformation", "DescribeStacks"),
]


def test_a_missing_permission_of_the_seed_policy() -> None:
    """For a permission in the seed policy, the advice names generate-policy."""
    for service, operation in IN_POLICY:
        with case(service, operation):
            error = _translated(_refusal("AccessDeniedException"), service, operation)
            assert f"{service}:{operation}" in error.message
            assert "seedctl generate-policy" in (error.resolution or "")


def test_a_missing_permission_of_the_deploy_access() -> None:
    """For other permissions, the advice names the managed policy that contains them."""
    for service, operation in IN_DEPLOY_ACCESS:
        with case(service, operation):
            error = _translated(_refusal("AccessDeniedException"), service, operation)
            assert f"Allow {service}:{operation}" in (error.resolution or "")
            assert "AmplifyBackendDeployFullAccess contains it" in (error.resolution or "")
            assert "generate-policy" not in (error.resolution or "")


@pytest.mark.parametrize("action", ["sts:AssumeRole", "cognito-idp:AdminSetUserPassword"])
def test_a_missing_permission_that_nothing_of_amplifys_grants(action: str) -> None:
    """For a permission in neither policy, the advice names no policy."""
    message = f"User: arn:aws:iam::1:user/a is not authorized to perform: {action} on resource: *"
    error = _translated(_refusal("AccessDeniedException", message), "ssm", "GetParameter")
    assert error.message == f"Your AWS identity may not call {action}."
    assert error.resolution == f"Allow {action} for the identity you use."


def test_the_action_that_aws_names_counts() -> None:
    """The action in AWS's message takes precedence over the operation that was called."""
    message = (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ssm:PutParameter "
        "because no identity-based policy allows it"
    )
    error = _translated(_refusal("AccessDeniedException", message), "ssm", "GetParameter")
    assert error.message == "Your AWS identity may not call ssm:PutParameter."
    assert "generate-policy" in (error.resolution or "")


def test_throttled() -> None:
    """A throttled call raises ThrottledError with AWS's message and exit code 4."""
    for service in (
        "ssm",
        "cognito-idp",
    ):
        for code in (
            "RequestLimitExceeded",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
            "TooManyUpdates",
        ):
            with case(service, code):
                error = _translated(_refusal(code, "Rate exceeded", "r-2"), service, "Operation")
                assert type(error) is errors.ThrottledError
                assert error.exit_code == 4
                assert error.message.endswith(f"{code} Rate exceeded")
                assert f"{service}:Operation" in error.message
                assert "run again" in (error.resolution or "")
                assert (error.code, error.request_id) == (code, "r-2")


def test_throttled_without_a_message() -> None:
    """A throttling response without a message leaves no space at the end."""
    assert _translated(_refusal("Throttling")).message.endswith(": Throttling")


@pytest.mark.parametrize("service", ["ssm", "cognito-idp"])
def test_a_limit_that_is_reached(service: str) -> None:
    """A daily limit is not throttling: waiting a little does not help."""
    code = "LimitExceededException"
    error = _translated(_refusal(code, "Exceeded daily e-mail limit.", "r-2"), service, "Operation")
    assert type(error) is errors.LimitExceededError
    assert not isinstance(error, TRANSIENT)
    assert error.exit_code == 4
    assert error.message == (
        f"AWS refuses {service}:Operation because a limit is reached: Exceeded daily e-mail limit."
    )
    assert "daily limits" in (error.resolution or "")
    assert (error.code, error.request_id) == (code, "r-2")
    without = _translated(_refusal(code), service, "Operation")
    assert without.message.endswith("because a limit is reached")


def test_a_server_error() -> None:
    """After a 5xx the call may have taken effect: it has its own class, and a retry may help."""
    for code in (
        "InternalServerError",
        "InternalErrorException",
        "503",
    ):
        for service in (
            "ssm",
            "cognito-idp",
        ):
            for status in (
                500,
                502,
                503,
                504,
            ):
                with case(code, service, status):
                    refusal = _refusal(code, "Oh dear", "r-3")
                    refusal.response["ResponseMetadata"]["HTTPStatusCode"] = status
                    error = _translated(refusal, service, "AdminCreateUser")
                    assert type(error) is errors.ServiceFailedError
                    assert isinstance(error, TRANSIENT)
                    assert error.exit_code == 4
                    assert error.message == (
                        f"{service}:AdminCreateUser failed on AWS's side with {code}: Oh dear (request r-3)."
                    )
                    assert (error.code, error.operation) == (code, "AdminCreateUser")
                    assert error.resolution


def test_a_5xx_that_means_throttling() -> None:
    """SlowDown has status 503 but is throttling: nothing was done."""
    refusal = _refusal("SlowDown", "Slow down", "r")
    refusal.response["ResponseMetadata"]["HTTPStatusCode"] = 503
    assert type(_translated(refusal)) is errors.ThrottledError


def test_cognitos_errors_about_the_data() -> None:
    """Errors about the script's data have exit code 1 and Cognito's own name and message."""
    for code, expected in (
        ("InvalidParameterException", errors.InvalidParameterException),
        ("InvalidPasswordException", errors.InvalidPasswordException),
        ("NotAuthorizedException", errors.NotAuthorizedException),
        ("PasswordResetRequiredException", errors.PasswordResetRequiredException),
        ("UserNotConfirmedException", errors.UserNotConfirmedException),
        ("AliasExistsException", errors.CognitoError),
        ("CodeDeliveryFailureException", errors.CognitoError),
        ("CodeMismatchException", errors.CognitoError),
        ("EnableSoftwareTokenMFAException", errors.CognitoError),
        ("ExpiredCodeException", errors.CognitoError),
        ("InvalidLambdaResponseException", errors.CognitoError),
        ("MFAMethodNotFoundException", errors.CognitoError),
        ("PasswordHistoryPolicyViolationException", errors.CognitoError),
        ("PreconditionNotMetException", errors.CognitoError),
        ("ResourceNotFoundException", errors.CognitoError),
        ("SoftwareTokenMFANotFoundException", errors.CognitoError),
        ("UnexpectedLambdaException", errors.CognitoError),
        ("UnsupportedUserStateException", errors.CognitoError),
        ("UserLambdaValidationException", errors.CognitoError),
        ("UserNotFoundException", errors.CognitoError),
        ("UsernameExistsException", errors.CognitoError),
    ):
        with case(code, expected):
            error = _translated(
                _refusal(code, "In Cognito's words."), "cognito-idp", "InitiateAuth"
            )
            assert type(error) is expected
            assert error.exit_code == 1
            assert error.name == error.code == code
            assert error.message == "In Cognito's words."
            without = _translated(_refusal(code), "cognito-idp", "InitiateAuth")
            assert without.message == code


@pytest.mark.parametrize("code", ["UserNotFoundException", "InvalidPasswordException"])
def test_cognitos_codes_from_other_services(code: str) -> None:
    """Another service's error with the same code does not become Cognito's error."""
    assert type(_translated(_refusal(code))) is errors.AWSError


@pytest.mark.parametrize("service", ["ssm", "cognito-idp"])
def test_an_unknown_code(service: str) -> None:
    """An unknown code becomes an AWSError with service, operation, code, message and request id."""
    error = _translated(_refusal("OddError", "Odd", "r-3"), service, "Operation")
    assert type(error) is errors.AWSError
    assert error.exit_code == 4
    assert error.message == f"{service}:Operation failed with OddError: Odd (request r-3)."
    assert (error.service, error.operation, error.code) == (service, "Operation", "OddError")
    assert error.request_id == "r-3"


def test_an_error_response_without_details() -> None:
    """An error response without code, message and request id still gives a readable error."""
    error = _translated(boto.ClientError({}, "Operation"))
    assert error.message == "ssm:GetParameter failed with Unknown."


def test_messages_that_are_web_pages() -> None:
    """Gateways and emulators send web pages as messages: ours is one short line."""
    for case_name, message, shown in (
        ("a web page", "<html><body>502 Bad Gateway</body></html>", ""),
        ("several lines", "one\n  two\r\nthree", ": one two three"),
        ("long", "x" * 2000, ": " + "x" * 2000),
        ("too long", "x" * 2001, ": " + "x" * 2000 + "…"),
    ):
        with case(case_name):
            error = _translated(_refusal("BadGateway", message))
            assert error.message == f"ssm:GetParameter failed with BadGateway{shown}."


def test_cognitos_time_is_in_the_error() -> None:
    """An error has Cognito's time, which one-time codes and signatures depend on."""
    for code in (
        "NotAuthorizedException",
        "CodeMismatchException",
    ):
        for label, headers, expected in (
            (
                "told",
                {"date": "Sat, 07 Mar 2026 04:05:09 GMT"},
                datetime(2026, 3, 7, 4, 5, 9, tzinfo=timezone.utc),
            ),
            ("not a date", {"date": "yesterday"}, None),
            ("not told", {}, None),
        ):
            with case(code, label):
                refusal = _refusal(code)
                refusal.response["ResponseMetadata"] = {"HTTPHeaders": headers}
                error = _translated(refusal, "cognito-idp", "InitiateAuth")
                assert isinstance(error, errors.CognitoError)
                assert error.server_time == expected


def test_an_error_of_the_local_sandbox() -> None:
    """What the local sandbox's server reports in a header is raised as it was there."""
    reported = errors.LocalSandboxError("The state is damaged.", resolution="Reset it.")
    refusal = _refusal("InternalFailure", "Sorry.", "r")
    refusal.response["ResponseMetadata"]["HTTPHeaders"] = dict([reported.to_header()])
    error = _translated(refusal)
    assert type(error) is errors.LocalSandboxError
    assert (error.message, error.resolution) == (reported.message, reported.resolution)


# --- by botocore's class -------------------------------------------------------------------------

URL = "https://ssm.us-east-1.amazonaws.com"

BY_CLASS: list[tuple[Exception, type[errors.SeedctlError], int]] = [
    (boto.NoRegionError(), errors.MissingRegionError, 3),
    (boto.InvalidRegionError(region_name="us east"), errors.MissingRegionError, 3),
    (boto.NoCredentialsError(), errors.InvalidCredentialError, 3),
    (
        boto.PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"),
        errors.InvalidCredentialError,
        3,
    ),
    (
        boto.CredentialRetrievalError(provider="process", error_msg="exit 1"),
        errors.InvalidCredentialError,
        3,
    ),
    (boto.ProfileNotFound(profile="x"), errors.InvalidCredentialError, 3),
    (boto.ConfigParseError(path="/c"), errors.InvalidCredentialError, 3),
    (boto.ConfigNotFound(path="/c"), errors.InvalidCredentialError, 3),
    (boto.InvalidConfigError(error_msg="bad"), errors.InvalidCredentialError, 3),
    (
        boto.InfiniteLoopConfigError(source_profile="a", visited_profiles=["a"]),
        errors.InvalidCredentialError,
        3,
    ),
    (boto.UnauthorizedSSOTokenError(), errors.InvalidCredentialError, 3),
    (boto.SSOTokenLoadError(error_msg="none"), errors.InvalidCredentialError, 3),
    (
        boto.TokenRetrievalError(provider="sso", error_msg="expired"),
        errors.InvalidCredentialError,
        3,
    ),
    (boto.EndpointConnectionError(endpoint_url=URL), errors.EndpointUnreachableError, 4),
    (boto.ConnectTimeoutError(endpoint_url=URL), errors.EndpointUnreachableError, 4),
    (boto.ReadTimeoutError(endpoint_url=URL), errors.EndpointUnreachableError, 4),
    (boto.ConnectionClosedError(endpoint_url=URL), errors.EndpointUnreachableError, 4),
    (boto.SSLError(endpoint_url=URL, error="expired"), errors.EndpointUnreachableError, 4),
    (boto.HTTPClientError(error="odd"), errors.EndpointUnreachableError, 4),
    (boto.ParamValidationError(report="Missing:\n  Name"), errors.InvalidParameterException, 1),
    (boto.DataNotFoundError(data_path="x"), errors.AWSError, 4),
    (boto.UnknownServiceError(service_name="x", known_service_names="y"), errors.AWSError, 4),
]


def test_by_class() -> None:
    """Errors that botocore raises without a response have their class and exit code too."""
    for error, expected, exit_code in BY_CLASS:
        with case(error):
            translated = _translated(error, "ssm", "GetParameter")
            assert type(translated) is expected
            assert translated.exit_code == exit_code
            words = " ".join(str(error).split())
            assert words in " ".join(translated.message.split())


@pytest.mark.skipif(not hasattr(boto, "LoginError"), reason="botocore knows aws login since 1.41")
@pytest.mark.parametrize(
    "name", ["LoginRefreshRequired", "LoginTokenLoadError", "LoginInsufficientPermissions"]
)
def test_a_session_of_aws_login(name: str) -> None:
    """A missing or expired session of `aws login` is a credentials error like any other."""
    error = getattr(boto, name)(error_msg="run aws login")
    translated = _translated(error, profile="dev")
    assert type(translated) is errors.InvalidCredentialError
    assert 'profile "dev"' in translated.message


@pytest.mark.parametrize(
    ("profile", "whose"),
    [("dev", 'profile "dev"'), (None, "the default credential chain")],
    ids=["a profile", "none"],
)
def test_the_source_of_the_credentials_is_named(profile: str | None, whose: str) -> None:
    """A credentials error names the profile, and how to continue without AWS."""
    error = _translated(boto.NoCredentialsError(), profile=profile)
    assert whose in error.message
    assert "--profile" in (error.resolution or "")
    assert "--local" in (error.resolution or "")


def test_an_unreachable_endpoint_is_named() -> None:
    """The message names the unreachable address and the call; the resolution says what to check."""
    error = _translated(boto.ReadTimeoutError(endpoint_url=URL))
    assert isinstance(error, errors.AWSError)
    assert error.message.startswith("ssm:GetParameter got no response: ")
    assert URL in error.message
    assert "proxy" in (error.resolution or "")
    assert (error.service, error.operation) == ("ssm", "GetParameter")


def test_an_answer_that_is_not_awss() -> None:
    """For a web page in place of AWS the error names the endpoint and shows none of the page."""
    error = _translated(ResponseParserError("Unable to parse: b'<html>hidden-word</html>'"))
    assert type(error) is errors.InvalidResponseError
    assert error.exit_code == 4
    assert error.message.startswith("ssm:GetParameter got an answer that is not AWS's")
    assert error.message.endswith(".")
    assert "hidden-word" not in error.message
    assert all(name in (error.resolution or "") for name in ("--endpoint-url", "AWS_ENDPOINT_URL"))
    assert (error.service, error.operation) == ("ssm", "GetParameter")


def test_messages_are_one_line() -> None:
    """Messages of several lines are joined into one."""
    error = _translated(boto.ParamValidationError(report="Missing:\n  Name\n  Value"))
    assert "Missing: Name Value" in error.message
    assert "\n" not in error.message


def test_other_exceptions_are_not_translated() -> None:
    """Bugs are raised unchanged, and seedctl's own errors are not wrapped again."""
    for error in (
        ValueError("x"),
        KeyError("x"),
        RuntimeError("x"),
        AssertionError("x"),
        errors.MixedEndpointsError("x"),
        errors.InvalidCommandInputError("x"),
    ):
        with case(error):
            assert translate(error, service="ssm", operation="GetParameter", profile=None) is None


# --- the time, and what AWS said -----------------------------------------------------------------

LATE = (
    "Signature expired: 20250101T000000Z is now earlier than 20250101T012000Z "
    "(20250101T012500Z - 5 min.)"
)


def test_a_clock_that_is_wrong() -> None:
    """A signature rejected because of its time gives the advice about the clock."""
    for service, code, message, date, advice in (
        ("ssm", "InvalidSignatureException", LATE, None, "85 minutes behind"),
        ("ssm", "RequestExpired", "Request has expired.", "Sat, 07 Mar 2020 04:05:09 GMT", "ahead"),
        ("ssm", "SignatureDoesNotMatch", "No.", "Sat, 07 Mar 2020 04:05:09 GMT", "ahead"),
        ("s3", "RequestTimeTooSkewed", "Too large.", "Sat, 07 Mar 2020 04:05:09 GMT", "ahead"),
        ("sts", "RequestInTheFuture", "", None, "Check this machine's clock"),
    ):
        with case(service, code, message, date, advice):
            refusal = _refusal(code, message)
            refusal.response["ResponseMetadata"] = {"HTTPHeaders": {"date": date} if date else {}}
            error = _translated(refusal, service)
            assert type(error) is errors.InvalidCredentialError
            assert error.exit_code == 3
            assert "does not accept the time" in error.message
            assert advice in (error.resolution or "")
            assert error.service_message == message


def test_no_part_of_a_secret_is_left() -> None:
    """A secret is masked before a long message is cut in it, and before line breaks are removed."""
    register("a-long-secret")
    register("a-secret-of\n  several-lines")
    for text in ("x" * 1990 + " a-long-secret.", "It has a-secret-of\n  several-lines."):
        with case(text):
            error = _translated(_refusal("ValidationException", text))
            for shown in (error.message, error.service_message):
                assert "***" in shown
                assert "secret-of" not in shown
                assert "a-long" not in shown
    failed = boto.CredentialRetrievalError(provider="x" * 440, error_msg=" a-long-secret")
    shown = str(_translated(failed))
    assert "***" in shown
    assert "a-l" not in shown


def test_awss_message_is_masked() -> None:
    """Every error has AWS's code and message, with secrets masked."""
    register("Pl4nted-one")
    error = _translated(_refusal("ExpiredTokenException", "Expired: Pl4nted-one."))
    assert error.service_code == "ExpiredTokenException"
    assert error.service_message == "Expired: ***."


def test_advice_for_codes_of_a_service() -> None:
    """A code with a single meaning gets advice for it."""
    for service, code, advice in (
        ("cognito-idp", "ForbiddenException", "web ACL"),
        ("cognito-identity", "NotAuthorizedException", "identity pool"),
        ("cognito-identity", "ResourceNotFoundException", "regenerate"),
        ("ssm", "InvalidKeyId", "KMS key"),
    ):
        with case(service, code, advice):
            error = _translated(_refusal(code, "Said."), service)
            assert type(error) is errors.AWSError
            assert advice in (error.resolution or "")


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("User: a is not authorized to perform: s3:GetObject with an explicit deny", "explicitly"),
        ("User: a is not authorized to perform: kms:Decrypt on resource: k", "kms:Decrypt"),
        ("Access Denied", None),
    ],
)
def test_what_s3_denies_beyond_the_path_rules(message: str, advice: str | None) -> None:
    """S3 denials get advice here only if S3 names a cause; path rules are explained elsewhere."""
    error = _translated(_refusal("AccessDenied", message), "s3")
    assert type(error) is errors.AccessDenied
    assert error.message == message
    assert (error.resolution is None) if advice is None else advice in (error.resolution or "")


def test_a_library_that_is_missing_elsewhere() -> None:
    """An exception is a credentials error only if it was raised while getting credentials."""
    error = _translated(boto.MissingDependencyException(msg="Using CRC64 needs awscrt"))
    assert type(error) is errors.AWSError


# --- S3, whose credentials are the identity pool's -----------------------------------------------


def test_s3_translations() -> None:
    """S3's refusals keep S3's names; throttling and failures of AWS are as for other services."""
    for code, status, expected in (
        ("ExpiredToken", 400, errors.StorageError),
        ("InvalidAccessKeyId", 403, errors.StorageError),
        ("NoSuchKey", 404, errors.NoSuchKey),
        ("SlowDown", 503, errors.ThrottledError),
        ("SlowDown", 400, errors.ThrottledError),
        ("InternalError", 500, errors.ServiceFailedError),
    ):
        with case(code, status):
            refusal = _refusal(code, "Said.", "r-5")
            refusal.response["ResponseMetadata"]["HTTPStatusCode"] = status
            error = _translated(refusal, "s3", "put_object")
            assert type(error) is expected
            assert error.service_code == code
            if isinstance(error, errors.AWSError):  # with the operation's name, not the method's
                assert error.operation == "Operation"
                assert "s3:Operation" in error.message


def test_s3_refusals_without_a_body() -> None:
    """A refused HEAD has only a status, which gives the error S3's name for it."""
    error = _translated(_refusal("404", "Not Found"), "s3")
    assert isinstance(error, errors.StorageError)
    assert error.code == error.message
    assert error.code != "404"


def test_whether_a_refused_call_was_repeated() -> None:
    """A refusal tells whether botocore had repeated the call: the first try may have succeeded."""
    for attempts, expected in ((0, False), (1, True)):
        with case(attempts):
            refusal = _refusal("PreconditionFailed", request_id="r")
            refusal.response["ResponseMetadata"]["RetryAttempts"] = attempts
            error = _translated(refusal, "s3")
            assert isinstance(error, errors.StorageError)
            assert error.was_repeated is expected


# --- the sources of credentials ------------------------------------------------------------------


def _raised_in(module: str, error: Exception) -> Exception:
    """Return *error* with a traceback that passes through *module*."""
    with pytest.raises(type(error)) as raised:
        exec("raise error", {"__name__": module, "error": error})
    return raised.value


def test_what_a_source_of_credentials_answers() -> None:
    """A refusal while getting credentials blames the profile, unless it is about something else."""
    denied = "User: a is not authorized to perform: sts:AssumeRole on resource: r"
    for code, message, status, expected in (
        ("ValidationError", "The role's name is invalid.", 400, errors.InvalidCredentialError),
        ("AccessDenied", denied, 403, errors.AccessDeniedError),
        ("Throttling", "Rate exceeded", 400, errors.ThrottledError),
        ("InternalFailure", "Sorry.", 500, errors.ServiceFailedError),
    ):
        with case(code):
            refusal = _refusal(code, message, "r")
            refusal.response["ResponseMetadata"]["HTTPStatusCode"] = status
            error = _translated(_raised_in("botocore.credentials", refusal), "sts")
            assert type(error) is expected


def test_a_response_on_which_botocores_parser_fails() -> None:
    """Any exception of botocore's parsers means a response that is not AWS's."""
    error = _translated(_raised_in("botocore.parsers", AttributeError("find")))
    assert type(error) is errors.InvalidResponseError
