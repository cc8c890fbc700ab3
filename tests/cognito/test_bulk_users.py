"""create_users: one result for each row, in order, also in repeated runs."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from seedctl import NewUser, connect, create_users
from seedctl.errors import (
    BulkError,
    EndpointUnreachableError,
    InvalidInputError,
    InvalidParameterException,
    InvalidPasswordException,
    MFANotConfiguredError,
    NoGroupError,
    NotAuthorizedException,
    SeedctlError,
    ServiceFailedError,
    ThrottledError,
    UsernameExistsError,
)
from seedctl.report import Progress, Report, Target
from tests.running import PASSWORD, make_project
from tests.test_processes import run, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from seedctl import Backend
    from seedctl.auth import UserResult
    from seedctl.aws.calls import AWS

CODE_SENT = {
    "AttributeName": "phone_number",
    "DeliveryMedium": "SMS",
    "Destination": "+*******0100",
}


@dataclass
class Spy:
    """Counts the backend's calls, and lets those fail that a test chooses."""

    aws: Any
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    fault: Callable[[str, Mapping[str, Any]], BaseException | None] = lambda *_: None
    after: Callable[[str, Mapping[str, Any]], BaseException | None] = lambda *_: None
    change: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _, reply: reply

    def __getattr__(self, name: str) -> Any:
        return getattr(self.aws, name)

    def call(
        self, service: str, operation: str, parameters: Mapping[str, Any], **options: Any
    ) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if (error := self.fault(operation, parameters)) is not None:
            raise error
        reply: dict[str, Any] = self.aws.call(service, operation, parameters, **options)
        if (error := self.after(operation, parameters)) is not None:
            raise error
        return self.change(operation, reply)

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)


@dataclass
class Scene:
    backend: Backend
    spy: Spy
    report: Report
    root: Path

    def create(self, *names: str, groups: tuple[str, ...] = (), **options: Any) -> list[UserResult]:
        """Create users with these names, and return failures instead of raising."""
        rows = [NewUser(address(name), PASSWORD, groups=groups) for name in names]
        return self.backend.auth.create_users(rows, on_error="collect", **options)

    def unfinished(self) -> int:
        return len([*(self.root / ".amplify" / "seedctl" / "unfinished").glob("*")])

    def add(self, name: str, password: str = PASSWORD, **attributes: object) -> None:
        """Let a finished user exist already, without the sign-in that create_users needs for it."""
        given = [{"Name": each, "Value": str(value).lower()} for each, value in attributes.items()]
        self._call("AdminCreateUser", name, UserAttributes=given)
        self._call("AdminSetUserPassword", name, Password=password, Permanent=True)

    def groups_of(self, name: str) -> list[str]:
        reply = self._call("AdminListGroupsForUser", name)
        return [group["GroupName"] for group in reply["Groups"]]

    def _call(self, operation: str, name: str, **parameters: object) -> dict[str, Any]:
        """Call Cognito as another tool would: the spy does not see it."""
        pool = self.backend.outputs.auth
        assert pool is not None
        user = {"UserPoolId": pool.user_pool_id, "Username": address(name)}
        reply: dict[str, Any] = self.spy.aws.call(
            "cognito-idp", operation, {**user, **parameters}, region="us-east-1"
        )
        return reply

    def attributes_of(self, name: str) -> dict[str, str]:
        with self.backend.auth.sign_in(address(name), PASSWORD) as session:
            token = session.tokens().access
            reply = self.spy.aws.call(
                "cognito-idp", "GetUser", {"AccessToken": token}, region="us-east-1"
            )
        return {each["Name"]: each["Value"] for each in reply["UserAttributes"]}


def address(name: str) -> str:
    return name if "@" in name or not name else f"{name}@example.com"


