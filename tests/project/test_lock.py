"""The lock on a file that one process at a time holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.project import lock

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_lock_on_a_removed_file_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file is removed between opening and locking it, the lock is taken on the new file."""
    path = tmp_path / "marker"
    opened: list[int] = []
    lock_descriptor = lock._try_lock

    def remove_first(descriptor: int, *, exclusive: bool) -> bool:
        opened.append(descriptor)
        if len(opened) == 1:
            path.unlink()
        return lock_descriptor(descriptor, exclusive=exclusive)

    monkeypatch.setattr(lock, "_try_lock", remove_first)
    taken = lock.FileLock.take(path, seconds=0)
    assert taken is not None
    assert lock.is_held(path)
    taken.release()
    assert not lock.is_held(path)
