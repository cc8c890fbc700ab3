"""Challenges of a sign-in: repeated codes, chosen and new MFA methods, interrupted runs."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pyotp
import pytest

from seedctl import masking
from seedctl.cognito.challenges import explain_skew
from seedctl.cognito.sign_in import SignIn
from seedctl.cognito.totp import Authenticator
from seedctl.cognito.types import NewUser
from seedctl.errors import (
    CannotSignInWithMFAError,
    CognitoError,
    MFACodeUnavailableError,
    MFAPreferenceNotAvailableError,
    MissingTOTPChallengeError,
    NoMFAPreferenceSpecifiedError,
    NotAuthorizedException,
    SignInException,
    TargetNotAllowedError,
    UsernameExistsError,
)
from tests.cognito.fake_cognito import INTERNAL, SECRET_CODE, ScriptedCodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import IfUserExists, TOTPSetup
    from seedctl.prompter import CodeRequest
    from tests.cognito.fake_cognito import AuthHarness

USER = "ann@example.com"
PASSWORD = "Passw0rd!"
NOW = datetime(2026, 5, 4, 10, 0, 0, tzinfo=timezone.utc)
SESSION_ENDED = "Invalid session for the user."
CODE_METHODS = [
    pytest.param("EMAIL_OTP", "EMAIL", "EMAIL_OTP_CODE", id="e-mail"),
    pytest.param("SMS_MFA", "SMS", "SMS_MFA_CODE", id="SMS_MFA"),
    pytest.param("SMS_OTP", "SMS", "SMS_OTP_CODE", id="SMS_OTP"),
    pytest.param("SOFTWARE_TOKEN_MFA", "TOTP", "SOFTWARE_TOKEN_MFA_CODE", id="TOTP"),
]


def mismatch(server_time: datetime | None = None) -> CognitoError:
    return CognitoError(
        "Invalid code or auth state for the user.",
        code="CodeMismatchException",
        server_time=server_time,
    )


def expired() -> CognitoError:
    message = "Your software token has already been used once."
    return CognitoError(message, code="ExpiredCodeException")


def refuse(harness: AuthHarness, first: int, *errors: BaseException) -> None:
    """Refuse the answers, starting with number *first*."""
    for number, error in enumerate(errors, start=first):
        # An interrupt is raised in the same way.
        harness.cognito.faults[("RespondToAuthChallenge", number)] = error  # type: ignore[assignment]


def answers_to(harness: AuthHarness, challenge: str) -> list[dict[str, str]]:
    return [
        body["ChallengeResponses"]
        for operation, body in harness.cognito.requests
        if operation == "RespondToAuthChallenge" and body["ChallengeName"] == challenge
    ]


def preferences(harness: AuthHarness) -> list[list[str]]:
    return [
        sorted(body.keys() - {"AccessToken"})
        for operation, body in harness.cognito.requests
        if operation == "SetUserMFAPreference"
    ]


def listed(key: str, *methods: str) -> dict[str, str]:
    return {key: json.dumps(methods)}


@pytest.fixture
def harness(make_harness: Callable[..., AuthHarness]) -> AuthHarness:
    """A pool whose outputs file does not state the MFA mode."""
    return make_harness(mfa_configuration=None, mfa_methods=None)


@pytest.fixture
def challenged(harness: AuthHarness) -> Callable[..., AuthHarness]:
    """Make the sign-in of a finished user send a challenge."""

    def make(challenge: str, **parameters: str) -> AuthHarness:
        harness.cognito.password = PASSWORD
        harness.cognito.sign_in_challenge = challenge
        harness.cognito.sign_in_parameters = parameters
        return harness

    return make


def sign_in(harness: AuthHarness, **options: Any) -> None:
    harness.auth.sign_in(USER, PASSWORD, **{"sign_in_flow": "MFA", **options})


# --- codes and repeated codes ---------------------------------------------------------------------


@pytest.mark.parametrize(("challenge", "method", "key"), CODE_METHODS)
def test_a_wrong_code_is_asked_for_again(
    challenged: Callable[..., AuthHarness], challenge: str, method: str, key: str
) -> None:
    """A person is asked again in the same session; here the third code signs in."""
    harness = challenged(challenge, CODE_DELIVERY_DESTINATION="a***@e***")
    harness.codes.codes = ["111111", "222222", "333333"]
    refuse(harness, 1, mismatch(), mismatch())
    began_at = time.time()
    sign_in(harness)
    assert all(began_at <= request.since <= time.time() for request in harness.codes.requests)
    answers = answers_to(harness, challenge)
    assert [answer[key] for answer in answers] == ["111111", "222222", "333333"]
    assert all(answer["USERNAME"] == INTERNAL for answer in answers)
    sessions = {
        body["Session"]
        for _, body in harness.cognito.requests
        if body.get("ChallengeName") == challenge
    }
    assert len(sessions) == 1
    assert {(r.username, r.method, r.destination) for r in harness.codes.requests} == {
        (USER, method, "a***@e***")
    }
    assert [request.attempt for request in harness.codes.requests] == [1, 2, 3]


def test_three_wrong_codes_are_enough(challenged: Callable[..., AuthHarness]) -> None:
    """After the third refused code Cognito's error is raised, with what to do next."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes = ["111111", "222222", "333333", "444444"]
    refuse(harness, 1, mismatch(), mismatch(), mismatch())
    with pytest.raises(CognitoError) as caught:
        sign_in(harness)
    assert caught.value.name == "CodeMismatchException"
    assert caught.value.resolution == (  # a clock has nothing to do with e-mail
        "The sign-in has ended after 3 refused codes. Run again, with the code that Cognito then "
        "sends."
    )
    assert harness.codes.codes == ["444444"]