def states(results: Sequence[UserResult]) -> list[str]:
    return [each.state for each in results]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A backend on the embedded sandbox, with its calls recorded."""
    root = make_project(tmp_path / "app")
    report = Report()
    with connect(root, identifier="alice", local=True, observer=report) as backend:
        spy = Spy(backend.aws)
        backend.auth._pool.aws = cast("AWS", spy)
        yield Scene(backend, spy, report, root)


def test_each_user_is_created_and_the_results_are_in_order(scene: Scene) -> None:
    """Each row becomes a finished user in its groups, and the results are in the order of the rows."""
    results = scene.create("ann", "bea", "cem", groups=("admin",))
    assert states(results) == ["created"] * 3
    assert [each.index for each in results] == [0, 1, 2]
    assert [each.username for each in results] == [address(n) for n in ("ann", "bea", "cem")]
    assert len({each.user_id for each in results}) == 3
    assert scene.groups_of("bea") == ["admin"]
    with scene.backend.auth.sign_in(address("cem"), PASSWORD) as session:
        assert session.user_id == results[2].user_id
    assert scene.unfinished() == 0


def test_the_number_of_calls_for_a_user(scene: Scene) -> None:
    """A user takes five calls (creation, sign-in, two answers, revocation), and one for each group."""
    scene.create("ann", "bea", groups=("admin",))
    operations = sorted({name for name, _ in scene.spy.calls if name != "GetCallerIdentity"})
    assert operations == [
        "AdminAddUserToGroup",
        "AdminCreateUser",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "RevokeToken",
    ]
    assert [scene.spy.count(name) for name in operations] == [2, 2, 2, 4, 2]


def test_each_user_and_the_progress_are_reported(scene: Scene) -> None:
    """The report has the users, their groups and the total."""
    scene.create("ann", "bea", groups=("admin",))
    kinds = sorted((event.kind, event.state) for event in scene.report.events)
    assert kinds == [("group membership", "set")] * 2 + [("user", "created")] * 2
    progress = scene.report.progress
    assert progress is not None
    assert (progress.what, progress.done, progress.total) == ("users", 2, 2)
    assert progress.is_finished


def test_the_target_is_named_before_the_first_user(scene: Scene) -> None:
    """Lists and generators both announce the target before the first write; no users, no announcement."""
    found: list[Target | None] = []

    def watch(name: str, parameters: Mapping[str, Any]) -> None:
        found.append(scene.report.target)

    scene.spy.fault = watch
    scene.backend.auth.create_users([])
    scene.backend.auth.create_users(iter(()))
    assert scene.report.target is None
    scene.backend.auth.create_users(NewUser(address(name), PASSWORD) for name in ("ann", "bea"))
    assert found
    assert None not in found
    found.clear()
    scene.report.target = None
    announce: Any = scene.backend.auth._before_write
    announce.__self__._admitted.clear()
    scene.backend.auth.create_users([NewUser(address("cem"), PASSWORD)])
    assert found
    assert None not in found


@pytest.mark.parametrize("kind", [list, iter])
def test_each_failed_user_is_reported(scene: Scene, kind: Any) -> None:
    """Invalid rows and refused users are each reported once, with the error's name and message."""
    scene.add("bea")
    rows = [
        NewUser(address("ann"), PASSWORD),
        NewUser("no address", PASSWORD),
        NewUser(address("bea"), PASSWORD),
        7,
    ]
    results = scene.backend.auth.create_users(kind(rows), on_error="collect")
    assert states(results) == ["created", "failed", "failed", "failed"]
    failed = {each.name: each.detail for each in scene.report.events if each.state == "failed"}
    assert set(failed) == {"no address", address("bea"), "rows[3]"}
    assert failed[address("bea")].startswith("UsernameExistsError: The user bea@example.com")
    assert failed["rows[3]"] == "InvalidParameterException: Row 3 is a int, not a NewUser."
    assert scene.report.failed == len(scene.report.failures) == 3
    progress = scene.report.progress
    assert progress is not None
    assert (progress.done, progress.failed) == (1, 3)


def test_an_invalid_list_is_reported(scene: Scene) -> None:
    """A list that is not started because of invalid rows is reported as a failure."""
    rows = [NewUser(address("ann"), PASSWORD), NewUser("no address", PASSWORD)]
    with pytest.raises(BulkError):
        scene.backend.auth.create_users(rows)
    assert [(each.name, each.state) for each in scene.report.events] == [("no address", "failed")]


