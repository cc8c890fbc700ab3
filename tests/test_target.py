"""The line that names what a run is about to change."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.connection import Connection, ConnectionOptions
from seedctl.errors import (
    AccessDeniedError,
    AWSError,
    EndpointUnreachableError,
    InvalidAmplifyOutputsError,
    InvalidCredentialError,
    MixedEndpointsError,
)
from seedctl.outputs import OutputsSource, load_outputs
from seedctl.owner import Ownership
from seedctl.project import BackendChoice, BackendIdentifier, OtherStack, Project
from seedctl.report import Report
from seedctl.target import describe_target
from tests.aws.recorder import Call, Recorder

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs
    from seedctl.report import Target

ALICE = BackendIdentifier("@acme/my-app", "alice")
MAIN = BackendIdentifier("d1a2b3c4d5e6f7", "main", "branch")
POOL = "us-east-1_AbCdEfGhI"
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"}
BASIC: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "amplify_outputs.basic.json").read_text("utf-8")
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def outputs(project: Project) -> AmplifyOutputs:
    path = project.root / "amplify_outputs.json"
    path.write_text(json.dumps(BASIC), encoding="utf-8")
    return load_outputs(path)


def _announce(
    monkeypatch: pytest.MonkeyPatch, project: Project, aws: Recorder, report: Report
) -> None:
    """Announce the target of a connection whose calls *aws* records."""
    source = OutputsSource(project, explicit=None, is_local=aws.is_local)
    options = ConnectionOptions(
        project_dir=project.root, choice=BackendChoice(ALICE), observer=report
    )
    connection = Connection(options)
    monkeypatch.setattr(connection, "aws", aws)
    monkeypatch.setattr(connection, "outputs", source)
    connection.before_write()


def test_a_sandbox(project: Project, outputs: AmplifyOutputs) -> None:
    """The line has the project, sandbox, outputs file, user pool and account; no stage is asked for."""
    aws = Recorder(IDENTITY)
    target = describe_target(aws, project, ALICE, outputs, Ownership("chosen"))
    assert target.project == project.root
    assert (target.kind, target.name, target.stage) == ("sandbox", "alice", "")
    assert target.outputs == project.root / "amplify_outputs.json"
    assert target.user_pool == POOL
    assert target.account == "123456789012"
    assert target.check == "outputs checked"
    assert aws.calls == [Call("sts", "GetCallerIdentity", {}, once=True)]


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        (MAIN, "branch main of app d1a2b3c4d5e6f7 (PRODUCTION)"),
        (BackendIdentifier("my-app", "backend", "standalone"), "standalone backend my-app"),
        (OtherStack.of("my-stack"), "stack my-stack"),
        (BackendIdentifier("d1", "main", "branch", "0123"), "branch main of app d1"),
    ],
    ids=["branch", "standalone", "stack", "branch by its stack"],
)
def test_other_backends(
    project: Project, outputs: AmplifyOutputs, identifier: BackendIdentifier, words: str
) -> None:
    """Each kind of backend has its own words, and a branch its stage, if its raw name is known."""
    stage = {"branch": {"branchName": "main", "stage": "PRODUCTION"}}
    aws = Recorder(*([stage] if identifier is MAIN else []), IDENTITY)
    target = describe_target(aws, project, identifier, outputs, Ownership("chosen", "eu-west-1"))
    assert f" · {words} · amplify_outputs.json" in target.line()
    if identifier is MAIN:
        names = {"appId": "d1a2b3c4d5e6f7", "branchName": "main"}
        assert aws.calls[0] == Call("amplify", "GetBranch", names, "eu-west-1", once=True)


def test_the_stage_of_a_branch_that_was_chosen_by_its_stack(
    project: Project, outputs: AmplifyOutputs
) -> None:
    """The tags of the stack tell the branch's raw name, with which the stage is asked for."""
    parsed = BackendIdentifier(MAIN.namespace, "main", "branch", MAIN.stack_name[-10:])
    aws = Recorder({"branch": {"branchName": "main", "stage": "BETA"}}, IDENTITY)
    target = describe_target(aws, project, parsed, outputs, Ownership("chosen", backend=MAIN))
    assert target.stage == "BETA"


@pytest.mark.parametrize(
    "reply",
    [
        AccessDeniedError("no"),
        EndpointUnreachableError("no answer"),
        MixedEndpointsError("some here, some there"),
        {"branch": {"branchName": "main"}},
    ],
    ids=["denied", "unreachable", "mixed endpoints", "none"],
)
def test_a_stage_that_cannot_be_read(project: Project, reply: dict[str, Any] | Exception) -> None:
    """The stage is only for display: the run continues without a word."""
    target = describe_target(Recorder(reply, IDENTITY), project, MAIN, None)
    assert target.line().endswith("branch main of app d1a2b3c4d5e6f7 · account 123456789012")


