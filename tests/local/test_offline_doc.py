"""The documentation of the state's tables is complete, and its queries run."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local import state_folder
from seedctl.local.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

DOC = Path(__file__).parents[2] / "docs" / "local-state.md"
QUERIES = re.findall(r"```sql\n(.*?)```", DOC.read_text(), re.DOTALL)[0].split("\n\n")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A state with a user in a group, a record and two files, opened like by another tool."""
    folder = state_folder.prepare(tmp_path)
    store = Store.open(folder)
    moments: dict[str, Any] = {"created": 0, "modified": 0}
    user = {"sub": "u", "status": "CONFIRMED", "enabled": True, "lower_username": "u"}
    attributes = {"email": "ann@example.com"}
    described = {"headers": {}, "metadata": {}, "checksums": {}, "checksum_type": "FULL_OBJECT"}
    with store.transaction() as view:
        view.put("membership", pool="p", group_name="admin", username="u")
        view.put(
            "user",
            **{**user, **moments},
            pool="p",
            username="u",
            attributes=attributes,
            more={},
            secret=b"",
        )
        view.put("model", id=1, api="a", name="Todo", key="[]", indexes="[]")
        view.put("row", model_id=1, hash=0, partition="t", sort="", item='{"content":"Milk"}')
        for key, size in (("small", 1), ("large", 9)):
            file = {"key": key, "file": f"{size}", "size": size, "etag": "e", "modified": 0}
            view.put("object", bucket="b", **file, **described)
    store.close()
    connection = sqlite3.connect(folder / "state.db")
    yield connection
    connection.close()


def test_queries(database: sqlite3.Connection) -> None:
    """Each example returns what its comment says."""
    assert [database.execute(query).fetchall() for query in QUERIES] == [
        [("admin", "ann@example.com")],
        [("t", "Milk")],
        [("b", "large", 9, "objects/9"), ("b", "small", 1, "objects/1")],
    ]


def test_every_table_is_explained(database: sqlite3.Connection) -> None:
    """The page names all tables, and only those."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    rows = DOC.read_text().partition("| Table |")[2].partition("\n\n")[0].splitlines()[2:]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert explained == {name for (name,) in names}
