"""The calls of two JavaScript clients, in their order and with their parameters."""

from __future__ import annotations

from typing import Any

from tests.local.conftest import pairs

ANN = "ann@example.com"
NEW = "new@example.com"
PASSWORD = "Final-456-word"
NEWER = "Newer-789-word"
THIRD = "Third-012-word"


def names(client: Any, token: str) -> dict[str, str]:
    shown = client.cognito("GetUser", AccessToken=token)["UserAttributes"]
    return {item["Name"]: item["Value"] for item in shown if item["Name"] != "sub"}


def test_aws_amplify(client: Any) -> None:
    """Sign-up, sign-in, password reset and address change; the address is the user name."""
    client.cognito(
        "SignUp",
        Username=ANN,
        Password=PASSWORD,
        UserAttributes=pairs(email=ANN, locale="en"),
        ClientMetadata={"page": "start"},
        ValidationData=pairs(campaign="spring"),
    )
    # A sign-in before the confirmation leads to the step that requires it.
    assert client.sign_in_refusal(ANN, PASSWORD).startswith("UserNotConfirmedException")
    client.cognito("ResendConfirmationCode", Username=ANN)
    client.cognito("ConfirmSignUp", Username=ANN, ConfirmationCode=client.last_code())
    assert "AuthenticationResult" in client.sign_in(ANN, PASSWORD)

    client.cognito("ForgotPassword", Username=ANN)
    code = client.last_code()
    client.cognito("ConfirmForgotPassword", Username=ANN, ConfirmationCode=code, Password=NEWER)
    token = client.sign_in(ANN, NEWER)["AuthenticationResult"]["AccessToken"]

    given = pairs(email=NEW, nickname="Ann", phone_number="+15550100100")
    reply = client.cognito("UpdateUserAttributes", AccessToken=token, UserAttributes=given)
    # The client uses these to find the attributes that need a code.
    assert [each["AttributeName"] for each in reply["CodeDeliveryDetailsList"]] == ["email"]
    assert names(client, token)["email"] == ANN
    call = {"AccessToken": token, "AttributeName": "email"}
    client.cognito("GetUserAttributeVerificationCode", **call)
    client.cognito("VerifyUserAttribute", **call, Code=client.last_code())
    keys = ["nickname", "phone_number"]
    client.cognito("DeleteUserAttributes", AccessToken=token, UserAttributeNames=keys)
    assert names(client, token) == {"email": NEW, "email_verified": "true", "locale": "en"}

    client.cognito(
        "ChangePassword", AccessToken=token, PreviousPassword=NEWER, ProposedPassword=THIRD
    )
    token = client.sign_in(NEW, THIRD)["AuthenticationResult"]["AccessToken"]
    client.cognito("DeleteUser", AccessToken=token)
    assert client.sign_in_refusal(NEW, THIRD).startswith("NotAuthorizedException: Incorrect")


def test_amazon_cognito_identity_js(client: Any) -> None:
    """After its first sign-in, this client uses the internal user name."""
    reply = client.cognito(
        "SignUp",
        Username=ANN,
        Password=PASSWORD,
        UserAttributes=pairs(email=ANN, nickname="Ann"),
        ValidationData=pairs(campaign="spring"),
    )
    user_id = reply["UserSub"]
    refusal = client.cognito_refusal(
        "RespondToAuthChallenge", **client.proof(ANN, PASSWORD), ClientMetadata={}
    )
    assert refusal == "UserNotConfirmedException: User is not confirmed."
    client.cognito("ResendConfirmationCode", Username=user_id)
    client.cognito(
        "ConfirmSignUp",
        Username=user_id,
        ConfirmationCode=client.last_code(),
        ForceAliasCreation=True,
    )
    token = client.sign_in(ANN, PASSWORD)["AuthenticationResult"]["AccessToken"]
    client.cognito("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(email=NEW))
    code = client.last_code()
    client.cognito("VerifyUserAttribute", AttributeName="email", Code=code, AccessToken=token)
    client.cognito("DeleteUserAttributes", UserAttributeNames=["nickname"], AccessToken=token)
    assert names(client, token) == {"email": NEW, "email_verified": "true"}

    details = client.cognito("ForgotPassword", Username=user_id)["CodeDeliveryDetails"]
    assert details["Destination"] == "n***@e***"
    given = {"Username": user_id, "ConfirmationCode": client.last_code(), "Password": NEWER}
    assert client.cognito("ConfirmForgotPassword", **given) == {}
    assert "AuthenticationResult" in client.sign_in(NEW, NEWER)
