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
from tests.cognito.standin import INTERNAL, SECRET_CODE, ScriptedCodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import IfUserExists, TOTPSetup
    from seedctl.prompter import CodeRequest
    from tests.cognito.standin import Stage

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


def refuse(stage: Stage, first: int, *errors: BaseException) -> None:
    """Refuse the answers, starting with number *first*."""
    for number, error in enumerate(errors, start=first):
        # An interrupt is raised in the same way.
        stage.cognito.faults[("RespondToAuthChallenge", number)] = error  # type: ignore[assignment]


def answers_to(stage: Stage, challenge: str) -> list[dict[str, str]]:
    return [
        body["ChallengeResponses"]
        for operation, body in stage.cognito.requests
        if operation == "RespondToAuthChallenge" and body["ChallengeName"] == challenge
    ]


def preferences(stage: Stage) -> list[list[str]]:
    return [
        sorted(body.keys() - {"AccessToken"})
        for operation, body in stage.cognito.requests
        if operation == "SetUserMFAPreference"
    ]


def listed(key: str, *methods: str) -> dict[str, str]:
    return {key: json.dumps(methods)}


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A pool whose outputs file does not state the MFA mode."""
    return make_stage(mfa_configuration=None, mfa_methods=None)


@pytest.fixture
def challenged(stage: Stage) -> Callable[..., Stage]:
    """Make the sign-in of a finished user send a challenge."""

    def make(challenge: str, **parameters: str) -> Stage:
        stage.cognito.password = PASSWORD
        stage.cognito.sign_in_challenge = challenge
        stage.cognito.sign_in_parameters = parameters
        return stage

    return make


def sign_in(stage: Stage, **options: Any) -> None:
    stage.auth.sign_in(USER, PASSWORD, **{"sign_in_flow": "MFA", **options})


# --- codes and repeated codes ---------------------------------------------------------------------


@pytest.mark.parametrize(("challenge", "method", "key"), CODE_METHODS)
def test_a_wrong_code_is_asked_for_again(
    challenged: Callable[..., Stage], challenge: str, method: str, key: str
) -> None:
    """A person is asked again in the same session; here the third code signs in."""
    stage = challenged(challenge, CODE_DELIVERY_DESTINATION="a***@e***")
    stage.codes.codes = ["111111", "222222", "333333"]
    refuse(stage, 1, mismatch(), mismatch())
    began_at = time.time()
    sign_in(stage)
    assert all(began_at <= request.since <= time.time() for request in stage.codes.requests)
    answers = answers_to(stage, challenge)
    assert [answer[key] for answer in answers] == ["111111", "222222", "333333"]
    assert all(answer["USERNAME"] == INTERNAL for answer in answers)
    sessions = {
        body["Session"]
        for _, body in stage.cognito.requests
        if body.get("ChallengeName") == challenge
    }
    assert len(sessions) == 1
    assert {(r.username, r.method, r.destination) for r in stage.codes.requests} == {
        (USER, method, "a***@e***")
    }
    assert [request.attempt for request in stage.codes.requests] == [1, 2, 3]


def test_three_wrong_codes_are_enough(challenged: Callable[..., Stage]) -> None:
    """After the third refused code Cognito's error is raised, with what to do next."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes = ["111111", "222222", "333333", "444444"]
    refuse(stage, 1, mismatch(), mismatch(), mismatch())
    with pytest.raises(CognitoError) as caught:
        sign_in(stage)
    assert caught.value.name == "CodeMismatchException"
    assert caught.value.resolution == (  # a clock has nothing to do with e-mail
        "The sign-in has ended after 3 refused codes. Run again, with the code that Cognito then "
        "sends."
    )
    assert stage.codes.codes == ["444444"]


@pytest.mark.parametrize(("challenge", "method", "key"), CODE_METHODS)
def test_a_callback_is_asked_once(
    challenged: Callable[..., Stage], challenge: str, method: str, key: str
) -> None:
    """A callback that returned a wrong code is not called again."""
    stage, codes = challenged(challenge), iter(["111111", "222222"])
    refuse(stage, 1, mismatch())
    with pytest.raises(CognitoError) as caught:
        sign_in(stage, sign_in_challenge=lambda: next(codes))
    assert caught.value.name == "CodeMismatchException"
    assert "ended as the code was refused. Run again" in (caught.value.resolution or "")
    assert list(codes) == ["222222"]
    assert stage.codes.requests == []


