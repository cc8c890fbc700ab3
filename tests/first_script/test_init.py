"""``seedctl init``: the script that it writes, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, process_state
from seedctl.first_script.text import script_text
from seedctl.first_script.trial import find_first_script
from seedctl.outputs import parse_outputs
from seedctl.project.gitignore import ignores_state
from seedctl.report import Report
from seedctl.runner.script import run_script
from tests.first_script.conftest import ALL, document_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.running import CommandLine

PASSWORD = "Passw0rd!Passw0rd!"
# The backends for which the commands run as they are; codes of an authenticator need new processes.
BY_COMMAND = [
    "source guide-basic",
    "source mfa-required-totp",
    "outputs shapes_apikey",
    "deployed storage-only",
]
# The scripts for these are those for guest_iam, storage-only, custom-outputs, social-sign-in and
# guide-basic.
SAME = [
    "outputs auth_rules",
    "outputs reports_userpool",
    "outputs storage_only_multi_bucket",
    "outputs terse_v1",
    "outputs todo_userpool",
]


@pytest.mark.parametrize("name", [name for name in ALL if name not in {*BY_COMMAND, *SAME}])
@pytest.mark.usefixtures("_no_waiting")
def test_the_script_of_each_backend_runs_again_and_again(name: str, tmp_path: Path) -> None:
    """The script for a backend runs as it is, twice, and does what init says that it does."""
    outputs = parse_outputs(document_of(name), tmp_path / "outputs.json")
    outputs.path.write_text(json.dumps(outputs.document), encoding="utf-8")
    (tmp_path / "package.json").write_text('{"name": "my-app"}', encoding="utf-8")
    found = find_first_script(outputs)
    script = tmp_path / "seed.py"
    script.write_text(script_text(found), encoding="utf-8")
    report = Report()
    with connect(
        tmp_path, identifier="alice", outputs=outputs.path, local=True, observer=report
    ) as backend:
        backend.secrets.set("seed-user-password", PASSWORD)
        for _ in range(2):
            run_script(script, backend)
    assert report.failed == 0
    users = [event.state for event in report.events if event.kind == "user"]
    assert users == (["created", "existed"] if found.user is not None else [])
    counts = Counter(event.kind for event in report.records.elements())
    parts = {"record": found.record, "file": found.file}
    assert counts == {kind: 2 for kind, part in parts.items() if part is not None}


@pytest.mark.parametrize("name", BY_COMMAND)
@pytest.mark.usefixtures("_no_waiting")
def test_the_script_seeds_the_local_sandbox_again_and_again(
    name: str, project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """What init writes for a backend runs as it is, twice, and does what the message says."""
    folder = project(document_of(name))
    written = seedctl("init")
    assert (written.code, written.out) == (0, "")
    text = (folder / "amplify" / "seed" / "seed.py").read_text(encoding="utf-8")
    if "get_secret" in text:
        secret = ("secret", "set", "seed-user-password", "--local")
        assert " ".join(("seedctl", *secret)) in written.err
        assert seedctl(*secret, stdin=PASSWORD.encode()).code == 0
    for _ in range(2):
        with process_state.fresh():  # as in a new process
            run = seedctl("seed", "--local")
        assert run.code == 0, run.err
    counts = {"upsert": "1 record", "upload_data": "1 file", "create_and": "1 user already there"}
    missing = [word for word, count in counts.items() if word in text and count not in run.err]
    assert missing == []


def test_an_old_outputs_file_that_tells_little_of_the_pool(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """Where the kinds of user names are unknown, the script is one that runs again all the same."""
    document = document_of("deployed guide-basic")
    known = {"aws_region", "user_pool_id", "user_pool_client_id", "identity_pool_id"}
    document["auth"] = {name: document["auth"][name] for name in known}
    project(document)
    assert seedctl("init").code == 0
    assert (
        seedctl("secret", "set", "seed-user-password", "--local", stdin=PASSWORD.encode()).code == 0
    )
    for state in ("created", "already there"):
        run = seedctl("seed", "--local")
        assert run.code == 0, run.err
        assert f"1 user {state}" in run.err


def test_scripts_are_laid_out_as_ruff_lays_them_out(tmp_path: Path) -> None:
    """A formatter has nothing to change in a script, and a linter finds nothing in it."""
    names = ["two-buckets", "data-rules", "data-shapes", "mfa-required-totp"]
    for number, name in enumerate([*(f"source {name}" for name in names), "outputs corners"]):
        outputs = parse_outputs(document_of(name), tmp_path / "outputs.json")
        text = script_text(find_first_script(outputs))
        (tmp_path / f"script_{number}.py").write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--check"], ["check", "--select", "E,F,I,W,UP"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_scripts_of_the_guides_backend(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """The guide's backend gets a user, a todo and a picture, in a script that anyone can read."""
    folder = project(document_of("source guide-basic"))
    written = seedctl("init")
    assert (folder / "amplify" / "seed" / "seed.py").read_text(encoding="utf-8") == (
        '"""Create a first user, record and file.\n\n'
        "Run it with seedctl seed --local, as often as you like.\n"
        '"""\n\n'
        "from seedctl import auth, create_and_sign_up_user, data, get_secret, storage\n\n"
        "create_and_sign_up_user(\n"
        '    username="ann@example.com",\n'
        '    password=get_secret("seed-user-password"),\n'
        "    sign_in_after_creation=True,\n"
        '    if_exists="sign_in",\n'
        ")\n\n"
        "client = data.generate_client()\n"
        "client.models.Todo.upsert(\n"
        "    {\n"
        '        "id": "first-todo",\n'
        '        "content": "First content",\n'
        '        "isDone": False,\n'
        "    },\n"
        '    auth_mode="userPool",\n'
        ")\n\n"
        'storage.upload_data("pictures/first.txt", "My first file")\n\n'
        "auth.sign_out()\n"
    )
    assert written.err == (
        "✔ Wrote amplify/seed/seed.py: the user ann@example.com, a record of Todo and the file "
        "pictures/first.txt.\n"
        "✔ Added .amplify/ to .gitignore.\n"
        "Next:\n"
        "  seedctl secret set seed-user-password --local\n"
        "    (asks for the user's password; choose one such as Passw0rd!)\n"
        "  seedctl seed --local\n"
        "Without --local, the same commands seed the sandbox that is deployed on AWS.\n"
    )
    assert (folder / ".gitignore").read_text(encoding="utf-8") == ".amplify/\n"


