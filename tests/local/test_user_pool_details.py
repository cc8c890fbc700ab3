"""The user pool behaves as the template says, where the file has the template's details."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local import blueprint
from seedctl.local.services import Services
from seedctl.outputs import parse_outputs
from tests.cases import case
from tests.local.conftest import claims_of as claims

if TYPE_CHECKING:
    from collections.abc import Callable

ANN = "ann@example.com"
TEMPORARY = "Temp-123-word"
FINAL = "Final-456-word"
SCHEMA = "InvalidParameterException: Attributes did not conform to the schema: "
DAY = 24 * 3600

ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "email", "required": True},
    {"name": "nickname", "required": True, "mutable": True},
    {"name": "family_name", "mutable": False},
    {"name": "custom:plan", "data_type": "String", "min_length": 2, "max_length": 10},
    {"name": "custom:level", "data_type": "Number", "min_value": 1, "max_value": 99},
    {"name": "custom:beta", "data_type": "Boolean", "mutable": False},
    {"name": "custom:joined", "data_type": "DateTime"},
    {"name": "custom:note"},
]


@pytest.fixture
def deploy(start: Callable[..., Any]) -> Callable[..., Any]:
    """Start a pool with *details* of its template; *auth* changes what the outputs file says."""

    def make(auth: dict[str, Any] | None = None, **details: Any) -> Any:
        document = blueprint.from_options()
        document["auth"] |= auth or {}
        document["custom"] = {"seedctl": {"format": 1, "user_pool": details}}
        return start(parse_outputs(document, Path("local_outputs.json")))

    return make


def pairs(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def create_refusal(client: Any, **attributes: str) -> str:
    refusal: str = client.cognito_refusal(
        "AdminCreateUser", Username=ANN, UserAttributes=pairs(attributes)
    )
    return refusal


def test_attributes_outside_the_schema(deploy: Callable[..., Any]) -> None:
    """A custom attribute must be in the schema, and its value have the type and limits there."""
    client = deploy(attributes=ATTRIBUTES)
    client.create("eve@example.com")
    for name, value, reason in (
        ("custom:x", "1", "Attribute does not exist in the schema."),
        ("custom:plan", "a", "String must not be shorter than 2 characters."),
        ("custom:plan", "a" * 11, "String must not be longer than 10 characters."),
        ("custom:level", "0", "Number must not be less than 1."),
        ("custom:level", "99.5", "Number must not be greater than 99."),
        ("custom:level", "high", "Attribute is not a number."),
        ("custom:beta", "maybe", "Boolean must be either true or false."),
        ("custom:joined", "2026-02-30T00:00:00Z", "A DateTime has the form YYYY-MM-DDThh:mm:ssZ."),
        ("custom:joined", "yesterday", "A DateTime has the form YYYY-MM-DDThh:mm:ssZ."),
        ("custom:note", "a" * 2049, "String must not be longer than 2048 characters."),
    ):
        with case(name, value, reason):
            assert create_refusal(client, **{name: value}) == f"{SCHEMA}{name}: {reason}"
            refusal = client.cognito_refusal(
                "AdminUpdateUserAttributes",
                Username="eve@example.com",
                UserAttributes=pairs({name: value}),
            )
            assert refusal == f"{SCHEMA}{name}: {reason}"


def test_attributes_inside_the_schema(deploy: Callable[..., Any]) -> None:
    """Values at the limits are stored, and shown in the id token."""
    client = deploy(attributes=ATTRIBUTES)
    given = {
        "custom:plan": "ab",
        "custom:level": "99",
        "custom:beta": "true",
        "custom:joined": "2026-02-28T10:00:00.5+01:00",
        "custom:note": "é" * 2048,
        "nickname": "an",
    }
    token = claims(client.tokens(ANN, **given)["IdToken"])
    assert {name: token[name] for name in given} == given
    change = pairs({"custom:joined": "1790000000"})
    assert client.cognito("AdminUpdateUserAttributes", Username=ANN, UserAttributes=change) == {}


def test_without_details_any_custom_attribute_is_accepted(deploy: Callable[..., Any]) -> None:
    """An outputs file does not list custom attributes."""
    client = deploy()
    client.create(ANN, **{"custom:anything": "x"})
    assert "SchemaAttributes" not in client.cognito("DescribeUserPool")["UserPool"]


def test_an_immutable_attribute_is_for_new_users(deploy: Callable[..., Any]) -> None:
    """It is set at creation; no later call changes or deletes it."""
    client = deploy(attributes=ATTRIBUTES)
    token = client.tokens(ANN, family_name="Lee", nickname="an")["AccessToken"]
    refused = "InvalidParameterException: user.family_name: Attribute cannot be updated."
    change = {"UserAttributes": pairs({"family_name": "Kim"})}
    assert client.cognito_refusal("AdminUpdateUserAttributes", Username=ANN, **change) == refused
    assert client.cognito_refusal("UpdateUserAttributes", AccessToken=token, **change) == refused
    names = {"UserAttributeNames": ["family_name"]}
    assert client.cognito_refusal("AdminDeleteUserAttributes", Username=ANN, **names) == refused
    assert client.attributes(ANN)["family_name"] == "Lee"


def test_an_immutable_attribute_with_the_new_password(deploy: Callable[..., Any]) -> None:
    """The first sign-in may add what is missing, not change what is there."""
    client = deploy(attributes=ATTRIBUTES)
    client.create(ANN, family_name="Lee")
    challenge = client.sign_in(ANN, TEMPORARY)
    responses = {"userAttributes.nickname": "an", "userAttributes.family_name": "Kim"}
    refusal = client.cognito_refusal(
        "RespondToAuthChallenge", **client.new_password(challenge, **responses)
    )
    assert refusal == "InvalidParameterException: user.family_name: Attribute cannot be updated."
    responses = {"userAttributes.nickname": "an", "userAttributes.custom:beta": "true"}
    client.cognito("RespondToAuthChallenge", **client.new_password(challenge, **responses))
    assert client.attributes(ANN)["custom:beta"] == "true"


def test_required_attributes_of_the_template(deploy: Callable[..., Any]) -> None:
    """The template's required attributes count, not those of the outputs file."""
    client = deploy({"standard_required_attributes": ["email", "locale"]}, attributes=ATTRIBUTES)
    refusal = client.cognito_refusal("SignUp", Username=ANN, Password=FINAL)
    assert refusal == f"{SCHEMA}nickname: The attribute is required\n"
    attributes = pairs({"nickname": "an"})
    client.cognito("SignUp", Username=ANN, Password=FINAL, UserAttributes=attributes)


