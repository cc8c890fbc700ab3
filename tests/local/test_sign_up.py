"""Users sign up themselves: the confirmation code, its limits, and errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases import case
from tests.local.conftest import pairs

ANN = "ann@example.com"
NUMBER = "+15550100100"
PASSWORD = "Final-456-word"
EXPIRED = "ExpiredCodeException: Invalid code provided, please request a code again."
MISMATCH = "CodeMismatchException: Invalid verification code provided, please try again."
LIMIT = "LimitExceededException: Attempt limit exceeded, please try after some time."


def sign_up(client: Any, name: str = ANN, **given: Any) -> dict[str, Any]:
    reply: dict[str, Any] = client.cognito("SignUp", Username=name, Password=PASSWORD, **given)
    return reply


def test_sign_up_to_sign_in(client: Any) -> None:
    """A new user is unconfirmed until the code is confirmed, then has a verified address."""
    reply = sign_up(client, UserAttributes=pairs(email=ANN, locale="en"))
    assert reply == {
        "UserConfirmed": False,
        "UserSub": reply["UserSub"],
        "CodeDeliveryDetails": {
            "AttributeName": "email",
            "DeliveryMedium": "EMAIL",
            "Destination": "a***@e***",
        },
    }
    user = client.cognito("AdminGetUser", Username=ANN)
    assert (user["UserStatus"], user["Username"]) == ("UNCONFIRMED", reply["UserSub"])
    assert "email_verified" not in client.attributes(ANN)

    message = client.sandbox.inbox()[0]
    assert (message.destination, message.purpose, len(message.code)) == (ANN, "sign-up", 6)
    assert client.cognito("ConfirmSignUp", Username=ANN, ConfirmationCode=message.code) == {}
    assert client.cognito("AdminGetUser", Username=ANN)["UserStatus"] == "CONFIRMED"
    assert client.attributes(ANN) == {"email": ANN, "locale": "en", "email_verified": "true"}
    assert "AuthenticationResult" in client.sign_in(ANN)


@pytest.mark.parametrize("password", [PASSWORD, "Wrong-456-word"])
def test_unconfirmed_users_are_told_so(client: Any, password: str) -> None:
    """A sign-in before the code has its own error, with any password, and never locks."""
    sign_up(client)
    for _ in range(6):
        refusal = client.sign_in_refusal(ANN, password)
        assert refusal == "UserNotConfirmedException: User is not confirmed."


def test_wrong_code(client: Any) -> None:
    """After a wrong code, the right one is still accepted, once."""
    sign_up(client)
    code = client.last_code()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    confirm = {"Username": ANN, "ConfirmationCode": code}
    refusal = client.cognito_refusal("ConfirmSignUp", Username=ANN, ConfirmationCode=wrong)
    assert refusal == MISMATCH
    client.cognito("ConfirmSignUp", **confirm)
    refusal = client.cognito_refusal("ConfirmSignUp", **confirm)
    assert refusal == (
        "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED"
    )


def test_code_holds_for_a_day(client: Any) -> None:
    """A code is valid for 24 hours; then a new one can be requested."""
    sign_up(client)
    client.clock.advance(24 * 3600 + 1)
    confirm = {"Username": ANN, "ConfirmationCode": client.last_code()}
    assert client.cognito_refusal("ConfirmSignUp", **confirm) == EXPIRED
    reply = client.cognito("ResendConfirmationCode", Username=ANN)
    assert reply["CodeDeliveryDetails"]["Destination"] == "a***@e***"
    client.clock.advance(24 * 3600)
    client.cognito("ConfirmSignUp", Username=ANN, ConfirmationCode=client.last_code())


def test_new_code_replaces_the_old_one(client: Any) -> None:
    """Only the newest code is valid."""
    sign_up(client)
    first = client.last_code()
    while client.last_code() == first:  # equal by chance in one of a million cases
        client.cognito("ResendConfirmationCode", Username=ANN)
    refusal = client.cognito_refusal("ConfirmSignUp", Username=ANN, ConfirmationCode=first)
    assert refusal == MISMATCH


@pytest.mark.parametrize(
    ("operation", "given", "allowed"),
    [("ConfirmSignUp", {"ConfirmationCode": "x"}, 15), ("ResendConfirmationCode", {}, 5)],
)
def test_attempts_are_limited(client: Any, operation: str, given: Any, allowed: int) -> None:
    """Cognito's limits per hour count all attempts of one user, and no others."""
    sign_up(client)
    sign_up(client, "eve@example.com")
    for _ in range(allowed):
        client._cognito(operation, {"Username": ANN, **given})
        client.clock.advance(60)
    assert client.cognito_refusal(operation, Username=ANN, **given) == LIMIT
    other = client._cognito(operation, {"Username": "eve@example.com", **given})[1]
    assert other.get("__type") != "LimitExceededException"
    client.clock.advance(3599 - 60 * allowed)
    assert client.cognito_refusal(operation, Username="ANN@example.com", **given) == LIMIT
    client.clock.advance(1)
    client._cognito(operation, {"Username": ANN, **given})
    assert client.cognito_refusal(operation, Username=ANN, **given) == LIMIT


