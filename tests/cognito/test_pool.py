"""The requests to the user pool: which of them may be sent again, where to, and as whom."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import masking
from seedctl.cognito.pool import UserPool
from seedctl.cognito.types import NewUser
from seedctl.report import Report
from seedctl.srp import secret_hash
from tests.aws.recorder import Recorder
from tests.cognito.fake_cognito import KnownAuth, section, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

DEVICE = {"DeviceKey": "us-east-1_1", "DeviceGroupKey": "group"}


def _pool(aws: Recorder, client_secret: str | None = None) -> UserPool:
    # The pool is in another region than the API and the buckets.
    auth = section(aws_region="us-east-1", user_pool_id="eu-west-1_A")
    return UserPool(aws, KnownAuth(auth), client_secret=client_secret)


@pytest.mark.parametrize(
    ("operation", "once", "call"),
    [
        # A second one would find the user that the first one made.
        ("AdminCreateUser", True, lambda pool: pool.create_user(NewUser("ann", "p"), [], "t")),
        # Each uses up the session, or the code.
        (
            "RespondToAuthChallenge",
            True,
            lambda pool: pool.respond("SMS_MFA", {"USERNAME": "ann"}, "session"),
        ),
        (
            "AssociateSoftwareToken",
            True,
            lambda pool: pool.associate_software_token({"Session": "session"}),
        ),
        (
            "VerifySoftwareToken",
            True,
            lambda pool: pool.verify_software_token("123456", {"Session": "session"}),
        ),
        # These have the same effect however often they are sent.
        ("InitiateAuth", False, lambda pool: pool.initiate_srp("ann", "a")),
        ("InitiateAuth", False, lambda pool: pool.refresh("refresh", "ann")),
        ("AdminAddUserToGroup", False, lambda pool: pool.add_to_group("ann", "admin", Report())),
        ("ConfirmDevice", False, lambda pool: pool.confirm_device("access", DEVICE)),
        ("SetUserMFAPreference", False, lambda pool: pool.prefer_mfa("access", "TOTP")),
        ("UpdateUserAttributes", False, lambda pool: pool.update_attributes("access", [])),
        ("RevokeToken", False, lambda pool: pool.revoke("refresh")),
        ("GlobalSignOut", False, lambda pool: pool.global_sign_out("access")),
        ("ListUsers", False, lambda pool: list(pool.read_pages("ListUsers", "Users", "Token"))),
    ],
)
def test_what_may_be_sent_again(
    operation: str, once: bool, call: Callable[[UserPool], object]
) -> None:
    """After a lost response only what has the same effect twice is repeated; all in the pool's region."""
    aws = Recorder({"AuthenticationResult": tokens(), "Users": []})
    call(_pool(aws))
    (made,) = aws.calls
    assert (made.service, made.operation, made.once) == ("cognito-idp", operation, once)
    assert made.region == "eu-west-1"


def test_nobody_is_told_of_a_new_user() -> None:
    """Cognito sends no invitation to the addresses of users that a seed creates."""
    aws = Recorder({})
    attributes = [{"Name": "email", "Value": "ann@example.com"}]
    _pool(aws).create_user(NewUser("ann", "final"), attributes, "temporary")
    assert aws.calls[0].parameters == {
        "UserPoolId": "eu-west-1_A",
        "Username": "ann",
        "UserAttributes": attributes,
        "TemporaryPassword": "temporary",
        "MessageAction": "SUPPRESS",
    }


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("EMAIL", "EmailMfaSettings"),
        ("SMS", "SMSMfaSettings"),
        ("TOTP", "SoftwareTokenMfaSettings"),
    ],
)
def test_a_preference_changes_no_other_method(method: Any, settings: str) -> None:
    """The method is enabled and preferred; the others are not named, so they stay as they are."""
    aws = Recorder({})
    _pool(aws).prefer_mfa("access", method)
    assert aws.calls[0].parameters == {
        "AccessToken": "access",
        settings: {"Enabled": True, "PreferredMfa": True},
    }


def test_a_client_with_a_secret() -> None:
    """Each request of an app client with a secret proves it, for the user name that it carries."""
    aws = Recorder(*[{"AuthenticationResult": tokens()}] * 4)
    pool = _pool(aws, "client-secret-0123456789")
    assert "client-secret" not in masking.mask("It is client-secret-0123456789.")
    pool.initiate_srp("ann", "a")
    pool.respond("SMS_MFA", {"USERNAME": "internal"}, "session")
    pool.refresh("refresh", "internal")
    pool.revoke("refresh")
    sent = [call.parameters for call in aws.calls]
    for members, username in (
        (sent[0]["AuthParameters"], "ann"),
        (sent[1]["ChallengeResponses"], "internal"),
        (sent[2]["AuthParameters"], "internal"),
    ):
        expected = secret_hash("client123", "client-secret-0123456789", username)
        assert members["SECRET_HASH"] == expected
    assert sent[3]["ClientSecret"] == "client-secret-0123456789"


def test_the_password_of_a_device_cannot_be_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is random: with the same salt, each confirmation has another verifier."""
    monkeypatch.setattr(secrets, "randbits", lambda _: 7)
    aws = Recorder({}, {})
    for _ in range(2):
        _pool(aws).confirm_device("access", DEVICE)
    first, second = (call.parameters["DeviceSecretVerifierConfig"] for call in aws.calls)
    assert first["Salt"] == second["Salt"]
    assert first["PasswordVerifier"] != second["PasswordVerifier"]


def test_all_pages_of_a_list() -> None:
    """Each page is asked for with the same parameters, and with the token of the page before."""
    pages: list[dict[str, Any]] = [
        {"Users": [{"Username": "ann"}], "PaginationToken": "2"},
        {"Users": [], "PaginationToken": "3"},
        {"Users": [{"Username": "bob"}]},
    ]
    aws = Recorder(*pages)
    found = _pool(aws).read_pages("ListUsers", "Users", "PaginationToken", Filter="f")
    assert [user["Username"] for user in found] == ["ann", "bob"]
    first = {"UserPoolId": "eu-west-1_A", "Filter": "f"}
    assert [call.parameters for call in aws.calls] == [
        first,
        {**first, "PaginationToken": "2"},
        {**first, "PaginationToken": "3"},
    ]
