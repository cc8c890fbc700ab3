"""Sign-in by password: SRP proofs are verified, valid once, and reveal no user names."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

import pytest

from seedctl import srp
from seedctl.local.cognito.passwords import ServerExchange, Verifier, random_password
from seedctl.outputs import PasswordPolicy
from tests.cases import case

ANN = "ann@example.com"
INCORRECT = "NotAuthorizedException: Incorrect username or password."


def test_right_password_gives_tokens(client: Any) -> None:
    """A user with a permanent password gets three tokens at once."""
    client.tokens(ANN)
    reply = client.sign_in(ANN)
    assert reply["AuthenticationResult"].keys() == {
        "AccessToken",
        "ExpiresIn",
        "IdToken",
        "RefreshToken",
        "TokenType",
    }
    assert reply["ChallengeParameters"] == {}
    assert reply["AuthenticationResult"]["ExpiresIn"] == 3600
    assert reply["AuthenticationResult"]["TokenType"] == "Bearer"


@pytest.mark.parametrize("name", [ANN, "ANN@Example.COM"])
def test_wrong_password_is_refused(client: Any, name: str) -> None:
    """A proof with a wrong password is refused, whatever the case of the name."""
    client.tokens(ANN)
    assert client.sign_in_refusal(name, "Wrong-456-word") == INCORRECT
    assert "AuthenticationResult" in client.sign_in(name)


def test_internal_name_signs_in(client: Any) -> None:
    """The generated user name works like the address."""
    client.tokens(ANN)
    sub = client.cognito("AdminGetUser", Username=ANN)["Username"]
    assert "AuthenticationResult" in client.sign_in(sub)


def test_unknown_user_looks_like_a_wrong_password(client: Any) -> None:
    """An unknown name gets stable fake values and the same error."""
    client.tokens(ANN)
    nobody = "nobody@example.com"
    known = _begin(client, ANN)
    first, second = _begin(client, nobody), _begin(client, nobody.upper())
    assert first.keys() == known.keys()
    assert first["SALT"] == second["SALT"] != _begin(client, "x@example.com")["SALT"]
    assert first["SRP_B"] != second["SRP_B"]
    assert 700 < len(first["SRP_B"]) <= 768
    assert len(first["SECRET_BLOCK"]) == len(known["SECRET_BLOCK"]) > 1024
    assert first["USER_ID_FOR_SRP"] == first["USERNAME"] == second["USERNAME"]
    assert str(uuid.UUID(first["USERNAME"], version=4)) == first["USERNAME"]
    assert first["USERNAME"] != _begin(client, "x@example.com")["USERNAME"]
    assert client.sign_in_refusal(nobody) == INCORRECT


def test_known_user_is_named_by_the_internal_name(client: Any) -> None:
    """SRP uses the UUID, not the address that was typed."""
    user = client.create(ANN)
    parameters = _begin(client, ANN)
    assert parameters["USER_ID_FOR_SRP"] == parameters["USERNAME"] == user["Username"]


def test_proof_is_good_once(client: Any) -> None:
    """Repeating a correct answer is refused."""
    client.tokens(ANN)
    answer = client.proof(ANN, _password())
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INCORRECT


def test_proof_expires(client: Any) -> None:
    """An exchange is invalid after three minutes."""
    client.tokens(ANN)
    answer = client.proof(ANN, _password())
    client.clock.advance(181)
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INCORRECT


def test_proof_is_bound_to_its_user(client: Any) -> None:
    """The answer's USERNAME must be the user who started the exchange."""
    client.tokens(ANN)
    eve = client.create("eve@example.com")
    for other in (eve["Username"], "eve@example.com", "nobody@example.com"):
        assert client.sign_in_refusal(ANN, USERNAME=other) == INCORRECT
    answer = client.proof(ANN, _password(), USERNAME="Ann@example.com")
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)


def test_proof_ends_with_a_password_change(client: Any) -> None:
    """An exchange becomes invalid when an administrator sets another password."""
    client.tokens(ANN)
    answer = client.proof(ANN, _password())
    client.cognito("AdminSetUserPassword", Username=ANN, Password="Other-789-word", Permanent=True)
    assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INCORRECT