@pytest.mark.parametrize(("challenge", "method", "key"), CODE_METHODS)
def test_a_callback_is_asked_once(
    challenged: Callable[..., AuthHarness], challenge: str, method: str, key: str
) -> None:
    """A callback that returned a wrong code is not called again."""
    harness, codes = challenged(challenge), iter(["111111", "222222"])
    refuse(harness, 1, mismatch())
    with pytest.raises(CognitoError) as caught:
        sign_in(harness, sign_in_challenge=lambda: next(codes))
    assert caught.value.name == "CodeMismatchException"
    assert "ended as the code was refused. Run again" in (caught.value.resolution or "")
    assert list(codes) == ["222222"]
    assert harness.codes.requests == []


def test_a_source_that_cannot_repeat_is_asked_once(challenged: Callable[..., AuthHarness]) -> None:
    """A command that printed a wrong code is not run again in the same session."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes, harness.codes.can_repeat = ["111111", "222222"], False
    refuse(harness, 1, mismatch())
    with pytest.raises(CognitoError):
        sign_in(harness)
    assert harness.codes.codes == ["222222"]


def test_an_authenticator_has_the_next_code(challenged: Callable[..., AuthHarness]) -> None:
    """If another run has used a code, the authenticator's next one is sent."""
    clock = [1015.0]
    authenticator = Authenticator(
        SECRET_CODE,
        clock=lambda: clock[0],
        wait=lambda seconds, _: clock.__setitem__(0, clock[0] + seconds),
    )
    harness = challenged("SOFTWARE_TOKEN_MFA")
    refuse(harness, 1, expired())
    sign_in(harness, sign_in_challenge=authenticator.code)
    codes = [
        answer["SOFTWARE_TOKEN_MFA_CODE"] for answer in answers_to(harness, "SOFTWARE_TOKEN_MFA")
    ]
    expected = pyotp.TOTP(SECRET_CODE)
    assert codes == [expected.at(1015), expected.at(1020)]
    assert clock == [1020.0]