def test_progress_ends_if_a_list_is_not_started(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The progress of invalid rows is ended, so that no progress bar stays for the rest of the run."""
    told: list[Progress] = []
    monkeypatch.setattr(scene.report, "on_progress", told.append)
    monkeypatch.setattr("seedctl.bulk.engine._PROGRESS_SECONDS", 0)  # as if each row took long
    with pytest.raises(BulkError):
        scene.backend.auth.create_users([NewUser("no address", PASSWORD), 7])  # type: ignore[list-item]
    assert [(each.failed, each.is_finished) for each in told] == [
        (0, False),
        (1, False),
        (2, False),
        (2, True),
    ]


def test_progress_counts_only_ended_rows(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that have not started yet do not count as failed."""
    told: list[Progress] = []
    monkeypatch.setattr(scene.report, "on_progress", told.append)
    scene.create("ann", "bea", "cem")
    assert {each.failed for each in told} == {0}
    assert max(each.done for each in told) == 3


def test_the_function_acts_on_the_current_backend(scene: Scene) -> None:
    """The function calls the method of the running script's backend."""
    with scene.backend.activate():
        results = create_users([NewUser(address("ann"), PASSWORD)], concurrency=2)
    assert states(results) == ["created"]


INVALID_ROWS: list[tuple[Any, type[SeedctlError]]] = [
    (NewUser("password@example.com", "short"), InvalidPasswordException),
    (NewUser("bea", PASSWORD), InvalidParameterException),
    (NewUser("", PASSWORD), InvalidParameterException),
    (
        NewUser("attribute@example.com", PASSWORD, user_attributes={"familyName": "x"}),
        InvalidParameterException,
    ),
    (NewUser("group@example.com", PASSWORD, groups=("nobody",)), NoGroupError),
    (NewUser("text@example.com", PASSWORD, groups="admin"), InvalidParameterException),
    (
        NewUser("number@example.com", PASSWORD, groups=5),  # type: ignore[arg-type]
        InvalidParameterException,
    ),
    (
        NewUser("list@example.com", PASSWORD, sign_in_flow=[]),  # type: ignore[arg-type]
        InvalidParameterException,
    ),
    (NewUser("flow@example.com", PASSWORD, sign_in_flow="MFA"), MFANotConfiguredError),
    (NewUser("ann@example.com", PASSWORD), InvalidParameterException),  # a second time
    ({"username": "bea@example.com"}, InvalidParameterException),
]


def test_rows_are_checked_before_the_first_is_sent(scene: Scene) -> None:
    """An invalid row in a list stops the call before any write; collected, it fails alone."""
    ann, cem = NewUser(address("ann"), PASSWORD), NewUser(address("cem"), PASSWORD)
    for row, error in INVALID_ROWS:
        with pytest.raises(BulkError, match=r"1 of 3 users failed, 2 were not tried") as caught:
            scene.backend.auth.create_users([ann, row, cem])
        assert type(caught.value.__cause__) is error, row
        assert states(caught.value.results) == ["not tried", "failed", "not tried"], row
    assert scene.spy.calls == []
    assert scene.report.target is None
    rows = [ann, *(row for row, _ in INVALID_ROWS), cem]
    first, *failed, last = scene.backend.auth.create_users(rows, on_error="collect")
    assert (first.state, last.state) == ("created", "created")
    assert states(failed) == ["failed"] * len(INVALID_ROWS)
    assert [type(each.error) for each in failed] == [error for _, error in INVALID_ROWS]


def test_a_generator_is_read_during_the_call(scene: Scene) -> None:
    """Rows may come from a generator; an invalid one fails alone, when it is reached."""
    drawn_after: list[int] = []

    def rows() -> Iterator[NewUser]:
        for name in ("ann", "ann", "bea", "cem"):
            drawn_after.append(scene.spy.count("AdminCreateUser"))
            yield NewUser(address(name), PASSWORD)

    results = scene.backend.auth.create_users(rows(), concurrency=1, on_error="collect")
    assert states(results) == ["created", "failed", "created", "created"]
    assert drawn_after == [0, 1, 1, 2]
    assert scene.report.progress is not None
    assert scene.report.progress.total is None


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"concurrency": 0}, InvalidInputError, id="concurrency"),
        pytest.param({"if_exists": "ignore"}, InvalidParameterException, id="if_exists"),
        pytest.param({"on_error": "log"}, InvalidParameterException, id="on_error"),
        pytest.param({"users": NewUser("a", "b")}, InvalidParameterException, id="one user"),
        pytest.param({"users": 7}, InvalidParameterException, id="no rows"),
    ],
)
def test_invalid_options_are_refused(
    scene: Scene, options: dict[str, Any], error: type[SeedctlError]
) -> None:
    """An invalid option raises before the first row is read."""
    with pytest.raises(error):
        scene.backend.auth.create_users(**{"users": [], **options})


