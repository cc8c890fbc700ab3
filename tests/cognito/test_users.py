"""Creating users: failures, and what the next run does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cognito.types import username_of
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidParameterException,
    InvalidPasswordException,
    LimitExceededError,
    NoGroupError,
    NoGroupsError,
    NotAuthorizedError,
    NotAuthorizedException,
    OutputsMismatchError,
    SeedctlError,
    ServiceFailedError,
    SignInException,
    ThrottledError,
    UsernameExistsError,
    UserNotFoundError,
)
from seedctl.outputs import PasswordPolicy, UserGroup
from seedctl.report import Event
from tests.cognito.standin import INTERNAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import IfUserExists
    from tests.cognito.standin import Stage

USER, PASSWORD = "ann@example.com", "Final-passw0rd"
UNREACHABLE = EndpointUnreachableError("cut")
FAILED = ServiceFailedError("500")
POLICY = PasswordPolicy(12, True, True, True, True)


def test_a_new_user_is_reported_with_its_sub_and_nothing_stays_behind(stage: Stage) -> None:
    """After a successful creation nobody is signed in and the journal is empty."""
    outputs = stage.auth.create_user(USER, PASSWORD)
    assert (outputs.username, outputs.user_id, outputs.sign_in_flow) == (USER, INTERNAL, "Password")
    assert stage.cognito.operations()[-1] == "RevokeToken"
    assert stage.markers() == []
    assert stage.states() == ["created"]
    assert stage.announced == 1


@pytest.mark.parametrize(
    ("settings", "call", "error"),
    [
        pytest.param({}, {"username": "ann"}, InvalidParameterException, id="not an e-mail"),
        pytest.param({}, {"username": " "}, InvalidParameterException, id="blank name"),
        pytest.param(
            {"password_policy": POLICY},
            {"password": "short"},
            InvalidPasswordException,
            id="policy",
        ),
        pytest.param({}, {"password": ""}, InvalidPasswordException, id="no password"),
        pytest.param(
            {}, {"user_attributes": {"familyName": "x"}}, InvalidParameterException, id="attribute"
        ),
        pytest.param(
            {"standard_required_attributes": ("given_name",)},
            {},
            InvalidParameterException,
            id="required attribute",
        ),
        pytest.param({}, {"sign_in_flow": "Pass"}, InvalidParameterException, id="flow"),
        pytest.param({}, {"if_exists": "overwrite"}, InvalidParameterException, id="if_exists"),
    ],
)
def test_what_cognito_would_refuse_is_refused_before_the_first_write(
    make_stage: Callable[..., Stage],
    settings: dict[str, Any],
    call: dict[str, Any],
    error: type[SeedctlError],
) -> None:
    """Nothing is sent, announced or written for a call that cannot succeed."""
    stage = make_stage(**settings)
    with pytest.raises(error) as caught:
        stage.auth.create_user(**{"username": USER, "password": PASSWORD, **call})
    assert caught.value.resolution
    assert stage.cognito.requests == []
    assert stage.announced == 0
    assert stage.markers() == []


@pytest.mark.parametrize("answered", [0, 1], ids=["at the first password", "at the second"])
def test_a_stopped_run_is_finished_by_the_next(stage: Stage, answered: int) -> None:
    """Wherever the sign-in stopped, the next run finishes the user with the final password."""
    for n in range(answered, 40):
        stage.cognito.faults[("RespondToAuthChallenge", n)] = UNREACHABLE
    with pytest.raises(EndpointUnreachableError):
        stage.auth.create_user(USER, PASSWORD)
    assert len(stage.markers()) == 1
    stage.cognito.faults.clear()
    stage.new_auth().create_user(USER, PASSWORD)
    assert stage.cognito.password == PASSWORD
    assert not stage.cognito.must_change
    assert stage.states() == ["finished"]
    assert stage.markers() == []


def test_a_lost_response_to_the_new_password_does_no_harm(stage: Stage) -> None:
    """If the response to the new password is lost, the final password signs in."""
    stage.cognito.faults_after[("RespondToAuthChallenge", 1)] = UNREACHABLE
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["created"]
    assert stage.cognito.password == PASSWORD
    assert stage.slept


def test_a_refusal_after_a_lost_response_is_raised_once(stage: Stage) -> None:
    """The final password replaces the temporary one once; a refusal of it is one like any other."""
    stage.cognito.faults_after[("RespondToAuthChallenge", 1)] = UNREACHABLE
    stage.cognito.faults[("InitiateAuth", 2)] = FAILED
    refusal = NotAuthorizedException("Incorrect username or password.")
    stage.cognito.faults[("RespondToAuthChallenge", 3)] = refusal
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["created"]
    assert stage.cognito.operations().count("InitiateAuth") == 5


def test_a_user_created_by_a_request_with_a_lost_response_is_finished(stage: Stage) -> None:
    """If the response to AdminCreateUser is lost and the retry finds the user, it is this run's user."""
    stage.cognito.faults_after[("AdminCreateUser", 0)] = UNREACHABLE
    stage.auth.create_user(USER, PASSWORD)
    assert stage.cognito.operations()[:2] == ["AdminCreateUser", "AdminCreateUser"]
    assert stage.cognito.password == PASSWORD