def test_a_source_that_cannot_repeat_is_asked_once(challenged: Callable[..., Stage]) -> None:
    """A command that printed a wrong code is not run again in the same session."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes, stage.codes.can_repeat = ["111111", "222222"], False
    refuse(stage, 1, mismatch())
    with pytest.raises(CognitoError):
        sign_in(stage)
    assert stage.codes.codes == ["222222"]


def test_an_authenticator_has_the_next_code(challenged: Callable[..., Stage]) -> None:
    """If another run has used a code, the authenticator's next one is sent."""
    clock = [1015.0]
    authenticator = Authenticator(
        SECRET_CODE,
        clock=lambda: clock[0],
        wait=lambda seconds, _: clock.__setitem__(0, clock[0] + seconds),
    )
    stage = challenged("SOFTWARE_TOKEN_MFA")
    refuse(stage, 1, expired())
    sign_in(stage, sign_in_challenge=authenticator.code)
    codes = [
        answer["SOFTWARE_TOKEN_MFA_CODE"] for answer in answers_to(stage, "SOFTWARE_TOKEN_MFA")
    ]
    expected = pyotp.TOTP(SECRET_CODE)
    assert codes == [expected.at(1015), expected.at(1020)]
    assert clock == [1020.0]


def test_an_authenticator_whose_code_is_wrong_is_not_asked_again(
    challenged: Callable[..., Stage],
) -> None:
    """With another secret or a wrong clock, no second code is tried: it would be wrong too."""
    authenticator = Authenticator(SECRET_CODE, clock=lambda: 1015.0)
    stage = challenged("SOFTWARE_TOKEN_MFA")
    refuse(stage, 1, mismatch())
    with pytest.raises(CognitoError):
        sign_in(stage, sign_in_challenge=authenticator.code)
    assert len(answers_to(stage, "SOFTWARE_TOKEN_MFA")) == 1


def test_an_expired_code_of_another_callback_is_an_error(challenged: Callable[..., Stage]) -> None:
    """Only an Authenticator is asked for a second code, not another callback."""
    stage = challenged("SOFTWARE_TOKEN_MFA")
    refuse(stage, 1, expired())
    with pytest.raises(CognitoError) as caught:
        sign_in(stage, sign_in_challenge=lambda: "123456")
    assert caught.value.name == "ExpiredCodeException"


def test_a_session_that_ends_between_two_codes(challenged: Callable[..., Stage]) -> None:
    """A session that Cognito ended is not reported as a wrong password, and no other password is tried."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes = ["111111", "222222", "333333"]
    refuse(stage, 1, mismatch(), NotAuthorizedException(SESSION_ENDED))
    with pytest.raises(SignInException, match=SESSION_ENDED) as caught:
        sign_in(stage)
    assert "three minutes" in (caught.value.resolution or "")
    assert "password" not in (caught.value.resolution or "")
    assert stage.codes.codes == ["333333"]


def test_a_session_that_ends_while_a_user_is_created(stage: Stage) -> None:
    """The new password is set already, so the sign-in starts again with a new code."""
    stage.cognito.after_new_password = [("EMAIL_OTP", {})]
    stage.cognito.sign_in_challenge = "EMAIL_OTP"
    stage.codes.codes = ["111111", "222222", "333333"]
    refuse(stage, 2, mismatch(), NotAuthorizedException(SESSION_ENDED))
    stage.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert stage.states() == ["created"]
    assert stage.codes.codes == []
    assert preferences(stage) == [["EmailMfaSettings"]]
    assert stage.markers() == []


@pytest.mark.parametrize("if_exists", ["error", "sign_in"])
def test_a_session_that_ends_in_the_next_run(stage: Stage, if_exists: IfUserExists) -> None:
    """The existing user's password was right: no other is tried, and none is blamed."""
    stage.cognito.password = PASSWORD
    stage.cognito.sign_in_challenge = "EMAIL_OTP"
    stage.codes.codes = ["111111"]
    if if_exists == "error":
        stage.leave_unfinished(USER)
        refused = 1  # the temporary password, which is tried first for a user in the journal
        stage.cognito.faults[("RespondToAuthChallenge", 2)] = NotAuthorizedException(SESSION_ENDED)
    else:
        refused = 0
        stage.cognito.faults[("RespondToAuthChallenge", 1)] = NotAuthorizedException(SESSION_ENDED)
    with pytest.raises(SignInException, match=SESSION_ENDED):
        stage.auth.create_user(USER, PASSWORD, sign_in_flow="MFA", if_exists=if_exists)
    assert stage.cognito.operations().count("InitiateAuth") == 1 + refused
    assert len(stage.markers()) == refused  # no later run has to finish an existing user


