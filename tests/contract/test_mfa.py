"""Software tokens and MFA preferences: the local sandbox gives the same responses as moto.

moto accepts any proof of a password and any code: sign-in here only shows the sequence of the calls,
and ``tests/local`` proves that the sandbox checks them. moto has no e-mail codes.
"""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import SoftwareTokenMFAChallengeException

from tests.boto3_clients import error_code as _code

ANN = "ann@example.com"
PASSWORD = "Final-456-word"
ON = {"Enabled": True}
OFF = {"Enabled": False}
PREFERRED = {"Enabled": True, "PreferredMfa": True}

# Where moto is known to differ from AWS: test name -> what moto does instead.
MOTO_DIFFERS = {
    "test_code_is_accepted_once": "takes a code any number of times",
    "test_no_pending_token": "verifies a token that was never associated",
    "test_wrong_code_at_sign_in": "takes any code",
    "test_wrong_code_at_set_up": "takes any code",
}


def _sign_in(service: Any) -> Any:
    return AWSSRP(
        username=ANN,
        password=PASSWORD,
        pool_id=service.pool_id,
        client_id=service.client_id,
        client=service.cognito,
    ).authenticate_user()


def _totp(secret: str, *, steps: int = 0) -> str:
    # Not pyotp, which refuses a secret as short as moto's.
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    totp = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)
    return totp.generate(int(time.time()) + 30 * steps).decode()


def _wrong(code: str) -> str:
    return f"{(int(code) + 123457) % 10**6:06}"


def _answer(service: Any, code: str) -> Any:
    """Sign in with a software token's code."""
    with pytest.raises(SoftwareTokenMFAChallengeException) as caught:
        _sign_in(service)
    return service.cognito.respond_to_auth_challenge(
        ClientId=service.client_id,
        ChallengeName="SOFTWARE_TOKEN_MFA",
        Session=caught.value.get_tokens()["Session"],
        ChallengeResponses={"USERNAME": ANN, "SOFTWARE_TOKEN_MFA_CODE": code},
    )


@pytest.fixture
def token(service: Any) -> str:
    """Ann's access token; she has a phone number."""
    given = {"UserPoolId": service.pool_id, "Username": ANN}
    phone = {"Name": "phone_number", "Value": "+15551234567"}
    service.cognito.admin_create_user(**given, MessageAction="SUPPRESS", UserAttributes=[phone])
    service.cognito.admin_set_user_password(**given, Password=PASSWORD, Permanent=True)
    return str(_sign_in(service)["AuthenticationResult"]["AccessToken"])


@pytest.fixture
def secret(service: Any, token: str) -> str:
    """The secret of Ann's verified software token."""
    secret = service.cognito.associate_software_token(AccessToken=token)["SecretCode"]
    code = _totp(secret)
    reply = service.cognito.verify_software_token(AccessToken=token, UserCode=code)
    assert reply["Status"] == "SUCCESS"
    return str(secret)


def _settings(service: Any) -> tuple[list[str], str | None]:
    user = service.cognito.admin_get_user(UserPoolId=service.pool_id, Username=ANN)
    return sorted(user.get("UserMFASettingList", [])), user.get("PreferredMfaSetting") or None


def test_pool(service: Any) -> None:
    """The pool reports its MFA mode and the enabled methods."""
    config = service.cognito.get_user_pool_mfa_config(UserPoolId=service.pool_id)
    assert config["MfaConfiguration"] == "OPTIONAL"
    assert config["SoftwareTokenMfaConfiguration"] == {"Enabled": True}
    assert config["SmsMfaConfiguration"]["SmsConfiguration"]["SnsCallerArn"]
    assert "EmailMfaConfiguration" not in config
    pool = service.cognito.describe_user_pool(UserPoolId=service.pool_id)["UserPool"]
    assert pool["MfaConfiguration"] == "OPTIONAL"


