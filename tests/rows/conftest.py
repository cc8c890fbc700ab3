"""Backends on local sandboxes, and the records in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect
from seedctl.report import Report
from seedctl.rows.exporting import schema_of
from tests.running import make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seedctl import Backend
    from seedctl.data import DataClient


@pytest.fixture
def backend_of(tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Return a function that connects a new project with an outputs file to its own sandbox."""
    made: list[Backend] = []

    def make(document: dict[str, Any], observer: Report | None = None) -> Backend:
        root = make_project(tmp_path / f"app{len(made)}", outputs=None)
        (root / "amplify_outputs.json").write_text(json.dumps(document), encoding="utf-8")
        backend = connect(root, identifier="alice", local=True, observer=observer or Report())
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.close()


def records(client: DataClient) -> dict[str, list[dict[str, Any]]]:
    """Return all records of all models that can be listed, without what the API sets itself."""
    schema = schema_of(client)
    found = {}
    for name in client.models:
        model = schema.models[name]
        if "list" in model.disabled:
            continue
        read_only = {field.name for field in model.fields.values() if field.is_read_only}
        rows = [
            {key: value for key, value in each.to_dict().items() if key not in read_only}
            for each in client.models[name].list_all(limit=1000)
        ]
        found[name] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    return found
