"""Create 10,000 records one by one, and measure the CPU time of a create and the memory.

`make bench`, or `python benchmarks/records.py`. Client and local sandbox run in the same process, so
the numbers are the sum of both.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RECORDS, PROBE = 10_000, 200


def main() -> None:
    from seedctl import connect
    from seedctl.report import Report

    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    (work / "package.json").write_text('{"name": "bench"}')
    outputs = ROOT / "sample_project" / "amplify_outputs.json"
    shutil.copy(outputs, work)
    with connect(work, local=True, observer=Report()) as backend:
        user = backend.auth.create_user("ann@example.com", "Sample-passw0rd")
        with backend.auth.sign_in(user, "Sample-passw0rd") as session:
            create = session.data.models.Todo.create
            marks = []
            done = 0
            for target in (1_000, RECORDS):
                while done < target - PROBE:
                    create({"content": f"todo {done}"})
                    done += 1
                started = time.process_time()
                for _ in range(PROBE):
                    create({"content": f"todo {done}"})
                    done += 1
                cost = (time.process_time() - started) / PROBE
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                marks.append((target, cost, peak))
    for target, cost, peak in marks:
        print(
            f"at {target:>6} records: {cost * 1e3:5.2f} ms CPU a create, peak memory {peak / 1024:.1f} MB"
        )
    (_, first, small), (_, last, large) = marks
    print(
        f"ratio {last / first:.2f} x, memory +{(large - small) / 1024:.1f} MB (client and server in one process)"
    )
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