def test_the_schema_is_described(deploy: Callable[..., Any]) -> None:
    """DescribeUserPool lists the standard attributes and the pool's own, with their limits."""
    client = deploy(attributes=ATTRIBUTES)
    listed = client.cognito("DescribeUserPool")["UserPool"]["SchemaAttributes"]
    schema = {each["Name"]: each for each in listed}
    assert schema["custom:level"] == {
        "Name": "custom:level",
        "AttributeDataType": "Number",
        "DeveloperOnlyAttribute": False,
        "Mutable": True,
        "Required": False,
        "NumberAttributeConstraints": {"MinValue": "1", "MaxValue": "99"},
    }
    assert schema["custom:plan"]["StringAttributeConstraints"] == {
        "MinLength": "2",
        "MaxLength": "10",
    }
    assert (schema["family_name"]["Mutable"], schema["sub"]["Mutable"]) == (False, False)
    assert (schema["nickname"]["Required"], schema["sub"]["Required"]) == (True, True)
    assert schema["email_verified"]["AttributeDataType"] == "Boolean"


FLOW_REFUSALS = {
    "CUSTOM_AUTH": "CUSTOM_AUTH is not enabled for the client.",
    "REFRESH_TOKEN_AUTH": "REFRESH_TOKEN_AUTH flow not enabled for this client",
    "USER_AUTH": "USER_AUTH flow not enabled for this client",
    "USER_PASSWORD_AUTH": "USER_PASSWORD_AUTH flow not enabled for this client",
    "USER_SRP_AUTH": "USER_SRP_AUTH is not enabled for the client.",
}


@pytest.mark.parametrize("flow", FLOW_REFUSALS)
def test_a_flow_that_is_not_listed(deploy: Callable[..., Any], flow: str) -> None:
    """The app client allows the listed flows and no other; each refusal has Cognito's text."""
    client = deploy(auth_flows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])
    refusal = client.cognito_refusal("InitiateAuth", AuthFlow=flow, AuthParameters={})
    assert refusal == f"InvalidParameterException: {FLOW_REFUSALS[flow]}"
    described = client.cognito("DescribeUserPoolClient", ClientId=client.client_id)
    flows = described["UserPoolClient"]["ExplicitAuthFlows"]
    assert flows == ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]