def test_association(service: Any, token: str) -> None:
    """A signed-in user gets a secret but no session."""
    reply = service.cognito.associate_software_token(AccessToken=token)
    assert _totp(reply["SecretCode"]).isdigit()
    assert "Session" not in reply


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("associate_software_token", {}),
        ("verify_software_token", {"UserCode": "123456"}),
        ("set_user_mfa_preference", {"SMSMfaSettings": ON}),
    ],
)
def test_unknown_access_token(service: Any, operation: str, given: Any) -> None:
    """An unknown access token is NotAuthorizedException."""
    code = _code(getattr(service.cognito, operation), AccessToken="x.y.z", **given)
    assert code == "NotAuthorizedException"


def test_wrong_code_at_set_up(service: Any, token: str) -> None:
    """A wrong code is EnableSoftwareTokenMFAException."""
    secret = service.cognito.associate_software_token(AccessToken=token)["SecretCode"]
    given = {"AccessToken": token, "UserCode": _wrong(_totp(secret))}
    code = _code(service.cognito.verify_software_token, **given)
    assert code == "EnableSoftwareTokenMFAException"


def test_no_pending_token(service: Any, token: str) -> None:
    """A software token that was never associated cannot be verified."""
    given = {"AccessToken": token, "UserCode": "123456"}
    code = _code(service.cognito.verify_software_token, **given)
    assert code == "SoftwareTokenMFANotFoundException"


@pytest.mark.parametrize("admin", [True, False])
def test_unverified_token(service: Any, token: str, admin: bool) -> None:
    """A software token cannot be enabled before it is verified."""
    who = {"UserPoolId": service.pool_id, "Username": ANN} if admin else {"AccessToken": token}
    call = getattr(service.cognito, f"{'admin_' if admin else ''}set_user_mfa_preference")
    with pytest.raises(ClientError, match="User has not verified software token mfa") as caught:
        call(**who, SoftwareTokenMfaSettings=ON)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


@pytest.mark.parametrize("admin", [True, False])
def test_preferences(service: Any, token: str, secret: str, admin: bool) -> None:
    """Each MFA method is enabled and disabled separately, and at most one is preferred."""
    who = {"UserPoolId": service.pool_id, "Username": ANN} if admin else {"AccessToken": token}
    prefer = getattr(service.cognito, f"{'admin_' if admin else ''}set_user_mfa_preference")
    assert _settings(service) == ([], None)
    prefer(**who, SMSMfaSettings=PREFERRED)
    assert _settings(service) == (["SMS_MFA"], "SMS_MFA")
    prefer(**who, SoftwareTokenMfaSettings=PREFERRED)
    both = ["SMS_MFA", "SOFTWARE_TOKEN_MFA"]
    assert _settings(service) == (both, "SOFTWARE_TOKEN_MFA")
    prefer(**who, SMSMfaSettings=OFF)
    assert _settings(service) == (both[1:], "SOFTWARE_TOKEN_MFA")
    prefer(**who, SoftwareTokenMfaSettings=OFF)
    assert _settings(service) == ([], None)


def test_preference_of_a_missing_user(service: Any) -> None:
    """Operations of administrators report a missing user."""
    given = {"UserPoolId": service.pool_id, "Username": "nobody@example.com"}
    code = _code(service.cognito.admin_set_user_mfa_preference, **given, SMSMfaSettings=ON)
    assert code == "UserNotFoundException"


def test_sign_in(service: Any, token: str, secret: str) -> None:
    """Sign-in asks for the code of the preferred software token."""
    service.cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=PREFERRED)
    code = _totp(secret, steps=1)  # the current one was used at set-up
    assert _answer(service, code)["AuthenticationResult"]["RefreshToken"]


def test_wrong_code_at_sign_in(service: Any, token: str, secret: str) -> None:
    """A wrong code is CodeMismatchException."""
    service.cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=PREFERRED)
    wrong = _wrong(_totp(secret))
    assert _code(_answer, service=service, code=wrong) == "CodeMismatchException"


def test_code_is_accepted_once(service: Any, token: str) -> None:
    """The code that verified the token cannot be used again to sign in."""
    secret = service.cognito.associate_software_token(AccessToken=token)["SecretCode"]
    code = _totp(secret)
    service.cognito.verify_software_token(AccessToken=token, UserCode=code)
    service.cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=PREFERRED)
    assert _code(_answer, service=service, code=code) == "ExpiredCodeException"