def test_no_users_are_no_failure(scene: Scene) -> None:
    """An empty list creates nothing."""
    assert scene.backend.auth.create_users([]) == []


def test_a_row_shows_no_password() -> None:
    """The repr of a row contains no secret."""
    row = NewUser("ann@example.com", PASSWORD, user_attributes={"name": "Ann Secret"})
    assert PASSWORD not in repr(row)
    assert "Ann Secret" not in repr(row)


@pytest.mark.parametrize(
    ("if_exists", "expected"),
    [("error", "failed"), ("skip", "existed"), ("sign_in", "existed"), ("update", "existed")],
)
def test_an_existing_user(scene: Scene, if_exists: Any, expected: str) -> None:
    """An existing user fails its row, is left alone, or must have the password."""
    scene.add("ann")
    ann, bea = scene.create("ann", "bea", groups=("admin",), if_exists=if_exists)
    assert (ann.state, bea.state) == (expected, "created")
    assert isinstance(ann.error, UsernameExistsError) == (if_exists == "error")
    is_touched = if_exists in {"sign_in", "update"}
    assert (ann.user_id is not None) == is_touched
    assert scene.groups_of("ann") == (["admin"] if is_touched else [])
    assert scene.spy.count("InitiateAuth") == (2 if is_touched else 1)
    assert scene.unfinished() == 0


@pytest.mark.parametrize("if_exists", ["sign_in", "update"])
def test_a_user_with_another_password_fails_its_row(scene: Scene, if_exists: Any) -> None:
    """A user that does not accept the password is not added to groups and not changed."""
    scene.add("ann", "Other-passw0rd!")
    (ann,) = scene.create("ann", groups=("admin",), if_exists=if_exists)
    assert isinstance(ann.error, NotAuthorizedException)
    assert scene.groups_of("ann") == []


def test_attributes_are_updated_as_the_user(scene: Scene) -> None:
    """With "update" the attributes are set, except those that only administrators may set."""
    scene.add("ann")
    rows = [
        NewUser(
            address(name),
            PASSWORD,
            user_attributes={
                "locale": "de",
                "custom:plan": "pro",
                "email": address(name),
                "email_verified": True,
            },
        )
        for name in ("ann", "bea")
    ]
    results = scene.backend.auth.create_users(rows, if_exists="update")
    assert states(results) == ["updated", "created"]
    attributes = scene.attributes_of("ann")
    assert (attributes["locale"], attributes["custom:plan"]) == ("de", "pro")
    administered = {name for name, _ in scene.spy.calls if name.startswith("Admin")}
    assert administered == {"AdminCreateUser"}
    assert [event.state for event in scene.report.events].count("updated") == 1
    assert scene.report.warnings == [
        "email_verified of ann@example.com was not set: only an administrator may set it."
    ]


def test_attributes_that_have_their_value_are_not_set_again(scene: Scene) -> None:
    """Cognito would refuse an immutable attribute, even with the same value."""
    for changed in ({}, {"locale": "fr"}):
        given: dict[str, Any] = {"family_name": "Lee", "locale": "de", **changed}
        rows = [NewUser(address("ann"), PASSWORD, user_attributes=given)]
        scene.backend.auth.create_users([*rows], if_exists="update")
        assert scene.attributes_of("ann")["locale"] == given["locale"]
    results = scene.backend.auth.create_users(rows, if_exists="update")
    assert states(results) == ["updated"]
    sent = [given for name, given in scene.spy.calls if name == "UpdateUserAttributes"]
    assert [each["UserAttributes"] for each in sent] == [[{"Name": "locale", "Value": "fr"}]]


def test_names_that_differ_in_case_are_left_to_cognito(scene: Scene) -> None:
    """Names that differ only in case are both sent: Cognito knows whether the pool is case-sensitive."""
    rows = [NewUser(name, PASSWORD) for name in ("Ann@example.com", "ann@example.com")]
    results = scene.backend.auth.create_users(rows, concurrency=1, on_error="collect")
    assert scene.spy.count("AdminCreateUser") == 2
    assert states(results) == ["created", "failed"]
    assert isinstance(results[1].error, UsernameExistsError)