def test_a_finished_user_is_never_signed_in_by_default(stage: Stage) -> None:
    """UsernameExistsError is raised without a sign-in, because failed sign-ins lock users."""
    stage.cognito.password = "somebody else's"
    with pytest.raises(UsernameExistsError):
        stage.auth.create_user(USER, PASSWORD)
    assert stage.cognito.operations() == ["AdminCreateUser"]
    assert stage.markers() == []


def test_if_exists_sign_in_accepts_a_user_with_the_same_password(stage: Stage) -> None:
    """A second run with "sign_in" reports its own user as existing."""
    stage.auth.create_user(USER, PASSWORD)
    stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert stage.states() == ["created", "existed"]


def test_if_exists_sign_in_finishes_an_unfinished_user_without_a_journal(stage: Stage) -> None:
    """An unfinished user of another machine is finished after its final password was refused."""
    stage.cognito.faults[("RespondToAuthChallenge", 0)] = SignInException("stopped")
    with pytest.raises(SignInException):
        stage.auth.create_user(USER, PASSWORD)
    for marker in stage.folder.rglob("*"):
        if marker.is_file():
            marker.unlink()
    stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert stage.states() == ["finished"]
    assert stage.cognito.password == PASSWORD


def test_if_exists_sign_in_refuses_another_password(stage: Stage) -> None:
    """The first refusal is raised, with what to do about it."""
    stage.cognito.password = "Somebody-e1se"
    with pytest.raises(NotAuthorizedException) as caught:
        stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert "another password" in (caught.value.resolution or "")
    assert stage.markers() == []


@pytest.mark.parametrize("finished", [True, False], ids=["by another run", "by nobody"])
def test_a_third_sign_in_is_the_last(stage: Stage, finished: bool) -> None:
    """A run on another machine may have set the final password between the two looks.

    Each failed sign-in counts towards locking the account, so there are three at most.
    """
    stage.cognito.password = "Somebody-e1se"
    respond = stage.cognito._RespondToAuthChallenge

    def meanwhile(parameters: Any) -> Any:
        try:
            return respond(parameters)
        finally:
            if finished and stage.cognito.operations().count("RespondToAuthChallenge") == 2:
                stage.cognito.password = PASSWORD

    stage.cognito._RespondToAuthChallenge = meanwhile  # type: ignore[method-assign]
    if finished:
        stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
        assert stage.states() == ["existed"]
    else:
        with pytest.raises(NotAuthorizedException):
            stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert stage.cognito.operations().count("RespondToAuthChallenge") == 3
    assert stage.slept == [1.0]
    assert stage.markers() == []


def test_an_unfinished_user_whose_password_changed_since_is_explained(stage: Stage) -> None:
    """A re-run with another password cannot derive the temporary one, and says why."""
    stage.cognito.faults[("RespondToAuthChallenge", 0)] = SignInException("stopped")
    with pytest.raises(SignInException):
        stage.auth.create_user(USER, PASSWORD)
    with pytest.raises(UsernameExistsError, match="another password"):
        stage.auth.create_user(USER, "An0ther-password")
    assert len(stage.markers()) == 1


