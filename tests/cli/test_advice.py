"""How errors are shown: what failed, where, the service's own reason, and what to do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cli.layout import wrapped
from tests.fake_aws import CALLER, FakeAWS
from tests.running import make_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import CommandLine

CREATE = "create_and_sign_up_user('ann@example.com', 'Password123!')\n"
MANY = "create_users([NewUser('ann@example.com', 'Password123!')])\n"
DENIED = (
    "User: arn:aws:iam::123456789012:user/a is not authorized to perform: "
    "cognito-idp:AdminCreateUser on resource: arn:aws:x with an explicit deny in a service control "
    "policy"
)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def _seed(folder: Path, seedctl: CommandLine, script: str, **replies: Any) -> tuple[str, Any]:
    """Run *script* against an AWS stub that refuses; return stderr and the report."""
    make_project(folder)
    (folder / "amplify" / "seed" / "seed.py").write_text(f"from seedctl import *\n{script}")
    report = folder / "report.json"
    with FakeAWS(GetCallerIdentity=CALLER, **replies) as aws:
        result = seedctl(
            "seed", "-C", str(folder), "--endpoint-url", aws.url, "--report", str(report)
        )
    return result.err, json.loads(report.read_text())


def test_the_message_of_the_service_is_shown_and_reported(
    tmp_path: Path, seedctl: CommandLine
) -> None:
    """Without --debug it is shown below the message, and it is the cause in the report."""
    err, report = _seed(
        tmp_path, seedctl, CREATE, AdminCreateUser=("AccessDeniedException", DENIED)
    )
    assert f"  ∟ Caused by: [AccessDeniedException] {DENIED}" in err.splitlines()
    assert "service control policy (SCP) of the organization" in err
    assert "generate-policy" not in err
    assert report["error"]["cause"] == f"AccessDeniedException: {DENIED}"


def test_the_message_of_the_service_is_shown_for_each_failed_row(
    tmp_path: Path, seedctl: CommandLine
) -> None:
    """Each failed user shows it, and so does the error that is raised."""
    err, report = _seed(tmp_path, seedctl, MANY, AdminCreateUser=("AccessDeniedException", DENIED))
    assert f"∟ Caused by: [AccessDeniedException] {DENIED}" in err
    assert DENIED in report["failures"][0]["detail"]


def test_github_shows_the_message_of_the_service(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The annotation has the reason that only the service knows."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    err, _ = _seed(tmp_path, seedctl, CREATE, AdminCreateUser=("AccessDeniedException", DENIED))
    line = next(line for line in err.splitlines() if line.startswith("::error"))
    assert DENIED in line


def test_a_disabled_user(tmp_path: Path, seedctl: CommandLine) -> None:
    """Cognito uses the code of a wrong password, but another password is not suggested."""
    err, _ = _seed(
        tmp_path,
        seedctl,
        "sign_in_user('ann@example.com', 'Password123!')\n",
        InitiateAuth=("NotAuthorizedException", "User is disabled."),
    )
    assert "[NotAuthorizedException] User is disabled." in err
    assert "admin-enable-user" in err
    assert "Check the user name" not in err


def test_a_missing_package_in_a_tool_environment(
    tmp_path: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an environment made by pipx, pipx is suggested, because it may have no pip."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "pipx_metadata.json").write_text("{}")
    err, _ = _seed(tmp_path / "project", seedctl, "import package_that_nobody_has\n")
    assert "pipx inject seedctl package_that_nobody_has" in err
    assert "-m pip" not in err


def test_wrapped_lines_stay_indented() -> None:
    """A cause of several lines is recognised as one at any width."""
    assert list(wrapped("  ∟ Caused by: one two three", 20)) == [
        "  ∟ Caused by: one",
        "    two three",
    ]
    assert list(wrapped("one two three", 8)) == ["one two", "three"]