def test_refused_sign_ups(client: Any) -> None:
    """An invalid sign-up gets Cognito's error and creates no user."""
    client.create("eve@example.com")
    for case_name, given, refusal in (
        (
            "policy",
            {"Password": "Sh0rt!"},
            (
                "InvalidPasswordException: Password did not conform with policy: "
                "Password not long enough"
            ),
        ),
        ("name", {"Username": "ann"}, "InvalidParameterException: Username should be an email."),
        (
            "attribute",
            {"UserAttributes": pairs(birthdate="yesterday")},
            (
                "InvalidParameterException: Attributes did not conform to the schema: birthdate: "
                "A date has the form YYYY-MM-DD."
            ),
        ),
        (
            "verified",
            {"UserAttributes": pairs(email_verified="true")},
            "NotAuthorizedException: A client attempted to write unauthorized attribute",
        ),
        (
            "client",
            {"ClientId": "another"},
            "ResourceNotFoundException: User pool client another does not exist.",
        ),
        (
            "secret hash",
            {"SecretHash": "x"},
            "NotAuthorizedException: The client has no secret, but a secret hash was received.",
        ),
        ("taken", {"Username": "Eve@example.com"}, "UsernameExistsException: User already exists"),
    ):
        with case(case_name):
            call = {"Username": ANN, "Password": PASSWORD, **given}
            assert client.cognito_refusal("SignUp", **call) == refusal
            assert len(client.cognito("ListUsers")["Users"]) == 1
            assert client.sandbox.inbox() == []


def test_required_attributes(start: Any, outputs_of: Any) -> None:
    """The error names all missing attributes, except sub, which Cognito sets."""
    required = ["email", "given_name", "family_name", "sub", "updated_at"]
    client = start(outputs_of(standard_required_attributes=required))
    refusal = client.cognito_refusal("SignUp", Username=ANN, Password=PASSWORD)
    assert refusal == (
        "InvalidParameterException: Attributes did not conform to the schema: "
        "given_name: The attribute is required\nfamily_name: The attribute is required\n"
    )
    sign_up(client, UserAttributes=pairs(given_name="Ann", family_name="Lee"))


@pytest.fixture
def both(start: Any) -> Any:
    """A pool with sign-in by e-mail address and phone number, both verified by a code."""
    return start(username_attributes=("email", "phone_number"))


