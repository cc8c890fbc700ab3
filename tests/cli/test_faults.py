"""Seeds under failures, throttling and kills leave the same state as an undisturbed one."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import faults
from seedctl.local.faults import FaultSettings
from seedctl.local.hosting import host_sandbox
from seedctl.outputs import load_outputs
from tests.forking import QuickProcess
from tests.test_processes import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import CommandLine

SAMPLE = ROOT / "sample_project"
# With quotas the few users of a test would wait for each other.
NO_QUOTAS = "UserCreation=off,UserResourceUpdate=off,ParameterWrite=off"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the keys that the dump sets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")


@contextmanager
def _server(folder: Path, _env: dict[str, str], *options: str) -> Iterator[None]:
    """Run the server in this process instead of a detached one."""
    chosen = {
        name.removeprefix("--"): value
        for name, value in zip(options[::2], options[1::2], strict=True)
    }
    settings = FaultSettings.parse(latency=None, quotas=None, fault_seed=None, **chosen)
    outputs = load_outputs(folder / "amplify_outputs.json")
    with host_sandbox(folder / ".amplify" / "seedctl", outputs, fault_settings=settings):
        yield


def _start(
    folder: Path, *words: str, env: dict[str, str], output: int = subprocess.PIPE
) -> QuickProcess:
    """Start the command line in a process that starts quickly."""
    return QuickProcess(
        *("-C", str(folder), *words),
        cwd=ROOT,
        environment={**env, **environment()},
        stdout=output,
        stderr=output,
    )


def test_nothing_is_lost_and_nothing_is_stored_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With faults, and killed during users or records, everything exists once in the end."""
    monkeypatch.setattr(faults, "server", _server)
    monkeypatch.setattr(faults, "start", _start)
    spec = f"{faults.FAULTS},cut=1,cut-after=1"
    runs = ("quiet", "killed twice")
    assert faults.compare(8, 40, spec, tmp_path, runs, SEEDCTL_QUOTAS=NO_QUOTAS)


def test_the_sample_twice(tmp_path: Path, seedctl: CommandLine) -> None:
    """Both runs of the sample project succeed, and the second leaves the same state."""
    project = tmp_path / "sample"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns(".amplify"))
    nothing = faults.dump(project)
    local = ("--local", "-C", str(project))
    set_up = seedctl(*local, "secret", "set", "seed-user-password", stdin=b"Sample-passw0rd")
    assert set_up.code == 0, set_up.err
    dumps = []
    for _ in range(2):
        result = seedctl(*local, "seed")
        assert result.code == 0, result.err
        dumps.append(faults.dump(project))
    assert {kind for kind in nothing if dumps[0][kind] != nothing[kind]} == set(nothing)
    assert dumps[1] == dumps[0]
