"""MFA settings by users with an access token, and by administrators."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases import case

ANN = "ann@example.com"
PHONE = "+15551234567"
ALL = ("SMS", "TOTP", "EMAIL")
ON = {"Enabled": True}
OFF = {"Enabled": False}
PREFERRED = {"Enabled": True, "PreferredMfa": True}


@pytest.fixture
def client(start: Any) -> Any:
    """A pool with OPTIONAL MFA and all methods."""
    return start(mfa_configuration="OPTIONAL", mfa_methods=ALL)


@pytest.fixture
def token(client: Any) -> str:
    """Ann's access token; she has a phone number."""
    return str(client.tokens(ANN, phone_number=PHONE)["AccessToken"])


def set_up(client: Any, token: str, **given: str) -> str:
    secret = str(client.cognito("AssociateSoftwareToken", AccessToken=token)["SecretCode"])
    code = client.totp(secret)
    call = {"AccessToken": token, "UserCode": code, **given}
    assert client.cognito("VerifySoftwareToken", **call) == {"Status": "SUCCESS"}
    return secret


def shown(client: Any, token: str) -> tuple[list[str], str | None]:
    """Return the MFA settings, which both calls must show equally."""
    mine = client.cognito("GetUser", AccessToken=token)
    theirs = client.cognito("AdminGetUser", Username=ANN)
    settings = mine.get("UserMFASettingList", []), mine.get("PreferredMfaSetting")
    assert settings == (theirs.get("UserMFASettingList", []), theirs.get("PreferredMfaSetting"))
    return settings


def test_token_by_access_token(client: Any, token: str) -> None:
    """A signed-in user sets up a token without a session; sign-ins need it once enabled."""
    secret = set_up(client, token, FriendlyDeviceName="my phone")
    assert "AuthenticationResult" in client.sign_in(ANN)
    client.cognito("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=ON)
    challenge = client.sign_in(ANN)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["ChallengeParameters"]["FRIENDLY_DEVICE_NAME"] == "my phone"
    client.clock.advance(30)
    assert client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=client.totp(secret))


def test_new_token_replaces_the_old_one_when_verified(client: Any, token: str) -> None:
    """The old token stays valid until the new one is verified."""
    old = set_up(client, token)
    client.cognito("SetUserMFAPreference", AccessToken=token, SoftwareTokenMfaSettings=ON)
    new = client.cognito("AssociateSoftwareToken", AccessToken=token)["SecretCode"]
    client.clock.advance(30)
    assert client.answer(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=client.totp(old))
    client.cognito("VerifySoftwareToken", AccessToken=token, UserCode=client.totp(new))
    client.clock.advance(30)
    refusal = client.answer_refusal(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=client.totp(old))
    assert refusal.startswith("CodeMismatchException")
    assert client.answer(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=client.totp(new))


def test_verifying_again(client: Any, token: str) -> None:
    """A verified token can be verified again with an unused code."""
    call = {"AccessToken": token, "UserCode": "123456"}
    refusal = client.cognito_refusal("VerifySoftwareToken", **call)
    expected = "Software Token MFA does not exist for the user."
    assert refusal == f"SoftwareTokenMFANotFoundException: {expected}"
    secret = set_up(client, token)
    call = {"AccessToken": token, "UserCode": client.totp(secret)}
    refusal = client.cognito_refusal("VerifySoftwareToken", **call)
    assert refusal == "ExpiredCodeException: Your software token has already been used once."
    client.clock.advance(30)
    call = {"AccessToken": token, "UserCode": client.totp(secret)}
    assert client.cognito("VerifySoftwareToken", **call) == {"Status": "SUCCESS"}


def test_codes_are_six_digits(client: Any, token: str) -> None:
    """Any other text is an invalid parameter."""
    client.cognito("AssociateSoftwareToken", AccessToken=token)
    for code in (
        "12345",
        "1234567",
        "12 456",
        "12345²",
    ):
        with case(code):
            call = {"AccessToken": token, "UserCode": code}
            refusal = client.cognito_refusal("VerifySoftwareToken", **call)
            assert refusal.startswith("InvalidParameterException: UserCode must be")


@pytest.mark.parametrize("both", [True, False])
def test_session_or_token(client: Any, token: str, both: bool) -> None:
    """A call needs either a session or an access token, not both."""
    call = {"AccessToken": token, "Session": "x" * 20} if both else {}
    for operation in ("AssociateSoftwareToken", "VerifySoftwareToken"):
        refusal = client.cognito_refusal(operation, UserCode="123456", **call)
        assert refusal.startswith("InvalidParameterException: Either Session or AccessToken")


def test_token_of_a_pool_without(start: Any) -> None:
    """If software tokens are off, none can be created."""
    client = start(mfa_configuration="OPTIONAL", mfa_methods=("SMS",))
    token = client.tokens(ANN)["AccessToken"]
    refusal = client.cognito_refusal("AssociateSoftwareToken", AccessToken=token)
    expected = "Software Token MFA has not been enabled by the userPool."
    assert refusal == f"SoftwareTokenMFANotFoundException: {expected}"


