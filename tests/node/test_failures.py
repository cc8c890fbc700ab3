"""What Node and Amplify's packages say of broken projects, as ``tests/source`` has it recorded."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from seedctl.source import synthesis
from seedctl.source.failures import failure
from tests.source.cases import CASES
from tests.source.recording import check, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seedctl.errors import BackendSourceError
    from seedctl.source.failures import Outcome
    from tests.running import CommandLine
    from tests.source.cases import Case

_MUST_RECORD = "TEST_NODE_RECORD" in os.environ


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_project_is_explained(
    case: Case,
    tmp_path: Path,
    install: Callable[..., None],
    seedctl: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file and line, Node's own words and what to do are said; nothing is written."""
    project = case.make_project(tmp_path / "project")
    install(project)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    outcomes: list[Outcome] = []

    def noted(outcome: Outcome) -> BackendSourceError | None:
        outcomes.append(outcome)
        return failure(outcome)

    monkeypatch.setattr(synthesis, "failure", noted)
    check(case, project, seedctl)
    if _MUST_RECORD:
        record(case, asdict(outcomes[0]))
