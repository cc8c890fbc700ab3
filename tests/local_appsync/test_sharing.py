"""One state shared: by threads, by sandboxes, and by versions of seedctl."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

CREATE = "mutation ($i: CreateTodoInput!) { createTodo(input: $i) { id } }"
LIST = "query ($t: String) { listTodos(limit: 1000, nextToken: $t) { items { id } nextToken } }"


def test_parallel_creates(start: Any) -> None:
    """Two sandboxes on one state, asked by many threads, lose and double nothing."""
    apis = [start("todo_userpool.json"), start("todo_userpool.json")]

    def create(number: int) -> bool:
        # Each id is tried on both: one of them must be refused.
        answer = apis[number % 2].ask(apis[0].developer, CREATE, {"i": {"id": str(number // 2)}})
        return "errors" not in answer

    with ThreadPoolExecutor(max_workers=8) as pool:
        made = list(pool.map(create, range(120)))
    assert made.count(True) == 60
    items = apis[0].data(apis[0].developer, LIST)["items"]
    assert sorted(int(item["id"]) for item in items) == list(range(60))


def test_nothing_readable_on_disk(todo: Any, tmp_path: Any) -> None:
    """Neither an item's values nor its key nor its model can be read in the files."""
    todo.data(todo.developer, CREATE, {"i": {"id": "plain-key", "content": "plain-value"}})
    todo.sandbox.stop()
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert not any(word in content for word in (b"plain-key", b"plain-value", b"Todo"))
