"""Users change their addresses: the old one stays until the new one's code is confirmed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.conftest import pairs

ANN = "ann@example.com"
NEW = "new@example.com"
NUMBER = "+15550100100"
EXPIRED = "ExpiredCodeException: Invalid code provided, please request a code again."
MISMATCH = "CodeMismatchException: Invalid verification code provided, please try again."
LIMIT = "LimitExceededException: Attempt limit exceeded, please try after some time."
TAKEN = "AliasExistsException: An account with the given email already exists."
INCORRECT = "NotAuthorizedException: Incorrect username or password."


@pytest.fixture
def token(client: Any) -> str:
    """The access token of a user with a verified address."""
    token: str = client.tokens(ANN, email_verified="true")["AccessToken"]
    return token


def update(client: Any, token: str, **attributes: str) -> list[dict[str, str]]:
    given = pairs(**attributes)
    reply = client.cognito("UpdateUserAttributes", AccessToken=token, UserAttributes=given)
    assert reply.keys() == {"CodeDeliveryDetailsList"}
    details: list[dict[str, str]] = reply["CodeDeliveryDetailsList"]
    return details


def verify(token: str, code: str) -> dict[str, str]:
    return {"AccessToken": token, "AttributeName": "email", "Code": code}


def test_change_of_address(client: Any, token: str) -> None:
    """The old address stays verified and valid for sign-in until the code is confirmed."""
    assert update(client, token, email=NEW, locale="fr") == [
        {"AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "n***@e***"}
    ]
    assert client.attributes(ANN) == {"email": ANN, "email_verified": "true", "locale": "fr"}
    assert "AuthenticationResult" in client.sign_in(ANN)
    assert client.sign_in_refusal(NEW) == INCORRECT

    message = client.sandbox.inbox()[0]
    assert (message.destination, message.purpose) == (NEW, "verification of email")
    assert client.cognito("VerifyUserAttribute", **verify(token, message.code)) == {}
    assert client.attributes(NEW) == {"email": NEW, "email_verified": "true", "locale": "fr"}
    assert "AuthenticationResult" in client.sign_in(NEW)
    assert client.sign_in_refusal(ANN) == INCORRECT
    assert client.cognito_refusal("VerifyUserAttribute", **verify(token, message.code)) == EXPIRED


def test_codes_that_do_not_fit(client: Any, token: str) -> None:
    """A wrong or expired code is refused, and the old address stays."""
    assert client.cognito_refusal("VerifyUserAttribute", **verify(token, "123456")) == EXPIRED
    update(client, token, email=NEW)
    wrong = verify(token, f"{(int(client.last_code()) + 1) % 10**6:06}")
    assert client.cognito_refusal("VerifyUserAttribute", **wrong) == MISMATCH
    client.clock.advance(24 * 3600 + 1)
    token = client.sign_in(ANN)["AuthenticationResult"]["AccessToken"]
    late = verify(token, client.last_code())
    assert client.cognito_refusal("VerifyUserAttribute", **late) == EXPIRED
    assert client.attributes(ANN)["email"] == ANN


def test_another_code_for_the_new_address(client: Any, token: str) -> None:
    """A new code goes to the pending address, even after the first code has expired."""
    update(client, token, email=NEW)
    client.clock.advance(24 * 3600 + 1)
    token = client.sign_in(ANN)["AuthenticationResult"]["AccessToken"]
    call = {"AccessToken": token, "AttributeName": "email"}
    details = client.cognito("GetUserAttributeVerificationCode", **call)["CodeDeliveryDetails"]
    assert details["Destination"] == "n***@e***"
    client.cognito("VerifyUserAttribute", **verify(token, client.last_code()))
    assert client.attributes(NEW)["email"] == NEW


def test_old_address_given_again(client: Any, token: str) -> None:
    """Setting the current address again cancels the change; no code is sent for it."""
    update(client, token, email=NEW)
    assert update(client, token, email=ANN) == []
    code = client.last_code()
    assert client.cognito_refusal("VerifyUserAttribute", **verify(token, code)) == EXPIRED


def test_taken_address(client: Any, token: str) -> None:
    """Another user's address is refused at once, or at its code if it was taken meanwhile."""
    update(client, token, email=NEW)
    client.create(NEW)
    code = client.last_code()
    assert client.cognito_refusal("VerifyUserAttribute", **verify(token, code)) == TAKEN
    given = [{"Name": "email", "Value": NEW.upper()}, {"Name": "locale", "Value": "fr"}]
    call = {"AccessToken": token, "UserAttributes": given}
    assert client.cognito_refusal("UpdateUserAttributes", **call) == TAKEN
    assert client.attributes(ANN) == {"email": ANN, "email_verified": "true"}
    assert client.last_code() == code


