"""Creating a user: one test for each row of the table, and what else the table decides."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cognito.passwords import derive_temporary_password
from seedctl.errors import (
    CognitoError,
    EndpointUnreachableError,
    InvalidParameterException,
    NoGroupError,
    NotAuthorizedException,
    SeedctlError,
    UsernameExistsError,
)
from seedctl.users.creation import NEXT_STEP, SIGN_INS
from tests.cognito.standin import POOL, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.cognito.journal import Claim
    from seedctl.report import Event

USER, PASSWORD, OTHER = "ann@example.com", "Passw0rd!xyz", "An0ther-password"
TEMPORARY = derive_temporary_password(PASSWORD, user_pool_id=POOL, username=USER)
LOST = EndpointUnreachableError("cut")

# What the user's password is in the pool, before the run: none, ours, ours but temporary, another.
NOBODY, WHOLE, UNFINISHED, OTHERS = "nobody", "whole", "unfinished", "others"
ERROR, LEFT = "UsernameExistsError", "left"


def _prepare(stage: Stage, known: str, answer: str, pool: str) -> None:
    cognito = stage.cognito
    cognito.password = {WHOLE: PASSWORD, UNFINISHED: TEMPORARY, OTHERS: OTHER}.get(pool)
    cognito.must_change = pool == UNFINISHED
    if known in {"started", "created"}:
        stage.leave_unfinished(USER, was_created=known == "created")
    if known == "concurrent":
        claim = stage.journal.claim

        @contextmanager
        def waited(user_pool_id: str, username: str) -> Iterator[Claim]:
            with claim(user_pool_id, username) as found:
                found.was_waited_for = True
                yield found

        stage.journal.claim = waited  # type: ignore[method-assign]
    if answer == "exists, response lost":
        cognito.faults[("AdminCreateUser", 0)] = LOST


def _outcome(stage: Stage, **options: Any) -> str:
    try:
        stage.auth.create_user(USER, PASSWORD, **options)
    except UsernameExistsError:
        return ERROR
    except NotAuthorizedException:
        return "refused"
    return stage.states()[-1]


ROWS: list[Any] = [
    # known, answer, the user in the pool, and what comes of it for "error", "skip" and "sign_in"
    ("new", "created", NOBODY, "created", "created", "created"),
    ("new", "exists", WHOLE, ERROR, "existed", "existed"),
    ("new", "exists", UNFINISHED, ERROR, "existed", "finished"),
    ("new", "exists", OTHERS, ERROR, "existed", "refused"),
    ("new", "exists, response lost", WHOLE, ERROR, "existed", "existed"),
    ("new", "exists, response lost", UNFINISHED, "created", "created", "created"),
    ("new", "exists, response lost", OTHERS, ERROR, "existed", "refused"),
    ("started", "created", NOBODY, "created", "created", "created"),
    ("started", "exists", WHOLE, ERROR, "existed", "existed"),
    ("started", "exists", UNFINISHED, "finished", "finished", "finished"),
    ("started", "exists", OTHERS, ERROR, "existed", "refused"),
    ("started", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
    ("created", "created", NOBODY, "created", "created", "created"),
    ("created", "exists", WHOLE, "existed", "existed", "existed"),
    ("created", "exists", UNFINISHED, "finished", "finished", "finished"),
    ("created", "exists", OTHERS, ERROR, ERROR, ERROR),
    ("created", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
    ("concurrent", "created", NOBODY, "created", "created", "created"),
    ("concurrent", "exists", WHOLE, "existed", "existed", "existed"),
    ("concurrent", "exists", UNFINISHED, "finished", "existed", "finished"),
    ("concurrent", "exists", OTHERS, ERROR, "existed", "refused"),
    ("concurrent", "exists, response lost", UNFINISHED, "finished", "finished", "finished"),
]


@pytest.mark.parametrize("if_exists", ["error", "skip", "sign_in"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:3]))
def test_each_row_of_the_table(stage: Stage, row: Any, if_exists: Any) -> None:
    """What the journal says and what the pool answers decide; if_exists only for whole users."""
    known, answer, pool, *outcomes = row
    _prepare(stage, known, answer, pool)
    expected = dict(zip(("error", "skip", "sign_in"), outcomes, strict=True))[if_exists]
    assert _outcome(stage, if_exists=if_exists) == expected
    sign_ins = stage.cognito.operations().count("InitiateAuth")
    assert sign_ins <= len(SIGN_INS[NEXT_STEP[known, answer]]) <= 3
    if (known, answer, pool) != ("created", "exists", OTHERS):  # that one stays to be finished
        assert stage.markers() == []
    if expected in {"created", "finished"}:
        assert (stage.cognito.password, stage.cognito.must_change) == (PASSWORD, False)


def test_the_rows_are_all_of_the_table() -> None:
    """A row of the table without a test above is missing here."""
    assert {(known, answer) for known, answer, *_ in ROWS} == set(NEXT_STEP)


@pytest.mark.parametrize("if_exists", ["error", "skip", "sign_in", "update"])
def test_a_user_made_elsewhere_is_taken_up_by_its_temporary_password(
    stage: Stage, if_exists: Any
) -> None:
    """Whoever knows the temporary password means this user, whatever if_exists says."""
    stage.cognito.password, stage.cognito.must_change = "Made-elsewhere1!", True
    stage.auth.create_user(
        USER, PASSWORD, temporary_password="Made-elsewhere1!", if_exists=if_exists
    )
    assert stage.states() == ["finished"]
    assert (stage.cognito.password, stage.cognito.must_change) == (PASSWORD, False)


def test_a_given_temporary_password_serves_a_new_user_too(stage: Stage) -> None:
    """The same script runs whether the user was made elsewhere before or not."""
    stage.auth.create_user(USER, PASSWORD, temporary_password="Made-elsewhere1!")
    assert stage.states() == ["created"]
    assert stage.cognito.requests[0][1]["TemporaryPassword"] == "Made-elsewhere1!"


def test_a_user_is_told_as_unfinished_until_it_is_finished(stage: Stage) -> None:
    """Whatever ends the run in between, the report names the user that the pool holds."""
    heard: list[Event] = []
    respond = stage.cognito._RespondToAuthChallenge

    def look(parameters: Any) -> Any:
        heard.extend(stage.report.copy().events)
        return respond(parameters)

    stage.cognito._RespondToAuthChallenge = look  # type: ignore[method-assign]
    stage.auth.create_user(USER, PASSWORD)
    assert {(event.name, event.state) for event in heard} == {(USER, "unfinished")}
    assert "run again" in heard[0].detail
    assert stage.states() == ["created"]
    assert stage.report.failed == 0


def test_an_unfinished_user_counts_as_failed(stage: Stage) -> None:
    """A script that lets the error pass has left something undone all the same."""
    stage.cognito.faults[("InitiateAuth", 0)] = InvalidParameterException("cut")
    with pytest.raises(InvalidParameterException):
        stage.auth.create_user(USER, PASSWORD)
    assert stage.report.failed == 1
    (event,) = stage.report.copy().events
    assert (event.state, stage.report.copy().failures[0][0]) == ("unfinished", event)
    stage.auth.create_user(USER, PASSWORD)
    assert stage.report.failed == 0


@pytest.mark.parametrize("words", ["email", "phone_number", "phone number"])
@pytest.mark.parametrize("if_exists", ["error", "skip", "sign_in", "update"])
def test_a_taken_attribute_is_not_the_user(stage: Stage, if_exists: Any, words: str) -> None:
    """Cognito's text alone tells that another user has the address or number."""
    stage.cognito.faults[("AdminCreateUser", 0)] = CognitoError(
        f"An account with the given {words} already exists.", code="UsernameExistsException"
    )
    name = "+15550100100" if words == "email" else USER
    pool = stage.pool.settings
    object.__setattr__(pool, "username_attributes", ("email", "phone_number"))
    with pytest.raises(CognitoError, match=r"another user has its (email|phone_number)") as caught:
        stage.auth.create_user(name, PASSWORD, if_exists=if_exists)
    assert not isinstance(caught.value, UsernameExistsError)
    assert isinstance(caught.value.__cause__, CognitoError)
    assert "already exists" in caught.value.__cause__.message
    assert stage.markers() == []


