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
    MFARequiredError,
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
from seedctl.masking import mask
from seedctl.outputs import PasswordPolicy, UserGroup
from seedctl.report import Event
from tests.cases import case
from tests.cognito.fake_cognito import INTERNAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.cognito.types import IfUserExists
    from tests.cognito.fake_cognito import AuthHarness

USER, PASSWORD = "ann@example.com", "Final-passw0rd"
UNREACHABLE = EndpointUnreachableError("cut")
FAILED = ServiceFailedError("500")
POLICY = PasswordPolicy(12, True, True, True, True)


def test_a_new_user_is_reported_with_its_sub_and_nothing_stays_behind(harness: AuthHarness) -> None:
    """After a successful creation nobody is signed in and the journal is empty."""
    outputs = harness.auth.create_user(USER, PASSWORD)
    assert (outputs.username, outputs.user_id, outputs.sign_in_flow) == (USER, INTERNAL, "Password")
    assert harness.cognito.operations()[-1] == "RevokeToken"
    assert harness.markers() == []
    assert harness.states() == ["created"]
    assert harness.announced == 1


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
    make_harness: Callable[..., AuthHarness],
    settings: dict[str, Any],
    call: dict[str, Any],
    error: type[SeedctlError],
) -> None:
    """Nothing is sent, announced or written for a call that cannot succeed."""
    harness = make_harness(**settings)
    with pytest.raises(error) as caught:
        harness.auth.create_user(**{"username": USER, "password": PASSWORD, **call})
    assert caught.value.resolution
    assert harness.cognito.requests == []
    assert harness.announced == 0
    assert harness.markers() == []


@pytest.mark.parametrize("answered", [0, 1], ids=["at the first password", "at the second"])
def test_a_stopped_run_is_finished_by_the_next(harness: AuthHarness, answered: int) -> None:
    """Wherever the sign-in stopped, the next run finishes the user with the final password."""
    for n in range(answered, 40):
        harness.cognito.faults[("RespondToAuthChallenge", n)] = UNREACHABLE
    with pytest.raises(EndpointUnreachableError):
        harness.auth.create_user(USER, PASSWORD)
    assert len(harness.markers()) == 1
    harness.cognito.faults.clear()
    harness.new_auth().create_user(USER, PASSWORD)
    assert harness.cognito.password == PASSWORD
    assert not harness.cognito.must_change
    assert harness.states() == ["finished"]
    assert harness.markers() == []


def test_a_lost_response_to_the_new_password_does_no_harm(harness: AuthHarness) -> None:
    """If the response to the new password is lost, the final password signs in."""
    harness.cognito.faults_after[("RespondToAuthChallenge", 1)] = UNREACHABLE
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["created"]
    assert harness.cognito.password == PASSWORD
    assert harness.slept


def test_a_refusal_after_a_lost_response_is_raised_once(harness: AuthHarness) -> None:
    """The final password replaces the temporary one once; a refusal of it is one like any other."""
    harness.cognito.faults_after[("RespondToAuthChallenge", 1)] = UNREACHABLE
    harness.cognito.faults[("InitiateAuth", 2)] = FAILED
    refusal = NotAuthorizedException("Incorrect username or password.")
    harness.cognito.faults[("RespondToAuthChallenge", 3)] = refusal
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["created"]
    assert harness.cognito.operations().count("InitiateAuth") == 5


def test_a_user_created_by_a_request_with_a_lost_response_is_finished(harness: AuthHarness) -> None:
    """If the response to AdminCreateUser is lost and the retry finds the user, it is this run's user."""
    harness.cognito.faults_after[("AdminCreateUser", 0)] = UNREACHABLE
    harness.auth.create_user(USER, PASSWORD)
    assert harness.cognito.operations()[:2] == ["AdminCreateUser", "AdminCreateUser"]
    assert harness.cognito.password == PASSWORD


def test_a_finished_user_is_never_signed_in_by_default(harness: AuthHarness) -> None:
    """UsernameExistsError is raised without a sign-in, because failed sign-ins lock users."""
    harness.cognito.password = "somebody else's"
    with pytest.raises(UsernameExistsError):
        harness.auth.create_user(USER, PASSWORD)
    assert harness.cognito.operations() == ["AdminCreateUser"]
    assert harness.markers() == []


