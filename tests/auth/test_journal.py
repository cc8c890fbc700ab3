"""The journal of unfinished users: marker files that name nobody."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING

import pytest

from seedctl.auth.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POOL = "us-east-1_AbCdEfGhI"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that is not there yet, as in a fresh checkout."""
    return tmp_path / ".amplify" / "seedctl"


@pytest.fixture
def journal(state: Path, warnings: list[str]) -> Iterator[Journal]:
    """A journal that must not warn."""
    yield Journal(state, warnings.append)
    assert warnings == []


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_user_is_unfinished_between_begin_and_finish(journal: Journal) -> None:
    """A user is named from just before it is created until it has its final password."""
    assert not journal.names(POOL, "ann")
    journal.begin(POOL, "ann")
    assert journal.names(POOL, "ann")
    journal.finish(POOL, "ann")
    assert not journal.names(POOL, "ann")


def test_a_later_run_finds_what_an_earlier_left(
    journal: Journal, state: Path, warnings: list[str]
) -> None:
    """The journal survives the process, which is all that it is for."""
    journal.begin(POOL, "ann")
    assert Journal(state, warnings.append).names(POOL, "ann")


def test_begin_says_whether_the_user_was_free(
    journal: Journal, state: Path, warnings: list[str]
) -> None:
    """Of two runs that begin the same user, one before the other, only the first has it."""
    assert journal.begin(POOL, "ann") == "new"
    assert journal.begin(POOL, "ann") == "begun"
    assert Journal(state, warnings.append).begin(POOL, "ANN") == "begun"
    journal.finish(POOL, "ann")
    assert journal.begin(POOL, "ann") == "new"


def test_of_runs_at_the_same_time_one_has_the_user(state: Path, warnings: list[str]) -> None:
    """However closely several runs begin the same user, exactly one of them has it."""
    for round_ in range(10):
        start = threading.Barrier(6)
        won: list[bool] = []

        def work(
            start: threading.Barrier = start, won: list[bool] = won, name: str = f"user-{round_}"
        ) -> None:
            journal = Journal(state, warnings.append)
            start.wait()
            won.append(journal.begin(POOL, name) == "new")

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 5 + [True]
    assert warnings == []


def test_what_is_confirmed_is_ours(journal: Journal, state: Path, warnings: list[str]) -> None:
    """Once Cognito has said that we created the user, every later run knows."""
    journal.begin(POOL, "ann")
    journal.confirm(POOL, "ann")
    assert Journal(state, warnings.append).begin(POOL, "Ann") == "created"
    journal.finish(POOL, "ann")
    journal.confirm(POOL, "ann")  # of one that is not begun nothing is noted
    assert journal.begin(POOL, "ann") == "new"


def test_beginning_and_finishing_twice_is_harmless(journal: Journal) -> None:
    """A run that repeats a step, or finishes what it never began, does no harm."""
    journal.finish(POOL, "ann")
    journal.begin(POOL, "ann")
    journal.begin(POOL, "ann")
    journal.finish(POOL, "ann")
    assert not journal.names(POOL, "ann")


@pytest.mark.parametrize(
    ("pool", "username"),
    [
        pytest.param(POOL, "bob", id="another user"),
        pytest.param("us-east-1_Other", "ann", id="another pool"),
        pytest.param(f"{POOL}\0ann", "", id="parts run together"),
        pytest.param(POOL, "ann ", id="a space more"),
    ],
)
def test_others_are_not_meant(journal: Journal, pool: str, username: str) -> None:
    """Each user of each pool has a marker of its own."""
    journal.begin(POOL, "ann")
    assert not journal.names(pool, username)
    journal.finish(pool, username)
    assert journal.names(POOL, "ann")


