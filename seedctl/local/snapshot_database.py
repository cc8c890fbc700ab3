"""The database of a snapshot, and the files of contents that belong to it."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from seedctl.local.s3.files import is_object_name
from seedctl.local.snapshot_folder import damaged
from seedctl.local.state_folder import translate_errors

if TYPE_CHECKING:
    from pathlib import Path

_CONTENTS = "SELECT file, size FROM object UNION ALL SELECT file, size FROM part"


@contextmanager
def open_database(database: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection to the *database* of a snapshot."""
    uri = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    with (
        translate_errors(database, sqlite3.Error),
        closing(sqlite3.connect(uri, uri=True)) as connection,
    ):
        yield connection


def require_intact(name: str, database: sqlite3.Connection) -> None:
    """Raise LocalSandboxError if the *database* of the snapshot *name* is damaged.

    SQLite copies damaged pages without an error, so this is checked before they replace the state.
    """
    try:
        (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:  # the file cannot be read
        raise
    except sqlite3.DatabaseError as error:
        raise damaged(name, f"its database has the error {str(error)!r}") from error
    if found != "ok":
        raise damaged(name, "its database is malformed")


def contents_of(name: str, database: sqlite3.Connection) -> dict[str, int]:
    """Return the names of the contents that the *database* of the snapshot *name* refers to.

    The value is the size in bytes. Raises LocalSandboxError for a name that the sandbox did not make.
    """
    contents = dict(database.execute(_CONTENTS))
    for file in contents:
        if not is_object_name(file):
            raise damaged(name, "its database refers to other files")
    return contents


def count_rows(database: sqlite3.Connection) -> dict[str, Any]:
    """Return how many users, records and files *database* has."""
    tables = {"users": "user", "records": "row", "files": "object"}
    return {
        name: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        for name, table in tables.items()
    }


def has_size(path: Path, size: int) -> bool:
    """Whether *path* is a file of *size* bytes, and not a link."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size
