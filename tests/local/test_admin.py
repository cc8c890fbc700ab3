"""The calls of administrators: create, find, change and remove users."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import blueprint
from seedctl.local.cognito.passwords import check_password, random_password
from seedctl.local.cognito.pool import DEFAULT_POLICY
from seedctl.outputs import parse_outputs
from tests.cases import case
from tests.local.conftest import pairs

ANN = "ann@example.com"
PHONE = "+4915112345678"
UNKNOWN = "UserNotFoundException: User does not exist."


@pytest.fixture
def both(start: Any) -> Any:
    """A pool with sign-in by e-mail address or phone number."""
    return start(username_attributes=("email", "phone_number"))


@pytest.fixture
def plain(start: Any) -> Any:
    """A pool with free-text user names."""
    document = blueprint.from_options()
    document["auth"] |= {"username_attributes": ["username"], "standard_required_attributes": []}
    return start(parse_outputs(document, Path("local_outputs.json")))


def test_random_passwords() -> None:
    """The password of a user who was created without one fits the policy, and is never the same."""
    policy = dataclasses.replace(DEFAULT_POLICY, min_length=40)
    found = [random_password(policy) for _ in range(3)]
    for password in found:
        check_password(password, policy)
    assert len({password[10:] for password in found}) == 3


def test_an_address_of_two_users(plain: Any, start: Any) -> None:
    """If the pool did not use addresses as names before, the older user with an address is found."""
    for name in ("zoe", "ann"):
        plain.create(name, email="both@example.com")
        plain.clock.advance(1)
    by_address = start()
    assert by_address.cognito("AdminGetUser", Username="both@example.com")["Username"] == "zoe"


def test_created_user(client: Any) -> None:
    """A new user has a UUID as user name and the address as attribute, and must change the password."""
    user = client.create("Ann@Example.com", email_verified="True", **{"custom:plan": "gold"})
    attributes = {item["Name"]: item["Value"] for item in user.pop("Attributes")}
    assert attributes == {
        "sub": user["Username"],
        "email": "Ann@Example.com",
        "email_verified": "true",
        "custom:plan": "gold",
    }
    assert len(user.pop("Username")) == 36
    assert user == {
        "UserCreateDate": client.clock(),
        "UserLastModifiedDate": client.clock(),
        "Enabled": True,
        "UserStatus": "FORCE_CHANGE_PASSWORD",
    }


@pytest.mark.parametrize("name", ["ann@example.com", "ANN@EXAMPLE.COM", "sub"])
def test_user_is_found_by_any_of_its_names(client: Any, name: str) -> None:
    """The address, in any case, and the UUID identify the same user."""
    user = client.create(ANN)
    name = user["Username"] if name == "sub" else name
    assert client.cognito("AdminGetUser", Username=name)["Username"] == user["Username"]


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        (("email",), {"+4915112345678": "an email", "ann": "an email", "a@b": "an email"}),
        (("phone_number",), {ANN: "a phone number", "+0123": "a phone number"}),
        (("email", "phone_number"), {"ann": "either an email or a phone number"}),
        (("phone_number", "email"), {"+": "either an email or a phone number"}),
    ],
)
def test_user_name_has_the_form_of_the_pool(start: Any, attributes: Any, names: Any) -> None:
    """The error says what a user name must be in this pool."""
    client = start(username_attributes=attributes)
    for name, expected in names.items():
        refusal = client.cognito_refusal("AdminCreateUser", Username=name)
        assert refusal == f"InvalidParameterException: Username should be {expected}."


def test_user_name_goes_to_the_fitting_attribute(both: Any) -> None:
    """With several sign-in attributes, the user name is copied to the matching one."""
    by_number = both.create(PHONE, email="carol@example.com")
    by_address = both.create(ANN)
    assert {"Name": "phone_number", "Value": PHONE} in by_number["Attributes"]
    assert {"Name": "email", "Value": ANN} in by_address["Attributes"]
    found = both.cognito("AdminGetUser", Username="Carol@example.com")
    assert found["Username"] == by_number["Username"]


def test_user_names_are_unique(both: Any) -> None:
    """Neither a name nor a sign-in attribute may be another user's, ignoring case."""
    both.create(ANN, phone_number=PHONE)
    exists = "UsernameExistsException: An account with the given {} already exists."
    for given, attribute in (
        ({"Username": "ANN@example.com"}, "email"),
        ({"Username": PHONE}, "phone_number"),
        (
            {
                "Username": "eve@example.com",
                "UserAttributes": [{"Name": "phone_number", "Value": PHONE}],
            },
            "phone_number",
        ),
    ):
        assert both.cognito_refusal("AdminCreateUser", **given) == exists.format(attribute)