def test_an_authenticator_whose_code_is_wrong_is_not_asked_again(
    challenged: Callable[..., AuthHarness],
) -> None:
    """With another secret or a wrong clock, no second code is tried: it would be wrong too."""
    authenticator = Authenticator(SECRET_CODE, clock=lambda: 1015.0)
    harness = challenged("SOFTWARE_TOKEN_MFA")
    refuse(harness, 1, mismatch())
    with pytest.raises(CognitoError):
        sign_in(harness, sign_in_challenge=authenticator.code)
    assert len(answers_to(harness, "SOFTWARE_TOKEN_MFA")) == 1


def test_an_expired_code_of_another_callback_is_an_error(
    challenged: Callable[..., AuthHarness],
) -> None:
    """Only an Authenticator is asked for a second code, not another callback."""
    harness = challenged("SOFTWARE_TOKEN_MFA")
    refuse(harness, 1, expired())
    with pytest.raises(CognitoError) as caught:
        sign_in(harness, sign_in_challenge=lambda: "123456")
    assert caught.value.name == "ExpiredCodeException"


def test_a_session_that_ends_between_two_codes(challenged: Callable[..., AuthHarness]) -> None:
    """A session that Cognito ended is not reported as a wrong password, and no other password is tried."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes = ["111111", "222222", "333333"]
    refuse(harness, 1, mismatch(), NotAuthorizedException(SESSION_ENDED))
    with pytest.raises(SignInException, match=SESSION_ENDED) as caught:
        sign_in(harness)
    assert "three minutes" in (caught.value.resolution or "")
    assert "password" not in (caught.value.resolution or "")
    assert harness.codes.codes == ["333333"]


def test_a_session_that_ends_while_a_user_is_created(harness: AuthHarness) -> None:
    """The new password is set already, so the sign-in starts again with a new code."""
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    harness.codes.codes = ["111111", "222222", "333333"]
    refuse(harness, 2, mismatch(), NotAuthorizedException(SESSION_ENDED))
    harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert harness.states() == ["created"]
    assert harness.codes.codes == []
    assert preferences(harness) == [["EmailMfaSettings"]]
    assert harness.markers() == []


@pytest.mark.parametrize("if_exists", ["error", "sign_in"])
def test_a_session_that_ends_in_the_next_run(harness: AuthHarness, if_exists: IfUserExists) -> None:
    """The existing user's password was right: no other is tried, and none is blamed."""
    harness.cognito.password = PASSWORD
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    harness.codes.codes = ["111111"]
    if if_exists == "error":
        harness.leave_unfinished(USER)
        refused = 1  # the temporary password, which is tried first for a user in the journal
        harness.cognito.faults[("RespondToAuthChallenge", 2)] = NotAuthorizedException(
            SESSION_ENDED
        )
    else:
        refused = 0
        harness.cognito.faults[("RespondToAuthChallenge", 1)] = NotAuthorizedException(
            SESSION_ENDED
        )
    with pytest.raises(SignInException, match=SESSION_ENDED):
        harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA", if_exists=if_exists)
    assert harness.cognito.operations().count("InitiateAuth") == 1 + refused
    assert len(harness.markers()) == refused  # no later run has to finish an existing user


def test_the_next_sign_in_finishes_a_user_of_a_stopped_run(
    challenged: Callable[..., AuthHarness],
) -> None:
    """A sign-in sets the preference of a user in the journal, which is then finished."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes = ["111111", "222222"]
    harness.leave_unfinished(USER)
    sign_in(harness)
    assert preferences(harness) == [["EmailMfaSettings"]]
    assert harness.markers() == []
    sign_in(harness)
    assert len(preferences(harness)) == 1


def test_a_user_finished_at_the_code_is_reported_as_finished(harness: AuthHarness) -> None:
    """A run that stopped between the password and the code leaves an unfinished user."""
    harness.cognito.password = PASSWORD
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    harness.codes.codes = ["111111"]
    harness.leave_unfinished(USER)
    harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert harness.states() == ["finished"]
    assert harness.markers() == []


def test_codes_are_masked(challenged: Callable[..., AuthHarness]) -> None:
    """Typed codes and codes of callbacks are masked from then on."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes = ["86420975"]
    sign_in(harness)
    sign_in(harness, sign_in_challenge=lambda: "97531086")
    assert masking.mask("86420975 and 97531086") == "*** and ***"


