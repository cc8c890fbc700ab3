"""A project with one of the recorded outputs files, and the command line in it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cognito.totp import Authenticator
from seedctl.outputs.assembly import local_document
from tests.outputs.backends import BACKENDS, SYNTHESIZED
from tests.running import DATA, CommandLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTPUTS = sorted(path.stem for path in (DATA / "outputs").glob("*.json"))
DEPLOYED = sorted(path.parent.name for path in BACKENDS.glob("*/amplify_outputs.json"))


def document_of(name: str) -> dict[str, Any]:
    """Return the outputs document *name*: of a backend's source, of a deployed backend, or another."""
    kind, _, name = name.partition(" ")
    if kind == "source":
        return local_document(BACKENDS / name / "synth")
    path = BACKENDS / name / "amplify_outputs.json"
    if kind == "outputs":
        path = DATA / "outputs" / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


ALL = [
    *(f"source {name}" for name in SYNTHESIZED),
    *(f"deployed {name}" for name in DEPLOYED if name not in SYNTHESIZED),
    *(f"outputs {name}" for name in OUTPUTS),
]


@pytest.fixture
def seedctl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(capsys, monkeypatch)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make a project with an outputs document for --local, and go there."""

    def make(document: dict[str, Any] | None = None) -> Path:
        (tmp_path / "package.json").write_text('{"name": "my-app"}', encoding="utf-8")
        if document is not None:
            path = tmp_path / "amplify" / "seed" / "local_outputs.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(document), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let authenticators go on to the time of the next code, instead of waiting for it."""
    ahead = [0.0]

    def wait(seconds: float, _reason: str) -> None:
        ahead[0] += seconds

    defaults = Authenticator.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "clock", lambda: time.time() + ahead[0])
    monkeypatch.setitem(defaults, "wait", wait)