def test_if_exists_sign_in_accepts_a_user_with_the_same_password(harness: AuthHarness) -> None:
    """A second run with "sign_in" reports its own user as existing."""
    harness.auth.create_user(USER, PASSWORD)
    harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert harness.states() == ["created", "existed"]


def test_if_exists_sign_in_finishes_an_unfinished_user_without_a_journal(
    harness: AuthHarness,
) -> None:
    """An unfinished user of another machine is finished after its final password was refused."""
    harness.cognito.faults[("RespondToAuthChallenge", 0)] = SignInException("stopped")
    with pytest.raises(SignInException):
        harness.auth.create_user(USER, PASSWORD)
    for marker in harness.folder.rglob("*"):
        if marker.is_file():
            marker.unlink()
    harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert harness.states() == ["finished"]
    assert harness.cognito.password == PASSWORD


def test_if_exists_sign_in_refuses_another_password(harness: AuthHarness) -> None:
    """The first refusal is raised, with what to do about it."""
    harness.cognito.password = "Somebody-e1se"
    with pytest.raises(NotAuthorizedException) as caught:
        harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert "another password" in (caught.value.resolution or "")
    assert harness.markers() == []


@pytest.mark.parametrize("finished", [True, False], ids=["by another run", "by nobody"])
def test_a_third_sign_in_is_the_last(harness: AuthHarness, finished: bool) -> None:
    """A run on another machine may have set the final password between the two looks.

    Each failed sign-in counts towards locking the account, so there are three at most.
    """
    harness.cognito.password = "Somebody-e1se"
    respond = harness.cognito._RespondToAuthChallenge

    def meanwhile(parameters: Any) -> Any:
        try:
            return respond(parameters)
        finally:
            if finished and harness.cognito.operations().count("RespondToAuthChallenge") == 2:
                harness.cognito.password = PASSWORD

    harness.cognito._RespondToAuthChallenge = meanwhile  # type: ignore[method-assign]
    if finished:
        harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
        assert harness.states() == ["existed"]
    else:
        with pytest.raises(NotAuthorizedException):
            harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert harness.cognito.operations().count("RespondToAuthChallenge") == 3
    assert harness.slept == [1.0]
    assert harness.markers() == []


def test_an_unfinished_user_whose_password_changed_since_is_explained(harness: AuthHarness) -> None:
    """A re-run with another password cannot derive the temporary one, and says why."""
    harness.cognito.faults[("RespondToAuthChallenge", 0)] = SignInException("stopped")
    with pytest.raises(SignInException):
        harness.auth.create_user(USER, PASSWORD)
    with pytest.raises(UsernameExistsError, match="another password"):
        harness.auth.create_user(USER, "An0ther-password")
    assert len(harness.markers()) == 1


def test_if_exists_sign_in_with_a_stale_marker_still_signs_in(harness: AuthHarness) -> None:
    """A marker that a killed run left after its last step does no harm."""
    harness.auth.create_user(USER, PASSWORD)
    harness.leave_unfinished(USER, was_created=False)
    harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert harness.states() == ["created", "existed"]
    assert harness.markers() == []


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(NotAuthorizedError("no"), id="denied"),
        pytest.param(ThrottledError("slow down"), id="throttled for good"),
        pytest.param(CognitoError("bad", code="InvalidParameterException"), id="data"),
    ],
)
def test_a_refused_creation_leaves_no_marker(harness: AuthHarness, refusal: SeedctlError) -> None:
    """If Cognito refused the creation, no user is left unfinished."""
    for n in range(9):
        harness.cognito.faults[("AdminCreateUser", n)] = refusal
    with pytest.raises(type(refusal)):
        harness.auth.create_user(USER, PASSWORD)
    assert harness.markers() == []
    assert harness.cognito.password is None


def test_an_unanswered_creation_stays_in_the_journal(harness: AuthHarness) -> None:
    """After a lost response the user may exist, so the next run must be able to finish it."""
    for n in range(9):
        harness.cognito.faults[("AdminCreateUser", n)] = UNREACHABLE
    with pytest.raises(EndpointUnreachableError):
        harness.auth.create_user(USER, PASSWORD)
    assert len(harness.markers()) == 1
    assert harness.cognito.operations() == ["AdminCreateUser"] * 3


