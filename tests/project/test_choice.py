"""Which backend the options and the environment select, compared with the names of ampx."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import (
    BackendIdConversionFault,
    InvalidCommandInputError,
    SandboxIdentifierNotFoundError,
)
from seedctl.project import (
    BackendChoice,
    BackendIdentifier,
    OtherStack,
    Project,
    chosen_identifier,
    is_own_sandbox,
)

ROWS = json.loads(
    (Path(__file__).parents[1] / "data" / "branch_names.json").read_text(encoding="utf-8")
)["rows"]
MAIN = BackendIdentifier("d1a2b3c4d5e6f7", "main", "branch")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "package.json").write_text('{"name": "@acme/my-app"}', encoding="utf-8")
    return Project(tmp_path)


def test_names_of_branches_equal_those_of_ampx(project: Project) -> None:
    """A branch is found by its raw name, and any backend by its stack's name: with ampx's paths."""
    for row in ROWS:
        raw, stack = row["identifier"], row["stack_name"]
        choice = BackendChoice(identifier=BackendIdentifier(**raw))
        if raw["type"] == "branch":
            choice = BackendChoice(app_id=raw["namespace"], branch=raw["name"])
        choice.check(is_local=False)
        by_name = chosen_identifier(choice, project)
        by_stack = chosen_identifier(BackendChoice(stack=stack), project)
        for identifier in (by_name, by_stack):
            assert identifier.stack_name == stack
            assert identifier.parameter_path("password") == row["parameter_path"], stack
        assert json.loads(by_name.to_json()) == raw
        assert by_name.shared_prefix == f"/amplify/shared/{raw['namespace']}", stack


def test_the_table_is_complete() -> None:
    """No recorded row is missing."""
    assert len(ROWS) == 61


@pytest.mark.parametrize(
    ("given", "is_local", "named"),
    [
        pytest.param({"app_id": "d1"}, False, "--app-id needs --branch", id="no branch"),
        pytest.param({"branch": "main"}, False, "--branch needs --app-id", id="no app"),
        pytest.param(
            {"identifier": "dev", "stack": "s"}, False, "--identifier and --stack", id="two"
        ),
        pytest.param(
            {"identifier": "dev", "branch": "main"}, False, "--identifier and --branch", id="half"
        ),
        pytest.param(
            {"app_id": "d1", "branch": "main", "stack": "s"},
            False,
            "--app-id, --branch and --stack exclude",
            id="branch and stack",
        ),
        pytest.param(
            {"identifier": MAIN, "stack": "s"}, False, "--identifier and --stack", id="object"
        ),
        pytest.param({"app_id": "d1", "branch": "main"}, True, "SEEDCTL_LOCAL", id="local branch"),
        pytest.param({"stack": "s"}, True, "SEEDCTL_LOCAL", id="local stack"),
        pytest.param({"app_id": "my-app", "branch": "main"}, False, "'my-app'", id="app's name"),
        pytest.param({"app_id": "D1", "branch": "main"}, False, "'D1'", id="upper case"),
        pytest.param({"app_id": "d" * 21, "branch": "x"}, False, "--app-id", id="long app id"),
        pytest.param({"app_id": "d", "branch": "x"}, False, "--app-id", id="short app id"),
        pytest.param({"app_id": "d1\n", "branch": "x"}, False, "--app-id", id="line break"),
        pytest.param({"app_id": "d1", "branch": "x" * 256}, False, "--branch", id="long branch"),
        pytest.param({"stack": "1s"}, False, "--stack", id="stack begins with a digit"),
        pytest.param({"stack": "a_b"}, False, "--stack", id="underscore"),
        pytest.param({"stack": "a" * 129}, False, "--stack", id="long stack"),
        pytest.param({"stack": "arn:aws:cloudformation:x"}, False, "not its ARN", id="ARN"),
    ],
)
def test_wrong_choices_are_wrong_usage(given: dict[str, Any], is_local: bool, named: str) -> None:
    """Options that exclude each other, and values that cannot exist, are refused before any call."""
    with pytest.raises(InvalidCommandInputError) as caught:
        BackendChoice(**given).check(is_local=is_local)
    assert named in f"{caught.value.message} {caught.value.resolution}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("given", [{}, {"identifier": "dev"}, {"allow_target": "main"}])
def test_choices_that_suit_the_local_sandbox(given: dict[str, Any]) -> None:
    """The local sandbox has an identifier too."""
    BackendChoice(**given).check(is_local=True)


def test_a_stack_that_amplify_did_not_name(project: Project) -> None:
    """Such a stack has a name and no secrets; the error says why."""
    too_long = f"amplify-a-{'b' * 51}-sandbox-0123456789"  # Amplify would have cut it
    names = ("my-stack", "amplify-a-b-sandbox", "amplify-a-b-sandbox-", "amplify-a-b-live-1")
    for name in (*names, too_long):
        identifier = chosen_identifier(BackendChoice(stack=name), project)
        assert isinstance(identifier, OtherStack)
        assert (identifier.stack_name, identifier.kind, identifier.title) == (name, "stack", name)
        assert identifier.options == f"--stack {name}"
        for path in ("parameter_prefix", "shared_prefix"):
            with pytest.raises(BackendIdConversionFault, match="Amplify did not make its name"):
                getattr(identifier, path)
        with pytest.raises(BackendIdConversionFault):
            identifier.resource_reference_path("x")


@pytest.mark.parametrize("namespace", ["@acme/my-app", "@acme/" + "n" * 150])
def test_a_stack_of_an_own_sandbox_has_the_raw_namespace(tmp_path: Path, namespace: str) -> None:
    """The path of shared secrets has the package's raw name, even if the stack's has a part of it."""
    (tmp_path / "package.json").write_text(json.dumps({"name": namespace}), encoding="utf-8")
    project, raw = Project(tmp_path), BackendIdentifier(namespace, "feature-1")
    found = chosen_identifier(BackendChoice(stack=raw.stack_name), project)
    assert found.stack_name == raw.stack_name
    assert found.shared_prefix == raw.shared_prefix
    assert found.parameter_prefix == raw.parameter_prefix
    assert is_own_sandbox(found, project)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        pytest.param(BackendIdentifier("@acme/my-app", "bob"), True, id="own"),
        pytest.param(BackendIdentifier("acmemyapp", "bob"), False, id="another package"),
        pytest.param(BackendIdentifier("acmemyapp", "bob", "sandbox", "1"), True, id="parsed"),
        pytest.param(BackendIdentifier("shop", "bob", "sandbox", "1"), False, id="parsed other"),
        pytest.param(BackendIdentifier("@acme/my-app", "b", "branch"), False, id="branch"),
        pytest.param(BackendIdentifier("@acme/my-app", "b", "Sandbox"), False, id="unknown type"),
        pytest.param(OtherStack.of("acmemyapp"), False, id="another stack"),
    ],
)
def test_sandboxes_of_this_project(
    project: Project, identifier: BackendIdentifier, expected: bool
) -> None:
    """Only a sandbox with the namespace of this project's package.json is its own."""
    assert is_own_sandbox(identifier, project) is expected