@pytest.mark.parametrize(
    ("ownership", "check"),
    [
        (Ownership("chosen"), "outputs checked"),
        (Ownership("other", backend=MAIN), "outputs of the branch main of app d1a2b3c4d5e6f7"),
        (Ownership("unknown", reason="You may not call it"), "outputs not checked"),
        (
            Ownership("unknown", reason="there is no stack s"),
            "outputs not checked: there is no stack s",
        ),
    ],
    ids=["chosen", "other", "unknown", "emulator"],
)
def test_whom_the_outputs_belong_to(
    project: Project, outputs: AmplifyOutputs, ownership: Ownership, check: str
) -> None:
    """The line ends with what was found out about the outputs file; with the stage of its owner."""
    aws = Recorder(AccessDeniedError("no"), IDENTITY)
    if ownership.owner != "other":
        aws = Recorder(IDENTITY)
    assert describe_target(aws, project, ALICE, outputs, ownership).check == check
    aws = Recorder({"branch": {"branchName": "main", "stage": "BETA"}}, IDENTITY)
    if ownership.owner == "other":
        line = describe_target(aws, project, ALICE, outputs, ownership).line()
        assert " · sandbox alice · " in line
        assert line.endswith(f"{check} (BETA)")


@pytest.mark.parametrize(
    "error",
    [AccessDeniedError("no"), EndpointUnreachableError("no answer"), AWSError("no")],
    ids=lambda error: type(error).__name__,
)
def test_an_unknown_account(project: Project, outputs: AmplifyOutputs, error: AWSError) -> None:
    """The account is only for display: the run continues if it cannot be found out."""
    target = describe_target(Recorder(error), project, ALICE, outputs)
    assert target.account == "unknown"
    assert "account unknown" in target.line()


def test_invalid_credentials_stop_the_run(project: Project, outputs: AmplifyOutputs) -> None:
    """Expired or missing credentials are found before the first write."""
    with pytest.raises(InvalidCredentialError):
        describe_target(Recorder(InvalidCredentialError("expired")), project, ALICE, outputs)


def test_no_lookup_for_the_local_sandbox(
    project: Project, outputs: AmplifyOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a local run the account is LOCAL, and no call is made."""
    aws, report = Recorder(is_local=True, is_emulator=True), Report()
    _announce(monkeypatch, project, aws, report)
    target = report.target
    assert target is not None
    assert (target.account, target.check) == ("LOCAL", "")
    assert target.user_pool == outputs.document["auth"]["user_pool_id"]
    assert describe_target(aws, project, MAIN, outputs).stage == ""
    assert aws.calls == []


@pytest.mark.parametrize("is_local", [False, True], ids=["AWS", "local"])
def test_no_outputs_at_all(
    project: Project, monkeypatch: pytest.MonkeyPatch, is_local: bool
) -> None:
    """A script that uses only secrets needs no outputs file, and the line does not mention one."""
    aws, report = Recorder(IDENTITY, is_local=is_local), Report()
    _announce(monkeypatch, project, aws, report)
    target = report.target
    assert target is not None
    assert (target.outputs, target.outputs_age, target.user_pool) == (None, None, None)
    assert target.check == ""
    assert target.account == ("LOCAL" if is_local else "123456789012")


def test_broken_outputs_stop_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that exists but is broken is reported, and not treated as missing."""
    (project.root / "amplify_outputs.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidAmplifyOutputsError):
        _announce(monkeypatch, project, Recorder(IDENTITY), Report())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(7200, 7200, id="two hours"),
        pytest.param(-3600, 0, id="from the future"),
    ],
)
def test_the_age_of_the_outputs(
    project: Project, outputs: AmplifyOutputs, seconds: float, expected: float
) -> None:
    """The age is that of the file, and never negative, even if a clock is wrong."""
    written = time.time() - seconds
    os.utime(outputs.path, (written, written))
    assert _local(project, outputs).outputs_age == pytest.approx(expected, abs=30 * bool(expected))


def test_outputs_that_vanish_meanwhile(project: Project, outputs: AmplifyOutputs) -> None:
    """A file that was removed after it was read has no age; the run continues."""
    outputs.path.unlink()
    target = _local(project, outputs)
    assert target.outputs_age is None
    assert target.outputs == outputs.path


def _local(project: Project, outputs: AmplifyOutputs) -> Target:
    return describe_target(Recorder(is_local=True), project, ALICE, outputs)