def test_if_exists_sign_in_with_a_stale_marker_still_signs_in(stage: Stage) -> None:
    """A marker that a killed run left after its last step does no harm."""
    stage.auth.create_user(USER, PASSWORD)
    stage.leave_unfinished(USER, was_created=False)
    stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert stage.states() == ["created", "existed"]
    assert stage.markers() == []


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(NotAuthorizedError("no"), id="denied"),
        pytest.param(ThrottledError("slow down"), id="throttled for good"),
        pytest.param(CognitoError("bad", code="InvalidParameterException"), id="data"),
    ],
)
def test_a_refused_creation_leaves_no_marker(stage: Stage, refusal: SeedctlError) -> None:
    """If Cognito refused the creation, no user is left unfinished."""
    for n in range(9):
        stage.cognito.faults[("AdminCreateUser", n)] = refusal
    with pytest.raises(type(refusal)):
        stage.auth.create_user(USER, PASSWORD)
    assert stage.markers() == []
    assert stage.cognito.password is None


def test_an_unanswered_creation_stays_in_the_journal(stage: Stage) -> None:
    """After a lost response the user may exist, so the next run must be able to finish it."""
    for n in range(9):
        stage.cognito.faults[("AdminCreateUser", n)] = UNREACHABLE
    with pytest.raises(EndpointUnreachableError):
        stage.auth.create_user(USER, PASSWORD)
    assert len(stage.markers()) == 1
    assert stage.cognito.operations() == ["AdminCreateUser"] * 3


def test_a_5xx_leaves_the_user_in_the_journal(stage: Stage) -> None:
    """A request that failed with 5xx may have created the user: the next run finishes it."""
    for n in range(5):
        stage.cognito.faults_after[("AdminCreateUser", n)] = FAILED
        stage.cognito.faults[("AdminCreateUser", n + 1)] = FAILED
    with pytest.raises(ServiceFailedError):
        stage.auth.create_user(USER, PASSWORD)
    assert stage.cognito.operations() == ["AdminCreateUser"] * 5
    assert stage.cognito.must_change
    assert len(stage.markers()) == 1
    stage.cognito.faults.clear()
    stage.cognito.faults_after.clear()
    stage.new_auth().create_user(USER, PASSWORD)
    assert stage.states() == ["finished"]
    assert (stage.cognito.password, stage.cognito.must_change) == (PASSWORD, False)
    assert stage.markers() == []


def test_a_user_created_by_a_5xx_request_is_finished(stage: Stage) -> None:
    """If AdminCreateUser failed with 5xx and the retry finds the user, it is this run's user."""
    stage.cognito.faults_after[("AdminCreateUser", 0)] = FAILED
    stage.auth.create_user(USER, PASSWORD)
    assert stage.cognito.operations()[:2] == ["AdminCreateUser", "AdminCreateUser"]
    assert (stage.cognito.password, stage.cognito.must_change) == (PASSWORD, False)
    assert stage.markers() == []


def test_a_5xx_during_a_sign_in_restarts_it(stage: Stage) -> None:
    """Cognito accepts one answer for each session, so a retry restarts the whole exchange."""
    stage.cognito.password = PASSWORD
    stage.cognito.faults[("RespondToAuthChallenge", 0)] = FAILED
    stage.auth.sign_in(USER, PASSWORD).sign_out()
    starts = [given for name, given in stage.cognito.requests if name == "InitiateAuth"]
    assert len({given["AuthParameters"]["SRP_A"] for given in starts}) == len(starts) == 2
    assert len(stage.slept) == 1


@pytest.mark.parametrize(
    ("failure", "most", "attempts"),
    [(FAILED, 3, 5), (ThrottledError("slow down"), 3, 5), (UNREACHABLE, 3, 3), (FAILED, 1, 1)],
    ids=["failed", "throttled", "unreachable", "retries turned off"],
)
def test_the_retries_of_a_sign_in_are_limited(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    failure: SeedctlError,
    most: int,
    attempts: int,
) -> None:
    """A failing service is retried more often than an unreachable one; by choice not at all."""
    monkeypatch.setattr(stage.cognito, "max_attempts", most)
    stage.cognito.password = PASSWORD
    for n in range(9):
        stage.cognito.faults[("RespondToAuthChallenge", n)] = failure
    with pytest.raises(type(failure)):
        stage.auth.sign_in(USER, PASSWORD)
    assert stage.cognito.operations().count("InitiateAuth") == attempts