def test_without_a_package_json_no_sandbox_is_another_projects(tmp_path: Path) -> None:
    """What cannot be read proves nothing."""
    assert is_own_sandbox(BackendIdentifier("shop", "bob"), Project(tmp_path))
    assert not is_own_sandbox(MAIN, Project(tmp_path))


@pytest.mark.parametrize(
    ("identifier", "options", "short_name"),
    [
        (BackendIdentifier("a", "b"), "--identifier b", "amplify-a-b-sandbox-2d408a0717"),
        (BackendIdentifier("a", "mine"), "", None),
        (BackendIdentifier("a", "b.c"), "--stack amplify-a-bc-sandbox-3e201eea53", None),
        (BackendIdentifier("a", "b", hash="1"), "--stack amplify-a-b-sandbox-1", None),
        (MAIN, "--app-id d1a2b3c4d5e6f7 --branch main", "main"),
        (
            BackendIdentifier("d1", "it's/a b", "branch"),
            "--app-id d1 --branch 'it'\"'\"'s/a b'",
            "it's/a b",
        ),
        (BackendIdentifier("d1", "b", "branch", "1"), "--stack amplify-d1-b-branch-1", None),
        (
            BackendIdentifier("my-app", "backend", "standalone"),
            "--stack amplify-myapp-backend-standalone-abeed4c9fc",
            None,
        ),
    ],
    ids=[
        *("sandbox", "default sandbox", "account's sandbox", "sandbox's stack"),
        *("branch", "odd branch", "branch's stack", "standalone"),
    ],
)
def test_how_to_name_a_backend_again(
    identifier: BackendIdentifier,
    options: str,
    short_name: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The options of a message select the same backend, also in a shell."""
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "mine")
    assert identifier.options == options
    assert identifier.short_name == (short_name or identifier.stack_name)


AMPX = {
    "branch": '{"namespace":"d1","name":"main","type":"branch"}',
    "sandbox": '{"namespace":"shop","name":"eve","type":"sandbox"}',
    "broken": "{",
}


@pytest.mark.parametrize(
    ("which", "variable", "expected"),
    [
        ("any", "branch", ("d1", "main")),
        ("any", "sandbox", ("shop", "eve")),
        ("deployed", "branch", ("d1", "main")),
        ("deployed", "sandbox", ("@acme/my-app", "dev1")),
        ("deployed", "broken", ("@acme/my-app", "dev1")),
        ("none", "branch", ("@acme/my-app", "dev1")),
    ],
)
def test_the_variable_of_ampx(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    which: Any,
    variable: str,
    expected: tuple[str, str],
) -> None:
    """A script uses AMPLIFY_BACKEND_IDENTIFIER, a command only if it names a deployed backend."""
    monkeypatch.setenv("AMPLIFY_BACKEND_IDENTIFIER", AMPX[variable])
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "dev1")
    found = chosen_identifier(BackendChoice(), project, from_ampx=which)
    assert (found.namespace, found.name) == expected
    for choice in (
        BackendChoice("bob"),
        BackendChoice(app_id="d2", branch="x"),
        BackendChoice(stack="s"),
    ):
        assert chosen_identifier(choice, project, from_ampx=which).name in {"bob", "x", "s"}


def test_the_variable_of_seedctl_is_checked(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that ampx would refuse is refused, and the message names the variable."""
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "feature/x")
    with pytest.raises(InvalidCommandInputError, match="SEEDCTL_IDENTIFIER is 'feature/x'"):
        chosen_identifier(BackendChoice(), project)


def test_a_broken_variable_stops_a_script(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script must not use another backend than the one that the variable was meant to name."""
    monkeypatch.setenv("AMPLIFY_BACKEND_IDENTIFIER", "{")
    with pytest.raises(SandboxIdentifierNotFoundError):
        chosen_identifier(BackendChoice(), project)