def test_a_5xx_leaves_the_user_in_the_journal(harness: AuthHarness) -> None:
    """A request that failed with 5xx may have created the user: the next run finishes it."""
    for n in range(5):
        harness.cognito.faults_after[("AdminCreateUser", n)] = FAILED
        harness.cognito.faults[("AdminCreateUser", n + 1)] = FAILED
    with pytest.raises(ServiceFailedError):
        harness.auth.create_user(USER, PASSWORD)
    assert harness.cognito.operations() == ["AdminCreateUser"] * 5
    assert harness.cognito.must_change
    assert len(harness.markers()) == 1
    harness.cognito.faults.clear()
    harness.cognito.faults_after.clear()
    harness.new_auth().create_user(USER, PASSWORD)
    assert harness.states() == ["finished"]
    assert (harness.cognito.password, harness.cognito.must_change) == (PASSWORD, False)
    assert harness.markers() == []


def test_a_user_created_by_a_5xx_request_is_finished(harness: AuthHarness) -> None:
    """If AdminCreateUser failed with 5xx and the retry finds the user, it is this run's user."""
    harness.cognito.faults_after[("AdminCreateUser", 0)] = FAILED
    harness.auth.create_user(USER, PASSWORD)
    assert harness.cognito.operations()[:2] == ["AdminCreateUser", "AdminCreateUser"]
    assert (harness.cognito.password, harness.cognito.must_change) == (PASSWORD, False)
    assert harness.markers() == []


def test_a_5xx_during_a_sign_in_restarts_it(harness: AuthHarness) -> None:
    """Cognito accepts one answer for each session, so a retry restarts the whole exchange."""
    harness.cognito.password = PASSWORD
    harness.cognito.faults[("RespondToAuthChallenge", 0)] = FAILED
    harness.auth.sign_in(USER, PASSWORD).sign_out()
    starts = [given for name, given in harness.cognito.requests if name == "InitiateAuth"]
    assert len({given["AuthParameters"]["SRP_A"] for given in starts}) == len(starts) == 2
    assert len(harness.slept) == 1


@pytest.mark.parametrize(
    ("failure", "most", "attempts"),
    [(FAILED, 3, 5), (ThrottledError("slow down"), 3, 5), (UNREACHABLE, 3, 3), (FAILED, 1, 1)],
    ids=["failed", "throttled", "unreachable", "retries turned off"],
)
def test_the_retries_of_a_sign_in_are_limited(
    harness: AuthHarness,
    monkeypatch: pytest.MonkeyPatch,
    failure: SeedctlError,
    most: int,
    attempts: int,
) -> None:
    """A failing service is retried more often than an unreachable one; by choice not at all."""
    monkeypatch.setattr(harness.cognito, "max_attempts", most)
    harness.cognito.password = PASSWORD
    for n in range(9):
        harness.cognito.faults[("RespondToAuthChallenge", n)] = failure
    with pytest.raises(type(failure)):
        harness.auth.sign_in(USER, PASSWORD)
    assert harness.cognito.operations().count("InitiateAuth") == attempts


def test_a_call_throttled_after_all_retries_is_an_error(harness: AuthHarness) -> None:
    """A call that was throttled after all its retries does not restart the sign-in."""
    error = ThrottledError("slow down")
    error.was_repeated = True
    harness.cognito.password = PASSWORD
    harness.cognito.faults[("InitiateAuth", 0)] = error
    with pytest.raises(ThrottledError):
        harness.auth.sign_in(USER, PASSWORD)
    assert harness.cognito.operations() == ["InitiateAuth"]


def test_an_exceeded_daily_limit_is_not_retried(harness: AuthHarness) -> None:
    """An exceeded daily limit is not retried, and no user is left unfinished."""
    harness.cognito.faults[("AdminCreateUser", 0)] = LimitExceededError("by the day")
    with pytest.raises(LimitExceededError):
        harness.auth.create_user(USER, PASSWORD)
    assert harness.cognito.operations() == ["AdminCreateUser"]
    assert harness.slept == []
    assert harness.markers() == []