def test_a_call_throttled_after_all_retries_is_an_error(stage: Stage) -> None:
    """A call that was throttled after all its retries does not restart the sign-in."""
    error = ThrottledError("slow down")
    error.was_repeated = True
    stage.cognito.password = PASSWORD
    stage.cognito.faults[("InitiateAuth", 0)] = error
    with pytest.raises(ThrottledError):
        stage.auth.sign_in(USER, PASSWORD)
    assert stage.cognito.operations() == ["InitiateAuth"]


def test_an_exceeded_daily_limit_is_not_retried(stage: Stage) -> None:
    """An exceeded daily limit is not retried, and no user is left unfinished."""
    stage.cognito.faults[("AdminCreateUser", 0)] = LimitExceededError("by the day")
    with pytest.raises(LimitExceededError):
        stage.auth.create_user(USER, PASSWORD)
    assert stage.cognito.operations() == ["AdminCreateUser"]
    assert stage.slept == []
    assert stage.markers() == []


def test_too_many_attempts_end_a_sign_in_at_once(stage: Stage) -> None:
    """After "attempts exceeded" no other password is tried."""
    stage.cognito.password = PASSWORD
    stage.cognito.faults[("InitiateAuth", 0)] = LimitExceededError("attempts")
    with pytest.raises(LimitExceededError):
        stage.auth.sign_in(USER, PASSWORD)
    assert stage.cognito.operations() == ["InitiateAuth"]


def test_a_throttled_creation_is_retried(stage: Stage) -> None:
    """A throttled call is retried."""
    stage.cognito.faults[("AdminCreateUser", 0)] = ThrottledError("slow down")
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["created"]
    assert len(stage.slept) == 1


def test_a_journal_that_cannot_be_written_is_a_warning(make_stage: Callable[..., Stage]) -> None:
    """If the journal cannot be written, the run continues and warns once."""
    stage = make_stage()
    stage.folder.parent.mkdir(exist_ok=True)
    stage.folder.write_text("a file where the folder should be")
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["created"]
    assert len([text for text in stage.report.warnings if "sign_in" in text]) == 1


def test_an_unknown_challenge_is_an_error_that_names_it(stage: Stage) -> None:
    """A challenge that cannot be answered is an error; nobody counts as signed in without tokens."""
    stage.cognito.sign_in_challenge = "CUSTOM_CHALLENGE"
    with pytest.raises(SignInException, match="CUSTOM_CHALLENGE"):
        stage.auth.create_user(USER, PASSWORD)
    with pytest.raises(SignInException, match="CUSTOM_CHALLENGE"):
        stage.auth.sign_in(USER, PASSWORD)


def test_signing_in_with_a_temporary_password_says_so(stage: Stage) -> None:
    """A user that has only a temporary password is not signed in, and the error says what to do."""
    stage.cognito.password, stage.cognito.must_change = "Temp0rary-pass", True
    with pytest.raises(SignInException, match="NEW_PASSWORD_REQUIRED") as caught:
        stage.auth.sign_in(USER, "Temp0rary-pass")
    assert "create_and_sign_up_user(username, final_password, temporary_password=" in str(
        caught.value
    )


@pytest.mark.parametrize("if_exists", ["error", "sign_in"])
def test_the_advice_about_a_temporary_password_works(stage: Stage, if_exists: IfUserExists) -> None:
    """The error for such a user recommends temporary_password=, which works."""
    stage.cognito.password, stage.cognito.must_change = "Temp0rary-pass", True
    with pytest.raises(SeedctlError) as caught:
        stage.auth.create_user(USER, "Temp0rary-pass", if_exists=if_exists)
    assert "temporary_password=" in (caught.value.resolution or "")
    assert "sign_in_user" not in (caught.value.resolution or "")
    stage.auth.create_user(USER, PASSWORD, if_exists="sign_in", temporary_password="Temp0rary-pass")
    assert stage.auth.sign_in(USER, PASSWORD)


