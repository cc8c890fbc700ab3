"""Encrypt the secrets of a portable snapshot with the key of this machine."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from seedctl.errors import LocalSandboxError
from seedctl.local.snapshot_folder import damaged
from seedctl.local.state_folder import create_once, translate_errors, unfinished_name
from seedctl.local.store import KEY_CHECK

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.local.seal import Seal

CONTEXTS = {
    "credentials": ("credentials", "access_key_id"),
    "message": ("message", "username"),
    "parameter": ("parameter", "name", "version"),
    "signing_key": ("signing key", "pool"),
    "user": ("user", "pool", "username"),
}
"""For each table with a column ``secret``: the word and the columns that its secrets are bound to."""


@contextmanager
def reencrypted_copy(name: str, database: Path, old: Seal, new: Seal) -> Iterator[Path]:
    """Yield a temporary copy of *database*, with secrets encrypted by *new* instead of *old*.

    Refresh tokens are stored as digests under the old key, so they are not valid any more. *name* is
    that of the snapshot, for errors. Raises LocalSandboxError and OSError.
    """
    copy = unfinished_name(database.parents[1] / ".copy")
    try:
        create_once(copy, b"")
        shutil.copyfile(database, copy)
        with translate_errors(copy, sqlite3.Error), closing(sqlite3.connect(copy)) as connection:
            _reencrypt(name, connection, old, new)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _reencrypt(name: str, connection: sqlite3.Connection, old: Seal, new: Seal) -> None:
    failures: list[LocalSandboxError] = []

    def reencrypt(secret: bytes, *context: object) -> bytes:
        texts = [str(part) for part in context]
        try:
            return new.encrypt(old.decrypt(secret, *texts), *texts)
        except LocalSandboxError as error:
            failures.append(error)  # SQLite's own error does not say what was raised here
            raise

    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.create_function("reencrypt", -1, reencrypt)
    try:
        for table, (word, *columns) in CONTEXTS.items():
            query = f"UPDATE {table} SET secret = reencrypt(secret, ?, {', '.join(columns)})"  # noqa: S608
            connection.execute(query, (word,))
    except sqlite3.OperationalError:
        if failures:
            raise damaged(name, "its key cannot decrypt a value") from failures[0]
        raise
    check = new.digest(KEY_CHECK)
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (check, KEY_CHECK))
    connection.commit()
