"""The guard's decisions, one row each, and what is asked at a terminal."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import masking
from seedctl.connection import Connection, ConnectionOptions
from seedctl.errors import (
    AWSError,
    InvalidCredentialError,
    OutputsMismatchError,
    StackDoesNotExistError,
    TargetNotAllowedError,
)
from seedctl.guard import STEPS, Guard
from seedctl.outputs import load_outputs
from seedctl.owner import Ownership
from seedctl.project import BackendChoice, BackendIdentifier, OtherStack, Project
from seedctl.prompter import TerminalPrompter
from seedctl.report import Report, Target
from seedctl.target import TargetDetail
from tests.aws.recorder import Recorder

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs

ALICE = BackendIdentifier("my-app", "alice")
BOB = BackendIdentifier("my-app", "bob")
MAIN = BackendIdentifier("d1a2b3c4d5e6f7", "main", "branch")
EVE = BackendIdentifier("shop", "eve")
STANDALONE = BackendIdentifier("shop", "backend", "standalone")
BASIC = Path(__file__).parent / "data" / "amplify_outputs.basic.json"


class Terminal:
    """Answers questions as a person would; None means that there is no terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answer: str | None = None
        self.questions: list[str] = []
        monkeypatch.setattr("seedctl.guard.can_prompt", lambda: self.answer is not None)
        monkeypatch.setattr(TerminalPrompter, "ask_openly", lambda _, text: self._reply(text))

    def _reply(self, question: str) -> str:
        self.questions.append(question)
        assert self.answer is not None
        return self.answer


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "package.json").write_text('{"name": "my-app"}', encoding="utf-8")
    (tmp_path / "amplify_outputs.json").write_bytes(BASIC.read_bytes())
    return Project(tmp_path)


@pytest.fixture
def outputs(project: Project) -> AmplifyOutputs:
    return load_outputs(project.root / "amplify_outputs.json")


def _check(
    project: Project,
    outputs: AmplifyOutputs | None,
    ownership: Ownership | None,
    identifier: BackendIdentifier = ALICE,
    allow: str | None = None,
) -> list[str]:
    target = Target(
        project.root, "alice", None, None, "us-east-1_A", "123456789012", "", stage="BETA"
    )
    return Guard(project, identifier, allow).check(outputs, ownership, lambda: target)


OWNED = {
    "chosen": Ownership("chosen", backend=MAIN),
    "unknown": Ownership("unknown", reason="You may not ask"),
    "other": Ownership("other", backend=MAIN),
    "mismatch": Ownership("mismatch", backend=BOB, difference="names the user pool a, not b"),
    "missing": Ownership("missing", "us-east-1"),
}
NO = TargetNotAllowedError
# The chosen backend, whose the outputs are, and what happens without and with --allow-target main.
ROWS: list[tuple[bool, str, Any, Any]] = [
    (True, "chosen", [], []),
    (True, "unknown", ["could not be checked"], ["could not be checked"]),
    (True, "other", NO, ["Secrets are those of the sandbox alice"]),
    (True, "mismatch", OutputsMismatchError, OutputsMismatchError),
    (True, "missing", StackDoesNotExistError, StackDoesNotExistError),
    (False, "chosen", NO, []),
    (False, "unknown", NO, ["could not be checked"]),
    (False, "other", OutputsMismatchError, OutputsMismatchError),
    (False, "mismatch", OutputsMismatchError, OutputsMismatchError),
    (False, "missing", StackDoesNotExistError, StackDoesNotExistError),
]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("is_own", "owner", "without", "with_name"), ROWS)
def test_each_row_of_the_table(
    project: Project,
    outputs: AmplifyOutputs,
    is_own: bool,
    owner: str,
    without: Any,
    with_name: Any,
) -> None:
    """Each decision, without a terminal: nothing, a warning, or an error with exit code 3."""
    identifier = ALICE if is_own else MAIN
    for allow, expected in ((None, without), ("main", with_name)):
        if isinstance(expected, list):
            warnings = _check(project, outputs, OWNED[owner], identifier, allow)
            assert len(warnings) == len(expected)
            assert all(map(str.__contains__, warnings, expected))
        else:
            with pytest.raises(expected) as caught:
                _check(project, outputs, OWNED[owner], identifier, allow)
            assert caught.value.exit_code == 3


