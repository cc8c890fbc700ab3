"""Measure create_users under Cognito's quotas: the speed, compared with the quota, and the CPU time.

`python benchmarks/users.py [--users N] [--groups] [--latency MS] [--pow] [--one-by-one]`. The local
sandbox runs in a separate process, with the latency of a network, and throttles calls above the
default quotas. `--pow` measures the client of a default installation, without gmpy2. The ratio is to
a bare loop in the same run, which makes only the limiting calls, exactly at the rate of the quota.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from served import OUTPUTS, PASSWORD, ROOT, peak_memory, served

GROUP = "READERS"
CREATIONS, GROUPINGS = 50, 25  # per second


def bare_loop(url: str, count: int, *, with_group: bool) -> float:
    """Create users with a bare botocore client at the rate of the quota; return the seconds."""
    from botocore.config import Config
    from botocore.session import Session

    pool = json.loads(OUTPUTS.read_text())["auth"]["user_pool_id"]
    config = Config(max_pool_connections=64, retries={"total_max_attempts": 1})
    client = Session().create_client(
        "cognito-idp", region_name="us-east-1", endpoint_url=url, config=config
    )
    lock = threading.Lock()
    due = time.monotonic()
    pause = 1 / (GROUPINGS if with_group else CREATIONS)

    def create(number: int) -> None:
        nonlocal due
        with lock:
            wait, due = due - time.monotonic(), due + pause
        time.sleep(max(0.0, wait))
        user = {"UserPoolId": pool, "Username": f"bare-{number}@example.com"}
        client.admin_create_user(**user, MessageAction="SUPPRESS")
        if with_group:
            client.admin_add_user_to_group(**user, GroupName=GROUP)

    started = time.monotonic()
    with ThreadPoolExecutor(64) as threads:
        futures = [threads.submit(create, number) for number in range(count)]
        failed = sum(future.exception() is not None for future in futures)
    seconds = time.monotonic() - started
    if failed:
        print(f"  ({failed} of the bare loop's users were throttled)")
    return seconds


def measure(chosen: argparse.Namespace) -> None:
    from seedctl import NewUser, connect
    from seedctl.report import Report

    words = [chosen.latency, "quotas"]
    groups = [GROUP] if chosen.groups else []
    of = "in one group each" if chosen.groups else "without groups"
    print(
        f"{chosen.users} users {of}, {chosen.latency} ms a call, {'pow' if chosen.pow else 'gmpy2'}"
    )
    with served(*words) as here:
        floor = bare_loop(here.url, chosen.users, with_group=chosen.groups)
        time.sleep(1.5)  # otherwise the quota would still count calls of the bare loop
        before = here.seen()
        with connect(here.work, endpoint_url=here.url, observer=Report(), target="none") as backend:
            if chosen.one_by_one:
                one_by_one(backend)
            rows = (
                NewUser(f"u{number}@example.com", PASSWORD, groups=groups)
                for number in range(chosen.users)
            )
            cpu, started = time.process_time(), time.monotonic()
            results = backend.auth.create_users(rows)
            seconds, cpu = time.monotonic() - started, time.process_time() - cpu
            statistics = backend.statistics()
        after = here.seen()
    assert all(each.state == "created" for each in results)
    refused = after["refused"] - before["refused"]
    print(f"bare loop {floor:6.2f} s")
    print(f"seedctl   {seconds:6.2f} s, {seconds / floor:.3f} x, {refused} calls throttled")
    print(f"CPU       {cpu:6.2f} s client, {after['cpu'] - before['cpu']:.2f} s server")
    print(f"memory    {peak_memory():6.1f} MB at most, client")
    for operation, each in sorted(statistics.items()):
        print(f"  {operation:24} {each.calls:5} calls, waited {each.seconds_waited:8.1f} s")


def one_by_one(backend: Any, count: int = 50) -> None:
    started = time.monotonic()
    for number in range(count):
        backend.auth.create_user(f"one-{number}@example.com", PASSWORD)
    print(f"one by one: {(time.monotonic() - started) / count * 1e3:.0f} ms a user")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--groups", action="store_true", help="put each into one group")
    parser.add_argument("--latency", default="100", help="milliseconds, or from-to")
    parser.add_argument(
        "--pow", action="store_true", help="the client without gmpy2, as installed by default"
    )
    parser.add_argument("--one-by-one", action="store_true", help="also 50 users sequentially")
    chosen = parser.parse_args()
    if chosen.pow:
        sys.modules["gmpy2"] = None  # type: ignore[assignment]
    sys.path.insert(0, str(ROOT))
    measure(chosen)


if __name__ == "__main__":
    main()
