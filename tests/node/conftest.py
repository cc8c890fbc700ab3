"""Tests with real Node and real Amplify packages: ``make test-node`` runs them, ``make test`` does not.

The variable TEST_NODE_PACKAGES names a folder whose ``node_modules`` has the packages that
``sample_project/package.json`` names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.running import CommandLine

if TYPE_CHECKING:
    from collections.abc import Callable

# Read here, because each test starts without the developer's settings.
_PACKAGES = os.environ.get("TEST_NODE_PACKAGES", "")

if not _PACKAGES:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Give a project's folder the packages, and go to the project."""

    def link(folder: Path, project: Path | None = None) -> None:
        (folder / "node_modules").symlink_to(Path(_PACKAGES).resolve() / "node_modules")
        monkeypatch.chdir(project or folder)

    return link


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)
