"""The lock on a file that one process at a time holds."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING

import pytest

from seedctl.project import lock

if TYPE_CHECKING:
    from pathlib import Path


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


def test_two_looks_at_once_find_no_holder(tmp_path: Path) -> None:
    """Who looks whether a lock is held does not hold it, but nobody else can take it meanwhile."""
    path = tmp_path / "marker"
    path.touch()
    assert not lock.is_held(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # as is_held() does
        assert not lock.is_held(path)
        assert lock.FileLock.take(path, seconds=0) is None
    finally:
        os.close(descriptor)


def test_no_descriptor_is_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may ask for a lock thousands of times while another process holds it."""
    path = tmp_path / "marker"
    opened: list[int] = []
    lock_descriptor = lock._try_lock

    def note(descriptor: int, *, exclusive: bool) -> bool:
        opened.append(descriptor)
        return lock_descriptor(descriptor, exclusive=exclusive)

    taken = lock.FileLock.take(path, seconds=0)
    assert taken is not None
    monkeypatch.setattr(lock, "_try_lock", note)
    assert lock.FileLock.take(path, seconds=0) is None
    assert lock.is_held(path)
    taken.release()
    assert len(opened) == 2
    for descriptor in opened:
        with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
            os.fstat(descriptor)


def test_a_path_that_cannot_be_opened(tmp_path: Path) -> None:
    """A missing file is not locked; any other failure to open it is raised."""
    assert not lock.is_held(tmp_path / "marker")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        lock.is_held(tmp_path / "file" / "marker")


def test_a_file_system_without_locks_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for a lock that another process holds, for which the caller would wait."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    for call in (lock.FileLock.take, lock.is_held):
        with pytest.raises(OSError, match=os.strerror(errno.ENOLCK)):
            call(tmp_path / "marker")


def test_what_is_stored_in_the_file(tmp_path: Path) -> None:
    """It is written and read at the beginning; only the owner may read it; a second release is no error."""
    path = tmp_path / "marker"
    taken = lock.FileLock.take(path, seconds=0)
    assert taken is not None
    for content in (b"started", b"created"):
        taken.write(content)
        assert taken.read(100) == path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    taken.release()
    taken.release()
    assert not lock.is_held(path)
