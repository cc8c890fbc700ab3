"""Creating a user: one test for each row of the state machine's table, and related rules."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.auth import AuthSignUp, NewUser, create_and_sign_up_user
from seedctl.cognito.new_user import derive_temporary_password
from seedctl.cognito.types import SignUpOptions
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidParameterException,
    InvalidPasswordException,
    LimitExceededError,
    NoGroupError,
    NotAuthorizedException,
    SeedctlError,
    UsernameExistsError,
)
from seedctl.users.creation import NEXT_STEP, SIGN_INS
from tests.cognito.fake_cognito import POOL, AuthHarness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seedctl.cognito.journal import Claim
    from seedctl.cognito.new_user import CheckedUser
    from seedctl.cognito.types import IfUserExists
    from seedctl.report import Event
    from seedctl.users.session import UserSession

USER, PASSWORD, OTHER = "ann@example.com", "Passw0rd!xyz", "An0ther-password"
TEMPORARY = derive_temporary_password(PASSWORD, user_pool_id=POOL, username=USER)
LOST = EndpointUnreachableError("cut")

# The user in the pool before the run: none, with the final, the temporary, or another password.
MISSING, FINISHED, UNFINISHED, OTHER_USER = "missing", "finished", "unfinished", "other"
ERROR = "UsernameExistsError"


def _prepare(harness: AuthHarness, prior: str, response: str, pool: str) -> None:
    cognito = harness.cognito
    cognito.password = {FINISHED: PASSWORD, UNFINISHED: TEMPORARY, OTHER_USER: OTHER}.get(pool)
    cognito.must_change = pool == UNFINISHED
    if prior in {"started", "created"}:
        harness.leave_unfinished(USER, was_created=prior == "created")
    if prior == "concurrent":
        claim = harness.journal.claim

        @contextmanager
        def waited(user_pool_id: str, username: str) -> Iterator[Claim]:
            with claim(user_pool_id, username) as found:
                found.was_waited_for = True
                yield found

        harness.journal.claim = waited  # type: ignore[method-assign]
    if response == "exists, response lost":
        cognito.faults[("AdminCreateUser", 0)] = LOST


def _outcome(harness: AuthHarness, **options: Any) -> str:
    try:
        harness.auth.create_user(USER, PASSWORD, **options)
    except UsernameExistsError:
        return ERROR
    except NotAuthorizedException:
        return "refused"
    return harness.states()[-1]


ROWS: list[Any] = [
    # prior state, response, the user in the pool; the outcomes for "error", "skip" and "sign_in"
    ("new", "created", MISSING, "created", "created", "created"),
    ("new", "exists", FINISHED, ERROR, "existed", "existed"),
    ("new", "exists", UNFINISHED, ERROR, "existed", "finished"),
    ("new", "exists", OTHER_USER, ERROR, "existed", "refused"),
    ("new", "exists, response lost", FINISHED, ERROR, "existed", "existed"),
    ("new", "exists, response lost", UNFINISHED, "created", "created", "created"),
    ("new", "exists, response lost", OTHER_USER, ERROR, "existed", "refused"),
    ("started", "created", MISSING, "created", "created", "created"),
    ("started", "exists", FINISHED, ERROR, "existed", "existed"),
    ("started", "exists", UNFINISHED, "finished", "finished", "finished"),
    ("started", "exists", OTHER_USER, ERROR, "existed", "refused"),
    ("started", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
    ("started", "exists, response lost", FINISHED, ERROR, "existed", "existed"),
    ("started", "exists, response lost", OTHER_USER, ERROR, "existed", "refused"),
    ("created", "created", MISSING, "created", "created", "created"),
    ("created", "exists", FINISHED, "existed", "existed", "existed"),
    ("created", "exists", UNFINISHED, "finished", "finished", "finished"),
    ("created", "exists", OTHER_USER, ERROR, ERROR, ERROR),
    ("created", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
    ("created", "exists, response lost", FINISHED, "existed", "existed", "existed"),
    ("created", "exists, response lost", OTHER_USER, ERROR, ERROR, ERROR),
    ("concurrent", "created", MISSING, "created", "created", "created"),
    ("concurrent", "exists", FINISHED, "existed", "existed", "existed"),
    ("concurrent", "exists", UNFINISHED, "finished", "existed", "finished"),
    ("concurrent", "exists", OTHER_USER, ERROR, "existed", "refused"),
    ("concurrent", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
    ("concurrent", "exists, response lost", FINISHED, ERROR, "existed", "existed"),
    ("concurrent", "exists, response lost", OTHER_USER, ERROR, "existed", "refused"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
def test_each_row_of_the_table(row: Any, tmp_path: Path) -> None:
    """The journal and the pool's response decide; if_exists matters only for finished users."""
    prior, response, pool, *outcomes = row
    for if_exists, expected in zip(("error", "skip", "sign_in"), outcomes, strict=True):
        harness = AuthHarness(tmp_path / if_exists)
        _prepare(harness, prior, response, pool)
        assert _outcome(harness, if_exists=if_exists) == expected, if_exists
        sign_ins = harness.cognito.operations().count("InitiateAuth")
        assert sign_ins <= len(SIGN_INS[NEXT_STEP[prior, response]]) <= 3
        # Who was created with another password stays in the journal.
        stays = prior == "created" and pool == OTHER_USER
        assert len(harness.markers()) == stays, if_exists
        if expected in {"created", "finished"}:
            assert (harness.cognito.password, harness.cognito.must_change) == (PASSWORD, False)


