"""The calls of users about their own account, with an access token."""

from __future__ import annotations

from typing import Any

from tests.cases import case

ANN = "ann@example.com"
INCORRECT = "NotAuthorizedException: Incorrect username or password."


def test_get_user(client: Any) -> None:
    """GetUser returns the user of the token, including sub."""
    token = client.tokens(ANN, locale="en")["AccessToken"]
    reply = client.cognito("GetUser", AccessToken=token)
    attributes = {item["Name"]: item["Value"] for item in reply["UserAttributes"]}
    assert attributes == {"sub": reply["Username"], "email": ANN, "locale": "en"}


def test_update_user_attributes(client: Any) -> None:
    """Unverified attributes change at once; a new phone number is no longer verified."""
    given = {"phone_number": "+15550100100", "phone_number_verified": "true"}
    token = client.tokens(ANN, **given)["AccessToken"]
    new = [{"Name": "phone_number", "Value": "+15550100199"}, {"Name": "locale", "Value": "fr"}]
    reply = client.cognito("UpdateUserAttributes", AccessToken=token, UserAttributes=new)
    assert reply == {"CodeDeliveryDetailsList": []}
    assert client.attributes(ANN) == {
        "email": ANN,
        "phone_number": "+15550100199",
        "phone_number_verified": "false",
        "locale": "fr",
    }
    assert client.sandbox.inbox() == []


def test_refused_attributes(client: Any) -> None:
    """Users cannot set verified flags or use another user's address."""
    client.create("eve@example.com")
    token = client.tokens(ANN)["AccessToken"]
    for attributes, refusal in (
        ([], "InvalidParameterException: Missing required parameter UserAttributes"),
        (
            [{"Name": "email_verified", "Value": "true"}],
            "NotAuthorizedException: A client attempted",
        ),
        ([{"Name": "sub", "Value": "x"}], "InvalidParameterException: Cannot modify"),
        ([{"Name": "email", "Value": "eve@example.com"}], "AliasExistsException: An account"),
    ):
        with case(attributes, refusal):
            call = {"AccessToken": token, "UserAttributes": attributes}
            assert client.cognito_refusal("UpdateUserAttributes", **call).startswith(refusal)


def test_change_password(client: Any, passwords: Any) -> None:
    """The new password replaces the old one, which the call must contain."""
    token = client.tokens(ANN)["AccessToken"]
    call = {"AccessToken": token, "ProposedPassword": "Newer-789-word"}
    for previous in ("Wrong-456-word", None):
        refusal = client.cognito_refusal("ChangePassword", PreviousPassword=previous, **call)
        assert refusal == INCORRECT
    assert client.cognito("ChangePassword", PreviousPassword=passwords[1], **call) == {}
    assert client.sign_in_refusal(ANN) == INCORRECT
    assert "AuthenticationResult" in client.sign_in(ANN, "Newer-789-word")


def test_changes_of_a_password_are_limited(client: Any, passwords: Any) -> None:
    """Five attempts per hour, as in Cognito."""
    token = client.tokens(ANN)["AccessToken"]
    call = {"AccessToken": token, "ProposedPassword": "Newer-789-word"}
    for _ in range(5):
        refusal = client.cognito_refusal("ChangePassword", PreviousPassword="Wrong-1!", **call)
        assert refusal == INCORRECT
    refusal = client.cognito_refusal("ChangePassword", PreviousPassword=passwords[1], **call)
    assert refusal.startswith("LimitExceededException: Attempt limit exceeded")


def test_changed_password_meets_the_policy(client: Any, passwords: Any) -> None:
    """The policy applies to users as to administrators."""
    token = client.tokens(ANN)["AccessToken"]
    refusal = client.cognito_refusal(
        "ChangePassword", AccessToken=token, PreviousPassword=passwords[1], ProposedPassword="weak"
    )
    assert refusal.startswith("InvalidPasswordException")
