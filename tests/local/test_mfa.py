"""MFA at sign-in: which challenge comes, what answers it, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import blueprint
from seedctl.project import parse_outputs

ANN = "ann@example.com"
PHONE = "+15551234567"
TEMPORARY = "Temp-123-word"
INVALID_SESSION = "NotAuthorizedException: Invalid session for the user."
USED = "ExpiredCodeException: Your software token has already been used once."
EXPIRED = "ExpiredCodeException: Invalid code provided, please request a code again."
WRONG_TOTP = "CodeMismatchException: Invalid code received for user"
WRONG_CODE = "CodeMismatchException: Invalid code or auth state for the user."
ALL = ("SMS", "TOTP", "EMAIL")


@pytest.fixture
def pool(start: Any) -> Any:
    """Start a pool that requires MFA unless told otherwise; e-mail addresses sign in."""

    def make(*methods: str, configuration: str = "REQUIRED", **options: Any) -> Any:
        return start(mfa_configuration=configuration, mfa_methods=methods, **options)

    return make


def first_step(client: Any, name: str = ANN, /, **attributes: str) -> Any:
    """Create a user and return what follows the new password."""
    client.create(name, **attributes)
    challenge = client.sign_in(name, TEMPORARY)
    return client.cognito("RespondToAuthChallenge", **client.new_password(challenge))


# --- which challenge comes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "attributes", "challenge", "listed"),
    [
        pytest.param(("TOTP",), {}, "MFA_SETUP", ["SOFTWARE_TOKEN_MFA"], id="totp"),
        pytest.param(("SMS",), {}, "MFA_SETUP", ["SMS_MFA"], id="sms"),
        pytest.param(
            ("SMS", "TOTP"), {}, "MFA_SETUP", ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], id="sms, totp"
        ),
        pytest.param(("EMAIL",), {}, "EMAIL_OTP", None, id="email"),
        pytest.param(("TOTP", "EMAIL"), {}, "EMAIL_OTP", None, id="totp, email"),
        pytest.param(("SMS",), {"phone_number": PHONE}, "SMS_MFA", None, id="phone, sms"),
        pytest.param(("SMS", "TOTP"), {"phone_number": PHONE}, "SMS_MFA", None, id="phone, totp"),
        pytest.param(
            ("SMS", "EMAIL"),
            {"phone_number": PHONE},
            "SELECT_MFA_TYPE",
            ["SMS_MFA", "EMAIL_OTP"],
            id="phone, sms, email",
        ),
        pytest.param(
            ALL,
            {"phone_number": PHONE},
            "SELECT_MFA_TYPE",
            ["SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"],
            id="phone, all",
        ),
    ],
)
def test_first_challenge(
    pool: Any, methods: Any, attributes: Any, challenge: str, listed: Any
) -> None:
    """The pool's methods and the user's addresses decide, now and at every later sign-in."""
    client = pool(*methods)
    for step in (first_step(client, **attributes), client.sign_in(ANN)):
        assert step["ChallengeName"] == challenge
        assert "AuthenticationResult" not in step
        parameters = step["ChallengeParameters"]
        assert (
            parameters["USER_ID_FOR_SRP"]
            == client.cognito("AdminGetUser", Username=ANN)["Username"]
        )
        found = parameters.get("MFAS_CAN_SETUP") or parameters.get("MFAS_CAN_CHOOSE") or "null"
        assert json.loads(found) == listed


@pytest.mark.parametrize("configuration", ["NONE", "OPTIONAL"])
def test_tokens_without_mfa(pool: Any, configuration: str) -> None:
    """Where MFA is off or nothing was set up, a password is enough."""
    methods = () if configuration == "NONE" else ALL
    client = pool(*methods, configuration=configuration)
    assert "AuthenticationResult" in first_step(client, phone_number=PHONE)


@pytest.mark.parametrize("methods", [[], None])
def test_unnamed_methods(start: Any, methods: Any) -> None:
    """A pool that requires MFA of a kind its file does not name takes any kind."""
    document = blueprint.from_options(mfa_configuration="REQUIRED", mfa_methods=ALL)
    document["auth"]["mfa_methods"] = methods
    if methods is None:
        del document["auth"]["mfa_methods"]
    client = start(parse_outputs(document, Path("local_outputs.json")))
    assert first_step(client)["ChallengeName"] == "EMAIL_OTP"
    description = client.cognito("GetUserPoolMfaConfig")
    assert description["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


# --- software tokens ------------------------------------------------------------------------------


def test_totp_sign_up_and_sign_in(pool: Any) -> None:
    """Set up once, a software token's codes sign the user in, as RFC 6238 has them."""
    client = pool("TOTP")
    step = first_step(client)
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    secret = associated["SecretCode"]
    assert len(secret) == 52
    assert secret.isalnum()
    verified = client.cognito(
        "VerifySoftwareToken",
        Session=associated["Session"],
        UserCode=client.totp(secret),
        FriendlyDeviceName="my phone",
    )
    assert verified["Status"] == "SUCCESS"
    reply = client.answer({**step, "Session": verified["Session"]})
    assert client.cognito("GetUser", AccessToken=reply["AuthenticationResult"]["AccessToken"])
    client.clock.advance(30)
    challenge = client.sign_in(ANN)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["ChallengeParameters"]["FRIENDLY_DEVICE_NAME"] == "my phone"
    code = client.totp(secret)
    assert "AuthenticationResult" in client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)
