"""Projects and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.running import CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make a project from a resource and go there."""

    def make(resource: str | None = None, *, outputs: str | None = "basic") -> Path:
        folder = make_project(tmp_path / "project", resource, outputs=outputs)
        monkeypatch.chdir(folder)
        return folder

    return make


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)