def test_the_next_sign_in_finishes_a_user_of_a_stopped_run(
    challenged: Callable[..., Stage],
) -> None:
    """A sign-in sets the preference of a user in the journal, which is then finished."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes = ["111111", "222222"]
    stage.leave_unfinished(USER)
    sign_in(stage)
    assert preferences(stage) == [["EmailMfaSettings"]]
    assert stage.markers() == []
    sign_in(stage)
    assert len(preferences(stage)) == 1


def test_a_user_finished_at_the_code_is_reported_as_finished(stage: Stage) -> None:
    """A run that stopped between the password and the code leaves an unfinished user."""
    stage.cognito.password = PASSWORD
    stage.cognito.sign_in_challenge = "EMAIL_OTP"
    stage.codes.codes = ["111111"]
    stage.leave_unfinished(USER)
    stage.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert stage.states() == ["finished"]
    assert stage.markers() == []


def test_codes_are_masked(challenged: Callable[..., Stage]) -> None:
    """Typed codes and codes of callbacks are masked from then on."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes = ["86420975"]
    sign_in(stage)
    sign_in(stage, sign_in_challenge=lambda: "97531086")
    assert masking.mask("86420975 and 97531086") == "*** and ***"


# --- custom, unknown, password --------------------------------------------------------------------


def test_a_custom_challenge(challenged: Callable[..., Stage]) -> None:
    """sign_in_challenge answers a custom challenge; no MFA preference is set."""
    stage = challenged("CUSTOM_CHALLENGE")
    sign_in(stage, sign_in_challenge=lambda: "blue")
    assert answers_to(stage, "CUSTOM_CHALLENGE") == [{"USERNAME": INTERNAL, "ANSWER": "blue"}]
    assert preferences(stage) == []


def test_a_custom_challenge_is_asked_for_without_a_callback(
    challenged: Callable[..., Stage],
) -> None:
    """The request for the answer says that it is a custom challenge."""
    stage = challenged("CUSTOM_CHALLENGE")
    stage.codes.codes = ["blue"]
    sign_in(stage)
    assert [request.method for request in stage.codes.requests] == ["CUSTOM"]


@pytest.mark.parametrize("name", ["DEVICE_SRP_AUTH", ""])
def test_an_unknown_challenge(challenged: Callable[..., Stage], name: str) -> None:
    """The error names the unknown challenge, and nobody is signed in."""
    stage = challenged(name)
    with pytest.raises(CannotSignInWithMFAError, match=name or r"\(none\)"):
        sign_in(stage)