@pytest.mark.parametrize(
    ("mode", "challenge", "advice", "not_advised"),
    [
        pytest.param("OPTIONAL", "SMS_MFA", 'sign_in_flow="MFA"', "regenerate", id="MFA"),
        pytest.param("NONE", "SMS_MFA", "regenerate it", "Password", id="an old outputs file"),
        pytest.param(
            "OPTIONAL",
            "DEVICE_SRP_AUTH",
            "cannot answer",
            'sign_in_flow="MFA"',
            id="no flow can answer it",
        ),
    ],
)
def test_a_challenge_of_the_password_flow(
    make_stage: Callable[..., Stage], mode: str, challenge: str, advice: str, not_advised: str
) -> None:
    """The error suggests the other flow only if that flow can answer the challenge."""
    stage = make_stage(mfa_configuration=mode)
    stage.cognito.password, stage.cognito.sign_in_challenge = PASSWORD, challenge
    with pytest.raises(SignInException, match=challenge) as caught:
        stage.auth.sign_in(USER, PASSWORD)
    assert advice in (caught.value.resolution or "")
    assert not_advised not in (caught.value.resolution or "")


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), (USER, "")])
def test_empty_names_and_passwords_are_refused_without_a_call(
    stage: Stage, name: str, password: str
) -> None:
    """An empty name or password is refused before any request."""
    with pytest.raises(InvalidParameterException):
        stage.auth.sign_in(name, password)
    assert stage.cognito.requests == []


@pytest.mark.parametrize("password", [None, b"hidden-word", 7, ["hidden-word"]], ids=repr)
def test_a_password_that_is_not_text_is_refused_without_a_call(stage: Stage, password: Any) -> None:
    """Creating and signing in both name the wrong type, and do not show the value."""
    with pytest.raises(InvalidParameterException) as at_sign_in:
        stage.auth.sign_in(USER, password)
    with pytest.raises(InvalidPasswordException) as at_creation:
        stage.auth.create_user(USER, password)
    for caught in (at_sign_in, at_creation):
        error = caught.value
        assert f"is a {type(password).__name__}, not text" in error.message
        assert "hidden" not in f"{error!r} {error.message} {error.resolution}"
        assert error.exit_code == 1
    assert stage.cognito.requests == []
    assert stage.markers() == []


@pytest.mark.parametrize(
    "user",
    [None, {}, {"username": None}, {"name": USER}, pytest.param(object(), id="object"), 7, b"ann"],
    ids=repr,
)
def test_an_object_without_a_name_is_refused_without_a_call(stage: Stage, user: Any) -> None:
    """An object without a user name is refused by its type, wherever a user is expected."""
    for use in (
        lambda: username_of(user),
        lambda: stage.auth.sign_in(user, PASSWORD),
        lambda: stage.auth.add_to_group(user, "admin"),
    ):
        with pytest.raises(InvalidParameterException) as caught:
            use()
        assert caught.value.message == f"A {type(user).__name__} does not name a user."
        assert caught.value.resolution
    assert stage.cognito.requests == []
    assert stage.announced == 0


@pytest.mark.parametrize("name", [None, "", " ", "ann\udc80@example.com"], ids=ascii)
def test_an_invalid_name_is_refused_without_a_call(stage: Stage, name: Any) -> None:
    """An empty or non-Unicode name is refused before any request and before the journal is written."""
    with pytest.raises(InvalidParameterException) as caught:
        stage.auth.create_user(name, PASSWORD)
    assert caught.value.resolution
    assert stage.cognito.requests == []
    assert stage.markers() == []