def test_the_case_of_the_name_does_not_matter(journal: Journal) -> None:
    """Cognito's names ignore case, and so does the journal."""
    journal.begin(POOL, "Ann@Example.com")
    assert journal.names(POOL, "ANN@EXAMPLE.COM")
    journal.finish(POOL, "ann@example.com")
    assert not journal.names(POOL, "Ann@Example.com")


@pytest.mark.parametrize("username", ["../../etc/passwd", "a/b", "密码", "half\ud83d", "x" * 5000])
def test_any_name_makes_a_plain_file_name(journal: Journal, state: Path, username: str) -> None:
    """A name with slashes, of any script or length, cannot leave the folder or be refused."""
    journal.begin(POOL, username)
    (marker,) = _files(state.parent.parent)
    assert marker.parent == state / "unfinished"
    assert marker.name.isalnum()
    assert journal.names(POOL, username)


def test_the_journal_holds_nothing_to_read(journal: Journal, state: Path) -> None:
    """Neither a name nor a pool nor anything else can be read from the files."""
    journal.begin(POOL, "ann@example.com")
    (marker,) = _files(state)
    assert marker.read_bytes() == b""
    assert "ann" not in str(marker.relative_to(state))
    assert POOL not in str(marker.relative_to(state))


def test_only_the_owner_may_look(journal: Journal, state: Path) -> None:
    """The folders are private to the account, and so is each marker."""
    journal.begin(POOL, "ann")
    (marker,) = _files(state)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE(marker.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(marker.stat().st_mode) & 0o077 == 0


def test_looking_makes_nothing(journal: Journal, state: Path) -> None:
    """Asking, or finishing what was never begun, leaves no folder behind."""
    assert not journal.names(POOL, "ann")
    journal.finish(POOL, "ann")
    assert not state.exists()


def test_many_users_at_once(journal: Journal, state: Path) -> None:
    """Threads that begin and finish together leave exactly the unfinished ones."""
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for round_ in range(10):
            journal.begin(POOL, f"user-{number}-{round_}")
            if round_ % 2:
                journal.finish(POOL, f"user-{number}-{round_}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_files(state)) == 40
    assert journal.names(POOL, "user-3-4")
    assert not journal.names(POOL, "user-3-5")


@pytest.mark.parametrize("where", ["state folder", "its parent", "unfinished"])
def test_a_folder_that_cannot_be_written_is_warned_of_once(
    state: Path, warnings: list[str], where: str
) -> None:
    """The run goes on without a journal, and says so once, however many users follow."""
    blocked = {
        "state folder": state,
        "its parent": state.parent,
        "unfinished": state / "unfinished",
    }[where]
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("a file in the folder's place")
    journal = Journal(state, warnings.append)
    for username in ("ann", "bob", "eve"):
        assert not journal.names(POOL, username)
        assert journal.begin(POOL, username) == "new"
        assert not journal.names(POOL, username)
        journal.finish(POOL, username)
    (warning,) = warnings
    assert str(state) in warning
    assert 'if_exists="sign_in"' in warning


def test_a_folder_that_cannot_be_looked_into_names_nobody(
    tmp_path: Path, warnings: list[str]
) -> None:
    """A folder that the system refuses to look into holds no journal; the run goes on."""
    journal = Journal(tmp_path / ("x" * 300), warnings.append)
    assert not journal.names(POOL, "ann")
    assert journal.begin(POOL, "ann") == "new"
    journal.finish(POOL, "ann")
    assert len(warnings) == 1


def test_a_marker_that_cannot_be_removed_is_warned_of_once(
    state: Path, warnings: list[str]
) -> None:
    """A finished user whose marker stays is worth a word, since the next run will look at it."""
    journal = Journal(state, warnings.append)
    for username in ("ann", "bob"):
        journal.begin(POOL, username)
    for marker in _files(state):
        marker.unlink()
        marker.mkdir()  # unlink() refuses a folder, also for root
    for username in ("ann", "bob"):
        journal.finish(POOL, username)
    (warning,) = warnings
    assert str(state) in warning
