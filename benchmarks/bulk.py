"""Measure create_many: rows per second, with the latency of a network and without latency.

`python benchmarks/bulk.py [--rows N] [--latency MS]`. The local sandbox runs in a separate process.
With latency, the ratio is to the time that the latency alone takes: rows ÷ batch size * latency ÷
concurrency.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from served import PASSWORD, ROOT, peak_memory, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE_BY_ONE = 100


@contextmanager
def todos(*words: str) -> Iterator[Any]:
    """Yield the Todo model of a signed-in user, with the schema already loaded."""
    from seedctl import connect
    from seedctl.report import Report

    with (
        served(*words) as here,
        connect(here.work, endpoint_url=here.url, observer=Report(), target="none") as backend,
    ):
        user = backend.auth.create_user("ann@example.com", PASSWORD)
        with backend.auth.sign_in(user, PASSWORD) as session:
            model = session.data.models.Todo
            model.create({"content": "loads the schema"})
            yield model


def at_latency(count: int, latency: float, batch: int = 25, concurrency: int = 8) -> None:
    print(f"{count} records, {latency:g} ms a call, create_many with its defaults")
    with todos(f"{latency:g}") as model:
        started = time.monotonic()
        for number in range(ONE_BY_ONE):
            model.create({"content": f"one {number}"})
        one = (time.monotonic() - started) / ONE_BY_ONE
        rows = [{"content": f"todo {number}"} for number in range(count)]
        started = time.monotonic()
        results = model.create_many(rows)
        seconds = time.monotonic() - started
    assert all(each.state == "created" for each in results)
    floor = count / batch * latency / 1e3 / concurrency
    print(f"floor       {floor:7.2f} s  rows ÷ {batch} * latency ÷ {concurrency}")
    print(f"create_many {seconds:7.2f} s  {seconds / floor:.2f} x")
    print(f"one by one  {one * count:7.2f} s  {one * count / seconds:.0f} x (from {ONE_BY_ONE})")
    print(f"memory      {peak_memory():7.1f} MB at most, client")


def without_latency(count: int) -> None:
    print(f"{count} records, no latency")
    with todos() as model:
        for threads, size in ((1, 1), (8, 1), (1, 25), (2, 25), (8, 25)):
            rows = [{"content": f"todo {n}"} for n in range(count if size > 1 else count // 5)]
            _measure(
                f"create, {size:>2} in a request, {threads} at once",
                len(rows),
                lambda: model.create_many(rows, concurrency=threads, batch_size=size),  # noqa: B023 - called at once
            )
        rows = [{"content": f"todo {number}"} for number in range(count)]
        results = model.create_many(rows, key="content")
        for mode in ("skip", "update"):
            _measure(
                f'create again, if_exists="{mode}"',
                count,
                lambda: model.create_many(rows, key="content", if_exists=mode),  # noqa: B023 - called at once
            )
        _measure("delete", count, lambda: model.delete_many([each.key for each in results]))


def _measure(what: str, count: int, work: Callable[[], object]) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(f"{what:<40} {count / seconds:6.0f} rows/s {cpu / count * 1e6:5.0f} µs CPU a row, client")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=100.0, help="milliseconds")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    at_latency(chosen.rows, chosen.latency)
    without_latency(chosen.rows)


if __name__ == "__main__":
    main()