# --- custom, unknown, password --------------------------------------------------------------------


def test_a_custom_challenge(challenged: Callable[..., AuthHarness]) -> None:
    """sign_in_challenge answers a custom challenge; no MFA preference is set."""
    harness = challenged("CUSTOM_CHALLENGE")
    sign_in(harness, sign_in_challenge=lambda: "blue")
    assert answers_to(harness, "CUSTOM_CHALLENGE") == [{"USERNAME": INTERNAL, "ANSWER": "blue"}]
    assert preferences(harness) == []


def test_a_custom_challenge_is_asked_for_without_a_callback(
    challenged: Callable[..., AuthHarness],
) -> None:
    """The request for the answer says that it is a custom challenge."""
    harness = challenged("CUSTOM_CHALLENGE")
    harness.codes.codes = ["blue"]
    sign_in(harness)
    assert [request.method for request in harness.codes.requests] == ["CUSTOM"]


@pytest.mark.parametrize("name", ["DEVICE_SRP_AUTH", ""])
def test_an_unknown_challenge(challenged: Callable[..., AuthHarness], name: str) -> None:
    """The error names the unknown challenge, and nobody is signed in."""
    harness = challenged(name)
    with pytest.raises(CannotSignInWithMFAError, match=name or r"\(none\)"):
        sign_in(harness)


@pytest.mark.parametrize(
    "challenge", ["EMAIL_OTP", "SMS_MFA", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE", "MFA_SETUP"]
)
@pytest.mark.parametrize("creates", [True, False])
def test_the_password_flow_names_an_mfa_challenge(
    challenged: Callable[..., AuthHarness], challenge: str, creates: bool
) -> None:
    """The password flow asks for no code; the error suggests the MFA flow."""
    harness = challenged(challenge)
    enter = harness.auth.sign_in
    if creates:
        harness.cognito.password = None
        harness.cognito.after_new_password = [(challenge, {})]
        enter = harness.auth.create_user  # type: ignore[assignment]
    with pytest.raises(SignInException, match=challenge) as caught:
        enter(USER, PASSWORD)
    assert 'sign_in_flow="MFA"' in (caught.value.resolution or "")
    assert harness.codes.requests == []
    assert harness.report.events == []


# --- choosing and setting up ----------------------------------------------------------------------

BOTH = listed("MFAS_CAN_CHOOSE", "SMS_MFA", "EMAIL_OTP")


@pytest.mark.parametrize(
    ("preference", "wire", "setting"),
    [
        pytest.param("SMS", "SMS_MFA", "SMSMfaSettings", id="SMS"),
        pytest.param("EMAIL", "EMAIL_OTP", "EmailMfaSettings", id="e-mail"),
    ],
)
def test_a_choice_at_sign_in(
    challenged: Callable[..., AuthHarness], preference: str, wire: str, setting: str
) -> None:
    """mfa_preference is used and becomes the user's preference, so Cognito does not ask next time."""
    harness = challenged("SELECT_MFA_TYPE", **BOTH)
    harness.cognito.after_new_password = [(wire, {})]
    harness.codes.codes = ["123456"]
    sign_in(harness, mfa_preference=preference)
    assert answers_to(harness, "SELECT_MFA_TYPE") == [{"USERNAME": INTERNAL, "ANSWER": wire}]
    assert preferences(harness) == [[setting]]


def test_a_choice_without_a_preference(challenged: Callable[..., AuthHarness]) -> None:
    """The error names the possible methods; none is guessed."""
    harness = challenged("SELECT_MFA_TYPE", **BOTH)
    with pytest.raises(NoMFAPreferenceSpecifiedError, match="SMS or EMAIL"):
        sign_in(harness)


def test_a_choice_of_a_method_that_is_not_offered(challenged: Callable[..., AuthHarness]) -> None:
    """The error names the methods that Cognito offers."""
    harness = challenged("SELECT_MFA_TYPE", **BOTH)
    with pytest.raises(MFAPreferenceNotAvailableError, match="It offers SMS, EMAIL"):
        sign_in(harness, mfa_preference="TOTP")


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"MFAS_CAN_CHOOSE": "not JSON"}, id="not JSON"),
        pytest.param(listed("MFAS_CAN_CHOOSE", "WEB_AUTHN"), id="unknown kind"),
    ],
)
def test_a_choice_of_nothing(
    challenged: Callable[..., AuthHarness], parameters: dict[str, str]
) -> None:
    """Cognito may offer only methods that seedctl does not know."""
    harness = challenged("SELECT_MFA_TYPE", **parameters)
    with pytest.raises(SignInException, match="no method"):
        sign_in(harness)


