"""What a run is about to change, and whether the outputs file belongs to that sandbox."""

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
    OutputsMismatchError,
    StackDoesNotExistError,
)
from seedctl.outputs import OutputsSource, load_outputs
from seedctl.project import BackendChoice, BackendIdentifier, Project
from seedctl.report import Report
from seedctl.target import describe_target
from tests.aws.recorder import Call, Recorder

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs
    from seedctl.report import Target

ALICE = BackendIdentifier("@acme/my-app", "alice")
STACK = "amplify-acmemyapp-alice-sandbox-640dd81907"
POOL = "us-east-1_AbCdEfGhI"
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"}
BASIC: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "amplify_outputs.basic.json").read_text("utf-8")
)


def _stack(**outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackName": STACK, "Outputs": listed}]}


def _no_stack() -> AWSError:
    return AWSError(
        f"cloudformation:DescribeStacks failed with ValidationError: Stack with id {STACK} does "
        "not exist",
        code="ValidationError",
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def _outputs(project: Project, **changed: Any) -> AmplifyOutputs:
    document = {key: value for key, value in {**BASIC, **changed}.items() if value is not None}
    path = project.root / "amplify_outputs.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_outputs(path)


def _describe(aws: Recorder, project: Project, outputs: AmplifyOutputs) -> Target:
    return describe_target(aws, project, ALICE, outputs)


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
    connection.announce_target()


def test_outputs_that_belong_to_the_sandbox(project: Project) -> None:
    """The sandbox's stack has the same user pool, so the line says "outputs checked"."""
    aws = Recorder(IDENTITY, _stack(authRegion="us-east-1", userPoolId=POOL))
    target = _describe(aws, project, _outputs(project))
    assert target.project == project.root
    assert target.sandbox == "alice"
    assert target.outputs == project.root / "amplify_outputs.json"
    assert target.user_pool == POOL
    assert target.account == "123456789012"
    assert target.check == "outputs checked"
    assert aws.calls == [
        Call("sts", "GetCallerIdentity", {}, once=True),
        Call(
            "cloudformation", "DescribeStacks", {"StackName": STACK}, region="us-east-1", once=True
        ),
    ]


def test_the_stack_is_in_the_pools_region(project: Project) -> None:
    """The stack is looked up in the pool's region, even if aws_region is another one."""
    auth = {**BASIC["auth"], "user_pool_id": "eu-west-1_A"}
    aws = Recorder(IDENTITY, _stack(userPoolId="eu-west-1_A"))
    _describe(aws, project, _outputs(project, auth=auth))
    assert aws.calls[1].region == "eu-west-1"


def test_outputs_of_another_sandbox(project: Project) -> None:
    """If the file names another pool than the sandbox has, the run stops before the first write."""
    aws = Recorder(IDENTITY, _stack(userPoolId="us-east-1_Other"))
    with pytest.raises(OutputsMismatchError) as caught:
        _describe(aws, project, _outputs(project))
    message = caught.value.message
    assert all(part in message for part in (POOL, "us-east-1_Other", "sandbox alice"))
    assert str(project.root / "amplify_outputs.json") in message
    assert "--identifier" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3


def test_no_stack_on_aws(project: Project) -> None:
    """If the sandbox is not deployed, the run stops with an error that names region and stack."""
    missing = _no_stack()
    with pytest.raises(StackDoesNotExistError) as caught:
        _describe(Recorder(IDENTITY, missing), project, _outputs(project))
    assert "sandbox alice of @acme/my-app is not deployed in us-east-1" in caught.value.message
    assert STACK in caught.value.message
    assert "npx ampx sandbox" in (caught.value.resolution or "")
    assert caught.value.__cause__ is missing
    assert caught.value.exit_code == 3


def test_no_stack_on_an_emulator(project: Project) -> None:
    """Emulators seldom have the stack: the run continues, and the line says so."""
    aws = Recorder(IDENTITY, _no_stack(), is_emulator=True)
    check = _describe(aws, project, _outputs(project)).check
    assert check == f"outputs not checked: there is no stack {STACK}"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(AccessDeniedError("no", code="AccessDenied"), id="denied"),
        pytest.param(EndpointUnreachableError("no answer"), id="unreachable"),
        pytest.param(AWSError("Rate exceeded", code="Throttling"), id="throttled"),
        pytest.param(AWSError("the name is wrong", code="ValidationError"), id="another refusal"),
        pytest.param(AWSError("x does not exist", code="Other"), id="another code"),
        pytest.param({"Stacks": []}, id="no stack in the reply"),
        pytest.param({}, id="an empty reply"),
        pytest.param({"Stacks": [{"StackName": STACK}]}, id="a stack without outputs"),
        pytest.param(_stack(region="us-east-1"), id="a stack without auth"),
        pytest.param({"Stacks": [{"Outputs": [{"OutputKey": "userPoolId"}]}]}, id="no value"),
    ],
)
@pytest.mark.parametrize("is_emulator", [False, True], ids=["AWS", "emulator"])
def test_outputs_that_cannot_be_checked(
    project: Project, reply: dict[str, Any] | Exception, is_emulator: bool
) -> None:
    """Without permission, or without something to compare, the line says "outputs not checked"."""
    aws = Recorder(IDENTITY, reply, is_emulator=is_emulator)
    assert _describe(aws, project, _outputs(project)).check == "outputs not checked"


def test_outputs_without_auth_are_not_checked(project: Project) -> None:
    """A backend without a user pool has nothing to compare, so no call is made."""
    aws = Recorder(IDENTITY)
    target = _describe(aws, project, _outputs(project, auth=None))
    assert (target.user_pool, target.check) == (None, "outputs not checked")
    assert target.outputs == project.root / "amplify_outputs.json"


@pytest.mark.parametrize(
    "error",
    [AccessDeniedError("no"), EndpointUnreachableError("no answer"), AWSError("no")],
    ids=lambda error: type(error).__name__,
)
def test_an_unknown_account(project: Project, error: AWSError) -> None:
    """The account is only for display: the run continues if it cannot be found out."""
    target = _describe(Recorder(error, _stack(userPoolId=POOL)), project, _outputs(project))
    assert target.account == "unknown"
    assert "account unknown" in target.line()
    assert target.check == "outputs checked"


def test_invalid_credentials_stop_the_run(project: Project) -> None:
    """Expired or missing credentials are found before the first write."""
    with pytest.raises(InvalidCredentialError):
        _describe(Recorder(InvalidCredentialError("expired")), project, _outputs(project))


def test_no_lookup_for_the_local_sandbox(project: Project) -> None:
    """For a local run the account is LOCAL, and no call is made."""
    aws = Recorder(is_local=True, is_emulator=True)
    target = _describe(aws, project, _outputs(project))
    assert (target.account, target.check) == ("LOCAL", "")
    assert target.user_pool == POOL
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
def test_the_age_of_the_outputs(project: Project, seconds: float, expected: float) -> None:
    """The age is that of the file, and never negative, even if a clock is wrong."""
    outputs = _outputs(project)
    written = time.time() - seconds
    os.utime(outputs.path, (written, written))
    age = _describe(Recorder(is_local=True), project, outputs).outputs_age
    assert age == pytest.approx(expected, abs=30)


def test_outputs_that_vanish_meanwhile(project: Project) -> None:
    """A file that was removed after it was read has no age; the run continues."""
    outputs = _outputs(project)
    outputs.path.unlink()
    target = _describe(Recorder(is_local=True), project, outputs)
    assert target.outputs_age is None
    assert target.outputs == outputs.path