class RefusedSignIns:
    """Refuses the first sign-ins of a creation, and records with which password each was tried."""

    def __init__(self, harness: AuthHarness, refusals: int) -> None:
        self.tried: list[str] = []
        self._cognito, self._refusals = harness.cognito, refusals
        self._sign_in = harness.auth._sign_in_new
        harness.auth._sign_in_new = self  # type: ignore[method-assign]

    def __call__(self, user: CheckedUser, password: str, new_password: str | None) -> UserSession:
        assert (password == PASSWORD) == (new_password is None)
        self.tried.append("temporary" if password == TEMPORARY else "final")
        if len(self.tried) <= self._refusals:
            raise NotAuthorizedException("Incorrect username or password.")
        # A concurrent run may have changed the password by now.
        self._cognito.password, self._cognito.must_change = password, False
        return self._sign_in(user, password, new_password)


@pytest.mark.parametrize(
    ("prior", "response", "pool", "passwords"),
    [
        ("new", "created", MISSING, ["temporary", "final"]),
        ("created", "exists", UNFINISHED, ["temporary", "final"]),
        ("started", "exists", UNFINISHED, ["temporary", "final"]),
        ("new", "exists", FINISHED, ["final", "temporary", "final"]),
        ("concurrent", "exists", FINISHED, ["final", "temporary", "final"]),
    ],
)
def test_the_passwords_in_their_order(
    tmp_path: Path, prior: str, response: str, pool: str, passwords: list[str]
) -> None:
    """A user that is probably finished gets no sign-in that must fail: several of them lock it."""
    for refusals in range(len(passwords) + 1):
        harness = AuthHarness(tmp_path / str(refusals))
        _prepare(harness, prior, response, pool)
        sign_ins = RefusedSignIns(harness, refusals)
        outcome = _outcome(harness, if_exists="sign_in")
        assert (outcome in {"refused", ERROR}) == (refusals == len(passwords)), refusals
        assert sign_ins.tried == passwords[: refusals + 1]
        # Before the third attempt, time for a run on another machine to set the final password.
        assert harness.slept == ([1.0] if len(sign_ins.tried) == 3 else [])


@pytest.mark.parametrize("was_created", [False, True])
def test_a_refused_creation_changes_nothing_that_an_earlier_run_recorded(
    harness: AuthHarness, was_created: bool
) -> None:
    """Cognito may refuse a run for a reason of its own; the next one still finishes the user."""
    harness.cognito.password, harness.cognito.must_change = TEMPORARY, True
    harness.leave_unfinished(USER, was_created=was_created)
    harness.cognito.faults[("AdminCreateUser", 0)] = LimitExceededError("too many users")
    with pytest.raises(LimitExceededError):
        harness.auth.create_user(USER, PASSWORD)
    assert len(harness.markers()) == 1
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["finished"]
    harness.cognito.faults[("AdminCreateUser", 2)] = LimitExceededError("too many users")
    with pytest.raises(LimitExceededError):
        harness.auth.create_user("bob@example.com", PASSWORD)
    assert harness.markers() == []  # a user whose creation was refused is not unfinished