def test_the_table_is_complete() -> None:
    """Each row is tested."""
    assert {(is_own, owner) for is_own, owner, *_ in ROWS} == set(STEPS)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("identifier", "right", "wrong"),
    [
        (ALICE, [None, "x"], []),
        (MAIN, ["main", MAIN.stack_name], [None, "Main", "", "d1a2b3c4d5e6f7", "main "]),
        (
            BackendIdentifier("d1", "featurex", "branch", "0123456789"),
            ["amplify-d1-featurex-branch-0123456789", "featurex"],
            ["feature/x"],
        ),
        (
            STANDALONE,
            [STANDALONE.stack_name],
            ["backend", "shop"],
        ),
        (EVE, [EVE.stack_name], ["eve", "shop", "sandbox"]),
        (OtherStack.of("my-stack"), ["my-stack"], ["stack", "*"]),
    ],
    ids=["own sandbox", "branch", "branch's stack", "standalone", "other sandbox", "other stack"],
)
def test_the_names_that_allow_a_write_to_parameter_store(
    project: Project,
    identifier: BackendIdentifier,
    right: list[str | None],
    wrong: list[str | None],
) -> None:
    """A branch's own name or any backend's stack, exactly; without any look-up."""
    for name in right:
        assert _check(project, None, None, identifier, name) == []
    for name in wrong:
        with pytest.raises(TargetNotAllowedError):
            _check(project, None, None, identifier, name)


@pytest.mark.usefixtures("terminal")
def test_the_raw_name_of_a_branch_that_was_chosen_by_its_stack(
    project: Project, outputs: AmplifyOutputs
) -> None:
    """The stack's tags tell the branch's raw name, which then is as good as the stack's."""
    raw = BackendIdentifier("d1", "feature/x", "branch")
    parsed = BackendIdentifier("d1", "featurex", "branch", raw.stack_name[-10:])
    assert parsed.stack_name == raw.stack_name
    owned = Ownership("chosen", backend=raw)
    for name in ("feature/x", raw.stack_name):
        assert _check(project, outputs, owned, parsed, name) == []


@pytest.mark.usefixtures("terminal")
def test_a_branch_that_shares_the_pool_of_a_sandbox(
    project: Project, outputs: AmplifyOutputs
) -> None:
    """The name of the branch allows the write, not that of the stack that owns the pool."""
    owned = Ownership("chosen", backend=BOB)
    with pytest.raises(TargetNotAllowedError, match="branch main"):
        _check(project, outputs, owned, MAIN, BOB.stack_name)
    assert _check(project, outputs, owned, MAIN, "main") == []