def test_a_wrong_password_says_what_to_check(stage: Stage) -> None:
    """The resolution differs for a user that an earlier run left unfinished."""
    stage.cognito.password = "Somebody-e1se"
    with pytest.raises(NotAuthorizedException) as caught:
        stage.auth.sign_in(USER, PASSWORD)
    assert "Check" in (caught.value.resolution or "")
    stage.leave_unfinished(USER, was_created=False)
    with pytest.raises(NotAuthorizedException) as caught:
        stage.auth.sign_in(USER, PASSWORD)
    assert "unfinished" in (caught.value.resolution or "")


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        pytest.param((), NoGroupsError, id="none at all"),
        pytest.param((UserGroup("editors", 0),), NoGroupError, id="another"),
    ],
)
def test_a_group_that_is_not_in_the_outputs_is_refused_without_a_call(
    make_stage: Callable[..., Stage], groups: tuple[UserGroup, ...], error: type[SeedctlError]
) -> None:
    """Group names are compared exactly, as Cognito does."""
    stage = make_stage(groups=groups)
    with pytest.raises(error):
        stage.auth.add_to_group(USER, "Editors")
    assert stage.cognito.requests == []
    assert stage.announced == 0


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        pytest.param("UserNotFoundException", "no user", UserNotFoundError, id="user"),
        pytest.param("ResourceNotFoundException", "Group not found.", NoGroupError, id="group"),
        pytest.param(
            "ResourceNotFoundException",
            "User pool us-east-1_AbCdEfGhI does not exist.",
            OutputsMismatchError,
            id="pool",
        ),
        pytest.param("InvalidParameterException", "bad", CognitoError, id="other"),
    ],
)
def test_cognitos_errors_of_a_group_call_are_translated(
    make_stage: Callable[..., Stage], code: str, message: str, error: type[SeedctlError]
) -> None:
    """Old outputs files do not list groups: then Cognito decides."""
    stage = make_stage(groups=None)
    stage.cognito.faults[("AdminAddUserToGroup", 0)] = CognitoError(message, code=code)
    with pytest.raises(error) as caught:
        stage.auth.add_to_group(USER, "editors")
    assert type(caught.value) is error
    assert stage.report.events == []


def test_a_group_membership_is_reported_as_set(stage: Stage) -> None:
    """Cognito does not say whether the user was in the group before, so nothing is "added"."""
    stage.auth.add_to_group(USER, "admin")
    assert stage.report.events == [Event("group membership", USER, "set", "admin")]


@pytest.mark.parametrize("form", ["name", "outputs", "session", "typed dict"])
def test_a_user_may_be_named_in_every_form(stage: Stage, form: str) -> None:
    """A name, AuthOutputs, a UserSession and an AuthUser are all accepted as the user."""
    outputs = stage.auth.create_user(USER, PASSWORD)
    session = stage.auth.sign_in(outputs, PASSWORD)
    forms: dict[str, Any] = {
        "name": USER,
        "outputs": outputs,
        "session": session,
        "typed dict": {"username": USER},
    }
    stage.auth.add_to_group(forms[form], "admin")
    assert stage.cognito.requests[-1][1]["Username"] == USER


@pytest.mark.parametrize("when", ["before the password", "after the password"])
def test_another_run_may_finish_the_same_user_at_the_same_time(stage: Stage, when: str) -> None:
    """Two concurrent runs that create the same user both succeed."""
    initiate, respond = stage.cognito._InitiateAuth, stage.cognito._RespondToAuthChallenge

    def finish() -> None:
        if stage.cognito.must_change:
            stage.cognito.password, stage.cognito.must_change = PASSWORD, False

    def begin_late(parameters: Any) -> Any:
        finish()
        return initiate(parameters)

    def answer_late(parameters: Any) -> Any:
        if parameters["ChallengeName"] != "NEW_PASSWORD_REQUIRED":
            return respond(parameters)
        finish()
        raise NotAuthorizedException("Invalid session for the user.")

    if when == "before the password":
        stage.cognito._InitiateAuth = begin_late  # type: ignore[method-assign]
    else:
        stage.cognito._RespondToAuthChallenge = answer_late  # type: ignore[method-assign]
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["created"]
    assert stage.markers() == []


def test_both_passwords_of_a_new_user_refused_raises_the_first_refusal(stage: Stage) -> None:
    """Of several refusals the first is raised, because it explains the cause."""
    stage.cognito.faults = {
        ("RespondToAuthChallenge", n): NotAuthorizedException(f"refusal {n}") for n in range(9)
    }
    with pytest.raises(NotAuthorizedException, match="refusal 0"):
        stage.auth.create_user(USER, PASSWORD)
    assert len(stage.markers()) == 1