NUMBER: dict[str, Any] = {"phone_number": "+15550100100", "phone_number_verified": True}
UNVERIFIED = (
    "The new phone_number of ann@example.com is not verified: phone_number_verified is false now."
)
NOT_SET = "phone_number_verified of ann@example.com was not set: only an administrator may set it."


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        pytest.param({}, [], id="nothing new"),
        pytest.param({"locale": "de"}, [], id="other attributes"),
        pytest.param(
            {"phone_number": "+15550100199"},
            [UNVERIFIED, NOT_SET],
            id="new number",
        ),
        pytest.param(
            {"phone_number": "+15550100199", "phone_number_verified": False},
            [UNVERIFIED],
            id="new number without the flag",
        ),
        pytest.param({"phone_number_verified": False}, [NOT_SET], id="flag alone"),
    ],
)
def test_update_warns_about_unverified_addresses(
    scene: Scene, changes: dict[str, Any], warnings: list[str]
) -> None:
    """An update warns about a verified flag that it clears or cannot set, and about nothing else."""
    scene.add("ann", **NUMBER)
    rows = [NewUser(address("ann"), PASSWORD, user_attributes=NUMBER | changes)]
    scene.backend.auth.create_users(rows, if_exists="update")
    assert scene.report.warnings == warnings


def test_update_warns_about_codes(scene: Scene) -> None:
    """An update warns about a code that Cognito sends to a new address, and names the destination."""
    given: dict[str, Any] = {"phone_number": "+15550100100"}
    scene.add("ann")
    scene.spy.change = lambda name, reply: (
        {"CodeDeliveryDetailsList": [CODE_SENT]} if name == "UpdateUserAttributes" else reply
    )
    rows = [NewUser(address("ann"), PASSWORD, user_attributes=given)]
    assert states(scene.backend.auth.create_users(rows, if_exists="update")) == ["updated"]
    (warning,) = scene.report.warnings
    assert warning == (
        "Cognito has sent a code to +*******0100 for the new phone_number of ann@example.com: "
        "until the code is confirmed, it is not verified, and in a pool of Amplify Gen 2 the old "
        "one stays."
    )


@pytest.mark.parametrize("cut", ["AdminAddUserToGroup", "InitiateAuth", "RespondToAuthChallenge"])
def test_unfinished_users_are_finished(scene: Scene, cut: str) -> None:
    """Wherever a row stopped, the next run finishes it, groups included, whatever if_exists says."""
    choices: tuple[Any, ...] = ("error", "skip", "sign_in", "update")
    scene.spy.fault = lambda name, _: InvalidParameterException("cut") if name == cut else None
    first = scene.create(*choices, groups=("admin",))
    assert states(first) == ["failed"] * 4
    assert scene.unfinished() == 4
    scene.spy.fault = lambda *_: None
    for if_exists in choices:
        (user,) = scene.create(if_exists, groups=("admin",), if_exists=if_exists)
        assert (user.state, user.user_id is None) == ("finished", False), if_exists
        assert scene.groups_of(if_exists) == ["admin"], if_exists
    assert scene.unfinished() == 0


def test_a_finished_user_whose_group_fails_is_finished_again(scene: Scene) -> None:
    """A user that has its password but not yet its groups stays in the journal."""
    scene.spy.fault = lambda name, _: (
        InvalidParameterException("cut") if name == "RespondToAuthChallenge" else None
    )
    scene.create("ann")
    scene.spy.fault = lambda name, _: (
        InvalidParameterException("cut") if name == "AdminAddUserToGroup" else None
    )
    assert states(scene.create("ann", groups=("admin",))) == ["failed"]
    assert scene.spy.count("RevokeToken") == 1
    assert scene.unfinished() == 1
    scene.spy.fault = lambda *_: None
    assert states(scene.create("ann", groups=("admin",))) == ["finished"]
    assert scene.groups_of("ann") == ["admin"]
    assert scene.unfinished() == 0


def test_a_failed_group_of_a_finished_user_leaves_no_marker(scene: Scene) -> None:
    """An existing user does not count as unfinished because adding a group failed."""
    scene.add("ann")
    scene.spy.fault = lambda name, _: (
        InvalidParameterException("cut") if name == "AdminAddUserToGroup" else None
    )
    assert states(scene.create("ann", groups=("admin",), if_exists="sign_in")) == ["failed"]
    assert scene.unfinished() == 0


