"""The command that installs a package beside seedctl, for each tool that creates environments."""

from __future__ import annotations

import importlib.util
import re
import sys
import sysconfig
from pathlib import Path

import pytest

from seedctl.installation import how_to_install

RECEIPT = """\
[tool]
requirements = [
    { name = "seedctl", directory = "/src" },
    { name = "pyotp" },
]
entrypoints = [
    { name = "seedctl", install-path = "/home/ann/.local/bin/seedctl", from = "seedctl" },
]
"""


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without any file that shows which tool created it."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/bin/python")
    return tmp_path


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        pytest.param('{"main_package": {"package": "seedctl", "suffix": ""}}', "seedctl", id="own"),
        pytest.param(
            '{"main_package": {"package": "seedctl", "suffix": "-1"}}', "seedctl-1", id="a suffix"
        ),
        pytest.param("{}", "seedctl", id="another form"),
        pytest.param("no JSON", "seedctl", id="broken"),
    ],
)
def test_pipx(environment: Path, metadata: str, name: str) -> None:
    """pipx environments have no pip: pipx installs into them, by the environment's name."""
    (environment / "pipx_metadata.json").write_text(metadata)
    assert how_to_install("faker") == f"pipx inject {name} faker"


def test_uv_tool(environment: Path) -> None:
    """uv recreates a tool's environment, so packages that were added before are named again."""
    (environment / "uv-receipt.toml").write_text(RECEIPT)
    assert how_to_install("faker") == "uv tool install --with pyotp --with faker seedctl"


@pytest.mark.parametrize("receipt", [b"", b"\xff"], ids=["empty", "no text"])
def test_uv_tool_with_an_unreadable_receipt(environment: Path, receipt: bytes) -> None:
    """If uv's receipt cannot be read, only the new package is named."""
    (environment / "uv-receipt.toml").write_bytes(receipt)
    assert how_to_install("faker") == "uv tool install --with faker seedctl"


def test_an_environment_created_by_uv(environment: Path) -> None:
    """Environments that `uv venv` created have no pip: uv installs into them from outside."""
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.9.1\n")
    assert how_to_install("faker") == f"uv pip install --python {environment}/bin/python faker"


def test_an_environment_with_pip(environment: Path) -> None:
    """An environment with pip uses its own pip; special characters are quoted for the shell."""
    (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    python = f"{environment}/bin/python"
    assert how_to_install("botocore[crt]") == f"{python} -m pip install 'botocore[crt]'"


def test_an_environment_without_pip(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no command is known to work, the text names the environment instead."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    text = how_to_install("faker")
    assert f"{environment}/bin/python" in text
    assert "pip install" not in text


def test_the_pip_of_the_operating_system(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operating system's pip refuses to install beside the system's own packages."""
    monkeypatch.setattr(sys, "base_prefix", str(environment))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(environment))
    assert "pip install" in how_to_install("faker")
    (environment / "EXTERNALLY-MANAGED").touch()
    assert "pip install" not in how_to_install("faker")


def test_the_documented_commands(environment: Path) -> None:
    """The table in docs/scripts.md has the command for each way to install seedctl, in this order."""
    page = Path(__file__).parents[1] / "docs" / "scripts.md"
    shown = re.findall(r"^\| .* \| `([^`]*\bfaker\b[^`]*)`", page.read_text("utf-8"), re.MULTILINE)
    receipt = '[tool]\nrequirements = [\n    { name = "seedctl" },\n]\n'
    printed = []
    for name, text in (
        ("pyvenv.cfg", "home = /usr/bin\n"),
        ("pipx_metadata.json", "{}"),
        ("uv-receipt.toml", receipt),
        ("pyvenv.cfg", "uv = 0.9.1\n"),
    ):
        (environment / name).write_text(text)
        printed.append(how_to_install("faker").replace(f"{environment}/bin", "…"))
        (environment / name).unlink()
    assert printed == shown