def test_too_many_attempts_end_a_sign_in_at_once(harness: AuthHarness) -> None:
    """After "attempts exceeded" no other password is tried."""
    harness.cognito.password = PASSWORD
    harness.cognito.faults[("InitiateAuth", 0)] = LimitExceededError("attempts")
    with pytest.raises(LimitExceededError):
        harness.auth.sign_in(USER, PASSWORD)
    assert harness.cognito.operations() == ["InitiateAuth"]


def test_a_throttled_creation_is_retried(harness: AuthHarness) -> None:
    """A throttled call is retried."""
    harness.cognito.faults[("AdminCreateUser", 0)] = ThrottledError("slow down")
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["created"]
    assert len(harness.slept) == 1


def test_a_journal_that_cannot_be_written_is_a_warning(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """If the journal cannot be written, the run continues and warns once."""
    harness = make_harness()
    harness.folder.parent.mkdir(exist_ok=True)
    harness.folder.write_text("a file where the folder should be")
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["created"]
    assert len([text for text in harness.report.warnings if "sign_in" in text]) == 1


def test_an_unknown_challenge_is_an_error_that_names_it(harness: AuthHarness) -> None:
    """A challenge that cannot be answered is an error; nobody counts as signed in without tokens."""
    harness.cognito.sign_in_challenge = "CUSTOM_CHALLENGE"
    with pytest.raises(SignInException, match="CUSTOM_CHALLENGE"):
        harness.auth.create_user(USER, PASSWORD)
    with pytest.raises(SignInException, match="CUSTOM_CHALLENGE"):
        harness.auth.sign_in(USER, PASSWORD)


def test_signing_in_with_a_temporary_password_says_so(harness: AuthHarness) -> None:
    """A user that has only a temporary password is not signed in, and the error says what to do."""
    harness.cognito.password, harness.cognito.must_change = "Temp0rary-pass", True
    with pytest.raises(SignInException, match="NEW_PASSWORD_REQUIRED") as caught:
        harness.auth.sign_in(USER, "Temp0rary-pass")
    assert "create_and_sign_up_user(username, final_password, temporary_password=" in str(
        caught.value
    )


@pytest.mark.parametrize("if_exists", ["error", "sign_in"])
def test_the_advice_about_a_temporary_password_works(
    harness: AuthHarness, if_exists: IfUserExists
) -> None:
    """The error for such a user recommends temporary_password=, which works."""
    harness.cognito.password, harness.cognito.must_change = "Temp0rary-pass", True
    with pytest.raises(SeedctlError) as caught:
        harness.auth.create_user(USER, "Temp0rary-pass", if_exists=if_exists)
    assert "temporary_password=" in (caught.value.resolution or "")
    assert "sign_in_user" not in (caught.value.resolution or "")
    harness.auth.create_user(
        USER, PASSWORD, if_exists="sign_in", temporary_password="Temp0rary-pass"
    )
    assert harness.auth.sign_in(USER, PASSWORD)


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
    make_harness: Callable[..., AuthHarness],
    mode: str,
    challenge: str,
    advice: str,
    not_advised: str,
) -> None:
    """The error suggests the other flow only if that flow can answer the challenge."""
    harness = make_harness(mfa_configuration=mode)
    harness.cognito.password, harness.cognito.sign_in_challenge = PASSWORD, challenge
    with pytest.raises(SignInException, match=challenge) as caught:
        harness.auth.sign_in(USER, PASSWORD)
    assert advice in (caught.value.resolution or "")
    assert not_advised not in (caught.value.resolution or "")


def test_unusable_options_of_a_sign_in_are_refused_without_a_call(
    make_harness: Callable[..., AuthHarness],
) -> None:
    """A sign-in checks its options as a creation does, before any request."""
    cases: list[tuple[str, dict[str, Any], type[SeedctlError]]] = [
        ("NONE", {"sign_in_flow": "Pass"}, InvalidParameterException),
        ("NONE", {"sign_in_challenge": "123456"}, InvalidParameterException),
        ("NONE", {"mfa_preference": "FAX"}, InvalidParameterException),
        ("REQUIRED", {}, MFARequiredError),
    ]
    for mode, options, expected in cases:
        with case(mode, options):
            harness = make_harness(mfa_configuration=mode)
            harness.cognito.password = PASSWORD
            with pytest.raises(expected):
                harness.auth.sign_in(USER, PASSWORD, **options)
            assert harness.cognito.requests == []