def test_errors_are_collected_or_raised(scene: Scene) -> None:
    """The other users are created nevertheless, and the error says how to continue."""
    scene.add("bea")
    rows = [NewUser(address(name), PASSWORD) for name in ("ann", "bea", "cem")]
    with pytest.raises(BulkError, match="1 of 3 users failed; the first: The user bea") as caught:
        scene.backend.auth.create_users(rows)
    assert states(caught.value.results) == ["created", "failed", "created"]
    assert 'if_exists="skip"' in str(caught.value.resolution)
    again = scene.backend.auth.create_users(rows, if_exists="skip")
    assert states(again) == ["existed"] * 3


@pytest.mark.parametrize(
    "error",
    [ThrottledError("slow"), EndpointUnreachableError("down"), ServiceFailedError("500")],
    ids=["throttled", "unreachable", "failed"],
)
def test_an_error_that_affects_all_users_stops_the_rest(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: SeedctlError
) -> None:
    """If AWS is unreachable or denies access, the remaining users are not tried."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    scene.spy.fault = lambda name, _: error if name == "InitiateAuth" else None
    results = scene.create("ann", "bea", "cem", concurrency=1)
    assert states(results) == ["failed", "not tried", "not tried"]
    scene.spy.fault = lambda *_: None
    again = scene.create("ann", "bea", "cem", if_exists="skip")
    assert states(again) == ["finished", "created", "created"]


OTHER = "Another-passw0rd1"


def _lose_first_creation(scene: Scene) -> None:
    """Let the first AdminCreateUser fail without effect and without a response."""
    lost: list[BaseException] = [ServiceFailedError("500")]
    scene.backend.auth._sleep = lambda _: None
    scene.spy.fault = lambda name, _: lost.pop() if name == "AdminCreateUser" and lost else None


EXISTING: list[tuple[Any, str, str, list[str]]] = [
    # if_exists, the password of the row; the state of its result, the groups of the user then
    ("error", PASSWORD, "failed", []),
    ("error", OTHER, "failed", []),
    ("skip", PASSWORD, "existed", []),
    ("skip", OTHER, "existed", []),
    ("sign_in", PASSWORD, "existed", ["admin"]),
    ("sign_in", OTHER, "failed", []),
    ("update", PASSWORD, "existed", ["admin"]),
]


@pytest.mark.parametrize("how", ["lost", "killed"])
def test_a_finished_user_does_not_become_this_runs_user(scene: Scene, how: str) -> None:
    """After a lost response or a killed run, an existing user counts neither as new nor as
    unfinished."""
    pool = scene.backend.outputs.auth
    assert pool is not None
    found = []
    for number, (if_exists, password, *_) in enumerate(EXISTING):
        name = f"user-{number}"
        scene.add(name)
        if how == "lost":
            _lose_first_creation(scene)
        else:
            with scene.backend.auth._journal.claim(pool.user_pool_id, address(name)):
                pass  # the state that a killed run leaves
        row = NewUser(address(name), password, groups=("admin",))
        (user,) = scene.backend.auth.create_users([row], if_exists=if_exists, on_error="collect")
        found.append((if_exists, password, user.state, scene.groups_of(name)))
        if if_exists == "error":
            assert isinstance(user.error, UsernameExistsError)
            assert "already exists." in user.error.message
    assert found == EXISTING
    assert scene.unfinished() == 0


def test_a_user_whose_creation_was_confirmed_is_finished(scene: Scene) -> None:
    """Only the password of the stopped run finishes its unfinished user."""
    scene.spy.fault = lambda name, _: RuntimeError("dies") if name == "InitiateAuth" else None
    with pytest.raises(RuntimeError):
        scene.create("ann")
    scene.spy.fault = lambda *_: None
    (other,) = scene.backend.auth.create_users(
        [NewUser(address("ann"), OTHER)], if_exists="skip", on_error="collect"
    )
    assert isinstance(other.error, UsernameExistsError)
    assert "left unfinished" in other.error.message
    assert states(scene.create("ann", if_exists="error")) == ["finished"]
    assert scene.unfinished() == 0


def test_a_locked_user_is_not_said_to_have_another_password(scene: Scene) -> None:
    """After too many wrong passwords no other is tried, and the error gives the reason."""
    scene.add("ann")
    wrong = [NewUser(address("ann"), OTHER)]
    for _ in range(9):
        (ann,) = scene.backend.auth.create_users(wrong, if_exists="sign_in", on_error="collect")
        if "attempts exceeded" in str(ann.error):
            break
    before = scene.spy.count("InitiateAuth")
    (ann,) = scene.backend.auth.create_users(wrong, if_exists="sign_in", on_error="collect")
    assert scene.spy.count("InitiateAuth") == before + 1
    assert ann.error is not None
    assert "Wait some minutes" in str(ann.error.resolution)


def test_a_user_created_by_a_lost_request_is_finished(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With "skip" too, a user whose creation got no response is finished."""
    lost = [EndpointUnreachableError("cut")]
    scene.backend.auth._sleep = lambda _: None
    scene.spy.after = lambda name, _: lost.pop() if name == "AdminCreateUser" and lost else None
    (ann,) = scene.create("ann", groups=("admin",), if_exists="skip")
    assert ann.user_id is not None
    assert scene.groups_of("ann") == ["admin"]