@pytest.mark.parametrize(
    "challenge", ["EMAIL_OTP", "SMS_MFA", "SOFTWARE_TOKEN_MFA", "SELECT_MFA_TYPE", "MFA_SETUP"]
)
@pytest.mark.parametrize("creates", [True, False])
def test_the_password_flow_names_an_mfa_challenge(
    challenged: Callable[..., Stage], challenge: str, creates: bool
) -> None:
    """The password flow asks for no code; the error suggests the MFA flow."""
    stage = challenged(challenge)
    enter = stage.auth.sign_in
    if creates:
        stage.cognito.password = None
        stage.cognito.after_new_password = [(challenge, {})]
        enter = stage.auth.create_user  # type: ignore[assignment]
    with pytest.raises(SignInException, match=challenge) as caught:
        enter(USER, PASSWORD)
    assert 'sign_in_flow="MFA"' in (caught.value.resolution or "")
    assert stage.codes.requests == []
    assert stage.report.events == []


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
    challenged: Callable[..., Stage], preference: str, wire: str, setting: str
) -> None:
    """mfa_preference is used and becomes the user's preference, so Cognito does not ask next time."""
    stage = challenged("SELECT_MFA_TYPE", **BOTH)
    stage.cognito.after_new_password = [(wire, {})]
    stage.codes.codes = ["123456"]
    sign_in(stage, mfa_preference=preference)
    assert answers_to(stage, "SELECT_MFA_TYPE") == [{"USERNAME": INTERNAL, "ANSWER": wire}]
    assert preferences(stage) == [[setting]]


def test_a_choice_without_a_preference(challenged: Callable[..., Stage]) -> None:
    """The error names the possible methods; none is guessed."""
    stage = challenged("SELECT_MFA_TYPE", **BOTH)
    with pytest.raises(NoMFAPreferenceSpecifiedError, match="SMS or EMAIL"):
        sign_in(stage)


def test_a_choice_of_a_method_that_is_not_offered(challenged: Callable[..., Stage]) -> None:
    """The error names the methods that Cognito offers."""
    stage = challenged("SELECT_MFA_TYPE", **BOTH)
    with pytest.raises(MFAPreferenceNotAvailableError, match="It offers SMS, EMAIL"):
        sign_in(stage, mfa_preference="TOTP")


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"MFAS_CAN_CHOOSE": "not JSON"}, id="not JSON"),
        pytest.param(listed("MFAS_CAN_CHOOSE", "WEB_AUTHN"), id="unknown kind"),
    ],
)
def test_a_choice_of_nothing(challenged: Callable[..., Stage], parameters: dict[str, str]) -> None:
    """Cognito may offer only methods that seedctl does not know."""
    stage = challenged("SELECT_MFA_TYPE", **parameters)
    with pytest.raises(SignInException, match="no method"):
        sign_in(stage)


def test_setting_up_totp_at_sign_in(challenged: Callable[..., Stage]) -> None:
    """A sign-in finishes the MFA set-up of a user and sets the preference; the secret is masked."""
    stage = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    setups: list[TOTPSetup] = []

    def enroll(setup: TOTPSetup) -> str:
        setups.append(setup)
        return "123456"

    sign_in(stage, totp_sign_up_challenge=enroll)
    assert [(setup.shared_secret, setup.username) for setup in setups] == [(SECRET_CODE, INTERNAL)]
    assert stage.cognito.operations()[-4:] == [
        "AssociateSoftwareToken",
        "VerifySoftwareToken",
        "RespondToAuthChallenge",
        "SetUserMFAPreference",
    ]
    assert preferences(stage) == [["SoftwareTokenMfaSettings"]]
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
    challenged: Callable[..., Stage],
    monkeypatch: pytest.MonkeyPatch,
    challenge: str,
    parameters: dict[str, str],
    preference: str | None,
) -> None:
    """Where nothing may be written, no MFA method is set up or preferred either."""
    stage = challenged(challenge, **parameters)
    stage.codes.codes = ["111111"]
    if challenge == "SELECT_MFA_TYPE":
        stage.cognito.after_new_password = [("EMAIL_OTP", {})]

    def refuse() -> None:
        raise TargetNotAllowedError("not there")

    monkeypatch.setattr(stage.auth, "_before_write", refuse)
    with pytest.raises(TargetNotAllowedError):
        sign_in(stage, mfa_preference=preference, totp_sign_up_challenge=lambda _: "123456")
    writes = {"AssociateSoftwareToken", "SetUserMFAPreference", "VerifySoftwareToken"}
    assert writes.isdisjoint(stage.cognito.operations())


def test_setting_up_totp_at_sign_in_needs_its_callback(challenged: Callable[..., Stage]) -> None:
    """sign_in_challenge cannot set up TOTP, because it does not get the secret."""
    stage = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    with pytest.raises(MissingTOTPChallengeError):
        sign_in(stage, sign_in_challenge=lambda: "123456")
    assert "AssociateSoftwareToken" not in stage.cognito.operations()


