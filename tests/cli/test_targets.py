"""``--app-id``, ``--branch`` and ``--stack`` on the command line, against a fake AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect
from tests.fake_aws import CALLER, FakeAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.running import CommandLine

APP = "d1a2b3c4d5e6f7"
LOGIN = "amplify-d1a2b3c4d5e6f7-featureloginv2-branch-4adb7deb4a"
LOGIN_PATH = "/amplify/d1a2b3c4d5e6f7/featureloginv2-branch-4adb7deb4a"
MINE = "amplify-myapp-backend-standalone-abeed4c9fc"
BRANCH = ("--app-id", APP, "--branch", "feature/login-v2")


@pytest.fixture
def aws(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAWS]:
    """A fake AWS with one secret, for the commands and scripts of a project."""
    project(None)
    secret = {"Name": "x", "Value": "v4lue", "Version": 1, "LastModifiedDate": 0}
    replies: dict[str, Any] = {
        "GetCallerIdentity": CALLER,
        "GetParameter": {"Parameter": secret},
        "GetParametersByPath": {"Parameters": []},
    }
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with FakeAWS(**replies) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        yield fake


@pytest.mark.parametrize(
    ("words", "path"),
    [
        pytest.param(("secret", "get", "x", *BRANCH), f"{LOGIN_PATH}/x", id="after"),
        pytest.param((*BRANCH, "secret", "get", "x"), f"{LOGIN_PATH}/x", id="before"),
        pytest.param(
            (*BRANCH[:2], "secret", *BRANCH[2:], "get", "x"), f"{LOGIN_PATH}/x", id="between"
        ),
        pytest.param(("secret", "get", "x", "--stack", LOGIN), f"{LOGIN_PATH}/x", id="stack"),
        pytest.param(
            ("secret", "get", "x", "--stack", MINE),
            "/amplify/myapp/backend-standalone-abeed4c9fc/x",
            id="standalone",
        ),
    ],
)
def test_secrets_are_those_of_the_chosen_backend(
    aws: FakeAWS, seedctl: CommandLine, words: tuple[str, ...], path: str
) -> None:
    """The options are accepted before and after the command, and a read needs no permission more."""
    result = seedctl(*words)
    assert result.code == 0, result.err
    assert aws.calls == [("GetParameter", {"Name": path, "WithDecryption": True})]


def test_messages_name_the_chosen_backend(aws: FakeAWS, seedctl: CommandLine) -> None:
    """A message says which backend it is about, and the advice selects the same one."""
    aws.replies["GetParameter"] = ("ParameterNotFound", "none")
    missing = seedctl("secret", "get", "x", *BRANCH)
    assert missing.code == 4
    assert f"no secret x in the branch feature/login-v2 of app {APP}." in missing.err
    assert f"seedctl --app-id {APP} --branch feature/login-v2 secret set x" in missing.err
    assert f"No secrets in branch feature/login-v2 of app {APP}." in seedctl(
        "secret", "list", *BRANCH
    ).err.replace("\n", " ")


def test_the_policy_is_for_the_chosen_backend(aws: FakeAWS, seedctl: CommandLine) -> None:
    """The policy has the paths of that backend's secrets."""
    document = json.loads(seedctl("generate-policy", *BRANCH).out)
    assert document["Statement"][1]["Resource"] == [
        f"arn:aws:ssm:*:*:parameter{LOGIN_PATH}/*",
        f"arn:aws:ssm:*:*:parameter/amplify/shared/{APP}/*",
    ]
    assert aws.operations()[-1] == "GetCallerIdentity"


def test_another_stack_has_no_secrets(aws: FakeAWS, seedctl: CommandLine) -> None:
    """For a stack that Amplify did not name, the error says why; the script gets no identifier."""
    result = seedctl("secret", "get", "x", "--stack", "my-stack")
    assert result.code == 3
    assert "[BackendIdConversionFault] The stack my-stack has no secrets" in result.err
    assert aws.calls == []
    with connect(stack="my-stack") as backend:
        assert backend.environment()["AMPLIFY_BACKEND_IDENTIFIER"] is None
        assert backend.describe().startswith("the stack my-stack (")


def test_the_script_gets_the_identifier_of_the_branch(aws: FakeAWS) -> None:
    """A JavaScript tool that the script starts acts on the same branch, by its raw name."""
    with connect(app_id=APP, branch="feature/login-v2") as backend:
        assert json.loads(backend.environment()["AMPLIFY_BACKEND_IDENTIFIER"] or "") == {
            "namespace": APP,
            "name": "feature/login-v2",
            "type": "branch",
        }
        assert backend.secrets.get("x") == "v4lue"
    assert aws.calls[0][1]["Name"] == f"{LOGIN_PATH}/x"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--app-id", APP), id="no branch"),
        pytest.param(("--identifier", "dev1", *BRANCH), id="a sandbox too"),
        pytest.param(("--local", *BRANCH), id="local"),
        pytest.param(("--stack", "my stack"), id="no stack's name"),
        pytest.param(("--branch", "", "--app-id", APP), id="empty"),
    ],
)
@pytest.mark.parametrize("command", [("seed",), ("secret", "list"), ("generate-policy",)])
def test_contradictions_are_wrong_usage(
    aws: FakeAWS, seedctl: CommandLine, command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """Options that exclude each other are refused wherever they stand, before any call."""
    assert seedctl(*command, *words).code == 2
    assert seedctl(*words, *command).code == 2
    assert aws.calls == []


@pytest.mark.parametrize("command", [("set", "x"), ("remove", "x"), ("import", "values.env")])
def test_commands_that_write_secrets_name_their_target(
    aws: FakeAWS, seedctl: CommandLine, command: tuple[str, ...]
) -> None:
    """The account and the sandbox are shown before the first write."""
    Path("values.env").write_text("x=v4lue\n")
    aws.replies.update(PutParameter={"Version": 1}, DeleteParameter={})
    result = seedctl("secret", *command, "--identifier", "dev1", stdin=b"v4lue")
    assert result.code == 0, result.err
    target, done = result.err.splitlines()
    assert "sandbox dev1" in target
    assert "account 123456789012" in target
    assert "sandbox dev1" in done
    assert [name for name in aws.operations() if name != "GetCallerIdentity"] == [
        "DeleteParameter" if "remove" in command else "PutParameter"
    ]


def test_only_commands_that_write_take_allow_target(aws: FakeAWS, seedctl: CommandLine) -> None:
    """Reading needs no permission, so the option would have no effect there."""
    for command in (("secret", "get", "x"), ("secret", "list"), ("generate-policy",)):
        result = seedctl(*command, "--allow-target", "main")
        assert result.code == 2
        assert "--allow-target is not an option of seedctl" in result.err
    assert aws.calls == []
