"""Sealed documents in SQLite, found by kind and key, changed in transactions.

Any number of threads and processes may use one state at once. What a transaction wrote is there
after ``kill -9``; only a power cut may take the last moments (WAL with synchronous=NORMAL).
"""

from __future__ import annotations

import hmac
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedctl.errors import LocalSandboxError
from seedctl.local.seal import BrokenSealError, Seal
from seedctl.local.state_folder import DATABASE, create_once, read_key, unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Document = dict[str, Any]

_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS key_check (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB);
CREATE TABLE IF NOT EXISTS document (
    kind BLOB NOT NULL, key BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    kind BLOB NOT NULL, partition BLOB NOT NULL, key BLOB NOT NULL,
    PRIMARY KEY (kind, partition, key)
) WITHOUT ROWID;
"""
FORMAT = 1
"""How the state is laid out; it stands in the database as SQLite's ``user_version``."""
_UNVERSIONED = 0  # of a new database, and of those made before there were formats: laid out as 1


class View:
    """The documents as one transaction sees them, and the partitions they are entered under."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal) -> None:
        self._connection = connection
        self.seal = seal

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        place = self._place(kind, key)
        row = self._connection.execute(
            "SELECT body FROM document WHERE kind = ? AND key = ?", place
        ).fetchone()
        return None if row is None else self.seal.open(row[0], b"".join(place))

    def put(self, kind: str, key: str, document: dict[str, Any]) -> None:
        place = self._place(kind, key)
        self._connection.execute(
            "INSERT INTO document VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            (*place, self.seal.close(document, b"".join(place))),
        )

    def delete(self, kind: str, key: str) -> bool:
        """Delete the document; False if there was none."""
        cursor = self._connection.execute(
            "DELETE FROM document WHERE kind = ? AND key = ?", self._place(kind, key)
        )
        return cursor.rowcount > 0

    def scan(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield all documents of *kind*, in no order that means anything."""
        kind_digest = self._place(kind, "")[0]
        rows = self._connection.execute(
            "SELECT key, body FROM document WHERE kind = ?", (kind_digest,)
        ).fetchall()
        for key, body in rows:
            yield self.seal.open(body, kind_digest + key)

    def scan_page(self, kind: str, after: bytes, size: int) -> Iterator[tuple[bytes, Document]]:
        """Yield at most *size* documents of *kind* that come behind *after*, with their places.

        The place of the last one is the next page's *after*; the first page's is empty.
        """
        kind_digest = self._place(kind, "")[0]
        rows = self._connection.execute(
            "SELECT key, body FROM document WHERE kind = ? AND key > ? ORDER BY key LIMIT ?",
            (kind_digest, after, size),
        )
        for key, body in rows:
            yield key, self.seal.open(body, kind_digest + key)

    def scan_partition(self, kind: str, partition: str) -> Iterator[tuple[bytes, Document]]:
        """Yield the documents of *kind* that were entered under *partition*, with their places."""
        kind_digest = self._place(kind, "")[0]
        rows = self._connection.execute(
            "SELECT document.key, body FROM entry JOIN document USING (kind, key)"
            " WHERE entry.kind = ? AND partition = ?",
            (kind_digest, self.seal.digest("partition", kind, partition)),
        ).fetchall()
        for key, body in rows:
            yield key, self.seal.open(body, kind_digest + key)

    def enter(self, kind: str, partition: str, key: str) -> None:
        """Let the document *key* be found under *partition* too; :meth:`leave` undoes it."""
        self._connection.execute(
            "INSERT OR IGNORE INTO entry VALUES (?, ?, ?)", self._entry(kind, partition, key)
        )

    def leave(self, kind: str, partition: str, key: str) -> None:
        self._connection.execute(
            "DELETE FROM entry WHERE kind = ? AND partition = ? AND key = ?",
            self._entry(kind, partition, key),
        )

    def clear_entries(self, kind: str) -> None:
        self._connection.execute("DELETE FROM entry WHERE kind = ?", (self._place(kind, "")[0],))

    def _entry(self, kind: str, partition: str, key: str) -> tuple[bytes, bytes, bytes]:
        kind_digest, key_digest = self._place(kind, key)
        return kind_digest, self.seal.digest("partition", kind, partition), key_digest

    def _place(self, kind: str, key: str) -> tuple[bytes, bytes]:
        return self.seal.digest("kind", kind)[:16], self.seal.digest("key", kind, key)


