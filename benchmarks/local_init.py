"""Measure the CPU time of `seedctl local init` from source, and of its part in Node alone.

`make bench`, or `python benchmarks/local_init.py`. It needs the packages that sample_project/package.json
names, in sample_project/node_modules or in the node_modules of the folder NODE_PACKAGES. The two are
measured alternately, because other processes may share the machine.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from seedctl.project import Project, namespace_of
from seedctl.source.environment import synthesis_environment
from seedctl.source.toolchain import find_backend, find_toolchain

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_project"
SCRIPT = ROOT / "seedctl" / "source" / "synth.mjs"
ROUNDS = 5


def cpu_seconds(command: list[str], environment: dict[str, str], cwd: Path) -> float:
    """Run *command* and return the user and system time it took, with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, cwd=cwd, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def node_alone(project: Project, folder: Path) -> float:
    """Return the time of the synthesis in Node, into the new *folder*."""
    entry, toolchain = find_backend(project), find_toolchain(project)
    for name in ("assembly", "home", "tmp"):
        (folder / name).mkdir(parents=True)
    task = {"entry": str(entry), "tsx": str(toolchain.tsx), "folder": str(folder), "seconds": 120}
    environment = synthesis_environment(folder, folder / "assembly", namespace_of(project))
    return cpu_seconds([toolchain.node, str(SCRIPT), json.dumps(task)], environment, project.root)


def main() -> None:
    packages = Path(os.environ.get("NODE_PACKAGES", SAMPLE)) / "node_modules"
    if not (packages / "@aws-amplify" / "backend").is_dir():
        print(
            f"local_init: left out, {packages} has no @aws-amplify/backend: run npm install there."
        )
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        shutil.copytree(SAMPLE, work / "project", ignore=shutil.ignore_patterns("node_modules"))
        (work / "project" / "node_modules").symlink_to(packages.resolve())
        project = Project(work / "project")
        command = [sys.executable, "-m", "seedctl", "local", "init", "--from", "source", "--force"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        floor, whole = [], []
        for number in range(ROUNDS):
            floor.append(node_alone(project, work / str(number)))
            whole.append(cpu_seconds(command, environment, project.root))
    low, all_of_it = statistics.median(floor), statistics.median(whole)
    print(f"CPU time (median of {ROUNDS})")
    print(
        f"seedctl local init : Node alone   {all_of_it:5.2f} s {low:5.2f} s  {all_of_it / low:.2f} x"
    )


if __name__ == "__main__":
    main()
