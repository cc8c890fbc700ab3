"""Measure the CPU time of --help, of reading one secret, and of creating a user.

`make bench`, or `python benchmarks/startup.py`. The two sides of a ratio are measured alternately,
because other processes may share the machine. Only the client process and its children count; the
local sandbox runs in a separate process. No test depends on these numbers.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUTPUTS = ROOT / "sample_project" / "amplify_outputs.json"
USERS = 30

SERVER = """
import sys, time
from pathlib import Path
from seedctl.local import LocalSandbox
from seedctl.outputs import load_outputs
with LocalSandbox.start(state_folder=Path(sys.argv[1]), outputs=load_outputs(Path(sys.argv[2]))) as s:
    print(s.url, flush=True)
    sys.stdin.read()
"""

BARE_BOTO3 = """
import boto3, sys
ssm = boto3.client("ssm")
print(ssm.get_parameter(Name=sys.argv[1], WithDecryption=True)["Parameter"]["Value"])
"""

SEED = """
import sys, time
if sys.argv[1] == "pow":
    sys.modules["gmpy2"] = None
from seedctl import connect
from seedctl import srp
assert (srp._arithmetic()[1] is pow) == (sys.argv[1] == "pow")
count = int(sys.argv[2])
with connect() as backend:
    backend.auth.create_user("warm-up-%s@example.com" % sys.argv[1], "Sample-passw0rd")
    start = time.process_time()
    for number in range(count):
        backend.auth.create_user(f"{sys.argv[1]}-{number}@example.com", "Sample-passw0rd")
    print((time.process_time() - start) / count)
"""


def cpu_seconds(command: list[str], environment: dict[str, str], cwd: Path) -> float:
    """Run *command* and return the user and system time it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(
    name: str,
    ours: list[str],
    theirs: list[str],
    *,
    environment: dict[str, str],
    cwd: Path,
    runs: int,
) -> None:
    """Measure *ours* and *theirs* alternately; print both medians and their ratio."""
    pairs = [
        (cpu_seconds(ours, environment, cwd), cpu_seconds(theirs, environment, cwd))
        for _ in range(runs)
    ]
    mine, floor = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{name:<44} {mine * 1000:7.0f} ms {floor * 1000:7.0f} ms   {mine / floor:5.2f} x")


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    project = work / "project"
    project.mkdir()
    (project / "package.json").write_text('{"name": "bench"}')
    (project / "amplify" / "seed").mkdir(parents=True)
    shutil.copy(OUTPUTS, project)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SEEDCTL_IDENTIFIER": "bench",
    }
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(work / "state"), str(OUTPUTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    assert server.stdout is not None
    environment["AWS_ENDPOINT_URL"] = server.stdout.readline().strip()
    try:
        measure(environment, project)
    finally:
        server.kill()
        shutil.rmtree(work, ignore_errors=True)


def measure(environment: dict[str, str], project: Path) -> None:
    python, seedctl = sys.executable, [sys.executable, "-m", "seedctl"]
    print(f"{'CPU time (median)':<44} {'seedctl':>10} {'floor':>10}   ratio")
    compare(
        "seedctl --help : a bare import of click",
        [*seedctl, "--help"],
        [python, "-c", "import click"],
        environment=environment,
        cwd=project,
        runs=15,
    )
    subprocess.run(
        [*seedctl, "-q", "secret", "set", "x"],
        input=b"value",
        env=environment,
        cwd=project,
        check=True,
    )
    from seedctl.project import BackendIdentifier

    path = BackendIdentifier("bench", "bench").parameter_path("x")
    compare(
        "seedctl secret get : a bare boto3 script",
        [*seedctl, "secret", "get", "x"],
        [python, "-c", BARE_BOTO3, path],
        environment=environment,
        cwd=project,
        runs=7,
    )
    for kind in ("pow", "gmpy2"):
        result = subprocess.run(
            [python, "-c", SEED, kind, str(USERS)],
            env=environment,
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            print(
                f"one user, sequentially, {kind}: not measured ({result.stderr.splitlines()[-1]})"
            )
        else:
            print(
                f"one user, sequentially, client only, {kind:<6}  {float(result.stdout) * 1e3:7.1f} ms"
            )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    started = time.monotonic()
    main()
    print(
        f"({time.monotonic() - started:.0f} s, {os.cpu_count()} cores, {threading.active_count()} thread)"
    )