def test_a_named_outputs_file_is_named_in_the_next_commands(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """With --outputs the printed commands use the same file."""
    folder = project(document_of("deployed mfa-optional-all"))
    (folder / "amplify" / "seed" / "local_outputs.json").rename(folder / "my outputs.json")
    written = seedctl("init", "--outputs", "my outputs.json")
    assert written.code == 0
    assert "  seedctl seed --local --outputs 'my outputs.json'\n" in written.err


def test_a_named_folder_is_named_in_the_next_commands(
    project: Callable[..., Path], seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -C the printed commands act on the same project."""
    folder = project(None)
    monkeypatch.chdir(folder.parent)
    commands = seedctl("-C", folder.name, "init").err.partition("Next:\n")[2].splitlines()
    assert commands[0] == f"  seedctl local init -C {folder.name}"
    assert commands[1].endswith(f"--local -C {folder.name}")
    assert commands[3] == f"  seedctl seed --local -C {folder.name}"


def test_nothing_is_overwritten(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """An existing script is an error that says so, and nothing is written at all."""
    folder = project(document_of("source guide-basic"))
    script = folder / "amplify" / "seed" / "seed.py"
    script.write_text("mine = 1\n", encoding="utf-8")
    refused = seedctl("init")
    assert refused.code == 3
    assert f"{script} is there already." in refused.err
    assert script.read_text(encoding="utf-8") == "mine = 1\n"
    assert not (folder / ".gitignore").exists()


def test_a_backend_that_is_not_read_yet(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """With source and no outputs file, init names the command that makes one."""
    folder = project()
    (folder / "amplify").mkdir()
    (folder / "amplify" / "backend.ts").touch()
    refused = seedctl("init")
    assert refused.code == 3
    assert "Run seedctl local init first" in refused.err
    assert not (folder / "amplify" / "seed").exists()


def test_a_project_without_any_backend(project: Callable[..., Path], seedctl: CommandLine) -> None:
    """With neither outputs nor source the script has a user, and the printed commands lead on."""
    project()
    written = seedctl("init")
    commands = [line.split() for line in written.err.splitlines() if line.startswith("  seedctl")]
    assert [words[1:] for words in commands] == [
        ["local", "init"],
        ["secret", "set", "seed-user-password", "--local"],
        ["seed", "--local"],
    ]
    assert seedctl(*commands[0][1:]).code == 0
    assert seedctl(*commands[1][1:], stdin=b"Passw0rd!").code == 0
    assert seedctl(*commands[2][1:]).code == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("node_modules", "node_modules\n.amplify/\n", id="no line end"),
        pytest.param("a\n", "a\n.amplify/\n", id="other lines"),
        pytest.param(".amplify\n", ".amplify\n", id="there"),
        pytest.param("/.amplify/\n", "/.amplify/\n", id="there, anchored"),
    ],
)
def test_gitignore_gets_the_line_once(
    text: str, expected: str, project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """init adds .amplify/ to an existing .gitignore unless it is ignored, and changes nothing else."""
    folder = project()
    (folder / ".gitignore").write_text(text, encoding="utf-8")
    assert seedctl("init").code == 0
    assert (folder / ".gitignore").read_text(encoding="utf-8") == expected


def test_a_gitignore_that_cannot_be_read(
    project: Callable[..., Path], seedctl: CommandLine
) -> None:
    """A .gitignore that is no text stays as it is, and a warning says which line to add."""
    folder = project()
    (folder / ".gitignore").write_bytes(b"\xff\xfe")
    written = seedctl("init")
    assert written.code == 0
    assert "Add the line .amplify/ to it." in written.err
    assert (folder / ".gitignore").read_bytes() == b"\xff\xfe"


def test_the_gitignore_of_a_repository_counts_for_its_packages(tmp_path: Path) -> None:
    """In a monorepo the file of the repository's root counts, and none above it."""
    (tmp_path / ".gitignore").write_text("**/.amplify\n", encoding="utf-8")
    package = tmp_path / "packages" / "backend"
    package.mkdir(parents=True)
    assert ignores_state(package)
    (package.parent / ".git").mkdir()
    assert not ignores_state(package)


def _edited(name: str, **changes: Any) -> dict[str, Any]:
    """Return the document *name* with *changes* to its auth section, and nothing but that."""
    document = document_of(name)
    return {"version": document["version"], "auth": document["auth"] | changes}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        pytest.param(
            {"username_attributes": ["phone_number"]}, ['username="+15555550100",'], id="phone"
        ),
        pytest.param({"username_attributes": []}, ['username="ann",'], id="names"),
        pytest.param(
            {"mfa_configuration": "REQUIRED", "mfa_methods": ["EMAIL"]},
            ['sign_in_flow="MFA",', 'mfa_preference="EMAIL",'],
            id="e-mail codes",
        ),
        pytest.param(
            {"mfa_configuration": "REQUIRED", "mfa_methods": ["SMS"]},
            ['mfa_preference="SMS",', '"phone_number": "+15555550100",'],
            id="SMS codes",
        ),
        pytest.param(
            {"mfa_configuration": "REQUIRED", "mfa_methods": ["SMS", "TOTP"]},
            ['mfa_preference="TOTP",', "totp_sign_up_challenge=enroll,"],
            id="TOTP before SMS",
        ),
        pytest.param(
            {"standard_required_attributes": ["email", "birthdate", "zoneinfo"]},
            ['"birthdate": "1990-01-31",', '"zoneinfo": "Europe/Paris",'],
            id="required attributes",
        ),
    ],
)
def test_the_user_fits_the_pool(changes: dict[str, Any], lines: list[str], tmp_path: Path) -> None:
    """User name, attributes and MFA method are those that the user pool accepts."""
    outputs = parse_outputs(_edited("deployed guide-basic", **changes), tmp_path / "o.json")
    text = script_text(find_first_script(outputs))
    assert [line for line in lines if line not in text] == []


def test_the_user_joins_a_group_that_may_write_more(tmp_path: Path) -> None:
    """The user is a member of a group only where that allows a record or a file."""
    document = document_of("deployed guide-basic")
    model = document["data"]["model_introspection"]["models"]["Todo"]
    for attribute in model["attributes"]:
        if attribute["type"] == "auth":
            attribute["properties"]["rules"] = [
                {"allow": "groups", "groups": ["admin"], "operations": ["create", "update"]}
            ]
    outputs = parse_outputs(document, tmp_path / "o.json")
    found = find_first_script(outputs)
    assert found.user is not None
    assert found.record is not None
    assert (found.user.group, found.record.model) == ("admin", "Todo")


def test_a_temporary_folder_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox on which the script is tried leaves nothing behind."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outputs = parse_outputs(document_of("deployed guide-basic"), tmp_path / "o.json")
    find_first_script(outputs)
    assert list(tmp_path.iterdir()) == []