def test_setting_up_email_without_an_address(challenged: Callable[..., Stage]) -> None:
    """If neither attribute nor name is an address, the error says what to do."""
    stage = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "EMAIL_OTP"))
    with pytest.raises(MFAPreferenceNotAvailableError, match="no e-mail address"):
        stage.auth.sign_in("ann", PASSWORD, sign_in_flow="MFA")


def test_setting_up_email_with_the_user_name(challenged: Callable[..., Stage]) -> None:
    """An e-mail address as the user name is used for e-mail MFA at sign-in, as at sign-up."""
    stage = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "EMAIL_OTP"))
    sign_in(stage)
    assert answers_to(stage, "MFA_SETUP") == [{"USERNAME": INTERNAL, "EMAIL": USER}]


@pytest.mark.parametrize("challenge", ["EMAIL_OTP", "SMS_MFA"])
def test_totp_is_set_up_after_another_methods_code(
    challenged: Callable[..., Stage], challenge: str
) -> None:
    """If Cognito asks for another method's code first, TOTP is still set up and preferred."""
    stage = challenged(challenge)
    stage.codes.codes = ["111111"]
    sign_in(stage, mfa_preference="TOTP", totp_sign_up_challenge=lambda _: "123456")
    bodies = dict(stage.cognito.requests)
    assert bodies["AssociateSoftwareToken"].keys() == {"AccessToken"}
    assert bodies["VerifySoftwareToken"].keys() == {"AccessToken", "UserCode"}
    assert preferences(stage) == [["SoftwareTokenMfaSettings"]]


def test_a_method_that_was_not_used_stays_as_it_is(challenged: Callable[..., Stage]) -> None:
    """An existing user without a callback to set TOTP up: signed in, nothing changed, no warning."""
    stage = challenged("EMAIL_OTP")
    stage.codes.codes = ["111111"]
    sign_in(stage, mfa_preference="TOTP")
    assert preferences(stage) == []
    assert "AssociateSoftwareToken" not in stage.cognito.operations()
    assert stage.report.warnings == []


def test_a_preference_that_was_not_set_is_a_warning(stage: Stage) -> None:
    """No other method becomes the preference."""
    stage.cognito.after_new_password = [("EMAIL_OTP", {})]
    stage.codes.codes = ["111111"]
    stage.auth.create_user(
        USER,
        PASSWORD,
        sign_in_flow="MFA",
        mfa_preference="SMS",
        user_attributes={"phone_number": "+15551234567"},
    )
    assert preferences(stage) == []
    assert any("SMS was not made the preference" in text for text in stage.report.warnings)


def test_a_typed_code_that_was_used_is_asked_for_again(challenged: Callable[..., Stage]) -> None:
    """A used TOTP code is asked for again, because the app shows a new one soon."""
    stage = challenged("SOFTWARE_TOKEN_MFA")
    stage.codes.codes = ["111111", "222222"]
    refuse(stage, 1, expired())
    sign_in(stage)
    assert stage.codes.codes == []
    assert [request.attempt for request in stage.codes.requests] == [1, 2]


@pytest.mark.parametrize("challenge", ["EMAIL_OTP", "SMS_MFA"])
def test_a_code_that_cognito_sent_too_long_ago_is_not_asked_for_again(
    challenged: Callable[..., Stage], challenge: str
) -> None:
    """Cognito sends no other code in this sign-in; the advice is to run again."""
    stage = challenged(challenge)
    stage.codes.codes = ["111111", "222222"]
    refuse(stage, 1, expired())
    with pytest.raises(CognitoError) as caught:
        sign_in(stage)
    assert "the code that Cognito then sends" in (caught.value.resolution or "")
    assert len(stage.codes.requests) == 1


