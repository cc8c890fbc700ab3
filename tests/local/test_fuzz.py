"""Random input never makes a handler fail: each call succeeds or gets an AWS error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedctl.local.cognito.operations import _SIGNED, _UNSIGNED
from seedctl.local.protocol import Operation
from seedctl.local.ssm import ParameterStore
from seedctl.local.store import Store

ANN = "ann@example.com"
COGNITO = sorted([*_SIGNED, *_UNSIGNED])
SSM = [
    "DeleteParameter",
    "DeleteParameters",
    "DescribeParameters",
    "GetParameter",
    "GetParameters",
    "GetParametersByPath",
    "PutParameter",
]
# fmt: off
_KEYS = """
    AccessToken AttributeName AttributesToGet AuthFlow AuthParameters ChallengeName
    ChallengeResponses ClientMetadata Code ConfirmationCode Description EmailMfaSettings
    ForceAliasCreation Filter FriendlyDeviceName GroupName Limit MaxResults MessageAction Name Names
    NextToken Overwrite PaginationToken Password Path Permanent Precedence PreviousPassword
    ProposedPassword Recursive RefreshToken SMSMfaSettings SecretHash Session
    SoftwareTokenMfaSettings
    TemporaryPassword Token Type UserAttributeNames UserAttributes UserCode Username Value
    ValidationData WithDecryption
