"""A project in which nothing is wrong, with a fake AWS, and the doctor in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from seedctl.project import BackendIdentifier
from tests.fake_aws import CALLER, DeployedStack, FakeAWS, Replies, cloudformation
from tests.running import DATA, CommandLine, Result
from tests.source.conftest import install
from tests.source.recording import FakeNode

POOL = "us-east-1_AbCdEfGhI"
DEV = BackendIdentifier("my-app", "dev")
SCRIPT = 'from seedctl import get_secret\n\nget_secret("seed-user-password")\n'


@dataclass
class DoctorHarness:
    """The project, and what a test changes about it."""

    folder: Path
    node: FakeNode
    monkeypatch: pytest.MonkeyPatch
    run: CommandLine
    arguments: list[str] = field(default_factory=list)
    replies: dict[str, Replies] = field(default_factory=dict)

    def write(self, name: str, content: str | dict[str, Any]) -> None:
        """Write the file *name* of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        path = self.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def doctor(self, *arguments: str) -> Result:
        """Run the doctor against the fake AWS."""
        with FakeAWS(**self.replies) as aws:
            target = (
                [] if "--local" in [*self.arguments, *arguments] else ["--endpoint-url", aws.url]
            )
            if "AWS_ENDPOINT_URL_SSM" in os.environ:
                target = []
            return self.run("doctor", *target, *self.arguments, *arguments)

    def findings(self, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the exit code, and the findings by the name of the check."""
        done = self.doctor("--format", "json", *arguments)
        document = json.loads(done.out)
        assert document["ok"] == (done.code == 0)
        return done.code, {check["name"]: check for check in document["checks"]}


@pytest.fixture
def harness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> DoctorHarness:
    folder = tmp_path / "project"
    node = FakeNode(tmp_path / "bin")
    node.version("v22.1.0")
    found = DoctorHarness(folder, node, monkeypatch, CommandLine(capsys, monkeypatch))
    found.write("package.json", {"name": "my-app"})
    found.write("amplify/backend.ts", "")
    found.write("amplify/seed/seed.py", SCRIPT)
    found.write(".gitignore", ".amplify/\n")
    (folder / ".git").mkdir()
    shutil.copy(DATA / "amplify_outputs.basic.json", folder / "amplify_outputs.json")
    install(folder)
    found.replies = {
        "GetCallerIdentity": CALLER,
        **stack_with(POOL),
        "DescribeUserPoolClient": {
            "UserPoolClient": {
                "ClientId": "c",
                "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            }
        },
        "GetParametersByPath": {"Parameters": [{"Name": "/amplify/x/seed-user-password"}]},
    }
    found.set(
        PATH=f"{node.folder}{os.pathsep}{os.environ['PATH']}",
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_REGION="us-east-1",
        SEEDCTL_IDENTIFIER="dev",
    )
    monkeypatch.chdir(folder)
    return found


def stack_with(pool: str, identifier: BackendIdentifier = DEV) -> dict[str, Replies]:
    """Return the replies of CloudFormation for the stack of *identifier* with the user pool *pool*."""
    document = json.loads((DATA / "amplify_outputs.basic.json").read_text(encoding="utf-8"))
    outputs = {
        "userPoolId": pool,
        "awsAppsyncApiEndpoint": document["data"]["url"],
        "bucketName": document["storage"]["bucket_name"],
    }
    return cloudformation(DeployedStack(identifier.stack_name, outputs, resources=[pool]))


Plant = Callable[[DoctorHarness], object]
