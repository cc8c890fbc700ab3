"""MFA at sign-in: which challenge is issued, and which answers are accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import blueprint
from seedctl.local.cognito.totp import SoftwareToken
from seedctl.outputs import load_outputs, parse_outputs
from tests.cases import case

ANN = "ann@example.com"
PHONE = "+15551234567"
TEMPORARY = "Temp-123-word"
INVALID_SESSION = "NotAuthorizedException: Invalid session for the user."
USED = "ExpiredCodeException: Your software token has already been used once."
EXPIRED = "ExpiredCodeException: Invalid code provided, please request a code again."
WRONG_TOTP = "CodeMismatchException: Invalid code received for user"
WRONG_CODE = "CodeMismatchException: Invalid code or auth state for the user."
ALL = ("SMS", "TOTP", "EMAIL")


@pytest.fixture
def pool(start: Any) -> Any:
    """Start a pool that requires MFA by default.

    E-mail addresses sign in, or any names where *named* says so.
    """

    def make(*methods: str, configuration: str = "REQUIRED", named: bool = False) -> Any:
        document = blueprint.from_options(mfa_configuration=configuration, mfa_methods=methods)
        if named:
            document["auth"].update(
                username_attributes=["username"], standard_required_attributes=[]
            )
        return start(parse_outputs(document, Path("local_outputs.json")))

    return make


def first_step(client: Any, name: str = ANN, /, **attributes: str) -> Any:
    """Create a user and return the step after the new password."""
    client.create(name, **attributes)
    challenge = client.sign_in(name, TEMPORARY)
    return client.cognito("RespondToAuthChallenge", **client.new_password(challenge))


def set_up(client: Any, step: Any) -> tuple[str, Any]:
    """Complete MFA_SETUP with a software token; return its secret and the reply."""
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    secret = associated["SecretCode"]
    verified = client.cognito(
        "VerifySoftwareToken", Session=associated["Session"], UserCode=client.totp(secret)
    )
    return secret, client.answer({**step, "Session": verified["Session"]})


def with_token(client: Any, name: str = ANN) -> tuple[Any, str]:
    """Return *client* with the secret of a new user who has a software token."""
    secret, _ = set_up(client, first_step(client, name))
    return client, secret


def other(code: str) -> str:
    """Return a code that is wrong for all tolerated steps."""
    return f"{(int(code) + 123457) % 10 ** len(code):0{len(code)}}"


# --- which challenge comes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "attributes", "challenge", "listed"),
    [
        pytest.param(("TOTP",), {}, "MFA_SETUP", ["SOFTWARE_TOKEN_MFA"], id="totp"),
        pytest.param(("SMS",), {}, "MFA_SETUP", ["SMS_MFA"], id="sms"),
        pytest.param(
            ("SMS", "TOTP"), {}, "MFA_SETUP", ["SMS_MFA", "SOFTWARE_TOKEN_MFA"], id="sms, totp"
        ),
        pytest.param(("EMAIL",), {}, "EMAIL_OTP", None, id="email"),
        pytest.param(("TOTP", "EMAIL"), {}, "EMAIL_OTP", None, id="totp, email"),
        pytest.param(("SMS",), {"phone_number": PHONE}, "SMS_MFA", None, id="phone, sms"),
        pytest.param(("SMS", "TOTP"), {"phone_number": PHONE}, "SMS_MFA", None, id="phone, totp"),
        pytest.param(
            ("SMS", "EMAIL"),
            {"phone_number": PHONE},
            "SELECT_MFA_TYPE",
            ["SMS_MFA", "EMAIL_OTP"],
            id="phone, sms, email",
        ),
        pytest.param(
            ALL,
            {"phone_number": PHONE},
            "SELECT_MFA_TYPE",
            ["SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP"],
            id="phone, all",
        ),
    ],
)
def test_first_challenge(
    pool: Any, methods: Any, attributes: Any, challenge: str, listed: Any
) -> None:
    """The pool's methods and the user's addresses decide, at the first and every later sign-in."""
    client = pool(*methods)
    for step in (first_step(client, **attributes), client.sign_in(ANN)):
        assert step["ChallengeName"] == challenge
        assert "AuthenticationResult" not in step
        parameters = step["ChallengeParameters"]
        assert (
            parameters["USER_ID_FOR_SRP"]
            == client.cognito("AdminGetUser", Username=ANN)["Username"]
        )
        found = parameters.get("MFAS_CAN_SETUP") or parameters.get("MFAS_CAN_CHOOSE") or "null"
        assert json.loads(found) == listed


@pytest.mark.parametrize("configuration", ["NONE", "OPTIONAL"])
def test_tokens_without_mfa(pool: Any, configuration: str) -> None:
    """If MFA is off or optional and not set up, a password is enough."""
    methods = () if configuration == "NONE" else ALL
    client = pool(*methods, configuration=configuration)
    assert "AuthenticationResult" in first_step(client, phone_number=PHONE)


@pytest.mark.parametrize("methods", [[], None])
def test_unnamed_methods(start: Any, methods: Any) -> None:
    """A pool that requires MFA without a method in its file accepts all methods."""
    document = blueprint.from_options(mfa_configuration="REQUIRED", mfa_methods=ALL)
    document["auth"]["mfa_methods"] = methods
    if methods is None:
        del document["auth"]["mfa_methods"]
    client = start(parse_outputs(document, Path("local_outputs.json")))
    assert first_step(client)["ChallengeName"] == "EMAIL_OTP"
    description = client.cognito("GetUserPoolMfaConfig")
    assert description["SoftwareTokenMfaConfiguration"] == {"Enabled": True}


# --- software tokens ------------------------------------------------------------------------------


def test_totp_sign_up_and_sign_in(pool: Any) -> None:
    """Once set up, RFC 6238 codes of a software token sign the user in."""
    client = pool("TOTP")
    step = first_step(client)
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    secret = associated["SecretCode"]
    assert len(secret) == 52
    assert secret.isalnum()
    verified = client.cognito(
        "VerifySoftwareToken",
        Session=associated["Session"],
        UserCode=client.totp(secret),
        FriendlyDeviceName="my phone",
    )
    assert verified["Status"] == "SUCCESS"
    reply = client.answer({**step, "Session": verified["Session"]})
    assert client.cognito("GetUser", AccessToken=reply["AuthenticationResult"]["AccessToken"])
    client.clock.advance(30)
    challenge = client.sign_in(ANN)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["ChallengeParameters"]["FRIENDLY_DEVICE_NAME"] == "my phone"
    code = client.totp(secret)
    assert "AuthenticationResult" in client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_totp_tolerance(pool: Any, steps: int) -> None:
    """The code of the previous or next step is valid too."""
    client, secret = with_token(pool("TOTP"))
    client.clock.advance(90)
    code = client.totp(secret, steps=steps)
    assert "AuthenticationResult" in client.answer(
        client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=code
    )


@pytest.mark.parametrize("steps", [-2, 2])
def test_totp_beyond_tolerance(pool: Any, steps: int) -> None:
    """A code two steps away is wrong."""
    client, secret = with_token(pool("TOTP"))
    client.clock.advance(90)
    code = client.totp(secret, steps=steps)
    assert client.answer_refusal(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=code) == WRONG_TOTP


def test_totp_replay(pool: Any) -> None:
    """A code is valid once, for set-up or sign-in; the session accepts the next code."""
    client, secret = with_token(pool("TOTP"))
    for _ in range(4):
        challenge = client.sign_in(ANN)
        code = client.totp(secret)
        assert client.answer_refusal(challenge, SOFTWARE_TOKEN_MFA_CODE=code) == USED
        client.clock.advance(30)
        code = client.totp(secret)
        assert "AuthenticationResult" in client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)


def test_totp_replay_is_remembered_by_step(pool: Any) -> None:
    """In whatever order codes are used, no step's code is accepted twice."""
    client, secret = with_token(pool("TOTP"))
    client.clock.advance(300)
    for steps in (1, 0, -1):
        code = client.totp(secret, steps=steps)
        assert client.answer(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=code)
    challenge = client.sign_in(ANN)
    for steps in (0, 1):
        code = client.totp(secret, steps=steps)
        assert client.answer_refusal(challenge, SOFTWARE_TOKEN_MFA_CODE=code) == USED
    client.clock.advance(30)
    assert client.answer(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=client.totp(secret, steps=1))
    challenge = client.sign_in(ANN)
    for steps in (-1, 0, 1):
        code = client.totp(secret, steps=steps)
        assert client.answer_refusal(challenge, SOFTWARE_TOKEN_MFA_CODE=code) == USED