@pytest.mark.parametrize(
    ("operation", "flow", "permission"),
    [
        ("InitiateAuth", "USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH"),
        ("AdminInitiateAuth", "ADMIN_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
        ("AdminInitiateAuth", "ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"),
    ],
)
def test_a_password_signs_in_where_it_is_allowed(
    deploy: Callable[..., Any], operation: str, flow: str, permission: str
) -> None:
    """A listed password flow checks the password, and leads to the same challenges as SRP."""
    client = deploy(auth_flows=[permission])
    client.create(ANN)

    def start(name: str, password: str) -> dict[str, Any]:
        parameters = {"USERNAME": name, "PASSWORD": password}
        return {"ClientId": client.client_id, "AuthFlow": flow, "AuthParameters": parameters}

    challenge = client.cognito(operation, **start(ANN, TEMPORARY))
    client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    assert "AuthenticationResult" in client.cognito(operation, **start(ANN, FINAL))
    wrong = "NotAuthorizedException: Incorrect username or password."
    assert client.cognito_refusal(operation, **start(ANN, TEMPORARY)) == wrong
    assert client.cognito_refusal(operation, **start("eve@example.com", FINAL)) == wrong
    for _ in range(4):
        client.cognito_refusal(operation, **start(ANN, TEMPORARY))
    refusal = client.cognito_refusal(operation, **start(ANN, FINAL))
    assert refusal == "NotAuthorizedException: Password attempts exceeded"


def test_a_flow_that_the_sandbox_lacks(deploy: Callable[..., Any]) -> None:
    """The choice-based flow says that it is missing here, even if the client allows it."""
    client = deploy(auth_flows=["ALLOW_USER_AUTH"])
    refusal = client.cognito_refusal("InitiateAuth", AuthFlow="USER_AUTH", AuthParameters={})
    assert refusal == "InvalidParameterException: This sandbox does not offer the flow USER_AUTH."


@pytest.mark.parametrize(
    ("details", "is_changed_at_once", "sends_code"),
    [
        pytest.param({}, False, True, id="outputs"),
        pytest.param({"verify_before_update": []}, True, True, id="verified after the change"),
        pytest.param(
            {"verify_before_update": [], "auto_verified_attributes": []}, True, False, id="never"
        ),
    ],
)
def test_a_changed_address(
    deploy: Callable[..., Any], details: Any, is_changed_at_once: bool, sends_code: bool
) -> None:
    """The template says whether a new address gets a code, and whether it counts before that."""
    client = deploy(**details)
    token = client.tokens(ANN, email_verified="true")["AccessToken"]
    new = "new@example.com"
    change = {"AccessToken": token, "UserAttributes": pairs({"email": new})}
    sent = client.cognito("UpdateUserAttributes", **change)["CodeDeliveryDetailsList"]
    assert [each["Destination"] for each in sent] == (["n***@e***"] if sends_code else [])
    now = client.attributes(new if is_changed_at_once else ANN)
    expected = (new, "false") if is_changed_at_once else (ANN, "true")
    assert (now["email"], now["email_verified"]) == expected
    if sends_code:
        code = {"AttributeName": "email", "Code": client.last_code()}
        client.cognito("VerifyUserAttribute", AccessToken=token, **code)
        assert client.attributes(new)["email_verified"] == "true"
    again = client.cognito("UpdateUserAttributes", **change)
    assert again == {"CodeDeliveryDetailsList": []}


def test_a_pool_that_verifies_nothing(deploy: Callable[..., Any]) -> None:
    """A sign-up sends a code only to an attribute that the template has verified."""
    client = deploy(auto_verified_attributes=[])
    reply = client.cognito("SignUp", Username=ANN, Password=FINAL)
    assert "CodeDeliveryDetails" not in reply
    described = client.cognito("DescribeUserPool")["UserPool"]
    assert described["AutoVerifiedAttributes"] == []


def test_a_pool_without_sign_up(deploy: Callable[..., Any]) -> None:
    """Where only administrators create users, nobody signs up."""
    client = deploy(allow_sign_up=False)
    refusal = client.cognito_refusal("SignUp", Username=ANN, Password=FINAL)
    assert refusal == "NotAuthorizedException: SignUp is not permitted for this user pool"
    assert client.cognito("DescribeUserPool")["UserPool"]["AdminCreateUserConfig"] == {
        "AllowAdminCreateUserOnly": True
    }


@pytest.mark.parametrize("username_attributes", [["email"], []])
def test_names_that_differ_in_case(deploy: Callable[..., Any], username_attributes: Any) -> None:
    """In a case-sensitive pool they are two users, and each signs in by its own name only."""
    client = deploy(username_attributes=username_attributes, case_sensitive=True, attributes=[])
    upper = "Ann@example.com"
    tokens = client.tokens(ANN)
    assert client.create(upper)["Username"] != claims(tokens["IdToken"])["cognito:username"]
    assert client.cognito("AdminGetUser", Username=upper)["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert client.cognito("AdminGetUser", Username=ANN)["UserStatus"] == "CONFIRMED"
    refusal = client.cognito_refusal("AdminGetUser", Username=ANN.upper())
    assert refusal == "UserNotFoundException: User does not exist."
    assert client.cognito_refusal("AdminCreateUser", Username=upper).startswith("UsernameExists")
    assert client.cognito("DescribeUserPool")["UserPool"]["UsernameConfiguration"] == {
        "CaseSensitive": True
    }


def test_free_user_names_of_the_template(deploy: Callable[..., Any]) -> None:
    """Without username attributes in the template, any name is a user name."""
    client = deploy(username_attributes=[], attributes=[])
    assert client.create("ann")["Username"] == "ann"


def test_template_and_outputs_disagree(deploy: Callable[..., Any]) -> None:
    """Password policy and MFA are the template's, in behaviour and in descriptions."""
    policy = {"min_length": 16, "require_numbers": True}
    client = deploy(
        password_policy=policy,
        mfa_configuration="OPTIONAL",
        mfa_methods=["TOTP"],
        temporary_password_days=3,
    )
    refusal = client.cognito_refusal("AdminCreateUser", Username=ANN, TemporaryPassword=TEMPORARY)
    assert refusal.startswith("InvalidPasswordException: Password does not conform to policy")
    client.create(ANN, "sixteen-or-more-characters-1")
    described = client.cognito("DescribeUserPool")["UserPool"]
    assert described["MfaConfiguration"] == "OPTIONAL"
    assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 16
    assert client.cognito("GetUserPoolMfaConfig")["SoftwareTokenMfaConfiguration"] == {
        "Enabled": True
    }
    client.clock.advance(3 * DAY + 1)
    refusal = client.sign_in_refusal(ANN, "sixteen-or-more-characters-1")
    assert refusal.startswith("NotAuthorizedException: Temporary password has expired")


def test_groups_of_the_template(deploy: Callable[..., Any]) -> None:
    """Their precedence decides the order in tokens, and which role S3 gives."""
    groups = [{"EDITORS": {"precedence": 5}}, {"READERS": {"precedence": 1}}]
    listed = [{"EDITORS": {"precedence": 0}}, {"READERS": {"precedence": 1}}]
    client = deploy({"groups": listed}, groups=groups)
    client.tokens(ANN)
    for name in ("EDITORS", "READERS"):
        client.cognito("AdminAddUserToGroup", Username=ANN, GroupName=name)
    token = claims(client.sign_in(ANN)["AuthenticationResult"]["IdToken"])
    assert token["cognito:groups"] == ["READERS", "EDITORS"]
    services = Services(client.sandbox._store, client.outputs, client.clock)
    found = {group.name: group.precedence for group in services._s3()._groups}
    assert found == {"EDITORS": 5, "READERS": 1}
    services.close()


def test_tokens_live_as_long_as_the_template_says(deploy: Callable[..., Any]) -> None:
    """Access, id and refresh tokens expire by the app client's own times."""
    client = deploy(access_token_seconds=1800, id_token_seconds=90, refresh_token_seconds=2 * DAY)
    tokens = client.tokens(ANN)
    access, identity = claims(tokens["AccessToken"]), claims(tokens["IdToken"])
    assert (access["exp"] - access["iat"], identity["exp"] - identity["iat"]) == (1800, 90)
    assert tokens["ExpiresIn"] == 1800
    client.clock.advance(1801)
    refusal = client.cognito_refusal("GetUser", AccessToken=tokens["AccessToken"])
    assert refusal == "NotAuthorizedException: Access Token has expired"
    call = {
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {"REFRESH_TOKEN": tokens["RefreshToken"]},
    }
    assert client.cognito("InitiateAuth", **call)["AuthenticationResult"]["ExpiresIn"] == 1800
    client.clock.advance(2 * DAY)
    refusal = client.cognito_refusal("InitiateAuth", **call)
    assert refusal == "NotAuthorizedException: Refresh Token has expired"
    described = client.cognito("DescribeUserPoolClient", ClientId=client.client_id)
    described = described["UserPoolClient"]
    assert [
        described[f"{kind}Validity"] for kind in ("AccessToken", "IdToken", "RefreshToken")
    ] == [
        30,
        90,
        2,
    ]
    assert described["TokenValidityUnits"] == {
        "AccessToken": "minutes",
        "IdToken": "seconds",
        "RefreshToken": "days",
    }


def test_where_reset_codes_go(deploy: Callable[..., Any]) -> None:
    """The template's order of recovery decides which verified address gets the code."""
    client = deploy(recovery_attributes=["phone_number", "email"])
    phone = {"phone_number": "+15550100100", "phone_number_verified": "true"}
    client.tokens(ANN, email_verified="true", **phone)
    details = client.cognito("ForgotPassword", ClientId=client.client_id, Username=ANN)
    assert details["CodeDeliveryDetails"]["DeliveryMedium"] == "SMS"
