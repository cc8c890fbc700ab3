"""Forgotten passwords: a code to a verified address; unknown users get the same reply."""

from __future__ import annotations

from typing import Any

import pytest

ANN = "ann@example.com"
NUMBER = "+15550100100"
NEW = "Newer-789-word"
EXPIRED = "ExpiredCodeException: Invalid code provided, please request a code again."
MISMATCH = "CodeMismatchException: Invalid verification code provided, please try again."
LIMIT = "LimitExceededException: Attempt limit exceeded, please try after some time."
INCORRECT = "NotAuthorizedException: Incorrect username or password."


def forgot(client: Any, name: str = ANN) -> dict[str, str]:
    reply = client.cognito("ForgotPassword", Username=name)
    assert reply.keys() == {"CodeDeliveryDetails"}
    details: dict[str, str] = reply["CodeDeliveryDetails"]
    return details


def answer(client: Any, name: str = ANN, **changes: str) -> dict[str, str]:
    code = changes.get("ConfirmationCode") or client.last_code()
    return {"Username": name, "Password": NEW, "ConfirmationCode": code, **changes}


def test_forgotten_password(client: Any, passwords: Any) -> None:
    """The old password works until the code sets a new one; the code works once."""
    client.tokens(ANN, email_verified="true")
    assert forgot(client) == {
        "AttributeName": "email",
        "DeliveryMedium": "EMAIL",
        "Destination": "a***@e***",
    }
    assert client.sandbox.inbox()[0].purpose == "password reset"
    assert "AuthenticationResult" in client.sign_in(ANN, passwords[1])
    given = answer(client)
    assert client.cognito("ConfirmForgotPassword", **given) == {}
    assert client.sign_in_refusal(ANN, passwords[1]) == INCORRECT
    assert "AuthenticationResult" in client.sign_in(ANN, NEW)
    assert client.cognito_refusal("ConfirmForgotPassword", **given) == EXPIRED


def test_administrators_reset(client: Any) -> None:
    """A user reset by an administrator also gets a code, and using it confirms the user."""
    client.tokens(ANN, email_verified="true")
    client.cognito("AdminResetUserPassword", Username=ANN)
    client.cognito("ConfirmForgotPassword", **answer(client))
    assert client.cognito("AdminGetUser", Username=ANN)["UserStatus"] == "CONFIRMED"
    assert "AuthenticationResult" in client.sign_in(ANN, NEW)


def test_code_holds_for_an_hour(client: Any) -> None:
    """A reset code is valid for one hour."""
    client.tokens(ANN, email_verified="true")
    forgot(client)
    client.clock.advance(3601)
    assert client.cognito_refusal("ConfirmForgotPassword", **answer(client)) == EXPIRED
    forgot(client)
    client.clock.advance(3600)
    client.cognito("ConfirmForgotPassword", **answer(client))


def test_refused_answers(client: Any) -> None:
    """A wrong code or a weak password changes nothing, and the code stays valid."""
    client.tokens(ANN, email_verified="true")
    assert client.cognito_refusal("ConfirmForgotPassword", **answer_without_code()) == EXPIRED
    forgot(client)
    code = client.last_code()
    wrong = answer(client, ConfirmationCode=f"{(int(code) + 1) % 10**6:06}")
    assert client.cognito_refusal("ConfirmForgotPassword", **wrong) == MISMATCH
    weak = client.cognito_refusal("ConfirmForgotPassword", **answer(client, Password="weakword"))
    assert weak.startswith("InvalidPasswordException: Password does not conform to policy: ")
    client.cognito("ConfirmForgotPassword", **answer(client))


def answer_without_code() -> dict[str, str]:
    return {"Username": ANN, "Password": NEW, "ConfirmationCode": "123456"}


def test_attempts_are_limited(client: Any) -> None:
    """Five codes and five attempts per hour."""
    client.tokens(ANN, email_verified="true")
    for _ in range(5):
        forgot(client)
        refusal = client.cognito_refusal(
            "ConfirmForgotPassword", **answer(client, ConfirmationCode="x")
        )
        assert refusal == MISMATCH
    assert client.cognito_refusal("ForgotPassword", Username=ANN) == LIMIT
    assert client.cognito_refusal("ConfirmForgotPassword", **answer(client)) == LIMIT
    client.clock.advance(3600)
    forgot(client)
    client.cognito("ConfirmForgotPassword", **answer(client))


