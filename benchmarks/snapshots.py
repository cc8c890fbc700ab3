"""Compare the time to restore a snapshot with the time to copy the same files.

`make bench`, or `python benchmarks/snapshots.py [--restores 200]`. A local sandbox in this process has
100 users, 1,000 records and 20 files. Before each restore, the script replaces all files and changes a
tenth of the records and users in the state; the same runs with an unchanged state. The copy is a plain
one, with shutil, of the database and the files. It also compares the first restores with the last ones,
and what the process has open.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl import Backend
    from seedctl.local import Snapshot

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
OUTPUTS = ROOT / "tests" / "data" / "outputs" / "todo_userpool.json"
PASSWORD = "Sample-passw0rd"
USERS, RECORDS, FILES, FILE_SIZE = 100, 1_000, 20, 20_000
NAME = "seeded"


def fill(backend: Backend) -> None:
    from seedctl import NewUser, create_users

    create_users([NewUser(f"user{number}@example.com", PASSWORD) for number in range(USERS)])
    with backend.auth.sign_in("user0@example.com", PASSWORD) as session:
        rows = [{"content": f"todo {number}"} for number in range(RECORDS)]
        session.data.models.Todo.create_many(rows)
        for number in range(FILES):
            session.storage.upload_data(f"pictures/{number}", os.urandom(FILE_SIZE))


def change(state: Path) -> None:
    """Replace all files, and change a tenth of the records and users, as a test might."""
    with closing(sqlite3.connect(state / "state.db")) as connection, connection:
        for table in ("row", "user"):
            connection.execute(f"DELETE FROM {table} WHERE rowid % 10 = 0")
        names = [name for (name,) in connection.execute("SELECT file FROM object")]
        connection.execute("DELETE FROM object")
    for name in names:
        (state / "objects" / name).unlink()
        (state / "objects" / name[::-1]).write_bytes(b"new")


def what_is_open() -> str:
    files = len(list(Path("/proc/self/fd").iterdir()))
    return f"{files} open files, {threading.active_count()} threads"


class Measure:
    """The wall and CPU times of blocks, in milliseconds."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu.append((time.process_time() - cpu) * 1e3)
        self.wall.append((time.perf_counter() - wall) * 1e3)

    def line(self, name: str, floor: Measure | None = None) -> str:
        text = f"{name:26}"
        for label, own, other in (
            ("wall", self.wall, floor and floor.wall),
            ("CPU", self.cpu, floor and floor.cpu),
        ):
            value = statistics.mean(own)
            text += f"  {label} {value:6.2f} ms"
            text += f" {value / statistics.mean(other):5.2f} x" if other else " " * 8
        return text


def copy(snapshot: Snapshot, target: Path) -> None:
    """Copy the database and the files of *snapshot*."""
    shutil.copyfile(snapshot.folder / snapshot.database, target / "state.db")
    (target / "objects").mkdir()
    for path in (snapshot.folder / "objects").iterdir():
        shutil.copyfile(path, target / "objects" / path.name)


def main() -> None:
    from seedctl import connect, process_state
    from seedctl.embedded import EmbeddedSandboxes
    from seedctl.report import Report

    parser = argparse.ArgumentParser()
    parser.add_argument("--restores", type=int, default=200)
    restores = parser.parse_args().restores
    work = Path(tempfile.mkdtemp(prefix="seedctl-bench-"))
    (work / "package.json").write_text('{"name": "bench"}')
    shutil.copy(OUTPUTS, work / "amplify_outputs.json")
    copied, unchanged, changed = Measure(), Measure(), Measure()
    with connect(work, local=True, observer=Report()) as backend:
        fill(backend)
        (sandbox,) = process_state.instance(EmbeddedSandboxes).values()
        snapshot = sandbox.save(NAME)
        sandbox.restore(NAME)
        before = what_is_open()
        for _ in range(restores):
            with copied():
                copy(snapshot, Path(tempfile.mkdtemp(dir=work)))
            with unchanged():
                sandbox.restore(NAME)
            change(snapshot.folder.parents[1])
            with changed():
                sandbox.restore(NAME)
        after = what_is_open()
    print(
        f"{snapshot.users} users, {snapshot.records} records, {snapshot.files} files, "
        f"{snapshot.size / 1e6:.1f} MB; {restores} of each, mean"
    )
    print(copied.line("plain copy"))
    print(unchanged.line("restore, nothing changed", copied))
    print(changed.line("restore, much changed", copied))
    tenth = max(1, restores // 10)
    first, last = (statistics.mean(part) for part in (changed.cpu[:tenth], changed.cpu[-tenth:]))
    print(f"first {tenth} restores {first:.2f} ms CPU, last {tenth} {last:.2f} ms")
    print(f"before: {before}; after: {after}")
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
