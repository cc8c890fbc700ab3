"""One state shared: by threads, by sandboxes, and by other tools."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from seedctl.local.state_folder import DATABASE, FOLDER

CREATE = "mutation ($i: CreateTodoInput!) { createTodo(input: $i) { id } }"
LIST = "query ($t: String) { listTodos(limit: 1000, nextToken: $t) { items { id } nextToken } }"


def test_parallel_creates(start: Any) -> None:
    """Two sandboxes on one state, called by many threads, lose and duplicate nothing."""
    apis = [start("todo_userpool.json"), start("todo_userpool.json")]

    def create(number: int) -> bool:
        # Each id is created on both: exactly one must fail.
        answer = apis[number % 2].execute(
            apis[0].developer, CREATE, {"i": {"id": str(number // 2)}}
        )
        return "errors" not in answer

    with ThreadPoolExecutor(max_workers=8) as pool:
        made = list(pool.map(create, range(120)))
    assert made.count(True) == 60
    items = apis[0].data(apis[0].developer, LIST)["items"]
    assert sorted(int(item["id"]) for item in items) == list(range(60))


def test_items_are_readable_by_any_tool(todo: Any, tmp_path: Any) -> None:
    """Any SQLite tool can read the items: by model, with their key and their fields as JSON."""
    todo.data(todo.developer, CREATE, {"i": {"id": "plain-key", "content": "plain-value"}})
    connection = sqlite3.connect(tmp_path / "state" / FOLDER / DATABASE)
    query = (
        "SELECT partition, json_extract(item, '$.content') FROM row"
        " JOIN model ON model.id = model_id WHERE model.name = 'Todo'"
    )
    assert connection.execute(query).fetchall() == [("plain-key", "plain-value")]
    connection.close()