def test_temporary_passwords_cannot_be_reset(client: Any) -> None:
    """A user with a temporary password cannot use the reset."""
    client.create(ANN, email_verified="true")
    refusal = client.cognito_refusal("ForgotPassword", Username=ANN)
    assert refusal == (
        "NotAuthorizedException: User password cannot be reset in the current state."
    )


def nobody(client: Any) -> None:
    """Create no user."""


def unverified(client: Any) -> None:
    client.tokens(ANN)


def unconfirmed(client: Any) -> None:
    client.cognito("SignUp", Username=ANN, Password="Final-456-word")


def disabled(client: Any) -> None:
    client.tokens(ANN, email_verified="true")
    client.cognito("AdminDisableUser", Username=ANN)


@pytest.mark.parametrize("prepare", [nobody, unverified, unconfirmed, disabled])
def test_users_who_get_no_code(client: Any, prepare: Any) -> None:
    """If no code can be sent, the reply shows the fake address that it shows for unknown users."""
    fake = forgot(client)
    prepare(client)
    before = client.sandbox.inbox()
    assert forgot(client) == forgot(client, "ANN@example.com") == fake
    assert fake["DeliveryMedium"] == "EMAIL"
    assert client.sandbox.inbox() == before
    expected = MISMATCH if prepare in {nobody, disabled} else EXPIRED
    assert client.cognito_refusal("ConfirmForgotPassword", **answer_without_code()) == expected


@pytest.mark.parametrize(
    ("types", "name", "medium"),
    [
        (["email", "phone_number"], NUMBER, "SMS"),
        (["email", "phone_number"], "nobody", "EMAIL"),
        (["phone_number"], ANN, "SMS"),
        (["email"], NUMBER, "EMAIL"),
        ([], ANN, "EMAIL"),
    ],
)
def test_made_up_address_fits_the_pool(
    start: Any, outputs_of: Any, types: Any, name: str, medium: str
) -> None:
    """A fake address has a type that the pool sends codes to, chosen by the name's form."""
    client = start(outputs_of(user_verification_types=types))
    details = forgot(client, name)
    assert details["DeliveryMedium"] == medium
    assert details["AttributeName"] == {"SMS": "phone_number", "EMAIL": "email"}[medium]
    if medium == "SMS":
        assert details["Destination"][:-4] == "+*******"


def test_address_comes_before_the_number(start: Any) -> None:
    """The code goes to the verified e-mail address, else to the verified number."""
    client = start(username_attributes=("email", "phone_number"))
    client.tokens(ANN, phone_number=NUMBER, phone_number_verified="true")
    assert forgot(client)["AttributeName"] == "phone_number"
    verified = [{"Name": "email_verified", "Value": "true"}]
    client.cognito("AdminUpdateUserAttributes", Username=ANN, UserAttributes=verified)
    assert forgot(client)["AttributeName"] == "email"


def test_second_factor_resets_no_password(start: Any) -> None:
    """A number that is the second factor cannot receive a reset code."""
    client = start(
        username_attributes=("phone_number",), mfa_configuration="OPTIONAL", mfa_methods=("SMS",)
    )
    client.tokens(NUMBER, phone_number_verified="true")
    assert forgot(client, NUMBER)["Destination"] == "+*******0100"
    settings = {"Enabled": True, "PreferredMfa": True}
    client.cognito("AdminSetUserMFAPreference", Username=NUMBER, SMSMfaSettings=settings)
    before = client.sandbox.inbox()
    forgot(client, NUMBER)
    assert client.sandbox.inbox() == before


def test_a_verified_flag_without_an_address_reaches_nobody(start: Any) -> None:
    """If email_verified is set but there is no address, no code is sent."""
    client = start(username_attributes=("phone_number",))
    client.tokens(NUMBER, email_verified="true")
    assert client.cognito_refusal("AdminResetUserPassword", Username=NUMBER) == (
        "InvalidParameterException: Cannot reset password for the user as there is no "
        "registered/verified email or phone_number"
    )
    assert forgot(client, NUMBER)
    assert client.sandbox.inbox() == []