def test_totp_replay_survives_a_restart(pool: Any) -> None:
    """Used steps are stored: another server does not accept the code either."""
    client, secret = with_token(pool("TOTP"))
    client.sandbox.stop()
    client = pool("TOTP")
    code = client.totp(secret)
    assert client.answer_refusal(client.sign_in(ANN), SOFTWARE_TOKEN_MFA_CODE=code) == USED


def test_rfc_6238() -> None:
    """The codes equal the RFC's test values, in six digits."""
    for second, code in (
        (59, "287082"),
        (1111111109, "081804"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ):
        with case(second, code):
            token = SoftwareToken("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
            used = token.used(code, second)
            assert used is not None
            assert used.used_steps == [second // 30]
            assert token.secret not in repr(token)


def test_wrong_code_at_set_up(pool: Any) -> None:
    """It has its own error, and the session then accepts the right code."""
    client = pool("TOTP")
    step = first_step(client)
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    secret, session = associated["SecretCode"], associated["Session"]
    for _ in range(4):
        wrong = {"Session": session, "UserCode": other(client.totp(secret))}
        refusal = client.cognito_refusal("VerifySoftwareToken", **wrong)
        assert refusal == "EnableSoftwareTokenMFAException: Code mismatch"
    client.cognito("VerifySoftwareToken", Session=session, UserCode=client.totp(secret))


def test_set_up_sessions_are_good_once(pool: Any) -> None:
    """Each step of the set-up has its own session; older sessions are invalid."""
    client = pool("TOTP")
    step = first_step(client)
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    old = {"Session": step["Session"]}
    assert client.cognito_refusal("AssociateSoftwareToken", **old) == INVALID_SESSION
    again = client.cognito("AssociateSoftwareToken", Session=associated["Session"])
    assert again["SecretCode"] != associated["SecretCode"]
    code = client.totp(again["SecretCode"])
    call = {"UserCode": code, "Session": associated["Session"]}
    assert client.cognito_refusal("VerifySoftwareToken", **call) == INVALID_SESSION
    verified = client.cognito("VerifySoftwareToken", UserCode=code, Session=again["Session"])
    call = {"UserCode": code, "Session": verified["Session"]}
    assert client.cognito_refusal("VerifySoftwareToken", **call) == USED
    answer = {**step, "Session": verified["Session"]}
    assert "AuthenticationResult" in client.answer(answer)
    assert client.answer_refusal(answer) == INVALID_SESSION


def test_set_up_needs_a_verified_token(pool: Any) -> None:
    """No tokens before VerifySoftwareToken, which needs AssociateSoftwareToken before."""
    client = pool("TOTP")
    step = first_step(client)
    refused = "InvalidParameterException: Nothing has been set up yet"
    assert client.answer_refusal(step).startswith(refused)
    assert client.answer_refusal(step, EMAIL="ann@example.org").startswith(refused)
    call = {"Session": step["Session"], "UserCode": "123456"}
    refusal = client.cognito_refusal("VerifySoftwareToken", **call)
    assert refusal.startswith("SoftwareTokenMFANotFoundException")
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    assert client.answer_refusal({**step, "Session": associated["Session"]}).startswith(refused)


def test_token_of_a_pool_without(pool: Any) -> None:
    """A pool without software tokens refuses to create one; the session stays valid."""
    client = pool("EMAIL", named=True)
    step = first_step(client, "ann")
    assert json.loads(step["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["EMAIL_OTP"]
    refusal = client.cognito_refusal("AssociateSoftwareToken", Session=step["Session"])
    assert refusal.startswith("SoftwareTokenMFANotFoundException: Software Token MFA has not been")
    assert client.answer(step, EMAIL=ANN)["ChallengeName"] == "EMAIL_OTP"


# --- codes by SMS and e-mail ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "challenge", "digits", "masked"),
    [("SMS", "SMS_MFA", 6, "+*******4567"), ("EMAIL", "EMAIL_OTP", 8, "a***@e***")],
)
def test_sent_code(pool: Any, method: str, challenge: str, digits: int, masked: str) -> None:
    """The code is in the outbox, its masked address in the challenge, and it signs in."""
    client = pool(method)
    step = first_step(client, phone_number=PHONE)
    assert step["ChallengeName"] == challenge
    assert step["ChallengeParameters"]["CODE_DELIVERY_DELIVERY_MEDIUM"] == method
    assert step["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == masked
    code = client.sandbox.inbox()[0].code
    assert len(code) == digits
    assert code.isdigit()
    assert code not in json.dumps(step["ChallengeParameters"])
    answer = {f"{challenge}_CODE": code}
    assert "AuthenticationResult" in client.answer(step, **answer)
    assert client.answer_refusal(step, **answer) == INVALID_SESSION


@pytest.mark.parametrize("totp", [True, False])
def test_wrong_codes_are_counted(pool: Any, totp: bool) -> None:
    """The session ends with the third wrong code; then even the right one fails."""
    if totp:
        client, secret = with_token(pool("TOTP"))
        key, expected = "SOFTWARE_TOKEN_MFA_CODE", WRONG_TOTP
    else:
        client, secret = pool("EMAIL"), ""
        key, expected = "EMAIL_OTP_CODE", WRONG_CODE
        first_step(client)
    for wrong_codes in (2, 3):
        client.clock.advance(30)
        challenge = client.sign_in(ANN)
        code = client.totp(secret) if totp else client.sandbox.inbox()[0].code
        for wrong in [other(code), "ünicode", other(code)][:wrong_codes]:
            assert client.answer_refusal(challenge, **{key: wrong}) == expected
        if wrong_codes < 3:
            assert "AuthenticationResult" in client.answer(challenge, **{key: code})
    assert client.answer_refusal(challenge, **{key: code}) == INVALID_SESSION


def test_missing_code_costs_nothing(pool: Any) -> None:
    """An answer without a code does not count as a wrong code."""
    client = pool("EMAIL")
    step = first_step(client)
    for _ in range(4):
        refusal = client.answer_refusal(step)
        expected = "InvalidParameterException: Missing required parameter EMAIL_OTP_CODE"
        assert refusal == expected
    assert client.answer(step, EMAIL_OTP_CODE=client.sandbox.inbox()[0].code)


def test_code_expires(pool: Any) -> None:
    """After three minutes, the error says that the code has expired."""
    client = pool("EMAIL")
    step = first_step(client)
    client.clock.advance(181)
    code = client.sandbox.inbox()[0].code
    assert client.answer_refusal(step, EMAIL_OTP_CODE=code) == EXPIRED


def test_newer_code_replaces_an_older_one(pool: Any) -> None:
    """A second sign-in's code invalidates the first one of the same method only."""
    client = pool("SMS", "EMAIL")
    first_step(client, phone_number=PHONE)
    texted = client.answer(client.sign_in(ANN), ANSWER="SMS_MFA")
    text = client.sandbox.inbox()[0].code
    older = client.answer(client.sign_in(ANN), ANSWER="EMAIL_OTP")
    newer = client.answer(client.sign_in(ANN), ANSWER="EMAIL_OTP")
    codes = [message.code for message in client.sandbox.inbox()[:2]]
    for code in codes:
        assert client.answer_refusal(older, EMAIL_OTP_CODE=code) == EXPIRED
    assert client.answer(newer, EMAIL_OTP_CODE=codes[0])
    assert client.answer(texted, SMS_MFA_CODE=text)


def test_codes_are_bound_to_their_user(pool: Any) -> None:
    """An answer with another user's name or another challenge ends the session."""
    client = pool("EMAIL")
    first_step(client, "eve@example.com")
    step = first_step(client)
    code = client.sandbox.inbox()[0].code
    answer = {"EMAIL_OTP_CODE": code, "USERNAME": "eve@example.com"}
    assert client.answer_refusal(step, **answer) == INVALID_SESSION
    step = {**client.sign_in(ANN), "ChallengeName": "SMS_MFA"}
    assert client.answer_refusal(step, SMS_MFA_CODE=code) == INVALID_SESSION
    step = client.sign_in(ANN)
    client.cognito("AdminDisableUser", Username=ANN)
    answer = {"EMAIL_OTP_CODE": client.sandbox.inbox()[0].code}
    assert client.answer_refusal(step, **answer) == "NotAuthorizedException: User is disabled."


# --- choosing and setting up ----------------------------------------------------------------------


def test_choosing(pool: Any) -> None:
    """A listed factor can be selected, others not; TOTP without a token leads to MFA_SETUP."""
    client = pool(*ALL)
    step = first_step(client, phone_number=PHONE)
    refusal = client.answer_refusal(step, ANSWER="EMAIL")
    expected = "ANSWER must be one of SMS_MFA, SOFTWARE_TOKEN_MFA, EMAIL_OTP."
    assert refusal == f"InvalidParameterException: {expected}"
    step = client.answer(step, ANSWER="SOFTWARE_TOKEN_MFA")
    assert step["ChallengeName"] == "MFA_SETUP"
    assert json.loads(step["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
    secret, reply = set_up(client, step)
    assert "AuthenticationResult" in reply
    client.clock.advance(30)
    step = client.answer(client.sign_in(ANN), ANSWER="SOFTWARE_TOKEN_MFA")
    assert step["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert "FRIENDLY_DEVICE_NAME" not in step["ChallengeParameters"]
    assert client.answer(step, SOFTWARE_TOKEN_MFA_CODE=client.totp(secret))
    for name, key in (("SMS_MFA", "SMS_MFA_CODE"), ("EMAIL_OTP", "EMAIL_OTP_CODE")):
        step = client.answer(client.sign_in(ANN), ANSWER=name)
        assert step["ChallengeName"] == name
        reply = client.answer(step, **{key: client.sandbox.inbox()[0].code})
        assert "AuthenticationResult" in reply


def test_choosing_where_mfa_is_optional(pool: Any) -> None:
    """If MFA is optional, only the factors that the user turned on can be selected."""
    client = pool(*ALL, configuration="OPTIONAL")
    client.tokens(ANN, phone_number=PHONE)
    enabled = {"Enabled": True}
    client.cognito(
        "AdminSetUserMFAPreference",
        Username=ANN,
        SMSMfaSettings=enabled,
        EmailMfaSettings=enabled,
    )
    step = client.sign_in(ANN)
    assert json.loads(step["ChallengeParameters"]["MFAS_CAN_CHOOSE"]) == ["SMS_MFA", "EMAIL_OTP"]


def test_choice_that_is_gone(pool: Any) -> None:
    """A factor whose address was deleted after SELECT_MFA_TYPE cannot be selected; nor one not listed."""
    client = pool("SMS", "EMAIL")
    step = first_step(client, phone_number=PHONE)
    refusal = client.answer_refusal(step, ANSWER="SOFTWARE_TOKEN_MFA")
    assert refusal == "InvalidParameterException: ANSWER must be one of SMS_MFA, EMAIL_OTP."
    client.cognito("AdminDeleteUserAttributes", Username=ANN, UserAttributeNames=["phone_number"])
    refusal = client.answer_refusal(step, ANSWER="SMS_MFA")
    assert refusal == "MFAMethodNotFoundException: SMS_MFA is not set up."


def test_setting_up_an_address(pool: Any) -> None:
    """An address given to MFA_SETUP becomes the user's, and its code signs in."""
    client = pool("TOTP", "EMAIL", named=True)
    step = first_step(client, "ann")
    listed = json.loads(step["ChallengeParameters"]["MFAS_CAN_SETUP"])
    assert listed == ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
    refusal = client.answer_refusal(step, EMAIL="no address")
    assert refusal == "InvalidParameterException: Invalid email address format."
    client.clock.advance(5)
    step = client.answer(step, EMAIL=ANN)
    changed = client.cognito("AdminGetUser", Username="ann")["UserLastModifiedDate"]
    assert changed == client.clock()
    assert step["ChallengeName"] == "EMAIL_OTP"
    assert step["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "a***@e***"
    message = client.sandbox.inbox()[0]
    assert (message.user, message.destination) == ("ann", ANN)
    assert "AuthenticationResult" in client.answer(step, EMAIL_OTP_CODE=message.code)
    assert {"Name": "email", "Value": ANN} in client.cognito("AdminGetUser", Username="ann")[
        "UserAttributes"
    ]
    assert client.sign_in("ann")["ChallengeName"] == "EMAIL_OTP"


def test_setting_up_somebody_elses_address(start: Any) -> None:
    """Another user's address is refused, and the session accepts a different one."""
    document = blueprint.from_options(mfa_configuration="REQUIRED", mfa_methods=("EMAIL",))
    document["auth"].update(
        username_attributes=["email", "phone_number"], standard_required_attributes=[]
    )
    client = start(parse_outputs(document, Path("local_outputs.json")))
    first_step(client)
    step = first_step(client, PHONE)
    assert step["ChallengeName"] == "MFA_SETUP"
    refusal = client.answer_refusal(step, EMAIL=ANN)
    assert refusal.startswith("AliasExistsException")
    assert client.answer(step, EMAIL="new@example.com")["ChallengeName"] == "EMAIL_OTP"
    message = client.sandbox.inbox()[0]
    assert message.user == PHONE
    assert message.names == (PHONE, "new@example.com", message.username)


def test_sessions_end_with_the_password(pool: Any) -> None:
    """If the user is recreated or the password changes, the sign-in must start over."""
    client = pool("TOTP", named=True)
    step = first_step(client, "ann")
    associated = client.cognito("AssociateSoftwareToken", Session=step["Session"])
    code = client.totp(associated["SecretCode"])
    call = {"Session": associated["Session"], "UserCode": code}
    step = {**step, "Session": client.cognito("VerifySoftwareToken", **call)["Session"]}
    client.cognito("AdminDeleteUser", Username="ann")
    assert client.answer_refusal(step) == INVALID_SESSION
    step = first_step(client, "ann")
    password = {"Password": "Other-1-word", "Permanent": True}
    client.cognito("AdminSetUserPassword", Username="ann", **password)
    call = {"Session": step["Session"]}
    assert client.cognito_refusal("AssociateSoftwareToken", **call) == INVALID_SESSION
    step = client.sign_in("ann", "Other-1-word")
    client.cognito("AdminDeleteUser", Username="ann")
    client.create("ann")
    call = {"Session": step["Session"]}
    assert client.cognito_refusal("AssociateSoftwareToken", **call) == INVALID_SESSION


def test_recorded_outputs(start: Any) -> None:
    """In the sample backend with all three methods, each user can sign in."""
    path = Path(__file__).parents[1] / "data" / "amplify_outputs.mfa.json"
    client = start(load_outputs(path))
    step = first_step(client, phone_number=PHONE, given_name="Ann")
    step = client.answer(step, ANSWER="EMAIL_OTP")
    code = client.sandbox.inbox()[0].code
    assert "AuthenticationResult" in client.answer(step, EMAIL_OTP_CODE=code)
