"""Kill processes that save and load snapshots, and check what each leaves behind.

``python tests/local/snapshot_kills.py FOLDER KILLS`` kills so many processes of each kind: half of
them right before a call, evenly spread over all calls that they make, the others after a random time.
It prints how many left the old content and how many the new one, and raises for anything else.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[2]
OLD, NEW = ["a", "old"], ["a", "b", "c", "new"]

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    folder, kills = Path(sys.argv[1]), int(sys.argv[2])
    os.fsync = lambda _: None  # type: ignore[assignment]  # slow, and no matter to a kill
    for action in (save, load):
        pristine = folder / f"pristine-{action.__name__}"
        _prepare(pristine, is_saved_first=action is save)
        calls, seconds = _measure(action, pristine, folder / "measured")
        found: Counter[str] = Counter()
        for number in range(kills):
            state = folder / f"{action.__name__}-{number}"
            shutil.copytree(pristine, state, symlinks=True)
            if number % 2:
                _run(action, state, at_call=1 + calls * number // kills)
            else:
                _run(action, state, after=random.uniform(0, 1.2 * seconds))
            found[_outcome(state, is_saved=action is save)] += 1
            _check_next(state)
            shutil.rmtree(state)
        print(action.__name__, calls, found["old"], found["new"])


def save(state: Path) -> None:
    from seedctl.local import save_snapshot

    save_snapshot(state, lambda: None, "base", is_replacing=True)


def load(state: Path) -> None:
    from seedctl.local import load_snapshot

    load_snapshot(state, lambda: None, "base")


def _prepare(state: Path, *, is_saved_first: bool) -> None:
    """Make a state and a snapshot: the old content, and the new one."""
    from seedctl.local.state_folder import prepare
    from seedctl.local.store import Store

    contents = [OLD, NEW] if is_saved_first else [NEW, OLD]
    for number, names in enumerate(contents):
        with closing(Store.open(prepare(state))) as store:
            with store.transaction() as view:
                view.execute("DELETE FROM guest")
                view.execute("DELETE FROM object")
            for name in names:
                _put(store, name)
        if number == 0:
            save(state)
    objects = state / "local" / "objects"
    for path in objects.iterdir():
        if _content(path.name) not in contents[-1]:
            path.unlink()


def _put(store: Any, name: str) -> None:
    objects = store.path.parent / "objects"
    objects.mkdir(exist_ok=True)
    file = name.encode().hex().zfill(32)
    (objects / file).write_text(name * 1000)
    with store.transaction() as view:
        # Large enough for a database of a few hundred pages.
        for number in range(50):
            view.put("guest", pool=f"{name} {number} {'x' * 1000}", id=name)
        row = {"headers": {}, "metadata": {}, "checksums": {}, "modified": 0, "etag": "e"}
        row |= {"bucket": "b", "key": name, "file": file, "size": 1000 * len(name)}
        view.put("object", **row, checksum_type="x")


def _content(file: str) -> str:
    return bytes.fromhex(file).strip(b"\0").decode()


def _measure(action: Callable[[Path], None], pristine: Path, state: Path) -> tuple[int, float]:
    """Return how many calls *action* makes, and how many seconds it takes."""
    shutil.copytree(pristine, state)
    action(state)  # imports what it needs
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    action(state)
    sys.setprofile(None)
    started = time.perf_counter()
    action(state)
    shutil.rmtree(state)
    return calls, time.perf_counter() - started


def _run(
    action: Callable[[Path], None], state: Path, *, at_call: int = 0, after: float = 0.0
) -> None:
    """Run *action* in a process that is killed at its call *at_call*, or *after* seconds."""
    process = os.fork()
    if process == 0:
        if at_call:
            left = at_call

            def kill(*_: object) -> None:
                nonlocal left
                left -= 1
                if left <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.setprofile(kill)
        try:
            action(state)
        finally:
            sys.setprofile(None)
            os._exit(1 if sys.exc_info()[0] else 0)
    if not at_call:
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status


def _outcome(state: Path, *, is_saved: bool) -> str:
    """Return whether the snapshot, or the state, is the old one or the new one; all is complete."""
    from seedctl.local.snapshot_database import open_database
    from seedctl.local.snapshot_folder import require_snapshot
    from seedctl.local.state_folder import prepare
    from seedctl.local.store import Store

    if is_saved:
        snapshot = require_snapshot(state / "local", "base")
        with open_database(snapshot.folder / snapshot.database) as database:
            return _compare(database.execute, snapshot.folder / "objects", OLD, NEW)
    with closing(Store.open(prepare(state))) as store, store.reading() as view:
        return _compare(view.execute, state / "local" / "objects", OLD, NEW)


def _compare(execute: Any, objects: Path, old: list[str], new: list[str]) -> str:
    assert execute("PRAGMA integrity_check").fetchone() == ("ok",)
    names = [name for (name,) in execute("SELECT DISTINCT id FROM guest ORDER BY id")]
    counted = {count for (count,) in execute("SELECT count(*) FROM guest GROUP BY id")}
    files = dict(execute("SELECT key, file FROM object"))
    assert (sorted(files), counted) == (names, {50})
    for name, file in files.items():
        assert (objects / file).read_text() == name * 1000
    return {tuple(old): "old", tuple(new): "new"}[tuple(names)]


def _check_next(state: Path) -> None:
    """Check that the next save and load work, and that the next start leaves no unused file."""
    from seedctl.local.s3 import index
    from seedctl.local.s3.files import Files
    from seedctl.local.state_folder import prepare
    from seedctl.local.store import Store

    save(state)
    load(state)
    with closing(Store.open(prepare(state))) as store, store.reading() as view:
        files = Files(store.path.parent)
        files.remove_unreferenced(lambda name: index.is_referenced(view, name))
        files.close()
        expected = {name for (name,) in view.execute("SELECT file FROM object")}
    local = state / "local"
    assert {path.name for path in (local / "objects").iterdir()} - {"lock"} == expected
    base = local / "snapshots" / "base"
    assert {path.name for path in (base / "objects").iterdir()} == expected
    assert len(list(base.iterdir())) == 3
    assert list(state.rglob("*unfinished*")) == []


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
