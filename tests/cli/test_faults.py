"""Seeds under failures, throttling and kills leave the same state as an undisturbed one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import faults

if TYPE_CHECKING:
    from tests.running import CommandLine

SAMPLE = Path(__file__).parents[2] / "sample_project"
# With quotas the few users of a test would wait for each other.
NO_QUOTAS = "UserCreation=off,UserResourceUpdate=off,ParameterWrite=off"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the keys that the dump sets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")


def test_nothing_is_lost_and_nothing_is_stored_twice(tmp_path: Path) -> None:
    """With faults, and killed during users or records, everything exists once in the end."""
    spec = f"{faults.FAULTS},cut=1,cut-after=1"
    assert faults.compare(12, 60, spec, tmp_path, SEEDCTL_QUOTAS=NO_QUOTAS)


def test_the_sample_three_times(tmp_path: Path, seedctl: CommandLine) -> None:
    """Each run of the sample project succeeds, and leaves the same state as the first."""
    project = tmp_path / "sample"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns(".amplify"))
    nothing = faults.dump(project)
    local = ("--local", "-C", str(project))
    set_up = seedctl(*local, "secret", "set", "seed-user-password", stdin=b"Sample-passw0rd")
    assert set_up.code == 0, set_up.err
    dumps = []
    for _ in range(3):
        result = seedctl(*local, "seed")
        assert result.code == 0, result.err
        dumps.append(faults.dump(project))
    assert {kind for kind in nothing if dumps[0][kind] != nothing[kind]} == set(nothing)
    assert dumps[1] == dumps[0]
    assert dumps[2] == dumps[0]