def test_timestamp_has_one_form(client: Any) -> None:
    """A proof with the present time in another format is refused as a wrong password."""
    present = "Sat Mar 7 04:05:09 UTC 2026"
    client.clock.now = datetime(2026, 3, 7, 2, tzinfo=timezone.utc).timestamp()
    client.tokens(ANN)
    answer = client.proof(ANN, _password(), TIMESTAMP=present)
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)
    for timestamp in (
        "Sat Mar 07 04:05:09 UTC 2026",
        "sat Mar 7 04:05:09 UTC 2026",
        "Fri Mar 7 04:05:09 UTC 2026",
        "Sat Mar 7 4:05:09 UTC 2026",
        "Sat Mar 7 04:05:09 GMT 2026",
        "Sam Mär 7 04:05:09 UTC 2026",
        "2026-03-07T04:05:09Z",
        "Sat Mrz 7 04:05:09 UTC 2026",
        "Sat Mar 7 24:05:09 UTC 2026",
        "Sat Feb 30 04:05:09 UTC 2026",
        " ",
    ):
        with case(timestamp):
            assert client.sign_in_refusal(ANN, TIMESTAMP=timestamp) == INCORRECT
            client.clock.advance(901)  # the attempts before are forgotten
    answer = client.proof(ANN, _password(), TIMESTAMP=present)
    assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)


def test_timestamp_is_near_the_present(client: Any) -> None:
    """A proof with a time of another day is refused as a wrong password."""
    client.tokens(ANN)
    assert client.sign_in_refusal(ANN, TIMESTAMP="Sat Mar 7 04:05:09 UTC 2026") == INCORRECT


def test_wrong_timestamps_lock(client: Any) -> None:
    """A proof with a wrong time counts as an attempt and ends its exchange."""
    client.tokens(ANN)
    answer = client.proof(ANN, _password(), TIMESTAMP="yesterday")
    for _ in range(2):
        assert client.cognito_refusal("RespondToAuthChallenge", **answer) == INCORRECT
    for _ in range(4):
        client.sign_in_refusal(ANN, TIMESTAMP="yesterday")
    assert client.sign_in_refusal(ANN) == "NotAuthorizedException: Password attempts exceeded"


def test_foreign_signatures_are_refused(client: Any) -> None:
    """Any other text as proof is a wrong password, never a server error."""
    client.tokens(ANN)
    for signature in (
        "AAAA",
        "=",
        "ü",
        "A" * 44,
    ):
        with case(signature):
            assert client.sign_in_refusal(ANN, PASSWORD_CLAIM_SIGNATURE=signature) == INCORRECT


def test_every_part_of_the_proof_is_required(client: Any) -> None:
    """A missing part is named, and the exchange stays valid."""
    client.tokens(ANN)
    for key in (
        "USERNAME",
        "TIMESTAMP",
        "PASSWORD_CLAIM_SECRET_BLOCK",
        "PASSWORD_CLAIM_SIGNATURE",
    ):
        with case(key):
            answer = client.proof(ANN, _password())
            without = {**answer, "ChallengeResponses": {**answer["ChallengeResponses"], key: ""}}
            expected = f"InvalidParameterException: Missing required parameter {key}"
            assert client.cognito_refusal("RespondToAuthChallenge", **without) == expected
            assert "AuthenticationResult" in client.cognito("RespondToAuthChallenge", **answer)


@pytest.mark.parametrize("multiple", [0, 1, 2])
def test_public_value_of_zero_is_refused(client: Any, multiple: int) -> None:
    """A multiple of N as SRP_A would work with any password, so it is refused."""
    client.tokens(ANN)
    refusal = client.cognito_refusal(
        "InitiateAuth",
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": ANN, "SRP_A": f"{multiple * srp.N:x}"},
    )
    assert refusal == "InvalidParameterException: SRP_A may not be a multiple of N."