def test_the_cause_of_another_password_is_shown(harness: AuthHarness) -> None:
    """A user whose creation Cognito confirmed, but with another password: Cognito's refusal is the cause."""
    _prepare(harness, "created", "exists", OTHER_USER)
    with pytest.raises(UsernameExistsError, match="with another password") as caught:
        harness.auth.create_user(USER, PASSWORD)
    assert isinstance(caught.value.__cause__, NotAuthorizedException)


def test_every_row_of_the_table_is_tested() -> None:
    """Every row of NEXT_STEP has a test above."""
    assert {(prior, response) for prior, response, *_ in ROWS} == set(NEXT_STEP)


@pytest.mark.parametrize("if_exists", ["error", "skip", "sign_in", "update"])
def test_a_user_of_another_tool_is_finished_with_its_temporary_password(
    harness: AuthHarness, if_exists: Any
) -> None:
    """A caller that knows the temporary password means this user, whatever if_exists says."""
    harness.cognito.password, harness.cognito.must_change = "Made-elsewhere1!", True
    harness.auth.create_user(
        USER, PASSWORD, temporary_password="Made-elsewhere1!", if_exists=if_exists
    )
    assert harness.states() == ["finished"]
    assert (harness.cognito.password, harness.cognito.must_change) == (PASSWORD, False)


@pytest.mark.parametrize("temporary", [None, "Made-elsewhere1!"])
def test_a_policy_that_is_stricter_than_the_outputs(
    harness: AuthHarness, temporary: str | None
) -> None:
    """The derived temporary password fits one final password only, and the resolution says so."""
    refusal = InvalidPasswordException("too short", code="InvalidPasswordException")
    harness.cognito.faults[("RespondToAuthChallenge", 1)] = refusal
    with pytest.raises(InvalidPasswordException, match="too short") as caught:
        harness.auth.create_user(USER, PASSWORD, temporary_password=temporary)
    is_told_to_delete = "delete the user" in str(caught.value.resolution)
    assert is_told_to_delete is (temporary is None)


@pytest.mark.parametrize(
    ("required", "sent"),
    [
        pytest.param('["userAttributes.nickname","userAttributes.name"]', ["nickname"], id="given"),
        pytest.param('["userAttributes.name"]', [], id="not given"),
        pytest.param('{"userAttributes.nickname": 1}', [], id="no list"),
        pytest.param("nickname", [], id="no JSON"),
        pytest.param("[" * 100_000, [], id="deeply nested"),
    ],
)
def test_missing_required_attributes_go_with_the_new_password(
    harness: AuthHarness, required: str, sent: list[str]
) -> None:
    """A user left without a required attribute, which the script now gives, can be finished."""
    harness.cognito.password, harness.cognito.must_change = TEMPORARY, True
    harness.leave_unfinished(USER, was_created=True)
    harness.cognito.required_attributes = required
    harness.auth.create_user(USER, PASSWORD, user_attributes={"nickname": "Ann", "locale": "en"})
    assert harness.states() == ["finished"]
    answers = [
        given["ChallengeResponses"]
        for name, given in harness.cognito.requests
        if name == "RespondToAuthChallenge"
    ]
    expected = {f"userAttributes.{name}": "Ann" for name in sent}
    given = {key: value for key, value in answers[1].items() if key.startswith("userAttributes.")}
    assert given == expected


def test_a_given_temporary_password_serves_a_new_user_too(harness: AuthHarness) -> None:
    """The same script works whether or not another tool has created the user."""
    harness.auth.create_user(USER, PASSWORD, temporary_password="Made-elsewhere1!")
    assert harness.states() == ["created"]
    assert harness.cognito.requests[0][1]["TemporaryPassword"] == "Made-elsewhere1!"


