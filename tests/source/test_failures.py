"""Errors in the project's source, from recorded results; ``tests/node`` has them from Node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl import masking
from seedctl.source import synthesis
from tests.source.cases import AUTH, BACKEND, CASES, Case
from tests.source.conftest import install
from tests.source.recording import check, tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import CommandLine
    from tests.source.recording import FakeNode

_ANY = next(case for case in CASES if case.name == "throws")


def _broken(case: Case, tmp_path: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = case.make_project(tmp_path / "project")
    install(project)
    node.plays_back(case, project)
    monkeypatch.chdir(project)
    return project


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_project_is_explained(
    case: Case,
    tmp_path: Path,
    node: FakeNode,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file and line, Node's own words and what to do are said; nothing is written."""
    check(case, _broken(case, tmp_path, node, monkeypatch), seedctl)


def test_what_the_project_prints_is_shown_with_its_failure_only(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its output comes before the error, without secrets, and only the last forty lines of it."""
    _broken(_ANY, tmp_path, node, monkeypatch)
    masking.register("Swordfish-77")
    lines = "x" * 200_000 + "".join(f"line {number}\n" for number in range(99))
    error = {"name": "Error", "message": "no Swordfish-77", "stack": ""}
    node.ends(1, output=f"{lines}password: Swordfish-77\n", result={"error": error})
    result = seedctl("local", "init", "-q")
    assert result.code == 3
    assert result.err.startswith("line 60\n")
    assert "line 98\npassword: ***\n[BackendSourceError]" in result.err
    node.ends(1, output="y" * 2_000 + "Swordfish-77\n", result={"error": error})
    long = seedctl("local", "init", "-q").err.splitlines()[0]
    assert long == "y" * 1_000
    assert "Swordfish" not in result.err
    assert result.out == ""


def test_a_process_that_is_killed_is_explained(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node may be ended by the system, or end by itself without a result: both are told apart."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    before = tree(project)
    node.ends(-9)
    killed = seedctl("local", "init")
    assert (killed.code, "ended by signal 9" in killed.err) == (3, True)
    node.ends(1, output="SyntaxError: strange\n")
    ended = seedctl("local", "init")
    assert (ended.code, "ended with exit code 1" in ended.err) == (3, True)
    assert "SyntaxError: strange\n[BackendSourceError]" in ended.err
    assert tree(project) == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CredentialsProviderError", "Could not load credentials from any providers"),
        ("Error", "Region is missing"),
    ],
)
def test_a_call_to_aws_is_explained(
    name: str,
    message: str,
    tmp_path: Path,
    node: FakeNode,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Code that calls AWS by itself gets the same advice as a look-up of the AWS CDK."""
    _broken(_ANY, tmp_path, node, monkeypatch)
    node.ends(1, result={"error": {"name": name, "message": message, "stack": ""}})
    assert "no AWS to look it up in" in seedctl("local", "init").err


def test_a_full_disk_is_not_blamed_on_the_source(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the temporary folder has no space left, no line of the project is to be corrected."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    cause = {"name": "Error", "message": "ENOSPC: no space left on device", "stack": ""}
    stack = f"at {project}/{AUTH}:3:7"
    node.ends(1, result={"error": {"name": "E", "message": "m", "stack": stack, "cause": cause}})
    err = seedctl("local", "init").err
    assert f"\n  at {BACKEND}\n" in err
    assert "Resolution: The disk is full. Free some space, or set TMPDIR" in err


def test_a_wait_for_another_program_has_its_place(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node cannot say where it is then, so the line is searched for."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    (project / AUTH).write_text('\nexecSync("sleep 1000");\n')
    node.ends(-9, result={"late": ""})
    assert f"\n  at {AUTH}, line 2\n" in seedctl("local", "init").err


def test_endless_output_fills_no_disk(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what the project prints, earlier parts are dropped while it runs; the last are shown."""
    _broken(_ANY, tmp_path, node, monkeypatch)
    monkeypatch.setattr(synthesis, "_LARGEST_FILE", 10)
    monkeypatch.setattr(synthesis, "_POLL_SECONDS", 0.01)
    version = node.folder / "version"
    node.program.write_text(
        f'#!/bin/sh\nif [ "$1" = -e ]; then cat {version}; exit; fi\necho the first words\n'
        "while [ -s /dev/fd/1 ]; do sleep 0.01; done\necho the last words\nexit 1\n"
    )
    err = seedctl("local", "init").err
    assert "the last words\n[BackendSourceError]" in err
    assert "first" not in err
    assert "\0" not in err, "Node continues at the beginning of the file"


def test_a_cause_is_shown_below_the_error(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last cause that says something new is shown, and the resolution of whichever has one."""
    _broken(_ANY, tmp_path, node, monkeypatch)
    root = {"name": "GraphQLError", "message": "Unknown type Tod.", "stack": ""}
    middle = {"name": "X", "message": "a", "stack": "", "resolution": "Rename it.", "cause": root}
    top = {
        "name": "InvalidSchemaError",
        "message": "a",
        "stack": "at f (x.ts:1:1)",
        "cause": middle,
    }
    node.ends(1, result={"error": top})
    err = seedctl("local", "init").err
    assert "cannot be loaded: InvalidSchemaError: a\n" in err
    assert "∟ Caused by: [GraphQLError] Unknown type Tod.\n" in err
    assert "Resolution: Rename it.\n" in err


def test_the_place_is_the_first_file_of_the_project(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of Node, of packages and of files that are not there are passed over."""
    project = _broken(_ANY, tmp_path / "a (b)", node, monkeypatch)
    url = str(project).replace(" ", "%20")
    for frame, place in (
        (f"at load ({project}/{AUTH}:3:7)", f"{AUTH}, line 3"),
        (f"at async file://{url}/{AUTH}?namespace=1795:3:7", f"{AUTH}, line 3"),
        (f"at {project}/{AUTH}:3", f"{AUTH}, line 3"),
        ("at f (node:internal/x:3:7)", BACKEND),
        (f"at eval (eval at g ({project}/{AUTH}:3:7), <anonymous>:1:1)", f"{AUTH}, line 3"),
        (f"at f ({project}/node_modules/tsx/package.json:3:7)", BACKEND),
        (f"at f ({project}/amplify/gone.ts:3:7)", BACKEND),
        (f"- {project}/{AUTH}", BACKEND),
    ):
        error = {"name": "Error", "message": "m", "stack": f"Error: m\n    {frame}"}
        node.ends(1, result={"error": error})
        assert f"\n  at {place}\n" in seedctl("local", "init").err, frame


def test_a_required_module_that_is_missing_has_its_place(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CommonJS says in other words which file requires what."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    for name, line, fix in (
        ("./auth/resource", 2, "Correct the path"),
        ("@aws-amplify/backend", 1, "npm install --save-dev @aws-amplify/backend."),
        ("gone", None, "npm install --save-dev gone."),
    ):
        message = f"Cannot find module '{name}'\nRequire stack:\n- {project}/{BACKEND}"
        node.ends(1, result={"error": {"name": "Error", "message": message, "stack": ""}})
        err = seedctl("local", "init").err
        assert f"cannot be loaded: Cannot find module '{name}'\n" in err
        assert f"\n  at {BACKEND}{'' if line is None else f', line {line}'}\n" in err
        assert fix in err


def test_github_shows_the_error_at_its_line(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The annotation has the file, and the line if it is known."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project))
    title = "title=BackendSourceError::"
    assert f"::error file=amplify/data/resource.ts,line=17,{title}" in seedctl("local", "init").err
    node.ends(0, result={})
    assert f"::error file=amplify/backend.ts,{title}" in seedctl("local", "init").err


def test_a_file_that_only_the_message_names_is_the_place(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node names a broken package.json so. Files of packages are not the user's to correct."""
    project = _broken(_ANY, tmp_path, node, monkeypatch)
    for message, place in (
        (f"Error parsing: {project}/amplify/package.json", "amplify/package.json"),
        (f"Invalid package config {project}/amplify/package.json.", "amplify/package.json"),
        (f"Error parsing: {project}/amplify/gone.json", BACKEND),
        (
            f"Cannot read {project}/amplify or {project}/amplify/package.json",
            "amplify/package.json",
        ),
        (f"Error parsing: {project}/node_modules/tsx/package.json", BACKEND),
        (f"Cannot find package 'x' imported from {project}/node_modules/tsx/api.mjs", BACKEND),
    ):
        node.ends(1, result={"error": {"name": "Error", "message": message, "stack": ""}})
        err = seedctl("local", "init").err
        assert f"\n  at {place}\n" in err
    assert "packages are incomplete: delete node_modules, run npm install, and" in err
    (project / "pnpm-lock.yaml").touch()
    assert "delete node_modules, run pnpm install, and" in seedctl("local", "init").err


def test_a_resolution_that_only_points_to_the_cause_is_left_out(
    tmp_path: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amplify's "See the underlying error message" helps nobody who sees that message."""
    _broken(_ANY, tmp_path, node, monkeypatch)
    cause = {"name": "EnableEmailBased", "message": "Set email.", "stack": ""}
    resolution = "See the underlying error message for more details. Use `--debug` for more."
    error = {"name": "E", "message": "m", "stack": "", "resolution": resolution, "cause": cause}
    node.ends(1, result={"error": error})
    err = seedctl("local", "init").err
    assert "Caused by: [EnableEmailBased] Set email.\n" in err
    assert "Resolution: Correct it there" in err
