"""Run the command line in this process, in a new project."""

from __future__ import annotations

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

DATA = Path(__file__).parent / "data"
RESOURCES = Path(__file__).parent / "resources"
PASSWORD = "Password123!"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """Calls main() as the console script does, with stdin from *stdin* (never a terminal)."""

    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Result:
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            patch.setattr(sys, "excepthook", sys.excepthook)
            code = main(list(arguments))
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)


def options_of(function: Any) -> dict[str, Any]:
    """Return the defaults of the keyword arguments of *function*, to be replaced for a test."""
    defaults: dict[str, Any] = getattr(function, "__func__", function).__kwdefaults__
    return defaults


def subcommands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands of *group* with their names, the lazily loaded ones too."""
    context = click.Context(group)
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        assert command is not None
        yield name, command


def make_project(
    folder: Path,
    resource: str | None = None,
    *,
    name: str = "my-app",
    outputs: str | None = "basic",
) -> Path:
    """Make an Amplify project in *folder*, with the seed script of tests/resources/*resource*."""
    folder.mkdir(parents=True, exist_ok=True)
    if resource is not None:
        shutil.copytree(RESOURCES / resource, folder, dirs_exist_ok=True)
    else:
        (folder / "amplify" / "seed").mkdir(parents=True)
    (folder / "package.json").write_text(f'{{"name": "{name}"}}', encoding="utf-8")
    if outputs is not None:
        shutil.copy(DATA / f"amplify_outputs.{outputs}.json", folder / "amplify_outputs.json")
    return folder