def test_a_user_is_reported_as_unfinished_until_it_is_finished(harness: AuthHarness) -> None:
    """The report names the user as unfinished until it is finished, in case the run ends in between."""
    events: list[Event] = []
    respond = harness.cognito._RespondToAuthChallenge

    def look(parameters: Any) -> Any:
        events.extend(harness.report.copy().events)
        return respond(parameters)

    harness.cognito._RespondToAuthChallenge = look  # type: ignore[method-assign]
    harness.auth.create_user(USER, PASSWORD)
    assert {(event.name, event.state) for event in events} == {(USER, "unfinished")}
    assert "run again" in events[0].detail
    assert harness.states() == ["created"]
    assert harness.report.failed == 0


def test_an_unfinished_user_counts_as_failed(harness: AuthHarness) -> None:
    """An unfinished user counts as failed even if the script catches the error."""
    harness.cognito.faults[("InitiateAuth", 0)] = InvalidParameterException("cut")
    with pytest.raises(InvalidParameterException):
        harness.auth.create_user(USER, PASSWORD)
    assert harness.report.failed == 1
    (event,) = harness.report.copy().events
    assert (event.state, harness.report.copy().failures[0][0]) == ("unfinished", event)
    harness.auth.create_user(USER, PASSWORD)
    assert harness.report.failed == 0


@pytest.mark.parametrize("words", ["email", "phone_number", "phone number"])
@pytest.mark.parametrize("if_exists", ["error", "skip", "sign_in", "update"])
def test_a_taken_attribute_is_not_an_existing_user(
    harness: AuthHarness, if_exists: Any, words: str
) -> None:
    """Only Cognito's message shows that another user has the address or number."""
    harness.cognito.faults[("AdminCreateUser", 0)] = CognitoError(
        f"An account with the given {words} already exists.", code="UsernameExistsException"
    )
    name = "+15550100100" if words == "email" else USER
    pool = harness.pool.settings
    object.__setattr__(pool, "username_attributes", ("email", "phone_number"))
    with pytest.raises(CognitoError, match=r"another user has its (email|phone_number)") as caught:
        harness.auth.create_user(name, PASSWORD, if_exists=if_exists)
    assert not isinstance(caught.value, UsernameExistsError)
    assert isinstance(caught.value.__cause__, CognitoError)
    assert "already exists" in caught.value.__cause__.message
    assert harness.markers() == []


@pytest.mark.parametrize("kinds", [("email",), None], ids=["known", "not in the outputs"])
def test_the_users_own_address_is_the_user(
    make_harness: Callable[..., AuthHarness], kinds: tuple[str, ...] | None
) -> None:
    """If the user name is the address, a taken address means that the user exists."""
    harness = make_harness(username_attributes=kinds)
    harness.cognito.faults[("AdminCreateUser", 0)] = CognitoError(
        "An account with the given email already exists.", code="UsernameExistsException"
    )
    with pytest.raises(UsernameExistsError):
        harness.auth.create_user(USER, PASSWORD)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Password attempts exceeded", "Wait some minutes"),
        ("User is disabled.", "admin-enable-user"),
        (
            "Temporary password has expired and must be reset by an administrator.",
            "Delete the user",
        ),
        ("Unable to verify secret hash for client abc", "app client has a secret"),
    ],
)
def test_a_refusal_for_another_reason_ends_the_creation(
    harness: AuthHarness, text: str, advice: str
) -> None:
    """No other password is tried if it would be refused too, and the advice fits."""
    harness.cognito.password = PASSWORD
    harness.cognito.faults[("RespondToAuthChallenge", 0)] = NotAuthorizedException(text)
    with pytest.raises(NotAuthorizedException, match=text) as caught:
        harness.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert advice in (caught.value.resolution or "")
    assert harness.cognito.operations().count("InitiateAuth") == 1


def test_groups_of_a_single_user(harness: AuthHarness) -> None:
    """create_user takes groups as many users do, and checks them before the first write."""
    harness.auth.create_user(USER, PASSWORD, groups=["admin"])
    assert "AdminAddUserToGroup" in harness.cognito.operations()
    before = len(harness.cognito.requests)
    with pytest.raises(NoGroupError):
        harness.auth.create_user("bob@example.com", PASSWORD, groups=["nobody"])
    with pytest.raises(InvalidParameterException, match="single text"):
        harness.auth.create_user("bob@example.com", PASSWORD, groups="admin")
    assert len(harness.cognito.requests) == before