def test_passwords_are_masked_from_then_on(harness: AuthHarness) -> None:
    """Every password that a script passes is masked in all later output."""
    final, temporary, old = "Final-to-hide-1", "Temporary-to-hide-1", "Old-to-hide-1"
    harness.auth.create_user(USER, final, temporary_password=temporary)
    harness.cognito.password = old
    harness.auth.sign_in(USER, old)
    assert mask(f"{final} {temporary} {old}") == "*** *** ***"


def test_a_sign_in_is_reported_and_finishes_an_unfinished_user(harness: AuthHarness) -> None:
    """After a sign-in with the final password, the journal need not remember the user."""
    harness.cognito.password = PASSWORD
    harness.leave_unfinished(USER)
    harness.auth.sign_in(USER, PASSWORD)
    assert harness.report.events == [Event("session", USER, "signed in")]
    assert harness.markers() == []


def test_sessions_that_cognito_forgets_are_ended_without_a_request(harness: AuthHarness) -> None:
    """Before the sandbox is reset its sessions end, so that none is signed out afterwards."""
    harness.cognito.password = PASSWORD
    session = harness.auth.sign_in(USER, PASSWORD)
    harness.auth.drop_sessions()
    harness.auth.close()
    assert not session.is_signed_in
    assert "RevokeToken" not in harness.cognito.operations()


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), (USER, "")])
def test_empty_names_and_passwords_are_refused_without_a_call(
    harness: AuthHarness, name: str, password: str
) -> None:
    """An empty name or password is refused before any request."""
    with pytest.raises(InvalidParameterException):
        harness.auth.sign_in(name, password)
    assert harness.cognito.requests == []


@pytest.mark.parametrize("password", [None, b"hidden-word", 7, ["hidden-word"]], ids=repr)
def test_a_password_that_is_not_text_is_refused_without_a_call(
    harness: AuthHarness, password: Any
) -> None:
    """Creating and signing in both name the wrong type, and do not show the value."""
    with pytest.raises(InvalidParameterException) as at_sign_in:
        harness.auth.sign_in(USER, password)
    with pytest.raises(InvalidPasswordException) as at_creation:
        harness.auth.create_user(USER, password)
    for caught in (at_sign_in, at_creation):
        error = caught.value
        assert f"is a {type(password).__name__}, not text" in error.message
        assert "hidden" not in f"{error!r} {error.message} {error.resolution}"
        assert error.exit_code == 1
    assert harness.cognito.requests == []
    assert harness.markers() == []


@pytest.mark.parametrize(
    "user",
    [None, {}, {"username": None}, {"name": USER}, pytest.param(object(), id="object"), 7, b"ann"],
    ids=repr,
)
def test_an_object_without_a_name_is_refused_without_a_call(
    harness: AuthHarness, user: Any
) -> None:
    """An object without a user name is refused by its type, wherever a user is expected."""
    for use in (
        lambda: username_of(user),
        lambda: harness.auth.sign_in(user, PASSWORD),
        lambda: harness.auth.add_to_group(user, "admin"),
    ):
        with pytest.raises(InvalidParameterException) as caught:
            use()
        assert caught.value.message == f"A {type(user).__name__} does not name a user."
        assert caught.value.resolution
    assert harness.cognito.requests == []
    assert harness.announced == 0


@pytest.mark.parametrize("name", [None, "", " ", "ann\udc80@example.com"], ids=ascii)
def test_an_invalid_name_is_refused_without_a_call(harness: AuthHarness, name: Any) -> None:
    """An empty or non-Unicode name is refused before any request and before the journal is written."""
    with pytest.raises(InvalidParameterException) as caught:
        harness.auth.create_user(name, PASSWORD)
    assert caught.value.resolution
    assert harness.cognito.requests == []
    assert harness.markers() == []