def test_public_value_is_hex(client: Any) -> None:
    """SRP_A is a hexadecimal number of limited length."""
    for srp_a in (
        "xyz",
        "-1",
        "0x12",
        " 12",
        "1_2",
        "f" * 2049,
    ):
        with case(srp_a):
            refusal = client.cognito_refusal(
                "InitiateAuth",
                AuthFlow="USER_SRP_AUTH",
                AuthParameters={"USERNAME": ANN, "SRP_A": srp_a},
            )
            assert refusal == "InvalidParameterException: SRP_A is not a hex number."


def test_flows_that_the_client_does_not_allow(client: Any) -> None:
    """The app client allows SRP and refresh; a plain password is refused, as on AWS."""
    client.tokens(ANN)
    for flow, message in (
        ("USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH flow not enabled for this client"),
        ("USER_AUTH", "USER_AUTH flow not enabled for this client"),
        ("ADMIN_USER_PASSWORD_AUTH", "Initiate Auth method not supported."),
        ("ADMIN_NO_SRP_AUTH", "Initiate Auth method not supported."),
        ("CUSTOM_AUTH", "Custom auth lambda trigger is not configured for the user pool."),
        ("PASSWORD", "AuthFlow must be one of "),
    ):
        with case(flow, message):
            refusal = client.cognito_refusal(
                "InitiateAuth",
                AuthFlow=flow,
                AuthParameters={"USERNAME": ANN, "PASSWORD": _password()},
            )
            assert refusal.startswith(f"InvalidParameterException: {message}")


@pytest.mark.parametrize("flow", ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
def test_administrators_may_not_sign_in_by_password_either(client: Any, flow: str) -> None:
    """The admin flows are not enabled for the client."""
    refusal = client.cognito_refusal(
        "AdminInitiateAuth", ClientId=client.client_id, AuthFlow=flow, AuthParameters={}
    )
    assert refusal == "InvalidParameterException: Auth flow not enabled for this client"


def test_administrators_sign_in_over_srp(client: Any) -> None:
    """AdminInitiateAuth and AdminRespondToAuthChallenge use the same exchange."""
    client.tokens(ANN)
    exchange = srp.ClientExchange.start()
    reply = client.cognito(
        "AdminInitiateAuth",
        ClientId=client.client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": ANN, "SRP_A": exchange.srp_a},
    )
    assert reply["ChallengeName"] == "PASSWORD_VERIFIER"
    answer = client.proof(ANN, _password())
    reply = client.cognito("AdminRespondToAuthChallenge", ClientId=client.client_id, **answer)
    assert "AuthenticationResult" in reply


def test_secret_hash_is_refused(client: Any) -> None:
    """The client has no secret, so no secret hash can be correct."""
    for call in (
        {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"USERNAME": ANN, "SECRET_HASH": "x"}},
        {"AuthFlow": "REFRESH_TOKEN", "AuthParameters": {"SECRET_HASH": "x"}},
    ):
        refusal = client.cognito_refusal("InitiateAuth", **call)
        assert refusal.startswith("NotAuthorizedException: The client has no secret")
    client.tokens(ANN)
    refusal = client.sign_in_refusal(ANN, SECRET_HASH="x")
    assert refusal.startswith("NotAuthorizedException: The client has no secret")


