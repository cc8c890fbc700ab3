"""The state in SQLite, read and changed in transactions.

Any number of threads and processes can use one state at once. A committed transaction survives
``kill -9``; only a power failure can lose the most recent ones (WAL with synchronous=NORMAL).
"""

from __future__ import annotations

import hmac
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from seedctl.errors import LocalSandboxError
from seedctl.local.seal import Seal
from seedctl.local.state_folder import DATABASE, KEY, create_once, read_key, translate_errors
from seedctl.local.state_use import StateUse

Row = dict[str, Any]

_Kind = TypeVar("_Kind")

FORMAT = 2
"""The version of the state's format, stored in SQLite's ``user_version``."""

_TABLES = Path(__file__).with_name("tables.sql")
_JSON_COLUMNS = frozenset(
    {"attributes", "checksums", "claims", "headers", "metadata", "more", "names"}
)
_BUSY_SECONDS = 30.0
KEY_CHECK = "key check"
"""The text whose digest is stored in the state, to recognise the key."""
_OK, _DONE = 0, 101  # SQLite's codes; the module has names for them from Python 3.11
_LAST_BEFORE_SURROGATES = 0xD7FF
_FIRST_AFTER_SURROGATES = 0xE000


class View:
    """The tables within one transaction. *execute* is the method of the connection."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal) -> None:
        self.execute = connection.execute
        self.seal = seal

    def rows(self, query: str, *values: object, **named: object) -> Iterator[Row]:
        """Yield the rows of *query* as dicts by column name, with JSON columns decoded."""
        cursor = self.execute(query, named or values)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield {
                name: json.loads(value) if name in _JSON_COLUMNS else value
                for name, value in zip(names, row, strict=True)
            }

    def row(self, query: str, *values: object) -> Row | None:
        """Return the first row of *query*, None if there is none."""
        return next(self.rows(query, *values), None)

    def put(self, table: str, **columns: object) -> None:
        """Insert a row, or replace the row with the same key; JSON columns are encoded."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.execute(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our names
            [to_json(value) if name in _JSON_COLUMNS else value for name, value in columns.items()],
        )


def to_json(value: object) -> str:
    """Encode *value* in the form of the JSON columns."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def from_document(kind: type[_Kind], document: Mapping[str, Any]) -> _Kind:
    """Build an instance of the dataclass *kind* from its stored *document*.

    Raises LocalSandboxError if the fields differ: then another version wrote the document.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    required = {
        name
        for name, field in known.items()
        if field.default is MISSING and field.default_factory is MISSING
    }
    differing = (document.keys() - known.keys()) | (required - document.keys())
    if differing:
        raise LocalSandboxError(
            f"Another version of seedctl wrote the local state: the fields of a stored "
            f"{kind.__name__} differ ({', '.join(sorted(differing))}).",
            resolution="Update seedctl, or delete the state with seedctl local reset.",
        )
    return kind(**document)


def prefix_end(prefix: str) -> str | bytes:
    """Return the smallest value that sorts after all texts that begin with *prefix*."""
    remaining = prefix.rstrip("\U0010ffff")
    if not remaining:
        return b""  # SQLite sorts any blob after all text
    last = ord(remaining[-1])
    following = _FIRST_AFTER_SURROGATES if last == _LAST_BEFORE_SURROGATES else last + 1
    return remaining[:-1] + chr(following)


def stored_key_check(connection: sqlite3.Connection) -> bytes:
    """Return the digest in the database by which its key is recognised."""
    query = "SELECT value FROM meta WHERE name = ?"
    found: bytes = connection.execute(query, (KEY_CHECK,)).fetchone()[0]
    return found