def test_setting_up_totp_at_sign_in(challenged: Callable[..., AuthHarness]) -> None:
    """A sign-in finishes the MFA set-up of a user and sets the preference; the secret is masked."""
    harness = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    setups: list[TOTPSetup] = []

    def enroll(setup: TOTPSetup) -> str:
        setups.append(setup)
        return "123456"

    sign_in(harness, totp_sign_up_challenge=enroll)
    assert [(setup.shared_secret, setup.username) for setup in setups] == [(SECRET_CODE, INTERNAL)]
    assert harness.cognito.operations()[-4:] == [
        "AssociateSoftwareToken",
        "VerifySoftwareToken",
        "RespondToAuthChallenge",
        "SetUserMFAPreference",
    ]
    assert preferences(harness) == [["SoftwareTokenMfaSettings"]]
    assert masking.mask(SECRET_CODE) == "***"


@pytest.mark.parametrize(
    ("challenge", "parameters", "preference"),
    [
        ("MFA_SETUP", listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"), None),
        ("MFA_SETUP", listed("MFAS_CAN_SETUP", "EMAIL_OTP"), None),
        ("EMAIL_OTP", {}, "TOTP"),
        ("SELECT_MFA_TYPE", BOTH, "EMAIL"),
    ],
)
def test_a_sign_in_that_changes_the_user_is_a_write(
    challenged: Callable[..., AuthHarness],
    monkeypatch: pytest.MonkeyPatch,
    challenge: str,
    parameters: dict[str, str],
    preference: str | None,
) -> None:
    """Where nothing may be written, no MFA method is set up or preferred either."""
    harness = challenged(challenge, **parameters)
    harness.codes.codes = ["111111"]
    if challenge == "SELECT_MFA_TYPE":
        harness.cognito.after_new_password = [("EMAIL_OTP", {})]

    def refuse() -> None:
        raise TargetNotAllowedError("not there")

    monkeypatch.setattr(harness.auth, "_before_write", refuse)
    with pytest.raises(TargetNotAllowedError):
        sign_in(harness, mfa_preference=preference, totp_sign_up_challenge=lambda _: "123456")
    writes = {"AssociateSoftwareToken", "SetUserMFAPreference", "VerifySoftwareToken"}
    assert writes.isdisjoint(harness.cognito.operations())


def test_setting_up_totp_at_sign_in_needs_its_callback(
    challenged: Callable[..., AuthHarness],
) -> None:
    """sign_in_challenge cannot set up TOTP, because it does not get the secret."""
    harness = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    with pytest.raises(MissingTOTPChallengeError):
        sign_in(harness, sign_in_challenge=lambda: "123456")
    assert "AssociateSoftwareToken" not in harness.cognito.operations()


def test_setting_up_email_without_an_address(challenged: Callable[..., AuthHarness]) -> None:
    """If neither attribute nor name is an address, the error says what to do."""
    harness = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "EMAIL_OTP"))
    with pytest.raises(MFAPreferenceNotAvailableError, match="no e-mail address"):
        harness.auth.sign_in("ann", PASSWORD, sign_in_flow="MFA")


