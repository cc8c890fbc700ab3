"""What create_many costs: rows a second, and the client's CPU time for each.

`make bench`, or `python benchmarks/bulk.py`. The local sandbox answers from a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
ROWS = 5_000
SANDBOX = """
import sys
from pathlib import Path
from seedctl.local import LocalSandbox
from seedctl.project import load_outputs
work = Path(sys.argv[1])
with LocalSandbox.start(
    state_folder=work / "state", outputs=load_outputs(work / "amplify_outputs.json")
) as sandbox:
    print(sandbox.url, flush=True)
    sys.stdin.read()
"""


def main() -> None:
    from seedctl import connect
    from seedctl.report import Report

    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    (work / "package.json").write_text('{"name": "bench"}')
    outputs = work / "amplify_outputs.json"
    shutil.copy(ROOT / "sample_project" / "amplify_outputs.json", outputs)
    os.environ.update(AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    with subprocess.Popen(
        [sys.executable, "-c", SANDBOX, str(work)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as sandbox:
        assert sandbox.stdout is not None
        url = sandbox.stdout.readline().strip()
        document = json.loads(outputs.read_text())
        document["data"]["url"] = f"{url}/graphql"
        outputs.write_text(json.dumps(document))
        with connect(
            work, identifier="bench", endpoint_url=url, observer=Report(), target="none"
        ) as backend:
            user = backend.auth.create_user("ann@example.com", "Sample-passw0rd")
            with backend.auth.sign_in(user, "Sample-passw0rd") as session:
                _measure_all(session.data.models.Todo)
        sandbox.communicate()
    shutil.rmtree(work, ignore_errors=True)


def _measure_all(todos: Any) -> None:
    todos.create({"content": "the first loads the schema"})
    for threads, size in ((1, 1), (8, 1), (1, 25), (2, 25), (8, 25)):
        rows = [{"content": f"todo {number}"} for number in range(ROWS if size > 1 else ROWS // 5)]
        _measure(
            f"create, {size:>2} in a request, {threads} at once",
            len(rows),
            lambda: todos.create_many(rows, concurrency=threads, batch_size=size),  # noqa: B023 - called at once
        )
    rows = [{"content": f"todo {number}"} for number in range(ROWS)]
    results = todos.create_many(rows, key="content")
    for mode in ("skip", "update"):
        _measure(
            f'create again, if_exists="{mode}"',
            ROWS,
            lambda: todos.create_many(rows, key="content", if_exists=mode),  # noqa: B023 - called at once
        )
    _measure("delete", ROWS, lambda: todos.delete_many([each.key for each in results]))


def _measure(what: str, count: int, work: Callable[[], object]) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"{what:<40} {count / seconds:6.0f} rows/s {cpu / count * 1e6:5.0f} µs CPU a row, client")


if __name__ == "__main__":
    main()