def test_who_accepted_the_final_password_is_passed_on(harness: AuthHarness) -> None:
    """A tool that signs the users in again gets their passwords; not those that were not proven."""
    received: list[tuple[str, str]] = []
    harness.auth._on_password = lambda *each: received.append(each)
    choices: list[IfUserExists] = ["error", "skip", "sign_in"]
    for if_exists in choices:
        harness.auth.create_user(USER, PASSWORD, if_exists=if_exists)
    assert harness.states() == ["created", "existed", "existed"]
    assert received == [(USER, PASSWORD)] * 2


@pytest.mark.parametrize(("pool", "state"), [(MISSING, "created"), (UNFINISHED, "finished")])
def test_only_a_finished_user_is_updated(harness: AuthHarness, pool: str, state: str) -> None:
    """A user that this run creates or finishes has its attributes from its creation."""
    _prepare(harness, "created" if pool == UNFINISHED else "new", "exists", pool)
    harness.auth.create_user(USER, PASSWORD, if_exists="update", user_attributes={"locale": "en"})
    assert harness.states()[-1] == state
    assert "UpdateUserAttributes" not in harness.cognito.operations()


def test_the_user_name_is_no_attribute_to_update(harness: AuthHarness) -> None:
    """Cognito would send a code to an address that is set again, even to the same value."""
    _prepare(harness, "new", "exists", FINISHED)
    harness.auth.create_user(USER, PASSWORD, if_exists="update", user_attributes={"email": USER})
    assert harness.states() == ["existed"]
    assert "UpdateUserAttributes" not in harness.cognito.operations()


def test_who_only_lacked_its_groups_is_finished(harness: AuthHarness) -> None:
    """The earlier run set the final password and was stopped then: this run adds the groups."""
    for groups, state in ((["admin"], "finished"), ([], "existed")):
        _prepare(harness, "created", "exists", FINISHED)
        harness.auth.create_user(USER, PASSWORD, groups=groups)
        assert harness.states()[-1] == state
    assert harness.cognito.operations().count("AdminAddUserToGroup") == 1


def test_skip_leaves_a_single_user_as_it_is(harness: AuthHarness) -> None:
    """ "skip" does not sign in, so there is no user id, and it does not change groups."""
    harness.cognito.password = OTHER
    outputs = harness.auth.create_user(USER, PASSWORD, if_exists="skip", groups=["admin"])
    assert (outputs.username, outputs.user_id) == (USER, None)
    assert harness.cognito.operations() == ["AdminCreateUser"]
    assert harness.states() == ["existed"]


@pytest.mark.parametrize("if_exists", ["overwrite", "", None, "Error"])
def test_another_value_of_if_exists_is_refused(harness: AuthHarness, if_exists: Any) -> None:
    """Only the four values of if_exists are accepted."""
    with pytest.raises(InvalidParameterException, match="if_exists") as caught:
        harness.auth.create_user(USER, PASSWORD, if_exists=if_exists)
    assert '"sign_in"' in (caught.value.resolution or "")
    assert harness.cognito.requests == []


def test_a_malformed_response_leaves_the_user_to_the_next_run(harness: AuthHarness) -> None:
    """After a malformed response the user may exist, so it stays in the journal."""
    from seedctl.errors import InvalidResponseError

    error: SeedctlError = InvalidResponseError.of("cognito-idp", "AdminCreateUser")
    harness.cognito.faults_after[("AdminCreateUser", 0)] = error
    with pytest.raises(InvalidResponseError):
        harness.auth.create_user(USER, PASSWORD)
    harness.auth.create_user(USER, PASSWORD)
    assert harness.states() == ["finished"]


def test_each_sign_up_option_can_be_given_in_every_way() -> None:
    """NewUser, the keywords of the function, those of the method and AuthSignUp do not differ."""
    options = {each.name for each in fields(NewUser)} - {"username", "password"}
    keywords = set(inspect.signature(create_and_sign_up_user).parameters)
    assert keywords == {
        *("username", "password", "if_exists", "sign_in_after_creation"),
        *options,
    }
    assert set(SignUpOptions.__annotations__) == options
    assert set(AuthSignUp.__annotations__) == keywords
