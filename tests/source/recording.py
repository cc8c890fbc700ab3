"""Recorded results of Node for broken projects, and a program that plays them back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import seedctl as package
from tests.outputs.backends import BACKENDS
from tests.source.cases import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.running import CommandLine
    from tests.source.cases import Case

_ROOT, _PACKAGES = "@PROJECT@", "@PACKAGES@"


def check(case: Case, project: Path, seedctl: CommandLine) -> None:
    """Run ``local init`` in the broken *project*, and check what it says and that it writes nothing."""
    before = tree(project)
    result = seedctl("local", "init", *case.options)
    assert result.code == 3, result.err
    line = "" if case.line is None else f", line {case.line}"
    assert f"\n  at {case.file}{line}\n" in result.err
    error = next(line for line in result.err.splitlines() if line.startswith("[Backend"))
    assert error.startswith("[BackendSourceError] ")
    assert case.says in error
    resolution = result.err[result.err.index("\nResolution: ") :]
    assert case.fix in resolution
    assert "serializedError" not in result.err
    assert tree(project) == before


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in *folder* but those of packages, and its folders."""
    return {
        str(path): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if "node_modules" not in path.parts
    }


def record(case: Case, outcome: dict[str, Any]) -> None:
    """Store the *outcome* of *case*, without paths of this machine."""
    root = str(outcome["root"])
    modules = str((outcome["root"] / "node_modules").resolve())
    outcome["result"].pop("loaded", None)
    recorded = {name: outcome[name] for name in ("status", "result", "manifest", "output")}
    if recorded["manifest"]:
        recorded["manifest"] = {"missing": recorded["manifest"].get("missing", [])}
    if case.name == "memory":  # addresses of machine code
        recorded["output"] = recorded["output"].partition("----- Native")[0]
    text = json.dumps(recorded, indent=1).replace(modules, _PACKAGES).replace(root, _ROOT)
    text = text.replace(str(Path(package.__file__).parent), "@SEEDCTL@")
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{case.name}.json").write_text(f"{text}\n", encoding="utf-8")


class FakeNode:
    """A program called ``node`` that does what the real one did: it writes files, prints and ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "node"
        self.task = folder / "task.json"
        """What it was last asked to do."""
        self.environment = folder / "environment"
        """The variables that it had then."""
        (folder / "assembly").mkdir(parents=True)
        self.program.write_text(_PROGRAM)
        self.program.chmod(0o755)
        self.version("v20.20.2")
        self.ends()

    def version(self, version: str) -> None:
        (self.folder / "version").write_text(json.dumps([version, str(self.program)]))

    def ends(self, status: int = 0, *, output: str = "", result: Any = None) -> None:
        """Let it print *output*, write *result* if there is one, and end with *status*.

        A negative status is a signal.
        """
        (self.folder / "output").write_text(output, encoding="utf-8")
        (self.folder / "status").write_text(str(status))
        (self.folder / "result.json").write_text("" if result is None else json.dumps(result))

    def synthesizes(self, backend: str, *, loaded: Iterable[Path] = (), **manifest: Any) -> None:
        """Let it write the cloud assembly recorded for *backend*, and name the files it *loaded*."""
        shutil.copytree(BACKENDS / backend / "synth", self.folder / "assembly", dirs_exist_ok=True)
        document = json.dumps({"version": "1", **manifest})
        (self.folder / "assembly" / "manifest.json").write_text(document)
        self.ends(result={"loaded": list(map(str, loaded))})

    def plays_back(self, case: Case, project: Path) -> None:
        """Let it do what Node did with *case*, as if it happened in *project*."""
        text = (RECORDED / f"{case.name}.json").read_text(encoding="utf-8")
        recorded = json.loads(text.replace(_ROOT, str(project)))
        if recorded["manifest"]:
            manifest = json.dumps(recorded["manifest"])
            (self.folder / "assembly" / "manifest.json").write_text(manifest)
        self.ends(recorded["status"], output=recorded["output"], result=recorded["result"] or None)


# With few programs: the shell alone does most of it.
_PROGRAM = """#!/bin/sh
here=${0%/*}
if [ "$1" = -e ]; then read -r version < "$here/version"; echo "$version"; exit; fi
printf %s "$2" > "$here/task.json"
env > "$here/environment"
folder=${2#*'"folder": "'}
folder=${folder%%'"'*}
if [ -s "$here/output" ]; then cat "$here/output"; fi
if [ -s "$here/result.json" ]; then result=$here/result.json; fi
cp -R "$here/assembly" ${result:+"$result"} "$folder/"
read -r status < "$here/status"
if [ "$status" -lt 0 ]; then kill "$status" $$; fi
exit "$status"
"""