class Store:
    """The state of one sandbox."""

    def __init__(self, path: Path, seal: Seal) -> None:
        self.path = path
        self.seal = seal
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        # Threads queue here in order; SQLite's own waiting is by ever longer naps.
        self._writing = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open the state in *folder*, made if it is new. Raises LocalSandboxError."""
        key = read_key(folder)
        store = cls(folder / DATABASE, Seal(key))
        try:
            create_once(store.path, b"")
        except OSError as error:
            raise unusable(store.path, error) from error
        try:
            store._lay_out()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def transaction(self) -> Iterator[View]:
        """Give a view to read and write; all of it is kept, or nothing if the block raises."""
        with self._writing, self._borrowed() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield View(connection, self.seal)
            except BaseException:
                if connection.in_transaction:  # SQLite ends it by itself when the disk is full
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Give a view to read; writers do not disturb it, nor it them."""
        with self._borrowed() as connection:
            connection.execute("BEGIN")
            try:
                yield View(connection, self.seal)
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        with self.reading() as view:
            return view.get(kind, key)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to this thread for one transaction.

        A pool rather than one for each thread: a client that does not keep its connection alive
        gets a new thread for every call.
        """
        with self._translated():
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
            try:
                yield connection
            finally:
                with self._lock:
                    # One left inside a transaction, by whatever failure, must not be lent again.
                    reusable = not (self._closed or connection.in_transaction)
                    if reusable:
                        self._idle.append(connection)
                if not reusable:
                    connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            # Overwrites what is deleted: a removed secret leaves no trace, sealed as it was.
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _lay_out(self) -> None:
        with self._borrowed() as connection:
            found_format: int = connection.execute("PRAGMA user_version").fetchone()[0]
            self._check_format(found_format)
            self._use_wal(connection)
            expected = self.seal.digest("key check")
            found = self._key_check(connection)
            # A state that an earlier version made lacks the tables that came later, and a format.
            if found is None or (found == expected and found_format != FORMAT):
                connection.execute("BEGIN IMMEDIATE")
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("INSERT OR IGNORE INTO key_check VALUES (1, ?)", (expected,))
                connection.execute("COMMIT")
                found = self._key_check(connection)
        if not isinstance(found, bytes) or not hmac.compare_digest(found, expected):
            raise LocalSandboxError(
                f"The key in {self.path.parent} does not fit the database beside it.",
                resolution="Put the right key file back, or start afresh with seedctl local reset.",
            )

    def _key_check(self, connection: sqlite3.Connection) -> object:
        if not connection.execute("PRAGMA table_info(key_check)").fetchall():
            return None
        row = connection.execute("SELECT value FROM key_check").fetchone()
        return None if row is None else row[0]

    def _check_format(self, found: int) -> None:
        if found not in (_UNVERSIONED, FORMAT):
            raise LocalSandboxError(
                f"The local state in {self.path.parent} has format {found}, which another version "
                f"of seedctl wrote; this one reads format {FORMAT}.",
                resolution="Update seedctl, or start afresh with seedctl local reset.",
            )

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _BUSY_SECONDS
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # The busy time-out does not cover this statement; another process is at it.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except BrokenSealError as error:
            raise LocalSandboxError(
                f"{self.path} holds a document that its key does not open.",
                resolution="The state is damaged; start afresh with seedctl local reset.",
            ) from error
        except sqlite3.Error as error:
            raise unusable(self.path, error) from error
