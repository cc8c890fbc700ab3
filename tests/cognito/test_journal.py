"""The journal of unfinished users: marker files without names."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.cognito.journal import Journal
from seedctl.errors import UsernameExistsError
from seedctl.project.lock import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = "us-east-1_AbCdEfGhI"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that does not exist yet, as in a fresh checkout."""
    return tmp_path / ".amplify" / "seedctl"


@pytest.fixture
def journal(state: Path, warnings: list[str]) -> Iterator[Journal]:
    """A journal that must not warn."""
    yield Journal(state, warnings.append)
    assert warnings == []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _begin(journal: Journal, username: str, *, is_created: bool = False) -> str:
    """Leave *username* unfinished, and return what the journal had recorded before."""
    with journal.claim(POOL, username) as claim:
        if is_created:
            claim.mark_created()
        return claim.state


def _finish(journal: Journal, username: str) -> None:
    with journal.claim(POOL, username) as claim:
        claim.clear()


def test_a_user_is_unfinished_until_it_is_cleared(journal: Journal) -> None:
    """A user is unfinished from just before its creation until it has its final password."""
    assert not journal.is_unfinished(POOL, "ann")
    with journal.claim(POOL, "ann") as claim:
        assert journal.is_unfinished(POOL, "ann")
        claim.clear()
        assert not journal.is_unfinished(POOL, "ann")
    assert not journal.is_unfinished(POOL, "ann")


def test_a_later_run_finds_the_markers_of_an_earlier_one(
    journal: Journal, state: Path, warnings: list[str]
) -> None:
    """The journal outlives the process, and records how far the earlier run came."""
    assert _begin(journal, "ann") == "new"
    assert _begin(Journal(state, warnings.append), "ann") == "started"
    assert _begin(journal, "ann", is_created=True) == "started"
    assert _begin(Journal(state, warnings.append), "ann") == "created"
    _finish(journal, "ann")
    assert _begin(journal, "ann") == "new"


def test_a_second_interrupted_run_does_not_lose_what_the_first_recorded(journal: Journal) -> None:
    """That Cognito confirmed the creation stays recorded until the user is finished."""
    _begin(journal, "ann", is_created=True)
    assert [_begin(journal, "ann") for _ in range(2)] == ["created", "created"]


def test_an_empty_marker_means_a_new_user(journal: Journal, state: Path) -> None:
    """An empty marker means that nothing was sent: the user is new."""
    _begin(journal, "ann")
    (marker,) = _files(state)
    marker.write_bytes(b"")
    assert _begin(journal, "ann") == "new"


def test_one_run_at_a_time_holds_the_claim(state: Path, warnings: list[str]) -> None:
    """Only one of several concurrent runs holds the claim on a user."""
    for round_ in range(10):
        start = threading.Barrier(6)
        inside: list[str] = []
        most: list[int] = []
        waited: list[bool] = []

        def work(
            start: threading.Barrier = start,
            inside: list[str] = inside,
            most: list[int] = most,
            waited: list[bool] = waited,
            name: str = f"user-{round_}",
        ) -> None:
            journal = Journal(state, warnings.append)
            start.wait()
            with journal.claim(POOL, name) as claim:
                inside.append(name)
                most.append(len(inside))
                waited.append(claim.was_waited_for)
                inside.pop()
                claim.clear()  # from here on another run may claim the user

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert most == [1] * 6
        assert not waited[0]
    assert warnings == []