def test_explicit_attribute_must_agree(client: Any) -> None:
    """An address given in addition to the user name must be equal to it."""
    call = {"Username": ANN, "UserAttributes": [{"Name": "email", "Value": "eve@example.com"}]}
    refusal = client.cognito_refusal("AdminCreateUser", **call)
    assert refusal.startswith("InvalidParameterException: The attribute email must be the same")
    client.create(ANN, email="Ann@example.com")
    shown = client.cognito("AdminGetUser", Username=ANN)["UserAttributes"]
    assert {"Name": "email", "Value": ANN} in shown


def test_plain_user_names(plain: Any) -> None:
    """A free-text name is stored unchanged, found in any case and by sub, and unique."""
    user = plain.create("Ann_Lee", email=ANN)
    assert user["Username"] == "Ann_Lee"
    sub = user["Attributes"][0]["Value"]
    for name in ("ann_lee", sub):
        assert plain.cognito("AdminGetUser", Username=name)["Username"] == "Ann_Lee"
    assert plain.cognito_refusal("AdminGetUser", Username=ANN) == UNKNOWN
    refusal = plain.cognito_refusal("AdminCreateUser", Username="ANN_LEE")
    assert refusal == "UsernameExistsException: User account already exists"
    tokens = plain.tokens("Bob")
    assert plain.cognito("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "Bob"
    assert "AuthenticationResult" in plain.sign_in("bob")


def test_user_name_shape(client: Any) -> None:
    """A user name is not empty, has no blanks, and has at most 128 characters."""
    for name in (
        "",
        "with blank@example.com",
        "tab\t",
        "x" * 129,
        None,
    ):
        with case(name):
            refusal = client.cognito_refusal("AdminCreateUser", Username=name)
            assert refusal.startswith("InvalidParameterException: ")
            assert "Username" in refusal


def test_refused_attributes(client: Any) -> None:
    """Invalid names and values are refused by create and by update."""
    client.create(ANN)
    for name, value, reason in (
        ("sub", "x", "Cannot modify the non-mutable attribute sub"),
        ("shoe_size", "44", "does not exist in the schema"),
        ("custom:" + "x" * 21, "1", "does not exist in the schema"),
        ("locale", "x" * 2049, "String must not be longer"),
        ("email_verified", "yes", "Boolean must be"),
        ("email", "nobody", "Invalid email address format."),
        ("phone_number", "0151 123", "Invalid phone number format."),
        ("phone_number", "+1234567890123456", "Invalid phone number format."),
        ("birthdate", "1.2.2003", "YYYY-MM-DD"),
        ("birthdate", "2003-02-30", "YYYY-MM-DD"),
        ("updated_at", "now", "not a number"),
    ):
        with case(name, value, reason):
            given = [{"Name": name, "Value": value}]
            refusal = client.cognito_refusal(
                "AdminCreateUser", Username="eve@example.com", UserAttributes=given
            )
            assert refusal.startswith("InvalidParameterException: ")
            assert reason in refusal
            call = {"Username": ANN, "UserAttributes": given}
            assert client.cognito_refusal("AdminUpdateUserAttributes", **call) == refusal


def test_accepted_attributes(client: Any) -> None:
    """Everything a script may send is stored unchanged, including empty values."""
    given = {
        "birthdate": "2003-02-28",
        "updated_at": "1700000000",
        "locale": "",
        "phone_number": PHONE,
        "phone_number_verified": "false",
        "name": "Ann Lee 🎈",
    }
    shown = client.create(ANN, **given)["Attributes"]
    assert given.items() <= {item["Name"]: item["Value"] for item in shown}.items()


def test_password_is_made_up_when_none_is_given(client: Any) -> None:
    """Without TemporaryPassword the user is created, with a password that nobody knows."""
    assert client.cognito("AdminCreateUser", Username=ANN)["User"]["Enabled"] is True
    for password in ("Final-456-word", "Temp-123-word"):
        assert "NotAuthorizedException" in client.sign_in_refusal(ANN, password)


def test_resend(client: Any) -> None:
    """RESEND requires a user who has not changed the temporary password yet."""
    refusal = client.cognito_refusal("AdminCreateUser", Username=ANN, MessageAction="RESEND")
    assert refusal == UNKNOWN
    client.tokens(ANN)
    refusal = client.cognito_refusal("AdminCreateUser", Username=ANN, MessageAction="RESEND")
    assert refusal.startswith("UnsupportedUserStateException: Resend not possible. CONFIRMED")


def test_refused_options(client: Any) -> None:
    """Options outside what the API takes are refused as invalid."""
    for given in (
        {"MessageAction": "SHOUT"},
        {"DesiredDeliveryMediums": ["PIGEON"]},
        {"UserAttributes": [{"Value": "x"}]},
        {"UserAttributes": [{"Name": "email", "Value": 1}]},
        {"TemporaryPassword": "x" * 257},
    ):
        with case(given):
            refusal = client.cognito_refusal("AdminCreateUser", Username=ANN, **given)
            assert refusal.startswith("InvalidParameterException: ")


def test_mistyped_options(client: Any) -> None:
    """A value of the wrong JSON type is a SerializationException."""
    given: dict[str, Any]
    for given in (
        {"Username": 1},
        {"UserAttributes": "x"},
        {"UserAttributes": ["x"]},
        {"DesiredDeliveryMediums": [1]},
        {"ForceAliasCreation": "yes"},
        {"ClientMetadata": []},
        {"ClientMetadata": {"a": 1}},
    ):
        with case(given):
            refusal = client.cognito_refusal("AdminCreateUser", **{"Username": ANN, **given})
            assert refusal.startswith("SerializationException: ")
    # In Python, true is an integer too.
    assert client.cognito_refusal("ListUsers", Limit=True).startswith("SerializationException: ")


@pytest.mark.parametrize("permanent", [True, False])
def test_admin_set_user_password(client: Any, permanent: bool) -> None:
    """A permanent password confirms the user; a temporary one must be changed at sign-in."""
    client.create(ANN)
    call = {"Username": ANN, "Password": "Other-789-word", "Permanent": permanent}
    client.cognito("AdminSetUserPassword", **call)
    reply = client.sign_in(ANN, "Other-789-word")
    assert ("AuthenticationResult" in reply) == permanent
    assert (reply.get("ChallengeName") == "NEW_PASSWORD_REQUIRED") != permanent


def test_update_attributes(client: Any) -> None:
    """A changed address is a new sign-in name, unverified unless the call sets the flag."""
    client.tokens(ANN, email_verified="true")
    eve = client.create("eve@example.com")

    def update(**attributes: str) -> dict[str, str]:
        given = pairs(**attributes)
        client.clock.advance(1)
        client.cognito("AdminUpdateUserAttributes", Username=ANN, UserAttributes=given)
        shown = client.cognito("AdminGetUser", Username=attributes.get("email", ANN))
        assert shown["UserLastModifiedDate"] == client.clock()
        return {item["Name"]: item["Value"] for item in shown["UserAttributes"]}

    assert update(locale="en")["email_verified"] == "true"
    assert update(email="two@example.com")["email_verified"] == "false"
    assert client.cognito_refusal("AdminGetUser", Username=ANN) == UNKNOWN
    assert "AuthenticationResult" in client.sign_in("two@example.com")
    refusal = client.cognito_refusal(
        "AdminUpdateUserAttributes",
        Username=eve["Username"],
        UserAttributes=[{"Name": "email", "Value": "Two@example.com"}],
    )
    assert refusal == "AliasExistsException: An account with the given email already exists."
    client.create(ANN)  # the name is free again
    refusal = client.cognito_refusal("AdminUpdateUserAttributes", Username=ANN)
    assert refusal == "InvalidParameterException: Missing required parameter UserAttributes"


def test_delete_attributes(client: Any) -> None:
    """Attributes are deleted, except those that the pool requires."""
    client.create(ANN, locale="en")
    call = {"Username": ANN, "UserAttributeNames": ["locale", "nickname"]}
    assert client.cognito("AdminDeleteUserAttributes", **call) == {}
    shown = client.cognito("AdminGetUser", Username=ANN)["UserAttributes"]
    assert {item["Name"] for item in shown} == {"sub", "email"}
    for names in (["email"], ["sub"]):
        call = {"Username": ANN, "UserAttributeNames": names}
        refusal = client.cognito_refusal("AdminDeleteUserAttributes", **call)
        assert "is required and cannot be deleted" in refusal
    refusal = client.cognito_refusal("AdminDeleteUserAttributes", Username=ANN)
    assert refusal == "InvalidParameterException: Missing required parameter UserAttributeNames"


def test_delete_user(client: Any) -> None:
    """A deleted user is not found by any name, and each name is free."""
    user = client.create(ANN)
    client.cognito("AdminDeleteUser", Username=ANN)
    for name in (ANN, user["Username"]):
        assert client.cognito_refusal("AdminGetUser", Username=name) == UNKNOWN
    assert client.create(ANN)["Username"] != user["Username"]


def test_reset_needs_a_confirmed_user(client: Any) -> None:
    """A user with a temporary password cannot be reset; one in RESET_REQUIRED can again."""
    client.tokens("eve@example.com")
    refusal = client.cognito_refusal("AdminResetUserPassword", Username="eve@example.com")
    assert refusal.startswith("InvalidParameterException: Cannot reset password for the user")
    client.create(ANN, email_verified="true")
    refusal = client.cognito_refusal("AdminResetUserPassword", Username=ANN)
    assert refusal.startswith("NotAuthorizedException: User password cannot be reset")
    client.cognito("AdminSetUserPassword", Username=ANN, Password="Other-789-word", Permanent=True)
    for _ in range(2):
        client.cognito("AdminResetUserPassword", Username=ANN)
    assert client.cognito("AdminGetUser", Username=ANN)["UserStatus"] == "RESET_REQUIRED"
    assert [message.purpose for message in client.sandbox.inbox()] == ["password reset"] * 2


def test_new_address_ends_the_codes_sent_to_the_old_one(client: Any) -> None:
    """A code for the old address is invalid once an administrator has set another one."""
    client.cognito("SignUp", Username=ANN, Password="Final-456-word")
    new = [{"Name": "email", "Value": "new@example.com"}]
    client.cognito("AdminUpdateUserAttributes", Username=ANN, UserAttributes=new)
    call = {"Username": "new@example.com", "ConfirmationCode": client.last_code()}
    assert client.cognito_refusal("ConfirmSignUp", **call).startswith("ExpiredCodeException")


def test_validation_data_is_not_checked(client: Any) -> None:
    """ValidationData is for a trigger, so any name is valid."""
    data = [{"Name": "campaign", "Value": "spring"}]
    client.cognito("AdminCreateUser", Username=ANN, ValidationData=data)


def test_confirming_a_sign_up(client: Any) -> None:
    """AdminConfirmSignUp is for users who signed up themselves; it verifies no address."""
    client.create("eve@example.com")
    refusal = client.cognito_refusal("AdminConfirmSignUp", Username="eve@example.com")
    assert refusal.endswith("Current status is FORCE_CHANGE_PASSWORD")
    client.cognito("SignUp", Username=ANN, Password="Final-456-word")
    client.cognito("AdminConfirmSignUp", Username=ANN)
    assert "AuthenticationResult" in client.sign_in(ANN)
    assert client.attributes(ANN) == {"email": ANN}


def test_unknown_users_and_pools(client: Any) -> None:
    """Administrators get an error for an unknown user or pool; pool ids are case-sensitive."""
    for operation in (
        "AdminConfirmSignUp",
        "AdminDeleteUser",
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminGetUser",
        "AdminListGroupsForUser",
        "AdminResetUserPassword",
        "AdminUserGlobalSignOut",
    ):
        with case(operation):
            assert client.cognito_refusal(operation, Username="nobody@example.com") == UNKNOWN
            other = client.pool_id.upper()
            refusal = client.cognito_refusal(operation, Username=ANN, UserPoolId=other)
            assert refusal == f"ResourceNotFoundException: User pool {other} does not exist."
            refusal = client.cognito_refusal(operation, Username=ANN, UserPoolId=None)
            assert refusal == "InvalidParameterException: Missing required parameter UserPoolId"


def test_one_of_two_creations_wins(client: Any) -> None:
    """Of many simultaneous calls that create one name, exactly one succeeds."""
    statuses = []

    def create() -> None:
        status, _ = client._cognito("AdminCreateUser", {"Username": ANN})
        statuses.append(status)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [400] * 7
    assert len(client.cognito("ListUsers")["Users"]) == 1


def test_describe(client: Any) -> None:
    """The Describe calls return what was deployed."""
    client.create(ANN)
    pool = client.cognito("DescribeUserPool")["UserPool"]
    assert pool["Id"] == client.pool_id
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["MfaConfiguration"] == "OFF"
    assert pool["EstimatedNumberOfUsers"] == 1
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
    app = client.cognito("DescribeUserPoolClient", ClientId=client.client_id)["UserPoolClient"]
    assert app["ExplicitAuthFlows"] == [
        "ALLOW_CUSTOM_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_SRP_AUTH",
    ]
    assert "ClientSecret" not in app


def test_describe_plain_pool(plain: Any) -> None:
    """A pool with free-text names has no username attributes."""
    assert "UsernameAttributes" not in plain.cognito("DescribeUserPool")["UserPool"]


def test_defaults_for_what_old_outputs_do_not_say(start: Any) -> None:
    """An outputs file of version 1 gives an e-mail pool with Amplify's default policy."""
    document = {
        "version": "1",
        "auth": {
            "aws_region": "cn-north-1",
            "user_pool_id": "cn-north-1_Old000001",
            "user_pool_client_id": "oldclient",
        },
    }
    client = start(parse_outputs(document, Path("amplify_outputs.json")))
    refusal = client.cognito_refusal("AdminCreateUser", Username="ann")
    assert refusal == "InvalidParameterException: Username should be an email."
    assert "does not conform" in client.cognito_refusal(
        "AdminCreateUser", Username=ANN, TemporaryPassword="simple"
    )
    _, _, body = client.send(
        "GET", "/cn-north-1_Old000001/.well-known/openid-configuration", None, {}
    )
    assert b"cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Old000001" in body
