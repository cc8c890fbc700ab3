"""Many users against Cognito's quotas: how close to the quota, and at what cost.

`python benchmarks/users.py [--users N] [--latency S] [--jitter S] [--pow] [--one-by-one]`. The local sandbox
answers from a process of its own, with the latency of a network and the default quotas. The ratio
is to a bare loop in the same run, which only creates the users, at exactly 50 a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
OUTPUTS = ROOT / "sample_project" / "amplify_outputs.json"
PASSWORD = "Sample-passw0rd"
QUOTA = 50


class Sandbox:
    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def report(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(self._process.stdout.readline())
        return report


@contextmanager
def sandbox(work: Path, latency: float, jitter: float, flags: list[str]) -> Iterator[Sandbox]:
    command = [sys.executable, str(ROOT / "benchmarks" / "quota_server.py"), str(work / "state")]
    command += [str(OUTPUTS), str(latency), str(jitter), *flags]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Sandbox(process, process.stdout.readline().strip())
        finally:
            process.terminate()


def bare_loop(url: str, count: int) -> float:
    """Create users with a bare client, one each fiftieth of a second; return the seconds."""
    from botocore.config import Config
    from botocore.session import Session

    pool = json.loads(OUTPUTS.read_text())["auth"]["user_pool_id"]
    config = Config(max_pool_connections=64, retries={"total_max_attempts": 1})
    client = Session().create_client(
        "cognito-idp", region_name="us-east-1", endpoint_url=url, config=config
    )
    lock = threading.Lock()
    due = time.monotonic()

    def create(number: int) -> None:
        nonlocal due
        with lock:
            wait, due = due - time.monotonic(), due + 1 / QUOTA
        time.sleep(max(0.0, wait))
        client.admin_create_user(
            UserPoolId=pool, Username=f"bare-{number}@example.com", MessageAction="SUPPRESS"
        )

    started = time.monotonic()
    with ThreadPoolExecutor(64) as threads:
        futures = [threads.submit(create, number) for number in range(count)]
        failed = sum(future.exception() is not None for future in futures)
    seconds = time.monotonic() - started
    if failed:
        print(f"  (of the bare loop's calls {failed} were refused)")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--jitter", type=float, default=0.0, help="seconds, for both ways")
    parser.add_argument("--pow", action="store_true", help="without gmpy2, on both sides")
    parser.add_argument("--one-by-one", action="store_true", help="also 50 users sequentially")
    arguments = parser.parse_args()
    if arguments.pow:
        sys.modules["gmpy2"] = None  # type: ignore[assignment]
    sys.path.insert(0, str(ROOT))
    os.environ.update(AWS_ACCESS_KEY_ID="AKIABENCH", AWS_SECRET_ACCESS_KEY="bench")
    from seedctl import NewUser, connect
    from seedctl.report import Report

    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    (work / "package.json").write_text('{"name": "bench"}')
    shutil.copy(OUTPUTS, work)
    flags = ["pow"] if arguments.pow else []
    print(f"{arguments.users} users, {arguments.latency * 1e3:.0f} ms a call, {flags or 'gmpy2'}")
    with sandbox(work, arguments.latency, arguments.jitter, flags) as here:
        floor = bare_loop(here.url, arguments.users)
        time.sleep(1.5)
        before = here.report()
        with connect(work, endpoint_url=here.url, observer=Report()) as backend:
            if arguments.one_by_one:
                started = time.monotonic()
                for number in range(50):
                    backend.auth.create_user(f"one-{number}@example.com", PASSWORD)
                each = (time.monotonic() - started) / 50
                print(f"one by one: {each * 1e3:.0f} ms a user")
            rows = (
                NewUser(f"u{number}@example.com", PASSWORD) for number in range(arguments.users)
            )
            cpu, started = time.process_time(), time.monotonic()
            results = backend.auth.create_users(rows)
            seconds, cpu = time.monotonic() - started, time.process_time() - cpu
            statistics = backend.aws.statistics()  # type: ignore[attr-defined]
        after = here.report()
    assert all(each.state == "created" for each in results)
    server = after["cpu"] - before["cpu"]
    refused = sum(after["refused"].values()) - sum(before["refused"].values())
    print(f"bare loop {floor:6.2f} s")
    print(f"seedctl   {seconds:6.2f} s, {seconds / floor:.3f} x, {refused} calls refused")
    print(f"CPU       {cpu:6.2f} s client, {server:.2f} s server")
    for operation, each in sorted(statistics.items()):
        print(f"  {operation:24} {each.calls:5} calls, waited {each.seconds_waited:8.1f} s")
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