def test_who_waited_for_a_claim_knows_it(
    journal: Journal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user that exists then was created by the other run, and not by another tool long ago."""
    held = ExitStack()
    held.enter_context(Journal(state, print).claim(POOL, "ann"))
    monkeypatch.setattr(time, "sleep", lambda _: held.close())  # the other run ends meanwhile
    with journal.claim(POOL, "ann") as claim:
        assert claim.was_waited_for
    with journal.claim(POOL, "ann") as claim:
        assert not claim.was_waited_for


def test_cleared_users_are_not_unfinished(
    journal: Journal, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One or all of them; but not a user whom another run is creating. Each lock is released."""
    journal.clear_all()
    assert not state.exists()
    for name in ("ann", "bob", "eve"):
        _begin(journal, name)
    released: list[FileLock] = []
    release = FileLock.release

    def record(lock: FileLock) -> None:
        released.append(lock)
        release(lock)

    monkeypatch.setattr(FileLock, "release", record)
    journal.clear(POOL, "ann")
    assert [journal.is_unfinished(POOL, name) for name in ("ann", "bob")] == [False, True]
    assert len(released) == 1
    with journal.claim(POOL, "eve"):
        journal.clear_all()
        assert [journal.is_unfinished(POOL, name) for name in ("bob", "eve")] == [False, True]
        assert len(released) == 2


def test_a_claim_ends_with_its_process(journal: Journal, state: Path) -> None:
    """The operating system releases the claim of a killed run; what it recorded stays."""
    code = (
        "import os, sys, pathlib\n"
        "from seedctl.cognito.journal import Journal\n"
        f"with Journal(pathlib.Path({str(state)!r}), print).claim({POOL!r}, 'ann') as claim:\n"
        "    claim.mark_created()\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with journal.claim(POOL, "ann") as claim:
        assert claim.state == "created"
        assert not claim.was_waited_for


def test_waiting_too_long_for_a_claim_is_an_error(
    state: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds of waiting there is a warning, and at the end an error that says what to do."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    journal = Journal(state, warnings.append)
    with (
        journal.claim(POOL, "ann"),
        pytest.raises(UsernameExistsError, match="creating ann for 200 s") as caught,
        journal.claim(POOL, "ann"),
    ):
        raise AssertionError("two runs have the user")
    assert 200 <= now[0] < 201
    assert "run again" in (caught.value.resolution or "")
    assert warnings == ["Waiting for another run that is creating ann."]


@pytest.mark.parametrize(
    ("pool", "username"),
    [
        pytest.param(POOL, "bob", id="another user"),
        pytest.param(POOL, "Ann", id="another case, which may be another user"),
        pytest.param("us-east-1_Other", "ann", id="another pool"),
        pytest.param(f"{POOL}\0ann", "", id="parts run together"),
        pytest.param(f"{POOL}a", "nn", id="a letter moved"),
        pytest.param(POOL, "ann ", id="a space more"),
    ],
)
def test_other_users_and_pools_are_separate(journal: Journal, pool: str, username: str) -> None:
    """Each user of each pool has a marker of its own."""
    _begin(journal, "ann")
    assert not journal.is_unfinished(pool, username)
    journal.clear(pool, username)
    assert journal.is_unfinished(POOL, "ann")
    _begin(journal, "half\ud83d")
    assert not journal.is_unfinished(POOL, "half?")


@pytest.mark.parametrize("username", ["../../etc/passwd", "a/b", "密码", "half\ud83d", "x" * 5000])
def test_any_user_name_gives_a_valid_file_name(
    journal: Journal, state: Path, username: str
) -> None:
    """A name with slashes, of any script or length, cannot leave the folder or be refused."""
    _begin(journal, username)
    (marker,) = _files(state.parent.parent)
    assert marker.parent == state / "unfinished"
    assert marker.name.isalnum()
    assert journal.is_unfinished(POOL, username)


def test_the_journal_contains_no_names(journal: Journal, state: Path) -> None:
    """The files contain neither a user name nor a pool id."""
    _begin(journal, "ann@example.com")
    (marker,) = _files(state)
    assert marker.read_bytes() == b"started"
    assert "ann" not in str(marker.relative_to(state))
    assert POOL not in str(marker.relative_to(state))


def test_only_the_owner_may_read(journal: Journal, state: Path) -> None:
    """Only the owner can read the folders and markers."""
    _begin(journal, "ann")
    (marker,) = _files(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE(marker.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(marker.stat().st_mode) & 0o077 == 0


def test_reading_creates_nothing(journal: Journal, state: Path) -> None:
    """Asking for a user, or clearing one that was never started, creates no folder."""
    assert not journal.is_unfinished(POOL, "ann")
    journal.clear(POOL, "ann")
    assert not state.exists()


def test_the_claim_of_another_run_is_not_cleared(journal: Journal) -> None:
    """clear() does not remove the marker of a run that is creating the user."""
    with journal.claim(POOL, "ann"):
        journal.clear(POOL, "ann")
        assert journal.is_unfinished(POOL, "ann")


def test_many_users_at_once(journal: Journal, state: Path) -> None:
    """After concurrent threads exactly the unfinished users are left."""
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(10):
            _begin(journal, f"user-{number}-{round_}")
            if round_ % 2:
                _finish(journal, f"user-{number}-{round_}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_files(state)) == 40
    assert journal.is_unfinished(POOL, "user-3-4")
    assert not journal.is_unfinished(POOL, "user-3-5")


@pytest.mark.parametrize("where", ["state folder", "its parent", "unfinished"])
def test_an_unwritable_folder_warns_once(state: Path, warnings: list[str], where: str) -> None:
    """The run continues without a journal and warns once, however many users follow."""
    blocked = {
        "state folder": state,
        "its parent": state.parent,
        "unfinished": state / "unfinished",
    }[where]
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file in the folder's place")
    journal = Journal(state, warnings.append)
    for username in ("ann", "bob", "eve"):
        assert not journal.is_unfinished(POOL, username)
        assert _begin(journal, username, is_created=True) == "new"
        assert not journal.is_unfinished(POOL, username)
        _finish(journal, username)
    (warning,) = warnings
    assert str(state) in warning
    assert 'if_exists="sign_in"' in warning


def test_an_unreadable_folder_counts_as_empty(tmp_path: Path, warnings: list[str]) -> None:
    """A folder that cannot be read counts as an empty journal; the run continues."""
    journal = Journal(tmp_path / ("x" * 300), warnings.append)
    assert not journal.is_unfinished(POOL, "ann")
    assert _begin(journal, "ann") == "new"
    journal.clear(POOL, "ann")
    assert len(warnings) == 1


@pytest.mark.parametrize("what", ["mark_created", "clear"])
def test_an_unwritable_marker_warns_once(
    state: Path, warnings: list[str], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk disables the journal, and the run continues."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = Journal(state, warnings.append)
    for username in ("ann", "bob"):
        with journal.claim(POOL, username) as claim, monkeypatch.context() as patch:
            patch.setattr(FileLock, "write", fail)
            patch.setattr(Path, "unlink", fail)
            getattr(claim, what)()
    (warning,) = warnings
    assert str(state) in warning
    assert "No space left" in warning
