"""Measure `seedctl outputs` against `npx ampx generate outputs`, by wall time and by processor time.

`python benchmarks/outputs.py [--packages DIR] [--runs N]`. DIR is a folder whose node_modules has
`@aws-amplify/backend-cli`. Both commands read the same recorded backend from the same server on this
machine, alternately, and must write the same file. Only the commands and their children count.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BACKEND = "guide-basic"


@dataclass
class Side:
    """One of the two commands, with its times in seconds."""

    name: str
    command: list[str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, environment: dict[str, str], project: Path) -> bytes:
        """Run the command once in *project*, and return the file that it wrote."""
        outputs = project / "amplify_outputs.json"
        outputs.unlink(missing_ok=True)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run(self.command, env=environment, cwd=project, check=True, capture_output=True)
        after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        self.wall.append(ended - started)
        self.cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return outputs.read_bytes()


def main() -> None:
    from tests.deployed_backends import Deployed
    from tests.outputs.backends import BACKENDS

    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, default=ROOT / "sample_project")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    modules = options.packages.resolve() / "node_modules"
    if not (modules / "@aws-amplify" / "backend-cli").is_dir() or not shutil.which("npx"):
        print(f"skipped: {modules} has no @aws-amplify/backend-cli, or there is no npx")
        return
    deployed = Deployed.of(BACKEND)
    schema = deployed.outputs["amplifyApiModelSchemaS3Uri"].removeprefix("s3://").split("/", 1)
    source = BACKENDS / BACKEND / "synth" / "model-schema.graphql"
    deployed.objects[schema[0], schema[1]] = source.read_bytes()
    deployed.objects["notices.json", ""] = b'{"notices":[]}'
    stack = ["--stack", deployed.stack["StackName"]]
    ours = Side("seedctl outputs", [sys.executable, "-m", "seedctl", "outputs", *stack])
    version = ["--outputs-version", "1.4"]
    theirs = Side(
        "npx ampx generate outputs", ["npx", "ampx", "generate", "outputs", *stack, *version]
    )
    with tempfile.TemporaryDirectory(prefix="seedctl-bench-") as folder, deployed.serve() as server:
        project = Path(folder)
        (project / "package.json").write_text('{"name": "bench"}')
        (project / "node_modules").symlink_to(modules)
        environment = _environment(server.url, project)
        for run in range(options.runs + 1):
            if ours.run(environment, project) != theirs.run(environment, project):
                sys.exit("The two files differ.")
            if run == 0:  # the first fills the caches of both
                for side in (ours, theirs):
                    side.wall.clear()
                    side.cpu.clear()
    _report(ours, theirs)


def _environment(url: str, home: Path) -> dict[str, str]:
    """Return variables with which neither command calls anything but the server."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AMPLIFY_DISABLE_TELEMETRY": "1",
        "AMPLIFY_BACKEND_NOTICES_ENDPOINT": f"{url}/notices.json",
        "npm_config_update_notifier": "false",
    }


def _report(ours: Side, theirs: Side) -> None:
    print(f"{'median of ' + str(len(ours.wall)):<28} {'wall':>8} {'processor':>10}")
    for side in (ours, theirs):
        wall, cpu = statistics.median(side.wall), statistics.median(side.cpu)
        print(f"{side.name:<28} {wall:6.2f} s {cpu:8.2f} s")
    ratios = [
        statistics.median(getattr(theirs, name)) / statistics.median(getattr(ours, name))
        for name in ("wall", "cpu")
    ]
    print(f"{'':<28} {ratios[0]:6.1f} x {ratios[1]:8.1f} x")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
