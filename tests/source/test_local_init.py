"""``local init`` from the project's source: what is written, when, and which source is read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import uninterrupted
from seedctl.outputs import load_outputs
from seedctl.project import Project
from seedctl.source import synthesis
from seedctl.source.reading import is_unedited
from seedctl.source.toolchain import Toolchain
from tests.outputs.backends import BACKENDS
from tests.running import DATA
from tests.source.conftest import add_package, install
from tests.source.recording import FakeNode, tree
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.running import CommandLine

WRITTEN = "amplify/seed/local_outputs.json"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with its packages, and go there."""
    folder = tmp_path / "project"
    shutil.copytree(BACKENDS / "guide-basic" / "project", folder)
    install(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def backend(node: FakeNode) -> FakeNode:
    """Let Node synthesize that project."""
    node.synthesizes("guide-basic")
    return node


def _document(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / WRITTEN).read_text(encoding="utf-8"))
    return document


def test_the_file_is_made_from_the_source(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """Users, models and buckets are in the file, with the digests of what they were made from."""
    before = tree(root)
    result = seedctl("local", "init")
    assert result.code == 0, result.err
    assert result.err == (
        "Reading amplify/backend.ts with Node.js v20.20.2 …\n"
        f"✔ Wrote {WRITTEN} from amplify/backend.ts.\n"
        "Next: seedctl init writes a first seed script that fits it.\n"
    )
    outputs = load_outputs(root / WRITTEN)
    assert outputs.auth is not None
    assert outputs.data is not None
    assert outputs.storage is not None
    assert outputs.details.model_schema is not None
    assert "amplify/data/resource.ts" in outputs.details.sources
    after = tree(root)
    new = after.keys() - before.keys()
    assert new == {str(root / WRITTEN), str(root / "amplify/seed")}
    assert {path: after[path] for path in before} == before


def test_node_gets_no_way_to_aws(
    root: Path,
    backend: FakeNode,
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No AWS variable or file, folders of its own to write to, and the project's own variables."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_REGION": "eu-west-1",
        "CDK_DEFAULT_ACCOUNT": "111122223333",
        "SEEDCTL_APP_CLIENT_SECRET": "s",
        "FORCE_COLOR": "1",
        "MY_SETTING": "yes",
        "XDG_CACHE_HOME": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    assert seedctl("local", "init", "--timeout", "77").code == 0
    lines = backend.environment.read_text().splitlines()
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    aws = {name: value for name, value in variables.items() if name.startswith("AWS_")}
    assert aws == {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert variables["MY_SETTING"] == "yes"
    assert not variables.keys() & {"CDK_DEFAULT_ACCOUNT", "FORCE_COLOR", "XDG_CACHE_HOME"}
    assert not [name for name in variables if name.startswith("SEEDCTL_")]
    assert variables["CDK_VALIDATION"] == "false"
    context = json.loads(variables["CDK_CONTEXT_JSON"])
    assert context["amplify-backend-namespace"] == "guide-basic"
    assert context["aws:cdk:bundling-stacks"] == []
    task = json.loads(backend.task.read_text())
    assert (task["entry"], task["seconds"]) == (str(root / "amplify/backend.ts"), 77)
    assert variables["PWD"] == str(root)
    for name in ("HOME", "TMPDIR", "CDK_OUTDIR"):
        assert variables[name].startswith(task["folder"])
    assert not Path(task["folder"]).exists()


def test_a_second_run_changes_no_byte(root: Path, backend: FakeNode, seedctl: CommandLine) -> None:
    """Nothing is written again, and no --force is needed; a change of the source is taken over."""
    assert seedctl("local", "init").code == 0
    path = root / WRITTEN
    text, written_at = path.read_text(), path.stat().st_mtime_ns
    again = seedctl("local", "init")
    assert again.code == 0
    assert "is up to date with amplify/backend.ts" in again.err
    assert (path.read_text(), path.stat().st_mtime_ns) == (text, written_at)
    with (root / "amplify/auth/resource.ts").open("a") as file:
        file.write("// changed\n")
    assert f"Wrote {WRITTEN}" in seedctl("local", "init").err
    assert path.read_text() != text


def test_an_edited_file_is_replaced_with_force_only(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """Changes by hand are not lost; another layout of the same content is no change."""
    assert seedctl("local", "init").code == 0
    path = root / WRITTEN
    document = _document(root)
    path.write_text(json.dumps(dict(reversed(document.items()))))
    assert is_unedited(json.loads(path.read_text()))
    assert not is_unedited({**document, "more": "\ud800"})
    assert seedctl("local", "init").code == 0
    document["auth"]["groups"] = []
    path.write_text(json.dumps(document))
    refused = seedctl("local", "init")
    assert (refused.code, "--force" in refused.err) == (3, True)
    assert "is there already, and was edited or not made from" in refused.err
    assert "Reading" not in refused.err
    assert seedctl("local", "init", "--force").code == 0
    assert _document(root)["auth"]["groups"] != []


def test_another_file_is_replaced_with_force_only(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """A file that was not made from the source is not replaced by chance."""
    path = root / WRITTEN
    path.parent.mkdir()
    for text in ("", "{", "[]", '{"custom": {"seedctl": {}}}', '{"custom": 1}'):
        path.write_text(text)
        assert seedctl("local", "init").code == 3, text
        assert path.read_text() == text
    assert seedctl("local", "init", "--force").code == 0
    assert _document(root)["auth"]


def test_options_replace_a_file_from_the_source_with_force_only(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """What options or an outputs file tell is less than what the source told."""
    assert seedctl("local", "init").code == 0
    text = (root / WRITTEN).read_text()
    refused = seedctl("local", "init", "--group", "A")
    assert (refused.code, "has more details than the options" in refused.err) == (3, True)
    assert (root / WRITTEN).read_text() == text
    assert "from the options." in seedctl("local", "init", "--group", "A", "--force").err


def test_each_origin_can_be_chosen(root: Path, backend: FakeNode, seedctl: CommandLine) -> None:
    """--from reads what it names, and the line at the end tells which."""
    shutil.copy(DATA / "amplify_outputs.mfa.json", root / "amplify_outputs.json")
    result = seedctl("local", "init")
    assert "from amplify/backend.ts.\n" in result.err
    assert "--local uses amplify_outputs.json, which is there too." in result.err
    for origin, name in (
        ("outputs", "amplify_outputs.json"),
        ("options", "the options"),
        ("source", "amplify/backend.ts"),
    ):
        result = seedctl("local", "init", "--force", "--from", origin)
        assert f"✔ Wrote {WRITTEN} from {name}.\n" in result.err
    chosen = seedctl("local", "init", "--force", "--outputs", "amplify_outputs.json")
    assert "from amplify_outputs.json.\n" in chosen.err
    for words in (["--from", "source", "--group", "A"], ["--from", "outputs", "--mfa", "none"]):
        assert seedctl("local", "init", "--force", *words).code == 2
    (root / "amplify_outputs.json").unlink()
    missing = seedctl("local", "init", "--force", "--from", "outputs")
    assert (missing.code, "[AmplifyOutputsNotFoundError]" in missing.err) == (3, True)
    shutil.rmtree(root / "amplify")
    (root / "amplify/seed").mkdir(parents=True)
    missing = seedctl("local", "init", "--from", "source")
    assert (missing.code, "has no amplify/backend.ts" in missing.err) == (3, True)
    err = seedctl("local", "init").err
    assert "There is no amplify/backend.ts to read, and no amplify_outputs.json.\n" in err
    assert "from the options.\n" in err


def test_without_packages_the_outputs_are_read(
    root: Path, node: FakeNode, seedctl: CommandLine
) -> None:
    """Where the source cannot be read, that is said; a file is not made from nothing."""
    shutil.rmtree(root / "node_modules")
    refused = seedctl("local", "init")
    assert (refused.code, "[AmplifyPackagesNotFoundError]" in refused.err) == (3, True)
    assert "npm install" in refused.err
    assert "--from options" in refused.err
    assert not (root / WRITTEN).exists()
    shutil.copy(DATA / "amplify_outputs.basic.json", root / "amplify_outputs.json")
    result = seedctl("local", "init")
    assert result.code == 0
    assert "Warning: The backend's source was not read." in result.err
    assert "from amplify_outputs.json.\n" in result.err
    assert seedctl("local", "init", "--force", "--from", "source").code == 3
    assert seedctl("local", "init", "--force", "--group", "A").code == 0


def test_a_project_needs_a_name(root: Path, backend: FakeNode, seedctl: CommandLine) -> None:
    """As with Amplify's own tools, a package.json without a name is no project."""
    (root / "package.json").write_text("{}")
    result = seedctl("local", "init")
    assert (result.code, "[InvalidPackageJsonError]" in result.err) == (3, True)


def test_commands_warn_of_a_stale_file(root: Path, backend: FakeNode, seedctl: CommandLine) -> None:
    """A command that uses the file says in one line that a source has changed, and runs on."""
    assert seedctl("local", "init").code == 0
    assert "Warning" not in seedctl("--local", "secret", "set", "a", stdin=b"v").err
    (root / "amplify/data/resource.ts").write_text("changed")
    (root / "amplify/seed/seed.py").write_text("import seedctl\n")
    line = (
        f"Warning: {WRITTEN} is out of date: amplify/data/resource.ts has changed. "
        "Run seedctl local init.\n"
    )
    backend.task.unlink()
    for words in (("secret", "list"), ("seed",), ("generate-policy",)):
        result = seedctl("--local", *words)
        assert result.err.count(line) == 1
        assert result.code == 0
    assert not backend.task.exists(), "only local init runs the project's code"


def test_a_file_in_a_workspace_counts(root: Path, node: FakeNode, seedctl: CommandLine) -> None:
    """A loaded file of another package is a source; it may be missing where it is only built."""
    shared = root.parent / "shared.ts"
    shared.write_text("1")
    node.synthesizes("guide-basic", loaded=[shared, root / "node_modules/tsx/api.mjs"])
    assert seedctl("local", "init").code == 0
    assert "../shared.ts" in load_outputs(root / WRITTEN).details.sources
    shared.write_text("2")
    result = seedctl("--local", "secret", "list")
    assert "out of date: ../shared.ts has changed" in result.err
    shared.unlink()
    assert "out of date" not in seedctl("--local", "secret", "list").err


def test_a_node_that_disappears_is_reported(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """The program may be another one than the script in the PATH, and not be there."""
    (backend.folder / "version").write_text('["v22.0.0", "/no/such/node"]')
    result = seedctl("local", "init")
    assert (result.code, "/no/such/node cannot be run" in result.err) == (3, True)


def test_node_has_folders_of_its_own(root: Path, node: FakeNode, seedctl: CommandLine) -> None:
    """The folders that its variables name are there when it starts, and it reads no input."""
    node.program.write_text(
        f'#!/bin/sh\nif [ "$1" = -e ]; then cat {node.folder}/version; exit; fi\n'
        'cd "$HOME" && cd "$TMPDIR" && cd "$CDK_OUTDIR" && echo there >&2\ncat\nexit 1\n'
    )
    read_end, write_end = os.pipe()
    os.write(write_end, b"not for Node")
    os.close(write_end)
    own_input = os.dup(0)
    os.dup2(read_end, 0)
    try:
        result = seedctl("local", "init")
    finally:
        os.dup2(own_input, 0)
        os.close(own_input)
        os.close(read_end)
    assert "there\n[BackendSourceError]" in result.err


def test_node_may_report_after_the_time_limit(
    root: Path, backend: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given some seconds more than the limit, to say where the project's code was."""
    limits: list[float] = []

    def run(command: object, cwd: Path, variables: object, output: Path, seconds: float) -> int:
        output.touch()
        limits.append(seconds)
        return 1

    monkeypatch.setattr(synthesis, "_run", run)
    assert seedctl("local", "init", "--timeout", "7").code == 3
    assert limits == [7 + synthesis._GRACE_SECONDS]


def test_no_temporary_folder(
    root: Path, backend: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a folder for temporary files the error says so."""
    monkeypatch.setattr(tempfile, "tempdir", str(root / "nowhere"))
    result = seedctl("local", "init")
    assert (result.code, "A temporary folder cannot be made" in result.err) == (3, True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_ends_node_too(root: Path, node: FakeNode, number: int, code: int) -> None:
    """Node and what it started are ended, the temporary folder is removed, nothing is written."""
    pids = root.parent / "pids"
    node.program.write_text(
        f'#!/bin/sh\nif [ "$1" = -e ]; then cat {node.folder}/version; exit; fi\n'
        f'printf %s "$2" > {node.task}\nsleep 300 &\necho $$ $! > {pids}.new\n'
        f"mv {pids}.new {pids}\nwait\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "seedctl", "-C", str(root), "local", "init"],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
    ) as process:
        wait_until(pids.exists)
        process.send_signal(number)
        assert process.wait(60) == code
    for pid in map(int, pids.read_text().split()):
        wait_until(lambda pid=pid: not _is_running(pid))  # type: ignore[misc]
    assert not Path(json.loads(node.task.read_text())["folder"]).exists()
    assert not (root / "amplify/seed").exists()


def test_ctrl_c_ends_node_while_this_process_runs_on(
    root: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process survives an interruption, Node does not; its folder is removed after it."""
    monkeypatch.setattr(uninterrupted, "GRACE_SECONDS", 60)
    monkeypatch.setattr(synthesis, "_POLL_SECONDS", 0.05)
    remove, was_running = shutil.rmtree, []

    def remove_looking(path: Path, **options: Any) -> None:
        was_running.append(_is_running(int(pid_file.read_text())))
        remove(path, **options)

    pid_file = root.parent / "pid"
    node.program.write_text(
        f"#!/bin/sh\necho $$ > {pid_file}.new\nmv {pid_file}.new {pid_file}\nexec sleep 300\n"
    )

    def interrupt() -> None:
        wait_until(pid_file.exists)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    monkeypatch.setattr(shutil, "rmtree", remove_looking)
    toolchain = Toolchain(str(node.program), "v20.20.2", root / "tsx.mjs")
    entry = root / "amplify/backend.ts"
    with (
        pytest.raises(KeyboardInterrupt),
        synthesis.synthesize(Project(root), entry, toolchain, seconds=200),
    ):
        pass
    thread.join()
    assert was_running == [False]


def test_node_is_killed_when_the_time_is_over(
    root: Path, node: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Node that does not even end itself is ended."""
    monkeypatch.setattr("seedctl.source.synthesis._GRACE_SECONDS", 0)
    node.program.write_text(
        f'#!/bin/sh\nif [ "$1" = -e ]; then cat {node.folder}/version; exit; fi\nsleep 300\n'
    )
    result = seedctl("local", "init", "--timeout", "1")
    assert (result.code, "was not loaded within 1 s" in result.err) == (3, True)


def test_the_packages_are_looked_for_beside_amplify(
    root: Path, backend: FakeNode, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that holds amplify/ is where Node runs, from wherever the command is started."""
    monkeypatch.chdir(root / "amplify")
    add_package(root / "amplify/node_modules", "unused")
    assert seedctl("local", "init").code == 0
    assert f"PWD={root}\n" in backend.environment.read_text()


def test_the_server_warns_of_a_stale_file_too(
    root: Path, backend: FakeNode, seedctl: CommandLine
) -> None:
    """The command that starts the server and the one that prints its settings say it, once each."""
    assert seedctl("local", "init").code == 0
    (root / "amplify/data/resource.ts").write_text("changed")
    try:
        started = seedctl("local", "start", "--detach")
        assert started.err.count("out of date: amplify/data/resource.ts has changed") == 1
        printed = seedctl("local", "outputs", "--format", "json")
        assert printed.err.count("out of date") == 1
        assert json.loads(printed.out)["data"]["model_introspection"]
    finally:
        seedctl("local", "stop")