def test_setting_up_email_with_the_user_name(challenged: Callable[..., AuthHarness]) -> None:
    """An e-mail address as the user name is used for e-mail MFA at sign-in, as at sign-up."""
    harness = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "EMAIL_OTP"))
    sign_in(harness)
    assert answers_to(harness, "MFA_SETUP") == [{"USERNAME": INTERNAL, "EMAIL": USER}]


@pytest.mark.parametrize("challenge", ["EMAIL_OTP", "SMS_MFA"])
def test_totp_is_set_up_after_another_methods_code(
    challenged: Callable[..., AuthHarness], challenge: str
) -> None:
    """If Cognito asks for another method's code first, TOTP is still set up and preferred."""
    harness = challenged(challenge)
    harness.codes.codes = ["111111"]
    sign_in(harness, mfa_preference="TOTP", totp_sign_up_challenge=lambda _: "123456")
    bodies = dict(harness.cognito.requests)
    assert bodies["AssociateSoftwareToken"].keys() == {"AccessToken"}
    assert bodies["VerifySoftwareToken"].keys() == {"AccessToken", "UserCode"}
    assert preferences(harness) == [["SoftwareTokenMfaSettings"]]


def test_a_method_that_was_not_used_stays_as_it_is(challenged: Callable[..., AuthHarness]) -> None:
    """An existing user without a callback to set TOTP up: signed in, nothing changed, no warning."""
    harness = challenged("EMAIL_OTP")
    harness.codes.codes = ["111111"]
    sign_in(harness, mfa_preference="TOTP")
    assert preferences(harness) == []
    assert "AssociateSoftwareToken" not in harness.cognito.operations()
    assert harness.report.warnings == []


def test_a_preference_that_was_not_set_is_a_warning(harness: AuthHarness) -> None:
    """No other method becomes the preference."""
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    harness.codes.codes = ["111111"]
    harness.auth.create_user(
        USER,
        PASSWORD,
        sign_in_flow="MFA",
        mfa_preference="SMS",
        user_attributes={"phone_number": "+15551234567"},
    )
    assert preferences(harness) == []
    assert any("SMS was not made the preference" in text for text in harness.report.warnings)


def test_a_typed_code_that_was_used_is_asked_for_again(
    challenged: Callable[..., AuthHarness],
) -> None:
    """A used TOTP code is asked for again, because the app shows a new one soon."""
    harness = challenged("SOFTWARE_TOKEN_MFA")
    harness.codes.codes = ["111111", "222222"]
    refuse(harness, 1, expired())
    sign_in(harness)
    assert harness.codes.codes == []
    assert [request.attempt for request in harness.codes.requests] == [1, 2]


@pytest.mark.parametrize("challenge", ["EMAIL_OTP", "SMS_MFA"])
def test_a_code_that_cognito_sent_too_long_ago_is_not_asked_for_again(
    challenged: Callable[..., AuthHarness], challenge: str
) -> None:
    """Cognito sends no other code in this sign-in; the advice is to run again."""
    harness = challenged(challenge)
    harness.codes.codes = ["111111", "222222"]
    refuse(harness, 1, expired())
    with pytest.raises(CognitoError) as caught:
        sign_in(harness)
    assert "the code that Cognito then sends" in (caught.value.resolution or "")
    assert len(harness.codes.requests) == 1


