"""``seedctl outputs``: which backend it reads, and what it writes."""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployed_backends import Deployed, stack_with
from tests.outputs.backends import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fake_aws import FakeAWS
    from tests.running import CommandLine, Result

STORAGE = {"storageRegion": "us-east-1", "bucketName": "files"}
OF_IRELAND = {
    "version": "1",
    "auth": {
        "user_pool_id": "eu-west-1_A",
        "user_pool_client_id": "c",
        "aws_region": "eu-west-1",
    },
}


@pytest.fixture
def folder(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project without an outputs file, with credentials and a region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    return project(outputs=None)


@pytest.fixture
def run(seedctl: CommandLine) -> Callable[..., Result]:
    """Run ``seedctl outputs`` against a server."""

    def call(server: FakeAWS, *arguments: str) -> Result:
        return seedctl("outputs", "--endpoint-url", server.url, *arguments)

    return call


def test_the_projects_file_is_written_once(folder: Path, run: Callable[..., Result]) -> None:
    """The file is Amplify's, byte for byte. If it would not change, it is not written again."""
    deployed = Deployed.of("guide-basic")
    deployed.rename("amplify-myapp-ann-sandbox-a666e4d88d")
    path = folder / "amplify_outputs.json"
    expected = (BACKENDS / "guide-basic" / "amplify_outputs.json").read_bytes()
    with deployed.serve() as server:
        first = run(server)
        assert (first.code, first.out) == (0, "")
        assert first.err == "✔ Wrote amplify_outputs.json.\n"
        assert path.read_bytes() == expected
        inode = path.stat().st_ino
        again = run(server)
        assert (again.code, again.err) == (0, "✔ amplify_outputs.json is up to date.\n")
        assert path.stat().st_ino == inode
        path.write_bytes(b"\xff")
        assert run(server, "--quiet").err == ""
        assert path.read_bytes() == expected
        newer = run(server, "--outputs-version", "1.5")
    assert newer.code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["version"] == "1.5"


@pytest.mark.parametrize(
    ("options", "stack_name"),
    [
        pytest.param((), "amplify-myapp-ann-sandbox-a666e4d88d", id="the default sandbox"),
        pytest.param(
            ("--identifier", "bob"), "amplify-myapp-bob-sandbox-fad960dff2", id="a sandbox"
        ),
        pytest.param(
            ("--app-id", "d1a2b3c4d5e6f7", "--branch", "feature/login-v2"),
            "amplify-d1a2b3c4d5e6f7-featureloginv2-branch-4adb7deb4a",
            id="a branch",
        ),
        pytest.param(("--stack", "my-own-stack"), "my-own-stack", id="a stack"),
    ],
)
def test_the_options_choose_the_stack(
    folder: Path, run: Callable[..., Result], options: tuple[str, ...], stack_name: str
) -> None:
    """A sandbox, a branch or a stack is read by the name of its stack."""
    deployed = stack_with(Storage=STORAGE)
    deployed.stack["StackName"] = stack_name
    with deployed.serve() as server:
        result = run(server, *options)
        assert {parameters["StackName"] for _, parameters in server.calls} == {stack_name}
    assert result.code == 0, result.err
    assert "files" in (folder / "amplify_outputs.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("folder")
def test_the_destination_can_be_chosen(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--out names another file, from the working directory; - is standard output."""
    elsewhere = tmp_path / "project" / "amplify"
    monkeypatch.chdir(elsewhere)
    with stack_with(Storage=STORAGE).serve() as server:
        printed = run(server, "--out", "-")
        assert json.loads(printed.out)["storage"]["bucket_name"] == "files"
        assert printed.err == ""
        assert not (elsewhere.parent / "amplify_outputs.json").exists()
        written = run(server, "--out", "made/branch.json")
        assert written.err == "✔ Wrote made/branch.json.\n"
        assert json.loads((elsewhere / "made" / "branch.json").read_text()) == json.loads(
            printed.out
        )
        refused = run(server, "--out", str(elsewhere))
    assert (refused.code, refused.out) == (3, "")
    assert "[FileAccessError]" in refused.err


@pytest.mark.usefixtures("folder")
def test_a_pipe_is_written_to(run: Callable[..., Result], tmp_path: Path) -> None:
    """A pipe or a device, such as /dev/null, is neither read nor replaced by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with stack_with(Storage=STORAGE).serve() as server:
            assert run(server, "--out", str(pipe)).code == 0
        received = os.read(reader, 100_000)
    finally:
        os.close(reader)
    assert json.loads(received)["storage"]["bucket_name"] == "files"
    assert pipe.is_fifo()


def test_a_failure_leaves_the_old_file(folder: Path, run: Callable[..., Result]) -> None:
    """A file is never replaced by one that lacks the models, and never by half of one."""
    path = folder / "amplify_outputs.json"
    path.write_text("old", encoding="utf-8")
    deployed = Deployed.of("guide-basic")
    deployed.rename("amplify-myapp-ann-sandbox-a666e4d88d")
    deployed.objects.clear()
    with deployed.serve() as server:
        result = run(server)
    assert result.code == 3
    assert "[ModelIntrospectionNotFoundError]" in result.err
    assert path.read_text(encoding="utf-8") == "old"
    assert not [*folder.glob(".seedctl-new*")]


@pytest.mark.usefixtures("folder")
def test_a_stack_that_was_rolled_back_is_read_with_a_warning(run: Callable[..., Result]) -> None:
    """The outputs are right, but they are not those of the last deployment."""
    deployed = stack_with(Storage=STORAGE)
    deployed.stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    with deployed.serve() as server:
        result = run(server)
    assert result.code == 0
    assert "Warning: The last deployment of amplify-myapp-ann" in result.err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(OF_IRELAND, 0, id="another file"),
        pytest.param({"version": "1"}, 3, id="a stub"),
        pytest.param("no JSON", 3, id="unusable"),
        pytest.param(None, 3, id="missing"),
    ],
)
def test_the_region_may_come_from_the_file(
    folder: Path,
    run: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    content: Any,
    code: int,
) -> None:
    """Without any configured region, the one of the file to replace is used, if it has one."""
    monkeypatch.delenv("AWS_REGION")
    if content is not None:
        (folder / "amplify_outputs.json").write_text(json.dumps(content), encoding="utf-8")
    with stack_with(Storage=STORAGE).serve() as server:
        result = run(server)
    assert result.code == code, result.err
    assert ("[MissingRegionError]" in result.err) == (code == 3)


@pytest.mark.usefixtures("folder")
def test_the_local_sandbox_has_its_own_command(
    seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--local does not silently read a deployed backend."""
    result = seedctl("outputs", "--local")
    assert result.code == 2
    assert "seedctl local outputs" in result.err
    monkeypatch.setenv("SEEDCTL_LOCAL", "1")
    assert seedctl("outputs").code == 2


@pytest.mark.usefixtures("folder")
def test_an_empty_destination_is_refused(seedctl: CommandLine) -> None:
    """It comes from a variable that is not set."""
    result = seedctl("outputs", "--out", "")
    assert result.code == 2
    assert "--out is empty" in result.err


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("is_enabled", [True, False])
def test_the_collector_is_as_before(run: Callable[..., Result], *, is_enabled: bool) -> None:
    """The command runs without garbage collection, also in a process that goes on after it."""
    try:
        if not is_enabled:
            gc.disable()
        with stack_with(Storage=STORAGE).serve() as server:
            assert run(server, "--out", "-").code == 0
            assert gc.isenabled() == is_enabled
            assert run(server, "--stack", "no-such-stack").code == 3
            assert gc.isenabled() == is_enabled
    finally:
        gc.enable()