def test_tags_that_say_branch_count_more_than_the_name(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """A stack that is deployed as a branch is not a sandbox of this project, whatever its name."""
    owned = Ownership("chosen", is_deployed_elsewhere=True)
    with pytest.raises(TargetNotAllowedError):
        _check(project, outputs, owned)
    assert _check(project, outputs, owned, allow=ALICE.stack_name) == []
    assert terminal.questions == []


def test_the_name_is_typed_at_a_terminal(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """The question says what the target is; only the exact name is accepted, every time."""
    terminal.answer = "main"
    for _ in range(2):
        assert _check(project, outputs, OWNED["chosen"], MAIN) == []
    question = (
        "The target is the branch main of app d1a2b3c4d5e6f7 (BETA, user pool us-east-1_A, account "
        "123456789012), which is not a sandbox of this project.\nType main to write there"
    )
    assert terminal.questions == [question, question]
    terminal.answer = "y"
    with pytest.raises(TargetNotAllowedError, match="You named 'y'"):
        _check(project, outputs, OWNED["chosen"], MAIN)


class Observed(Report):
    """Counts how often the target is shown."""

    targets = 0

    def on_target(self, target: Target) -> None:
        self.targets += 1
        super().on_target(target)


def _connection(
    project: Project,
    aws: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    *,
    choice: BackendChoice = BackendChoice("alice"),  # noqa: B008 - it is frozen
    target: TargetDetail = "outputs",
    observer: Report | None = None,
) -> Connection:
    """Return a connection whose calls *aws* answers."""
    options = ConnectionOptions(
        project_dir=project.root, choice=choice, observer=observer or Report(), target=target
    )
    connection = Connection(options)
    monkeypatch.setattr(connection, "aws", aws)
    return connection


def _described(name: str, outputs: AmplifyOutputs, **changed: str) -> dict[str, Any]:
    """Return CloudFormation's response for a stack with the resources of *outputs*."""
    resources = {
        "userPoolId": outputs.document["auth"]["user_pool_id"],
        "awsAppsyncApiEndpoint": outputs.document["data"]["url"],
        "bucketName": outputs.document["storage"]["bucket_name"],
        **changed,
    }
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in resources.items()]
    return {"Stacks": [{"StackName": name, "Outputs": listed}]}


NO_OWNER: dict[str, Any] = {"StackResources": []}
CALLER = {"Account": "123456789012"}
GONE = AWSError("Stack s does not exist", code="ValidationError")


def test_a_typed_name_counts_for_every_later_write(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look-up and one question are enough for users, records, files and secrets."""
    stage = {"branch": {"branchName": "main"}}
    aws = Recorder(_described(MAIN.stack_name, outputs), NO_OWNER, stage, CALLER)
    choice = BackendChoice(app_id=MAIN.namespace, branch=MAIN.name)
    connection = _connection(project, aws, monkeypatch, choice=choice)
    terminal.answer = "main"
    for _ in range(2):
        connection.before_write()
        connection.before_secret()
    assert len(terminal.questions) == 1
    assert len(aws.calls) == 4


def test_threads_wait_for_the_answer_to_one_question(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread asks, another that is about to write waits for the same answer."""
    stage = {"branch": {"branchName": "main"}}
    replies = (_described(MAIN.stack_name, outputs), NO_OWNER, stage, CALLER)
    choice = BackendChoice(app_id=MAIN.namespace, branch=MAIN.name)
    connection = _connection(project, Recorder(*replies * 2), monkeypatch, choice=choice)
    second = threading.Thread(target=connection.before_write)

    def ask(_: TerminalPrompter, question: str) -> str:
        terminal.questions.append(question)
        if len(terminal.questions) == 1:
            second.start()
            second.join(0.05)  # without the lock it would ask now
        return "main"

    terminal.answer = "main"
    monkeypatch.setattr(TerminalPrompter, "ask_openly", ask)
    connection.before_write()
    second.join()
    assert len(terminal.questions) == 1


@pytest.mark.parametrize("owner", ["mismatch", "missing"])
def test_a_refusal_is_final(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """Each later write is refused with the same words, and nothing is looked up again."""
    differs = _described(ALICE.stack_name, outputs, userPoolId="us-east-1_Other")
    first = GONE if owner == "missing" else differs
    aws = Recorder(first, NO_OWNER, {"Stacks": []})
    connection = _connection(project, aws, monkeypatch)
    error = StackDoesNotExistError if owner == "missing" else OutputsMismatchError
    texts = set()
    for write in (connection.before_secret, connection.before_write, connection.before_secret):
        with pytest.raises(error) as caught:
            write()
        texts.add((caught.value.message, caught.value.resolution))
    assert len(texts) == 1
    assert len(aws.calls) == 3


def test_a_failed_look_up_is_no_refusal(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After missing credentials the script may sign in and go on: the next write looks again."""
    aws = Recorder(
        InvalidCredentialError("expired"), _described(ALICE.stack_name, outputs), NO_OWNER, CALLER
    )
    connection = _connection(project, aws, monkeypatch)
    with pytest.raises(InvalidCredentialError):
        connection.before_write()
    connection.before_write()


@pytest.mark.usefixtures("terminal")
def test_a_refused_bucket_refuses_no_other(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket of another backend stays refused; the sandbox's own resources are written to."""
    other = {"StackResources": [{"StackName": MAIN.stack_name}]}
    branch = _described(MAIN.stack_name, outputs)
    own = _described(ALICE.stack_name, outputs)
    aws = Recorder(own, NO_OWNER, CALLER, other, branch, other, branch)
    connection = _connection(project, aws, monkeypatch)
    for _ in range(2):
        with pytest.raises(TargetNotAllowedError, match="The bucket photos belongs to the branch"):
            connection.before_write("photos", "us-east-1")
    with pytest.raises(TargetNotAllowedError, match="The bucket videos"):
        connection.before_write("videos", "us-east-1")
    connection.before_write()
    assert len(aws.calls) == 7


def test_the_target_is_shown_once(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not again where the outputs file is written after the first secret; never with "none"."""
    text = outputs.path.read_bytes()
    outputs.path.unlink()
    own = _described(ALICE.stack_name, outputs)
    rows: list[tuple[TargetDetail, int]] = [("outputs", 1), ("account", 1), ("none", 0)]
    for target, shown in rows:
        observer = Observed()
        aws = Recorder(*[CALLER] * shown, own, NO_OWNER)
        connection = _connection(project, aws, monkeypatch, target=target, observer=observer)
        connection.before_secret()
        outputs.path.write_bytes(text)
        connection.before_secret()
        assert len(aws.calls) == shown
        connection.before_write()
        outputs.path.unlink()
        assert (observer.targets, len(aws.calls)) == (shown, 2 + shown)


def test_the_local_sandbox_is_never_another_backend(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the variable of ampx names, and whatever bucket: nothing is looked up or asked."""
    monkeypatch.setenv("AMPLIFY_BACKEND_IDENTIFIER", MAIN.to_json())
    aws = Recorder(is_local=True, is_emulator=True)
    connection = _connection(project, aws, monkeypatch, choice=BackendChoice())
    connection.before_write("photos", outputs.document["auth"]["aws_region"])
    connection.before_secret()
    assert aws.calls == []


@pytest.mark.parametrize("service", ["cognito-idp", "dynamodb", "s3"])
def test_a_call_of_the_scripts_own_is_checked_like_any_other(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """Only what goes to Parameter Store needs no look at the outputs file."""
    differs = _described(ALICE.stack_name, outputs, userPoolId="us-east-1_Other")
    aws = Recorder(differs, NO_OWNER, {"Stacks": []})
    connection = _connection(project, aws, monkeypatch, target="none")
    connection._before_call("ssm")
    assert aws.calls == []
    with pytest.raises(OutputsMismatchError):
        connection._before_call(service)


def test_a_wrong_name_is_not_asked_again(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """Who gave a wrong name on the command line is told so, and not asked."""
    terminal.answer = "main"
    with pytest.raises(TargetNotAllowedError, match="You named 'mian'") as caught:
        _check(project, outputs, OWNED["other"], allow="mian")
    assert terminal.questions == []
    assert "--app-id d1a2b3c4d5e6f7 --branch main --allow-target main" in (
        caught.value.resolution or ""
    )


def test_unchecked_outputs_are_asked_for_once(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """The answer yes is stored for what the file leads to: also for the next run, and in CI."""
    for terminal.answer in ("no", "y", ""):
        with pytest.raises(TargetNotAllowedError, match="You may not ask"):
            _check(project, outputs, OWNED["unknown"])
    terminal.answer = "Yes"
    assert _check(project, outputs, OWNED["unknown"]) == []
    assert len(terminal.questions) == 4
    assert "It leads to user pool us-east-1_A, account 123456789012." in terminal.questions[0]
    assert _check(project, outputs, OWNED["unknown"]) == []
    terminal.answer = None
    assert _check(project, outputs, OWNED["unknown"]) == []
    assert len(terminal.questions) == 4
    folder = project.state_folder / "unchecked"
    (marker,) = folder.iterdir()
    for path, mode in ((folder.parent, 0o700), (folder, 0o700), (marker, 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert marker.read_bytes() == b""
    assert len(_check(project, outputs, OWNED["unknown"], BOB)) == 1


@pytest.mark.parametrize("section", ["auth", "data", "storage", "buckets"])
def test_another_place_is_asked_for_again(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal, section: str
) -> None:
    """If pool, API or a bucket change, the stored answer is not for them; nor if one is gone."""
    terminal.answer = "yes"
    _check(project, outputs, OWNED["unknown"])
    document = json.loads(outputs.path.read_text(encoding="utf-8"))
    if section == "buckets":
        second = {"name": "second", "bucket_name": "another", "aws_region": "us-east-1"}
        document["storage"].setdefault("buckets", []).append(second)
    else:
        del document[section]
    outputs.path.write_text(json.dumps(document), encoding="utf-8")
    _check(project, load_outputs(outputs.path), OWNED["unknown"])
    assert len(terminal.questions) == 2


def test_a_stored_answer_opens_nothing_that_is_proven(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """As soon as CloudFormation tells that the file belongs to a branch, its name is required."""
    terminal.answer = "yes"
    _check(project, outputs, OWNED["unknown"])
    terminal.answer = None
    with pytest.raises(TargetNotAllowedError):
        _check(project, outputs, OWNED["other"])


def test_an_answer_that_cannot_be_stored(
    project: Project, outputs: AmplifyOutputs, terminal: Terminal
) -> None:
    """The run goes on, and a warning says why the next one will ask again."""
    (project.root / ".amplify").write_text("a file")
    terminal.answer = "yes"
    (warning,) = _check(project, outputs, OWNED["unknown"])
    assert "could not be stored" in warning
    assert str(project.state_folder / "unchecked") in warning


def test_names_are_masked(project: Project, outputs: AmplifyOutputs, terminal: Terminal) -> None:
    """A branch that has a secret's name is not shown, as elsewhere."""
    masking.register("hunter2-secret")
    branch = BackendIdentifier("d1", "hunter2-secret", "branch")
    with pytest.raises(TargetNotAllowedError) as caught:
        _check(project, outputs, Ownership("chosen"), branch, "hunter2-secret!")
    assert "hunter2" not in f"{caught.value.message} {caught.value.resolution}"
    assert terminal.questions == []