# --- half-way failures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        CognitoError("User has no e-mail address.", code="InvalidParameterException"),
        KeyboardInterrupt("no e-mail address"),
    ],
    ids=["refused", "interrupted"],
)
def test_a_preference_that_fails_signs_out_again(
    harness: AuthHarness, failure: BaseException
) -> None:
    """No session stays open, the user stays in the journal, and the next run sets the preference."""
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    harness.codes.codes = ["123456", "654321"]
    harness.cognito.faults[("SetUserMFAPreference", 0)] = failure  # type: ignore[assignment]
    with pytest.raises(type(failure), match="no e-mail address"):
        harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert harness.cognito.operations()[-1] == "RevokeToken"
    assert len(harness.markers()) == 1
    assert harness.states() == []
    harness.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert preferences(harness) == [["EmailMfaSettings"]] * 2
    assert harness.markers() == []


class Interrupting(ScriptedCodes):
    """A person who presses Ctrl-C instead of typing a code."""

    def code(self, request: CodeRequest) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "how", [pytest.param(False, id="nobody there"), pytest.param(True, id="Ctrl-C")]
)
def test_a_run_that_stopped_at_the_prompt_is_finished_by_the_next(
    harness: AuthHarness, how: bool
) -> None:
    """The journal names the user, whose password is already set: only the code is missing."""
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    harness.cognito.sign_in_challenge = "EMAIL_OTP"
    if how:
        harness.codes = Interrupting()
    with pytest.raises(KeyboardInterrupt if how else MFACodeUnavailableError):
        harness.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert len(harness.markers()) == 1
    assert harness.states() == []

    harness.codes = ScriptedCodes("123456")
    user = harness.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert user.user_id == INTERNAL
    assert len(harness.states()) == 1
    assert preferences(harness) == [["EmailMfaSettings"]]
    assert harness.markers() == []

    with pytest.raises(UsernameExistsError):  # finished by now
        harness.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")


def test_a_run_that_stopped_before_the_new_password_is_finished_by_the_next(
    harness: AuthHarness,
) -> None:
    """The derived temporary password still fits, and the MFA follows as in a first run."""
    harness.cognito.after_new_password = [("EMAIL_OTP", {})]
    harness.codes.codes = ["123456"]
    refuse(harness, 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        harness.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    harness.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert harness.states() == ["finished"]
    assert preferences(harness) == [["EmailMfaSettings"]]


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        pytest.param(95, "95 s ahead of Cognito's", id="ahead"),
        pytest.param(-45, "45 s behind Cognito's", id="behind"),
        pytest.param(29, "The clocks agree", id="near enough"),
        pytest.param(0, "The clocks agree", id="the same"),
        pytest.param(None, "this machine's clock", id="not told"),
    ],
)
def test_a_refused_totp_code_compares_the_clocks(
    challenged: Callable[..., AuthHarness], ahead: int | None, words: str
) -> None:
    """The Date header of the refusal tells whether this machine's clock is at fault."""
    harness = challenged("SOFTWARE_TOKEN_MFA")
    refuse(harness, 1, mismatch(None if ahead is None else NOW - timedelta(seconds=ahead)))
    user = NewUser(USER, PASSWORD, sign_in_flow="MFA", sign_in_challenge=lambda: "123456")
    way_in = SignIn(harness.pool, user, PASSWORD, now=lambda: NOW)
    with pytest.raises(CognitoError) as caught:
        way_in.run()
    assert words in (caught.value.resolution or "")


def test_a_refused_set_up_compares_the_clocks(challenged: Callable[..., AuthHarness]) -> None:
    """The error of a refused TOTP set-up tells too whether this machine's clock is at fault."""
    harness = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    harness.cognito.faults[("VerifySoftwareToken", 0)] = CognitoError(
        "Code mismatch",
        code="EnableSoftwareTokenMFAException",
        server_time=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    with pytest.raises(CognitoError) as caught:
        sign_in(harness, totp_sign_up_challenge=lambda _: "123456")
    assert "behind Cognito's" in (caught.value.resolution or "")


def test_other_refusals_do_not_mention_clocks() -> None:
    """An expired code is not explained by the clock."""
    error = expired()
    error.server_time = NOW
    explain_skew(error, NOW + timedelta(hours=1))
    assert error.resolution is None
