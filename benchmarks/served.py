"""Run a local sandbox in a separate process, with latency and quotas, for the other benchmarks.

`python benchmarks/served.py WORK [LATENCY_MS [quotas] [pow]]` prints the URL of the server. For each line
that it reads from stdin, it prints the statistics so far and its own CPU seconds, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
OUTPUTS = ROOT / "sample_project" / "amplify_outputs.json"
PASSWORD = "Sample-passw0rd"


class Served:
    """The handle of the measuring process for the sandbox."""

    def __init__(self, process: subprocess.Popen[str], work: Path, url: str) -> None:
        self.work = work
        self.url = url
        self.pid = process.pid
        self._process = process

    def seen(self) -> dict[str, Any]:
        """Return the statistics so far, and the CPU seconds as ``cpu``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        seen: dict[str, Any] = json.loads(self._process.stdout.readline())
        return seen


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """Run a sandbox, with an empty project whose outputs file contains its URL."""
    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    (work / "package.json").write_text('{"name": "bench"}')
    outputs = work / "amplify_outputs.json"
    shutil.copy(OUTPUTS, outputs)
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    command = [sys.executable, __file__, str(work), *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            document = json.loads(outputs.read_text())
            document["data"]["url"] = f"{url}/graphql"
            outputs.write_text(json.dumps(document))
            yield Served(process, work, url)
        finally:
            process.terminate()
    shutil.rmtree(work, ignore_errors=True)


def peak_memory() -> float:
    """Return the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    from seedctl.local import LocalSandbox
    from seedctl.local.faults import FaultSettings, Latency
    from seedctl.outputs import load_outputs

    work, words = Path(sys.argv[1]), sys.argv[2:]
    latency = Latency.parse(words[0]) if words else None
    fault_settings = FaultSettings(latency=latency, quotas={} if "quotas" in words else None)
    with LocalSandbox.start(
        state_folder=work / "state", outputs=load_outputs(OUTPUTS), fault_settings=fault_settings
    ) as sandbox:
        print(sandbox.url, flush=True)
        for _ in sys.stdin:
            seen = {**(sandbox.statistics() or {}), "cpu": time.process_time()}
            print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if "pow" in sys.argv:
        sys.modules["gmpy2"] = None  # type: ignore[assignment]
    main()