def test_other_clients(client: Any) -> None:
    """Every call with the id of an app client refuses an unknown one."""
    flow = {"AuthFlow": "REFRESH_TOKEN", "AuthParameters": {"REFRESH_TOKEN": "x"}}
    challenge = {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": {}}
    for operation, given in (
        ("InitiateAuth", flow),
        ("AdminInitiateAuth", flow),
        ("RespondToAuthChallenge", challenge),
        ("AdminRespondToAuthChallenge", challenge),
        ("GetTokensFromRefreshToken", {"RefreshToken": "x"}),
        ("RevokeToken", {"Token": "x"}),
    ):
        with case(operation):
            refusal = client.cognito_refusal(operation, ClientId="another", **given)
            assert refusal.startswith("ResourceNotFoundException: ")


def test_disabled_user_is_refused(client: Any) -> None:
    """A disabled user gets that error only with the right password."""
    client.tokens(ANN)
    client.cognito("AdminDisableUser", Username=ANN)
    assert client.sign_in_refusal(ANN) == "NotAuthorizedException: User is disabled."
    assert client.sign_in_refusal(ANN, "Wrong-456-word") == INCORRECT
    client.cognito("AdminEnableUser", Username=ANN)
    assert "AuthenticationResult" in client.sign_in(ANN)


def test_reset_password_is_refused(client: Any) -> None:
    """After AdminResetUserPassword, the old password gives PasswordResetRequiredException."""
    client.tokens(ANN, email_verified="true")
    client.cognito("AdminResetUserPassword", Username=ANN)
    expected = "PasswordResetRequiredException: Password reset required for the user"
    assert client.sign_in_refusal(ANN) == expected


def test_wrong_passwords_lock(client: Any) -> None:
    """Five wrong passwords lock the user for a second, each further one twice as long."""
    client.tokens(ANN)
    locked = "NotAuthorizedException: Password attempts exceeded"
    for _ in range(5):
        assert client.sign_in_refusal(ANN, "Wrong-456-word") == INCORRECT
    assert client.sign_in_refusal(ANN) == locked
    client.clock.advance(1)
    assert client.sign_in_refusal(ANN, "Wrong-456-word") == INCORRECT
    client.clock.advance(1)
    assert client.sign_in_refusal(ANN) == locked
    client.clock.advance(1)
    assert "AuthenticationResult" in client.sign_in(ANN)
    assert client.sign_in_refusal(ANN, "Wrong-456-word") == INCORRECT
    assert "AuthenticationResult" in client.sign_in(ANN)


def test_random_values_are_used_once() -> None:
    """Salts, the server's private values and generated passwords are long, and differ each time."""
    verifiers = [Verifier.of("Pass-1234", pool_name="p", username="ann") for _ in range(2)]
    assert verifiers[0].salt != verifiers[1].salt
    assert verifiers[0].value != verifiers[1].value
    exchanges = [ServerExchange.start("a1", verifiers[0]) for _ in range(2)]
    assert [exchange.private_b.bit_length() for exchange in exchanges] == [256, 256]
    assert exchanges[0].srp_b != exchanges[1].srp_b
    policy = PasswordPolicy(min_length=12)
    assert random_password(policy) != random_password(policy)


def test_lock_is_forgotten_after_a_quarter_of_an_hour(client: Any) -> None:
    """After fifteen minutes without attempts, the count starts again."""
    client.tokens(ANN)
    for _ in range(5):
        client.sign_in_refusal(ANN, "Wrong-456-word")
    client.clock.advance(901)
    for _ in range(5):
        assert client.sign_in_refusal(ANN, "Wrong-456-word") == INCORRECT


def test_challenges_that_are_never_given(client: Any) -> None:
    """A Cognito challenge that this sandbox never issues is refused."""
    challenge = "CUSTOM_CHALLENGE"
    refusal = client.cognito_refusal(
        "RespondToAuthChallenge", ChallengeName=challenge, ChallengeResponses={"USERNAME": ANN}
    )
    assert refusal.endswith(f"This sandbox does not issue the challenge {challenge}.")


def test_other_clients_do_not_exist(client: Any) -> None:
    """A client id that is not in the outputs does not exist."""
    for operation in ("InitiateAuth", "RespondToAuthChallenge", "RevokeToken"):
        refusal = client.cognito_refusal(operation, ClientId="another")
        expected = "ResourceNotFoundException: User pool client another does not exist."
        assert refusal == expected


def _begin(client: Any, name: str) -> dict[str, str]:
    reply = client.cognito(
        "InitiateAuth",
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": name, "SRP_A": srp.ClientExchange.start().srp_a},
    )
    parameters: dict[str, str] = reply["ChallengeParameters"]
    return parameters


def _password() -> str:
    return "Final-456-word"
