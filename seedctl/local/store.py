"""The state in SQLite: tables that transactions read and change.

Any number of threads and processes may use one state at once. What a transaction wrote is there
after ``kill -9``; only a power cut may take the last moments (WAL with synchronous=NORMAL).
"""

from __future__ import annotations

import hmac
import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seedctl.errors import LocalSandboxError
from seedctl.local.seal import Seal
from seedctl.local.state_folder import DATABASE, create_once, read_key, translate_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    Row = dict[str, Any]

_Kind = TypeVar("_Kind")

FORMAT = 2
"""How the state is laid out; it stands in the database as SQLite's ``user_version``."""

_TABLES = Path(__file__).with_name("tables.sql")
_JSON_COLUMNS = frozenset(
    {"attributes", "checksums", "claims", "headers", "metadata", "more", "names"}
)
_BUSY_SECONDS = 30.0
_LAST_BEFORE_SURROGATES = 0xD7FF
_FIRST_AFTER_SURROGATES = 0xE000


class View:
    """The tables as one transaction sees them. *execute* is the connection's own."""

    def __init__(self, connection: sqlite3.Connection, seal: Seal) -> None:
        self.execute = connection.execute
        self.seal = seal

    def rows(self, query: str, *values: Any, **named: Any) -> Iterator[Row]:
        """Yield what *query* finds, by the names of the columns, with JSON read."""
        cursor = self.execute(query, named or values)
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield {
                name: json.loads(value) if name in _JSON_COLUMNS else value
                for name, value in zip(names, row, strict=True)
            }

    def row(self, query: str, *values: Any) -> Row | None:
        """Return the first row that *query* finds, None if there is none."""
        return next(self.rows(query, *values), None)

    def put(self, table: str, **columns: Any) -> None:
        """Write a row, in place of the one that has the same key; mappings and lists as JSON."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.execute(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our names
            [to_json(value) if name in _JSON_COLUMNS else value for name, value in columns.items()],
        )


def to_json(value: Any) -> str:
    """Write *value* as the state's columns have it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def from_document(kind: type[_Kind], document: Mapping[str, Any]) -> _Kind:
    """Return the *kind*, a dataclass, that was stored as *document*.

    Raises LocalSandboxError for a document of another version, with other fields: what it means
    by them is not known here.
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
            resolution="Update seedctl, or start afresh with seedctl local reset.",
        )
    return kind(**document)


def prefix_end(prefix: str) -> str | bytes:
    """Return what sorts right behind every text that begins with *prefix*."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return b""  # any blob sorts behind all text
    last = ord(kept[-1])
    following = _FIRST_AFTER_SURROGATES if last == _LAST_BEFORE_SURROGATES else last + 1
    return kept[:-1] + chr(following)


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
        store = cls(folder / DATABASE, Seal(read_key(folder)))
        with translate_errors(store.path):
            create_once(store.path, b"")
        try:
            store._lay_out()
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def transaction(self) -> Iterator[View]:
        """Give a view to read and write; all of it is kept, or nothing if the block raises."""
        with self._writing, self._view("BEGIN IMMEDIATE") as view:
            yield view

    def reading(self) -> AbstractContextManager[View]:
        """Give a view to read; writers do not disturb it, nor it them."""
        return self._view("BEGIN")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _view(self, begin: str) -> Iterator[View]:
        with self._borrowed() as connection:
            connection.execute(begin)
            # Commits or, if the block raises, rolls back, unless SQLite has done so by itself.
            with connection:
                yield View(connection, self.seal)

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to this thread for one transaction.

        A pool rather than one for each thread: a client that does not keep its connection alive
        gets a new thread for every call.
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
            # Overwrites what is deleted: a removed secret leaves no trace, encrypted as it was.
            connection.execute("PRAGMA secure_delete = ON")
            # SQLite's own knows only the letters of ASCII.
            connection.create_function("lowercase", 1, lambda text: text and text.lower())
        except BaseException:
            connection.close()
            raise
        return connection

    def _lay_out(self) -> None:
        expected = self.seal.digest("key check")
        with self._borrowed() as connection:
            # Only once there are tables: another process may be making them, with their format.
            if not self._is_empty(connection):
                self._check_format(connection)
            self._use_wal(connection)
            if self._is_empty(connection):
                connection.execute("BEGIN IMMEDIATE")
                if self._is_empty(connection):  # still, now that no other process can write
                    for statement in _TABLES.read_text(encoding="utf-8").split(";"):
                        connection.execute(statement)
                    connection.execute("INSERT INTO meta VALUES ('key check', ?)", (expected,))
                    connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("COMMIT")
            query = "SELECT value FROM meta WHERE name = 'key check'"
            found: bytes = connection.execute(query).fetchone()[0]
        if not hmac.compare_digest(found, expected):
            raise LocalSandboxError(
                f"The key in {self.path.parent} does not fit the database beside it.",
                resolution="Put the right key file back, or start afresh with seedctl local reset.",
            )

    def _check_format(self, connection: sqlite3.Connection) -> None:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise LocalSandboxError(
                # The first format was not always marked as such.
                f"The local state in {self.path.parent} has format {found or 1}, which another "
                f"version of seedctl wrote; this one reads format {FORMAT}.",
                resolution="Start afresh with seedctl local reset, or use the version of seedctl "
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
                # The busy time-out does not cover this statement; another process is at it.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
