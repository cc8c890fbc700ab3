"""NEW_PASSWORD_REQUIRED, its sessions, and the password policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import blueprint
from seedctl.outputs import parse_outputs
from tests.cases import case

ANN = "ann@example.com"
TEMPORARY = "Temp-123-word"
INVALID_SESSION = "NotAuthorizedException: Invalid session for the user."


def test_temporary_password_asks_for_a_new_one(client: Any) -> None:
    """The first sign-in leads to NEW_PASSWORD_REQUIRED, and its answer to tokens."""
    user = client.create(ANN, email_verified="true")
    challenge = client.sign_in(ANN, TEMPORARY)
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert len(challenge["Session"]) > 20
    parameters = challenge["ChallengeParameters"]
    assert parameters["USER_ID_FOR_SRP"] == user["Username"]
    assert json.loads(parameters["requiredAttributes"]) == []
    assert json.loads(parameters["userAttributes"]) == {"email": ANN, "email_verified": "true"}
    reply = client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    assert "RefreshToken" in reply["AuthenticationResult"]
    assert client.cognito("AdminGetUser", Username=ANN)["UserStatus"] == "CONFIRMED"
    assert "AuthenticationResult" in client.sign_in(ANN)
    refusal = client.sign_in_refusal(ANN, TEMPORARY)
    assert refusal == "NotAuthorizedException: Incorrect username or password."


def test_session_is_good_once(client: Any) -> None:
    """A session that has led to tokens cannot be used again."""
    client.create(ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    client.cognito("RespondToAuthChallenge", **answer)
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION


def test_session_expires(client: Any) -> None:
    """A session older than three minutes has expired; later it is unknown."""
    client.create(ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    client.clock.advance(180.5)
    client.sign_in(ANN, TEMPORARY)  # a new session, which does not remove this one yet
    expired = "NotAuthorizedException: Invalid session for the user, session is expired."
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == expired
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    client.clock.advance(400)
    client.sign_in(ANN, TEMPORARY)  # each new session removes the expired ones
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION


def test_session_is_bound_to_its_user(client: Any) -> None:
    """The answer's USERNAME must be one of the names of the session's user."""
    client.create(ANN)
    client.create("eve@example.com")
    answer = client.new_password(client.sign_in(ANN, TEMPORARY), USERNAME="eve@example.com")
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION
    answer = client.new_password(client.sign_in(ANN, TEMPORARY), USERNAME=ANN.upper())
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)


def test_session_is_bound_to_its_challenge(client: Any) -> None:
    """A session or a secret block is valid only for its own challenge."""
    client.create(ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    swapped = {**answer, "ChallengeName": "MFA_SETUP"}
    assert client.cognito_refusal("RespondToAuthChallenge", **swapped) == INVALID_SESSION
    block = client.proof(ANN, TEMPORARY)["ChallengeResponses"]["PASSWORD_CLAIM_SECRET_BLOCK"]
    swapped = {**answer, "Session": block}
    assert client.cognito_refusal("RespondToAuthChallenge", **swapped) == INVALID_SESSION
    session = client.sign_in(ANN, TEMPORARY)["Session"]
    refusal = client.sign_in_refusal(ANN, TEMPORARY, PASSWORD_CLAIM_SECRET_BLOCK=session)
    assert refusal == "NotAuthorizedException: Incorrect username or password."


@pytest.mark.parametrize("session", [None, "x" * 20])
def test_session_must_be_known(client: Any, session: str | None) -> None:
    """An answer without a session, or with a made-up one, is refused."""
    client.create(ANN)
    answer = {**client.new_password(client.sign_in(ANN, TEMPORARY)), "Session": session}
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION


def test_session_ends_with_its_user(client: Any) -> None:
    """A user who was deleted, disabled or given another password gets no tokens."""
    client.create(ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    client.cognito("AdminDisableUser", Username=ANN)
    refusal = client.cognito_refusal("RespondToAuthChallenge", **answer)
    assert refusal == "NotAuthorizedException: User is disabled."
    client.cognito("AdminEnableUser", Username=ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY))
    client.cognito("AdminSetUserPassword", Username=ANN, Password="Other-1-word", Permanent=True)
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION
    client.create("eve@example.com")
    answer = client.new_password(client.sign_in("eve@example.com", TEMPORARY))
    client.cognito("AdminDeleteUser", Username="eve@example.com")
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INVALID_SESSION


def test_refused_password_may_be_corrected(client: Any) -> None:
    """After InvalidPasswordException, the same session accepts a better password."""
    client.create(ANN)
    challenge = client.sign_in(ANN, TEMPORARY)
    weak = client.new_password(challenge, NEW_PASSWORD="weak")
    refusal = client.cognito_refusal("RespondToAuthChallenge", **weak)
    assert refusal == (
        "InvalidPasswordException: Password does not conform to policy: Password not long enough"
    )
    client.clock.advance(5)
    reply = client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    assert "AuthenticationResult" in reply
    changed = client.cognito("AdminGetUser", Username=ANN)["UserLastModifiedDate"]
    assert changed == client.clock()


def test_policy(client: Any) -> None:
    """Every call that sets a password names the unmet requirement of the policy."""
    client.create(ANN)
    for password, reason in (
        ("Aa1!", "Password not long enough"),
        ("AAAA1111!", "Password must have lowercase characters"),
        ("aaaa1111!", "Password must have uppercase characters"),
        ("aaaaAAAA!", "Password must have numeric characters"),
        ("aaaaAAAA1", "Password must have symbol characters"),
        ("ÄÖÜÄÖÜÄÖÜ", "Password must have lowercase characters"),
    ):
        with case(password, reason):
            expected = f"InvalidPasswordException: Password does not conform to policy: {reason}"
            refusal = client.cognito_refusal(
                "AdminCreateUser",
                Username="eve@example.com",
                TemporaryPassword=password,
                MessageAction="SUPPRESS",
            )
            assert refusal == expected
            given = {"Username": ANN, "Password": password, "Permanent": True}
            assert client.cognito_refusal("AdminSetUserPassword", **given) == expected


def test_policy_is_the_one_deployed(start: Any) -> None:
    """If the policy in the outputs requires less, a simpler password is accepted."""
    document = blueprint.from_options()
    policy = dict.fromkeys(document["auth"]["password_policy"], False)
    document["auth"]["password_policy"] = {**policy, "min_length": 6}
    client = start(parse_outputs(document, Path("local_outputs.json")))
    client.create(ANN, "simple")
    assert client.sign_in(ANN, "simple")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    client.create("bob@example.com", "x" * 256)


@pytest.mark.parametrize("password", [" Aa1!aaaa", "Aa1!aaaa ", "Aa1!" + "a" * 253])
def test_password_shape(client: Any, password: str) -> None:
    """Blanks at either end and more than 256 characters are not allowed."""
    client.create(ANN)
    answer = client.new_password(client.sign_in(ANN, TEMPORARY), NEW_PASSWORD=password)
    refusal = client.cognito_refusal("RespondToAuthChallenge", **answer)
    assert refusal.startswith("InvalidParameterException: A password has at most 256")


def test_temporary_password_lasts_seven_days(client: Any) -> None:
    """After that, an administrator must reset it, for example with RESEND."""
    client.create(ANN)
    client.clock.advance(7 * 24 * 3600 - 10)
    assert client.sign_in(ANN, TEMPORARY)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    client.clock.advance(11)
    assert client.sign_in_refusal(ANN, TEMPORARY) == (
        "NotAuthorizedException: Temporary password has expired and must be reset by an "
        "administrator."
    )
    client.cognito(
        "AdminCreateUser", Username=ANN, TemporaryPassword="Temp-456-word", MessageAction="RESEND"
    )
    assert client.sign_in(ANN, "Temp-456-word")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_missing_required_attributes(start: Any) -> None:
    """The challenge lists them; an answer must contain them."""
    client = start(required_attributes=("given_name", "family_name"))
    client.create(ANN, family_name="Lee")
    challenge = client.sign_in(ANN, TEMPORARY)
    required = json.loads(challenge["ChallengeParameters"]["requiredAttributes"])
    assert required == ["userAttributes.given_name"]
    refusal = client.cognito_refusal("RespondToAuthChallenge", **client.new_password(challenge))
    assert refusal.startswith(
        "InvalidParameterException: Attributes did not conform to the schema: given_name"
    )
    answer = client.new_password(challenge, **{"userAttributes.given_name": "Ann"})
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)
    shown = client.cognito("AdminGetUser", Username=ANN)["UserAttributes"]
    assert {"Name": "given_name", "Value": "Ann"} in shown


def test_attributes_of_the_answer_are_checked(client: Any) -> None:
    """An unknown attribute is refused, and the session stays valid."""
    client.create(ANN)
    challenge = client.sign_in(ANN, TEMPORARY)
    answer = client.new_password(challenge, **{"userAttributes.shoe_size": "44"})
    refusal = client.cognito_refusal("RespondToAuthChallenge", **answer)
    assert refusal.startswith("InvalidParameterException: Attributes did not conform")
    reply = client.cognito("RespondToAuthChallenge", **client.new_password(challenge))
    assert "AuthenticationResult" in reply