def test_a_wrong_password_says_what_to_check(harness: AuthHarness) -> None:
    """The resolution differs for a user that an earlier run left unfinished."""
    harness.cognito.password = "Somebody-e1se"
    with pytest.raises(NotAuthorizedException) as caught:
        harness.auth.sign_in(USER, PASSWORD)
    assert "Check" in (caught.value.resolution or "")
    harness.leave_unfinished(USER, was_created=False)
    with pytest.raises(NotAuthorizedException) as caught:
        harness.auth.sign_in(USER, PASSWORD)
    assert "unfinished" in (caught.value.resolution or "")


@pytest.mark.parametrize(
    ("groups", "error"),
    [
        pytest.param((), NoGroupsError, id="none at all"),
        pytest.param((UserGroup("editors", 0),), NoGroupError, id="another"),
    ],
)
def test_a_group_that_is_not_in_the_outputs_is_refused_without_a_call(
    make_harness: Callable[..., AuthHarness],
    groups: tuple[UserGroup, ...],
    error: type[SeedctlError],
) -> None:
    """Group names are compared exactly, as Cognito does."""
    harness = make_harness(groups=groups)
    with pytest.raises(error):
        harness.auth.add_to_group(USER, "Editors")
    assert harness.cognito.requests == []
    assert harness.announced == 0


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
    make_harness: Callable[..., AuthHarness], code: str, message: str, error: type[SeedctlError]
) -> None:
    """Old outputs files do not list groups: then Cognito decides."""
    harness = make_harness(groups=None)
    harness.cognito.faults[("AdminAddUserToGroup", 0)] = CognitoError(message, code=code)
    with pytest.raises(error) as caught:
        harness.auth.add_to_group(USER, "editors")
    assert type(caught.value) is error
    assert harness.report.events == []


def test_a_group_membership_is_reported_as_set(harness: AuthHarness) -> None:
    """Cognito does not say whether the user was in the group before, so nothing is "added"."""
    harness.auth.add_to_group(USER, "admin")
    assert harness.report.events == [Event("group membership", USER, "set", "admin")]
    assert harness.announced == 1


@pytest.mark.parametrize("form", ["name", "outputs", "session", "typed dict"])
def test_a_user_may_be_named_in_every_form(harness: AuthHarness, form: str) -> None:
    """A name, AuthOutputs, a UserSession and an AuthUser are all accepted as the user."""
    outputs = harness.auth.create_user(USER, PASSWORD)
    session = harness.auth.sign_in(outputs, PASSWORD)
    forms: dict[str, Any] = {
        "name": USER,
        "outputs": outputs,
        "session": session,
        "typed dict": {"username": USER},
    }
    harness.auth.add_to_group(forms[form], "admin")
    assert harness.cognito.requests[-1][1]["Username"] == USER


@pytest.mark.parametrize("when", ["before the password", "after the password"])
def test_another_run_may_finish_the_same_user_at_the_same_time(
    harness: AuthHarness, when: str
) -> None:
    """Two concurrent runs that create the same user both succeed."""
    initiate, respond = harness.cognito._InitiateAuth, harness.cognito._RespondToAuthChallenge

    def finish() -> None:
        if harness.cognito.must_change:
            harness.cognito.password, harness.cognito.must_change = PASSWORD, False

    def begin_late(parameters: Any) -> Any:
        finish()
        return initiate(parameters)

    def answer_late(parameters: Any) -> Any:
        if parameters["ChallengeName"] != "NEW_PASSWORD_REQUIRED":
            return respond(parameters)
        finish()
        raise NotAuthorizedException("Invalid session for the user.")

    if when == "before the password":
        harness.cognito._InitiateAuth = begin_late  # type: ignore[method-assign]
    else:
        harness.cognito._RespondToAuthChallenge = answer_late  # type: ignore[method-assign]
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["created"]
    assert harness.markers() == []


def test_both_passwords_of_a_new_user_refused_raises_the_first_refusal(
    harness: AuthHarness,
) -> None:
    """Of several refusals the first is raised, because it explains the cause."""
    harness.cognito.faults = {
        ("RespondToAuthChallenge", n): NotAuthorizedException(f"refusal {n}") for n in range(9)
    }
    with pytest.raises(NotAuthorizedException, match="refusal 0"):
        harness.auth.create_user(USER, PASSWORD)
    assert len(harness.markers()) == 1