def test_preferences(client: Any, token: str) -> None:
    """Preferences are stored for each factor and decide which challenge is issued."""

    def prefer(**settings: Any) -> None:
        assert client.cognito("SetUserMFAPreference", AccessToken=token, **settings) == {}

    assert shown(client, token) == ([], None)
    prefer(SMSMfaSettings=PREFERRED)
    assert shown(client, token) == (["SMS_MFA"], "SMS_MFA")
    assert client.sign_in(ANN)["ChallengeName"] == "SMS_MFA"
    set_up(client, token)
    prefer(SoftwareTokenMfaSettings=PREFERRED)
    assert shown(client, token) == (["SMS_MFA", "SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA")
    assert client.sign_in(ANN)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    prefer(SoftwareTokenMfaSettings=ON)  # without PreferredMfa
    assert shown(client, token)[1] == "SOFTWARE_TOKEN_MFA"
    prefer(SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": False})
    assert shown(client, token) == (["SMS_MFA", "SOFTWARE_TOKEN_MFA"], None)
    step = client.sign_in(ANN)
    assert step["ChallengeName"] == "SELECT_MFA_TYPE"
    assert step["ChallengeParameters"]["MFAS_CAN_CHOOSE"] == '["SMS_MFA","SOFTWARE_TOKEN_MFA"]'
    prefer(SMSMfaSettings=OFF, SoftwareTokenMfaSettings=OFF, EmailMfaSettings=PREFERRED)
    assert shown(client, token) == (["EMAIL_OTP"], "EMAIL_OTP")
    assert client.sign_in(ANN)["ChallengeName"] == "EMAIL_OTP"
    prefer(EmailMfaSettings=OFF)
    prefer()
    assert shown(client, token) == ([], None)
    assert "AuthenticationResult" in client.sign_in(ANN)


def test_preference_where_mfa_is_required(start: Any) -> None:
    """The preferred factor is used without SELECT_MFA_TYPE, whatever else is set up."""
    client = start(mfa_configuration="REQUIRED", mfa_methods=("SMS", "EMAIL"))
    client.create(ANN, phone_number=PHONE)
    step = client.sign_in(ANN, "Temp-123-word")
    step = client.cognito("RespondToAuthChallenge", **client.new_password(step))
    assert step["ChallengeName"] == "SELECT_MFA_TYPE"
    client.cognito("AdminSetUserMFAPreference", Username=ANN, EmailMfaSettings=PREFERRED)
    assert client.sign_in(ANN)["ChallengeName"] == "EMAIL_OTP"
    client.cognito("AdminSetUserMFAPreference", Username=ANN, EmailMfaSettings=OFF)
    assert client.sign_in(ANN)["ChallengeName"] == "SELECT_MFA_TYPE"


def test_refused_preferences(client: Any) -> None:
    """A factor the user lacks and contradictory settings are refused and change nothing."""
    token = client.tokens(ANN)["AccessToken"]
    for case_name, settings, refusal in (
        (
            "unverified",
            {"SoftwareTokenMfaSettings": ON},
            "InvalidParameterException: User has not verified software token mfa",
        ),
        (
            "no phone",
            {"SMSMfaSettings": ON},
            "InvalidParameterException: User does not have delivery config set to turn on SMS_MFA",
        ),
        (
            "two",
            {"SMSMfaSettings": PREFERRED, "EmailMfaSettings": PREFERRED},
            "InvalidParameterException: Only one MFA method can be preferred",
        ),
        (
            "not enabled",
            {"EmailMfaSettings": {"PreferredMfa": True}},
            "InvalidParameterException: EMAIL_OTP cannot be preferred without being enabled.",
        ),
        ("text", {"EmailMfaSettings": "on"}, "SerializationException: EmailMfaSettings"),
        ("yes", {"EmailMfaSettings": {"Enabled": "yes"}}, "SerializationException: Enabled"),
    ):
        with case(case_name):
            call = {"EmailMfaSettings": ON, **settings}
            for operation, who in (
                ("SetUserMFAPreference", {"AccessToken": token}),
                ("AdminSetUserMFAPreference", {"Username": ANN}),
            ):
                assert client.cognito_refusal(operation, **who, **call).startswith(refusal)
            assert shown(client, token) == ([], None)


def test_preference_for_what_is_off(start: Any) -> None:
    """A method that is off in the pool is refused."""
    client = start()
    token = client.tokens(ANN)["AccessToken"]
    call = {"AccessToken": token, "EmailMfaSettings": ON}
    refusal = client.cognito_refusal("SetUserMFAPreference", **call)
    assert refusal == "InvalidParameterException: EMAIL_OTP is not turned on in the user pool"


def test_preference_needs_a_token(client: Any, token: str) -> None:
    """Without an access token, or with a revoked one, nothing is set."""
    call = {"EmailMfaSettings": ON}
    refusal = client.cognito_refusal("SetUserMFAPreference", **call)
    assert refusal == "InvalidParameterException: Missing required parameter AccessToken"
    client.cognito("GlobalSignOut", AccessToken=token)
    for operation in ("SetUserMFAPreference", "AssociateSoftwareToken"):
        refusal = client.cognito_refusal(operation, AccessToken=token, **call)
        assert refusal == "NotAuthorizedException: Access Token has been revoked"


@pytest.mark.parametrize(
    ("configuration", "methods", "shown_as"),
    [("NONE", (), "OFF"), ("OPTIONAL", ("SMS",), "OPTIONAL"), ("REQUIRED", ALL, "ON")],
)
def test_pool_description(start: Any, configuration: str, methods: Any, shown_as: str) -> None:
    """GetUserPoolMfaConfig returns the methods that are on."""
    client = start(mfa_configuration=configuration, mfa_methods=methods)
    described = client.cognito("GetUserPoolMfaConfig")
    assert described["MfaConfiguration"] == shown_as
    assert described["SoftwareTokenMfaConfiguration"] == {"Enabled": "TOTP" in methods}
    assert ("SmsMfaConfiguration" in described) == ("SMS" in methods)
    assert ("EmailMfaConfiguration" in described) == ("EMAIL" in methods)
    assert client.cognito("DescribeUserPool")["UserPool"]["MfaConfiguration"] == shown_as