def test_number_gets_the_code(both: Any) -> None:
    """A user with both gets the code by SMS only, which verifies the number."""
    attributes = pairs(email=ANN, phone_number=NUMBER)
    details = sign_up(both, NUMBER, UserAttributes=attributes)["CodeDeliveryDetails"]
    assert details == {
        "AttributeName": "phone_number",
        "DeliveryMedium": "SMS",
        "Destination": "+*******0100",
    }
    both.cognito("ConfirmSignUp", Username=ANN, ConfirmationCode=both.last_code())
    assert both.attributes(NUMBER) == {
        "phone_number": NUMBER,
        "email": ANN,
        "phone_number_verified": "true",
    }


def test_second_name_that_is_taken(both: Any) -> None:
    """If only the second address belongs to another user, the error names it."""
    both.create("eve@example.com", "Temp-123-word", phone_number=NUMBER)
    attributes = pairs(email=ANN, phone_number=NUMBER)
    call = {"Username": ANN, "Password": PASSWORD, "UserAttributes": attributes}
    assert both.cognito_refusal("SignUp", **call) == (
        "UsernameExistsException: An account with the given phone_number already exists."
    )


def test_pool_that_verifies_nothing(start: Any, outputs_of: Any) -> None:
    """Without automatic verification, no code is sent, and an administrator confirms."""
    client = start(outputs_of(user_verification_types=[]))
    reply = sign_up(client)
    assert reply.keys() == {"UserConfirmed", "UserSub"}
    assert client.sandbox.inbox() == []
    refusal = client.cognito_refusal("ResendConfirmationCode", Username=ANN)
    assert refusal == "InvalidParameterException: Auto verification not turned on."
    client.cognito("AdminConfirmSignUp", Username=ANN)
    assert "AuthenticationResult" in client.sign_in(ANN)


def test_names_of_ones_own(start: Any, outputs_of: Any) -> None:
    """With free-text names, names ignore case, and users may share addresses."""
    client = start(outputs_of(username_attributes=[], standard_required_attributes=[]))
    sign_up(client, "Bob", UserAttributes=pairs(email=ANN))
    sign_up(client, "eve", UserAttributes=pairs(email=ANN))
    refusal = client.cognito_refusal("SignUp", Username="bob", Password=PASSWORD)
    assert refusal == "UsernameExistsException: User already exists"
    message = client.sandbox.inbox()[1]
    assert (message.user, message.destination) == ("Bob", ANN)
    client.cognito("ConfirmSignUp", Username="BOB", ConfirmationCode=message.code)
    assert "AuthenticationResult" in client.sign_in("bob")


def test_unknown_users_seem_to_get_a_code(client: Any) -> None:
    """For an unknown name, the reply shows a stable fake address."""
    first, second = (
        client.cognito("ResendConfirmationCode", Username=name)["CodeDeliveryDetails"]
        for name in ("nobody@example.com", "NOBODY@example.com")
    )
    assert first == second
    assert first["DeliveryMedium"] == "EMAIL"
    others = (
        client.cognito("ResendConfirmationCode", Username=f"nobody{number}@example.com")
        for number in range(8)
    )
    # Two may be the same: a fake address shows two letters.
    assert any(other["CodeDeliveryDetails"] != first for other in others)
    call = {"Username": "nobody@example.com", "ConfirmationCode": "123456"}
    assert client.cognito_refusal("ConfirmSignUp", **call) == EXPIRED
    assert client.sandbox.inbox() == []


def test_disabled_users_seem_to_get_a_code(client: Any) -> None:
    """A disabled user gets the reply of an unknown one, and no code."""
    fake = client.cognito("ResendConfirmationCode", Username=ANN)
    sign_up(client)
    client.cognito("AdminDisableUser", Username=ANN)
    assert client.cognito("ResendConfirmationCode", Username=ANN) == fake
    assert len(client.sandbox.inbox()) == 1


def test_confirmed_users_need_no_code(client: Any) -> None:
    """A code for a confirmed user is refused."""
    client.tokens(ANN)
    refusal = client.cognito_refusal("ResendConfirmationCode", Username=ANN)
    assert refusal == "InvalidParameterException: User is already confirmed."