def test_the_users_own_address_is_the_user(stage: Stage) -> None:
    """Where the name is the address, an address that is taken is the name that is taken."""
    stage.cognito.faults[("AdminCreateUser", 0)] = CognitoError(
        "An account with the given email already exists.", code="UsernameExistsException"
    )
    with pytest.raises(UsernameExistsError):
        stage.auth.create_user(USER, PASSWORD)


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
def test_a_refusal_that_is_not_about_the_password_ends_it(
    stage: Stage, text: str, advice: str
) -> None:
    """No other password is tried where it would be refused alike, and the advice fits."""
    stage.cognito.password = PASSWORD
    stage.cognito.faults[("RespondToAuthChallenge", 0)] = NotAuthorizedException(text)
    with pytest.raises(NotAuthorizedException, match=text) as caught:
        stage.auth.create_user(USER, PASSWORD, if_exists="sign_in")
    assert advice in (caught.value.resolution or "")
    assert stage.cognito.operations().count("InitiateAuth") == 1


def test_groups_of_a_single_user(stage: Stage) -> None:
    """create_user takes groups as many users do, and checks them before the first write."""
    stage.auth.create_user(USER, PASSWORD, groups=["admin"])
    assert "AdminAddUserToGroup" in stage.cognito.operations()
    before = len(stage.cognito.requests)
    with pytest.raises(NoGroupError):
        stage.auth.create_user("bob@example.com", PASSWORD, groups=["nobody"])
    with pytest.raises(InvalidParameterException, match="single text"):
        stage.auth.create_user("bob@example.com", PASSWORD, groups="admin")
    assert len(stage.cognito.requests) == before


def test_skip_leaves_a_single_user_as_it_is(stage: Stage) -> None:
    """Nobody signs in, so nobody knows the user's id; groups are not touched either."""
    stage.cognito.password = OTHER
    outputs = stage.auth.create_user(USER, PASSWORD, if_exists="skip", groups=["admin"])
    assert (outputs.username, outputs.user_id) == (USER, None)
    assert stage.cognito.operations() == ["AdminCreateUser"]
    assert stage.states() == ["existed"]


@pytest.mark.parametrize("if_exists", ["overwrite", "", None, "Error"])
def test_another_word_is_refused(stage: Stage, if_exists: Any) -> None:
    """One vocabulary for all calls that make something."""
    with pytest.raises(InvalidParameterException, match="if_exists") as caught:
        stage.auth.create_user(USER, PASSWORD, if_exists=if_exists)
    assert '"sign_in"' in (caught.value.resolution or "")
    assert stage.cognito.requests == []


def test_an_answer_that_is_not_cognitos_leaves_the_user_to_the_next_run(stage: Stage) -> None:
    """The user may have been created: the journal keeps it."""
    from seedctl.errors import InvalidResponseError

    error: SeedctlError = InvalidResponseError.of("cognito-idp", "AdminCreateUser")
    stage.cognito.faults_after[("AdminCreateUser", 0)] = error
    with pytest.raises(InvalidResponseError):
        stage.auth.create_user(USER, PASSWORD)
    stage.auth.create_user(USER, PASSWORD)
    assert stage.states() == ["finished"]