def test_ctrl_c_stops_and_the_next_run_goes_on(scene: Scene) -> None:
    """After Ctrl-C no new user is started, and the next run finishes every user."""
    names = [f"user-{number}" for number in range(12)]

    def interrupt(name: str, parameters: Mapping[str, Any]) -> BaseException | None:
        is_third = name == "AdminCreateUser" and parameters["Username"] == address("user-2")
        return KeyboardInterrupt() if is_third else None

    scene.spy.after = interrupt
    with pytest.raises(KeyboardInterrupt):
        scene.create(*names, concurrency=2, groups=("admin",))
    assert scene.spy.count("AdminCreateUser") < 12
    assert not scene.backend.auth._sessions._sessions
    scene.spy.after = lambda *_: None
    results = scene.create(*names, if_exists="skip", groups=("admin",))
    assert set(states(results)) == {"existed", "finished", "created"}
    assert results[2].state == "finished"
    assert all(scene.groups_of(name) == ["admin"] for name in names)
    assert scene.unfinished() == 0


def test_twenty_users_at_once_stay_apart(scene: Scene) -> None:
    """Each of many users created in parallel has its own password, attributes and id."""
    rows = [
        NewUser(f"user-{n}@example.com", f"{PASSWORD}{n}", user_attributes={"nickname": f"n{n}"})
        for n in range(20)
    ]
    results = scene.backend.auth.create_users(rows)
    assert states(results) == ["created"] * 20
    assert len({each.user_id for each in results}) == 20
    for number in (0, 19):
        with scene.backend.auth.sign_in(rows[number].username, rows[number].password) as session:
            assert session.user_id == results[number].user_id
            token = session.tokens().access
            reply = scene.spy.aws.call(
                "cognito-idp", "GetUser", {"AccessToken": token}, region="us-east-1"
            )
        found = {each["Name"]: each["Value"] for each in reply["UserAttributes"]}
        assert found["nickname"] == f"n{number}"
        with pytest.raises(NotAuthorizedException):
            scene.backend.auth.sign_in(rows[number].username, f"{PASSWORD}{number + 1}")
    assert not [each for each in threading.enumerate() if each.name == "seedctl-bulk"]


SEED = """
import os, sys
from seedctl import NewUser, create_users

def rows():
    for number in range(20):
        if number == int(sys.argv[1]):
            print("now", flush=True)
            sys.stdin.read()
        yield NewUser(f"user-{number}@example.com", os.environ["SEED_PASSWORD"], groups=("admin",))

results = create_users(rows(), if_exists="skip", concurrency=4)
print(*sorted({each.state for each in results}), len(results))
"""


def test_a_killed_run_is_completed_by_the_next(tmp_path: Path) -> None:
    """kill -9 leaves unfinished users; the next run finishes them and creates the rest."""
    root = make_project(tmp_path / "app")
    (root / "amplify" / "seed" / "seed.py").write_text(SEED, encoding="utf-8")
    command = ("-q", "--local", "seed", "--")
    with start(*command, "10", cwd=root, SEED_PASSWORD=PASSWORD) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    code, out, err = run(*command, "-1", cwd=root, SEED_PASSWORD=PASSWORD)
    assert code == 0, err
    assert out.split()[-1] == "20"
    assert "failed" not in out
    assert [*(root / ".amplify" / "seedctl" / "unfinished").glob("*")] == []
    with connect(root, local=True, observer=Report()) as backend:
        for number in (0, 9, 11, 19):
            backend.auth.sign_in(f"user-{number}@example.com", PASSWORD).sign_out()
