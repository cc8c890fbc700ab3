"""A Node that plays back what the real one did, and the packages that seedctl looks for."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import CommandLine
from tests.source.recording import FakeNode

if TYPE_CHECKING:
    from pathlib import Path

_API = {"./esm/api": {"import": {"types": "./api.d.mts", "default": "./api.mjs"}, "require": "./x"}}


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNode:
    """Return a node that is the first one in the PATH."""
    fake = FakeNode(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{fake.folder}{os.pathsep}{os.environ['PATH']}")
    return fake


def add_package(modules: Path, name: str, **content: Any) -> Path:
    """Add the package *name* to the folder *modules*, with *content* in its package.json."""
    package = modules / name
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": name, **content}))
    return package


def add_tsx(modules: Path, exports: Any = _API, *, file: str = "api.mjs") -> Path:
    """Add tsx to the folder *modules*, and return its *file*."""
    package = add_package(modules, "tsx", exports=exports)
    (package / file).touch()
    return package / file


def install(root: Path) -> Path:
    """Give the project in *root* the packages of Amplify, all in one folder; return tsx's file."""
    modules = root / "node_modules"
    for name in ("backend", "backend-cli", "backend-deployer"):
        add_package(modules, f"@aws-amplify/{name}")
    return add_tsx(modules)