def test_verifying_what_is_there(client: Any) -> None:
    """An address that an administrator has set can be verified by a code, repeatedly."""
    token = client.tokens(ANN)["AccessToken"]
    for _ in range(2):
        call = {"AccessToken": token, "AttributeName": "email"}
        client.cognito("GetUserAttributeVerificationCode", **call)
        client.cognito("VerifyUserAttribute", **verify(token, client.last_code()))
        assert client.attributes(ANN) == {"email": ANN, "email_verified": "true"}


def test_number_that_the_pool_does_not_verify_by_itself(client: Any, token: str) -> None:
    """It changes at once, and the user can still request a code for it."""
    assert update(client, token, phone_number=NUMBER) == []
    call = {"AccessToken": token, "AttributeName": "phone_number"}
    details = client.cognito("GetUserAttributeVerificationCode", **call)["CodeDeliveryDetails"]
    assert (details["DeliveryMedium"], details["Destination"]) == ("SMS", "+*******0100")
    client.cognito("VerifyUserAttribute", **call, Code=client.last_code())
    assert client.attributes(ANN)["phone_number_verified"] == "true"


@pytest.mark.parametrize(
    ("operation", "given"),
    [("GetUserAttributeVerificationCode", {}), ("VerifyUserAttribute", {"Code": "123456"})],
)
def test_only_addresses_are_verified(client: Any, token: str, operation: str, given: Any) -> None:
    """No code can be sent to verify other attributes."""
    call = {"AccessToken": token, "AttributeName": "locale", **given}
    refusal = client.cognito_refusal(operation, **call)
    assert refusal == "InvalidParameterException: Only email and phone_number can be verified."


def test_address_that_is_not_there(client: Any, token: str) -> None:
    """A user without a number cannot verify one."""
    call = {"AccessToken": token, "AttributeName": "phone_number"}
    refusal = client.cognito_refusal("GetUserAttributeVerificationCode", **call)
    assert refusal == "InvalidParameterException: The user has no phone_number to verify."


def test_attempts_are_limited(client: Any, token: str) -> None:
    """A user gets five codes and fifteen attempts per hour."""
    call = {"AccessToken": token, "AttributeName": "email"}
    for _ in range(5):
        client.cognito("GetUserAttributeVerificationCode", **call)
    assert client.cognito_refusal("GetUserAttributeVerificationCode", **call) == LIMIT
    for _ in range(15):
        assert client.cognito_refusal("VerifyUserAttribute", **verify(token, "x")) == MISMATCH
    right = verify(token, client.last_code())
    assert client.cognito_refusal("VerifyUserAttribute", **right) == LIMIT


def test_deleting_attributes(client: Any, token: str) -> None:
    """Users can delete optional attributes; an address goes with its flag and its code."""
    update(client, token, phone_number=NUMBER, locale="fr", **{"custom:plan": "free"})
    call = {"AccessToken": token, "AttributeName": "phone_number"}
    client.cognito("GetUserAttributeVerificationCode", **call)
    names = ["phone_number", "custom:plan", "nickname"]
    deleted = client.cognito("DeleteUserAttributes", AccessToken=token, UserAttributeNames=names)
    assert deleted == {}
    assert client.attributes(ANN) == {"email": ANN, "email_verified": "true", "locale": "fr"}
    given = {**call, "Code": client.last_code()}
    assert client.cognito_refusal("VerifyUserAttribute", **given) == EXPIRED


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        ([], "InvalidParameterException: Missing required parameter UserAttributeNames"),
        (["email"], "InvalidParameterException: The attribute email is required"),
        (["sub"], "InvalidParameterException: The attribute sub is required"),
        (["email_verified"], "NotAuthorizedException: A client attempted to write"),
        (["plan"], "InvalidParameterException: Attributes did not conform to the schema: plan: "),
    ],
)
def test_attributes_that_stay(client: Any, token: str, names: Any, refusal: str) -> None:
    """Required, read-only and unknown attributes cannot be deleted."""
    call = {"AccessToken": token, "UserAttributeNames": names}
    assert client.cognito_refusal("DeleteUserAttributes", **call).startswith(refusal)


def test_deleting_oneself(client: Any, token: str) -> None:
    """Deleting the own account ends its token and frees its name."""
    assert client.cognito("DeleteUser", AccessToken=token) == {}
    refusal = client.cognito_refusal("GetUser", AccessToken=token)
    assert refusal == "UserNotFoundException: User does not exist."
    client.create(ANN)


def test_the_pool_says_what_it_verifies(start: Any) -> None:
    """DescribeUserPool shows which addresses need a code and how passwords are recovered."""
    pool = start(username_attributes=("email", "phone_number")).cognito("DescribeUserPool")
    described = pool["UserPool"]
    assert described["UserAttributeUpdateSettings"] == {
        "AttributesRequireVerificationBeforeUpdate": ["email", "phone_number"]
    }
    assert described["AccountRecoverySetting"] == {
        "RecoveryMechanisms": [
            {"Name": "verified_email", "Priority": 1},
            {"Name": "verified_phone_number", "Priority": 2},
        ]
    }