# --- half-way failures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        CognitoError("User has no e-mail address.", code="InvalidParameterException"),
        KeyboardInterrupt("no e-mail address"),
    ],
    ids=["refused", "interrupted"],
)
def test_a_preference_that_fails_signs_out_again(stage: Stage, failure: BaseException) -> None:
    """No session stays open, the user stays in the journal, and the next run sets the preference."""
    stage.cognito.after_new_password = [("EMAIL_OTP", {})]
    stage.cognito.sign_in_challenge = "EMAIL_OTP"
    stage.codes.codes = ["123456", "654321"]
    stage.cognito.faults[("SetUserMFAPreference", 0)] = failure  # type: ignore[assignment]
    with pytest.raises(type(failure), match="no e-mail address"):
        stage.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert stage.cognito.operations()[-1] == "RevokeToken"
    assert len(stage.markers()) == 1
    assert stage.states() == []
    stage.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert preferences(stage) == [["EmailMfaSettings"]] * 2
    assert stage.markers() == []


class Interrupting(ScriptedCodes):
    """A person who presses Ctrl-C instead of typing a code."""

    def code(self, request: CodeRequest) -> str:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "how", [pytest.param(False, id="nobody there"), pytest.param(True, id="Ctrl-C")]
)
def test_a_run_that_stopped_at_the_prompt_is_finished_by_the_next(stage: Stage, how: bool) -> None:
    """The journal names the user, whose password is already set: only the code is missing."""
    stage.cognito.after_new_password = [("EMAIL_OTP", {})]
    stage.cognito.sign_in_challenge = "EMAIL_OTP"
    if how:
        stage.codes = Interrupting()
    with pytest.raises(KeyboardInterrupt if how else MFACodeUnavailableError):
        stage.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert len(stage.markers()) == 1
    assert stage.states() == []

    stage.codes = ScriptedCodes("123456")
    user = stage.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert user.user_id == INTERNAL
    assert len(stage.states()) == 1
    assert preferences(stage) == [["EmailMfaSettings"]]
    assert stage.markers() == []

    with pytest.raises(UsernameExistsError):  # finished by now
        stage.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")


def test_a_run_that_stopped_before_the_new_password_is_finished_by_the_next(stage: Stage) -> None:
    """The derived temporary password still fits, and the MFA follows as in a first run."""
    stage.cognito.after_new_password = [("EMAIL_OTP", {})]
    stage.codes.codes = ["123456"]
    refuse(stage, 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        stage.auth.create_user(USER, PASSWORD, sign_in_flow="MFA")
    stage.new_auth().create_user(USER, PASSWORD, sign_in_flow="MFA")
    assert stage.states() == ["finished"]
    assert preferences(stage) == [["EmailMfaSettings"]]


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
    challenged: Callable[..., Stage], ahead: int | None, words: str
) -> None:
    """The Date header of the refusal tells whether this machine's clock is at fault."""
    stage = challenged("SOFTWARE_TOKEN_MFA")
    refuse(stage, 1, mismatch(None if ahead is None else NOW - timedelta(seconds=ahead)))
    user = NewUser(USER, PASSWORD, sign_in_flow="MFA", sign_in_challenge=lambda: "123456")
    way_in = SignIn(stage.pool, user, PASSWORD, now=lambda: NOW)
    with pytest.raises(CognitoError) as caught:
        way_in.run()
    assert words in (caught.value.resolution or "")


def test_a_refused_set_up_compares_the_clocks(challenged: Callable[..., Stage]) -> None:
    """The error of a refused TOTP set-up tells too whether this machine's clock is at fault."""
    stage = challenged("MFA_SETUP", **listed("MFAS_CAN_SETUP", "SOFTWARE_TOKEN_MFA"))
    stage.cognito.faults[("VerifySoftwareToken", 0)] = CognitoError(
        "Code mismatch",
        code="EnableSoftwareTokenMFAException",
        server_time=datetime.now(timezone.utc) + timedelta(hours=1),
    )
    with pytest.raises(CognitoError) as caught:
        sign_in(stage, totp_sign_up_challenge=lambda _: "123456")
    assert "behind Cognito's" in (caught.value.resolution or "")


def test_other_refusals_do_not_mention_clocks() -> None:
    """An expired code is not explained by the clock."""
    error = expired()
    error.server_time = NOW
    explain_skew(error, NOW + timedelta(hours=1))
    assert error.resolution is None