""".split()  # noqa: SIM905 - one name a line would fill the page
# fmt: on
_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "ann@example.com",
            "admin",
            "+491234567",
            "/a/b",
            "a:1",
            "USER_SRP_AUTH",
            "REFRESH_TOKEN",
            "PASSWORD_VERIFIER",
            "NEW_PASSWORD_REQUIRED",
            "SOFTWARE_TOKEN_MFA",
            "SMS_MFA",
            "123456",
            "Temp-123-word",
            "Final-456-word",
            'email ^= "a"',
            "a.b.c",
            "String",
        ]
    ),
)
_RESPONSES = st.dictionaries(
    st.sampled_from(
        [
            "ANSWER",
            "EMAIL",
            "EMAIL_OTP_CODE",
            "NEW_PASSWORD",
            "PASSWORD_CLAIM_SECRET_BLOCK",
            "PASSWORD_CLAIM_SIGNATURE",
            "REFRESH_TOKEN",
            "SMS_MFA_CODE",
            "SOFTWARE_TOKEN_MFA_CODE",
            "SRP_A",
            "TIMESTAMP",
            "USERNAME",
            "userAttributes.",
            "userAttributes.email",
        ]
    ),
    _TEXTS,
)
_ATTRIBUTES = st.lists(
    st.fixed_dictionaries(
        {"Name": st.sampled_from(["email", "birthdate", "updated_at", "custom:x", "x", ""])},
        optional={"Value": _TEXTS},
    ),
    max_size=3,
)
_MFA_SETTINGS = st.dictionaries(
    st.sampled_from(["Enabled", "PreferredMfa", "x"]), st.one_of(st.booleans(), st.none(), _TEXTS)
)
_VALUES = st.one_of(
    _TEXTS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(_TEXTS, max_size=3),
    _RESPONSES,
    _ATTRIBUTES,
    _MFA_SETTINGS,
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=2), max_leaves=4),
)
_INPUTS = st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=8)
# Fields that reach the most code get values of the right type in most cases.
_LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "Username": _TEXTS,
        "GroupName": _TEXTS,
        "UserAttributes": _ATTRIBUTES,
        "AuthParameters": _RESPONSES,
        "ChallengeResponses": _RESPONSES,
        "AuthFlow": st.sampled_from(["USER_SRP_AUTH", "REFRESH_TOKEN"]),
        "ChallengeName": st.sampled_from(["PASSWORD_VERIFIER", "NEW_PASSWORD_REQUIRED"]),
        "Name": _TEXTS,
        "Value": _TEXTS,
        "Path": _TEXTS,
        "Names": st.lists(_TEXTS, max_size=3),
        "AccessToken": _TEXTS,
        "EmailMfaSettings": _MFA_SETTINGS,
        "SMSMfaSettings": _MFA_SETTINGS,
        "SoftwareTokenMfaSettings": _MFA_SETTINGS,
        "UserCode": _TEXTS,
        "Password": _TEXTS,
        "Code": _TEXTS,
        "ConfirmationCode": _TEXTS,
        "AttributeName": st.sampled_from(["email", "phone_number", "locale"]),
        "UserAttributeNames": st.lists(st.sampled_from(["locale", "custom:x", "email", "x"])),
        "Filter": _TEXTS,
    },
)
_SETTINGS = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_every_operation_is_fuzzed() -> None:
    """The list of the operations of Parameter Store has all that are served."""
    service = ParameterStore(Store.__new__(Store), float)
    assert sorted(service.operations) == SSM
    assert all(isinstance(row, Operation) for row in service.operations.values())


@settings(_SETTINGS, max_examples=75)
@given(part=st.integers(0, 4), likely=_LIKELY, odd=_INPUTS)
def test_cognito(client: Any, part: int, likely: Any, odd: Any) -> None:
    """Every call of a user pool answers any input with 200 or 400."""
    body = {"UserPoolId": client.pool_id, "ClientId": client.client_id, **likely, **odd}
    # To make an input takes ten times as long as a call with it.
    for operation in COGNITO[part::5]:
        _check(client, f"AWSCognitoIdentityProviderService.{operation}", body, "cognito-idp")


@settings(_SETTINGS, max_examples=30)
@given(likely=_LIKELY, odd=_INPUTS)
def test_ssm(client: Any, likely: Any, odd: Any) -> None:
    """Every call of Parameter Store answers any input with 200 or 400."""
    for operation in SSM:
        _check(client, f"AmazonSSM.{operation}", {"Type": "String", **likely, **odd}, "ssm")


@settings(_SETTINGS, max_examples=40)
@given(body=st.binary(max_size=200))
def test_bytes(client: Any, body: bytes) -> None:
    """Bytes that are not JSON are refused."""
    status, _, _ = client.post("AmazonSSM.GetParameter", body, service="ssm")
    assert status == 400


@pytest.fixture
def choosing(start: Any) -> Any:
    """A pool with a user who can select a second factor."""
    client = start(mfa_configuration="REQUIRED", mfa_methods=("SMS", "TOTP", "EMAIL"))
    client.create(ANN, phone_number="+15551234567")
    password = {"Password": "Final-456-word", "Permanent": True}
    client.cognito("AdminSetUserPassword", Username=ANN, **password)
    return client


@settings(_SETTINGS, max_examples=30)
@given(
    choice=st.sampled_from([None, "SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA"]),
    operation=st.sampled_from(
        ["RespondToAuthChallenge", "AssociateSoftwareToken", "VerifySoftwareToken"]
    ),
    responses=_RESPONSES,
    likely=_LIKELY,
)
def test_mfa_sessions(
    choosing: Any, choice: str | None, operation: str, responses: Any, likely: Any
) -> None:
    """During a sign-in too, any answer is accepted or refused."""
    step = choosing.sign_in(ANN)
    if choice is not None:
        step = choosing.answer(step, ANSWER=choice)
    body = {
        **likely,
        "ClientId": choosing.client_id,
        "Session": step["Session"],
        "ChallengeName": step["ChallengeName"],
        "ChallengeResponses": {"USERNAME": ANN, **responses},
    }
    body.pop("AccessToken", None)
    _check(choosing, f"AWSCognitoIdentityProviderService.{operation}", body, "cognito-idp")


def _check(client: Any, target: str, body: Any, service: str) -> None:
    status, _, answer = client.post(target, json.dumps(body).encode(), service=service)
    assert status in {200, 400}, (target, answer)
    assert client.sandbox.handler_errors == [], target
    assert isinstance(json.loads(answer), dict)