class Store:
    """The state of one sandbox."""

    def __init__(self, path: Path, seal: Seal, use: StateUse) -> None:
        """Use ``open`` instead."""
        self.path = path
        self.seal = seal
        self.use = use
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        # Threads queue here in order; SQLite would make them sleep for longer and longer intervals.
        self._writing = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open the state in *folder*; create it if needed. Raises LocalSandboxError."""
        seal = Seal(read_key(folder))
        store = cls(folder / DATABASE, seal, StateUse(folder / KEY))
        try:
            with translate_errors(store.path):
                if not store.path.exists():
                    create_once(store.path, b"")
            store._create_tables()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def transaction(self) -> Iterator[View]:
        """Yield a view to read and write; roll back if the block raises, else commit."""
        with self._writing, self._view("BEGIN IMMEDIATE") as view:
            yield view

    def reading(self) -> AbstractContextManager[View]:
        """Return a view to read; readers and writers do not block each other."""
        return self._view("BEGIN")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self.use.end()

    def copy_to(self, path: Path) -> None:
        """Write the committed state to the new database *path*. Raises LocalSandboxError."""
        with (
            self._pooled_connection() as source,
            translate_errors(path, sqlite3.Error),
            closing(sqlite3.connect(path)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, which readers do not change

    def replace_with(self, source: sqlite3.Connection) -> None:
        """Replace the whole state with the content of *source*, in one transaction.

        Raises LocalSandboxError; then the state is unchanged.
        """
        deadline = time.monotonic() + _BUSY_SECONDS

        def check_deadline(status: int, *_: int) -> None:
            # Without this, Python would try again for ever.
            if status not in (_OK, _DONE) and time.monotonic() > deadline:
                raise sqlite3.OperationalError("database is locked")

        with self._writing, self._pooled_connection() as target:
            source.backup(target, progress=check_deadline)

    @contextmanager
    def _view(self, begin: str) -> Iterator[View]:
        with self._pooled_connection() as connection:
            connection.execute(begin)
            # Commits, or rolls back if the block raises and SQLite has not done so already.
            with connection:
                yield View(connection, self.seal)

    @contextmanager
    def _pooled_connection(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection from the pool for one transaction.

        A pool, not one connection for each thread: the server uses a new thread for every call of a
        client that does not keep its HTTP connection alive.
        """
        with translate_errors(self.path, sqlite3.Error):
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
            try:
                yield connection
            finally:
                with self._lock:
                    # After a failure, a connection may still be in a transaction: do not reuse it.
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
            # Overwrite deleted rows, so that not even an encrypted secret remains in the file.
            connection.execute("PRAGMA secure_delete = ON")
            # SQLite's own lower() handles only ASCII letters.
            connection.create_function("lowercase", 1, lambda text: text and text.lower())
        except BaseException:
            connection.close()
            raise
        return connection

    def _create_tables(self) -> None:
        expected = self.seal.digest(KEY_CHECK)
        with self._pooled_connection() as connection:
            # Check only if tables exist: another process may be creating them at this moment.
            if not self._is_empty(connection):
                self._check_format(connection)
            self._use_wal(connection)
            if self._is_empty(connection):
                connection.execute("BEGIN IMMEDIATE")
                if self._is_empty(connection):  # check again, now that no other process can write
                    for statement in _TABLES.read_text(encoding="utf-8").split(";"):
                        connection.execute(statement)
                    connection.execute("INSERT INTO meta VALUES (?, ?)", (KEY_CHECK, expected))
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("COMMIT")
            found = stored_key_check(connection)
        if not hmac.compare_digest(found, expected):
            raise LocalSandboxError(
                f"The key in {self.path.parent} does not match the database in the same folder.",
                resolution="Put the right key file back, or delete the state with seedctl local reset.",
            )

    def _check_format(self, connection: sqlite3.Connection) -> None:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise LocalSandboxError(
                # The first format did not always have a number.
                f"The local state in {self.path.parent} has format {found or 1}, which another "
                f"version of seedctl wrote; this one reads format {FORMAT}.",
                resolution="Delete the state with seedctl local reset, or use the version of seedctl "
                "that wrote it.",
            )

    def _is_empty(self, connection: sqlite3.Connection) -> bool:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _BUSY_SECONDS
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # The busy time-out does not apply to this statement; another process executes it.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
