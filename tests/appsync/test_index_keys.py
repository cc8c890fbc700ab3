"""Composite sort keys of indexes: AppSync accepts all parts or none; a seed may give some."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, create_and_sign_up_user, data, errors
from seedctl.appsync.model_client import ModelClient
from seedctl.outputs.models import Index
from tests.appsync.appsync import DATA
from tests.appsync.table import with_table
from tests.running import PASSWORD, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.appsync.appsync import ClientHarness
    from tests.appsync.table import Table

KEY = {"sku": "S", "warehouse": "W", "shelf": 1}
NEW = {**KEY, "name": "x", "price": {"amount": 1, "currency": "EUR"}}
STORED = {**NEW, "launchDate": "2025-01-31", "rank": 3}


@pytest.fixture
def table(store: ClientHarness) -> Table:
    """A table that has one product."""
    made = with_table(store)
    made.key = ("sku", "warehouse", "shelf")
    made.records[made.text(KEY)] = STORED
    return made


def test_an_update_is_completed_from_the_stored_record(store: ClientHarness, table: Table) -> None:
    """If one part of a key changes, the others are read from the record and sent along."""
    store.models.Product.update({**KEY, "rank": 4}, selection_set=["sku"])
    assert table.requests[-1].variables["input"] == {**KEY, "rank": 4, "launchDate": "2025-01-31"}
    assert ["launchDate" in request.query for request in table.requests] == [True, False]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param({"name": "y"}, {}, id="no part"),
        pytest.param({"rank": 4, "launchDate": None}, {}, id="all parts"),
        pytest.param({"rank": 4}, {"validate": False}, id="unchecked"),
    ],
)
def test_nothing_is_read_where_nothing_is_missing(
    store: ClientHarness, table: Table, given: dict[str, Any], options: dict[str, Any]
) -> None:
    """An update that is complete, or sent unchecked, costs one request."""
    store.models.Product.update({**KEY, **given}, **options)
    assert [request.variables["input"] for request in table.requests] == [{**KEY, **given}]


def test_a_single_sort_key_is_left_alone(todo: ClientHarness) -> None:
    """Only a sort key of several fields is completed: the API sets a lone updatedAt itself."""
    requests = todo.models.Todo._requests
    index = Index("byContent", "listByContent", ("content", "updatedAt"))
    model = replace(requests.model, secondary_indexes=(index,))
    ModelClient(replace(requests, model=model)).update({"id": "t", "content": "x"})
    assert todo.sent == {"input": {"id": "t", "content": "x"}}


@pytest.mark.parametrize("time", ["createdAt", "updatedAt"])
def test_a_timestamp_in_the_key_counts_as_given(todo: ClientHarness, time: str) -> None:
    """The API sets it, so that a key without its other part would be refused: upsert looks first."""
    requests = todo.models.Todo._requests
    index = Index("byContent", "listByContent", ("content", "isDone", time))
    model = replace(requests.model, secondary_indexes=(index,))
    todo.answer({"data": {"getTodo": None}})
    ModelClient(replace(requests, model=model)).upsert({"id": "t", "content": "x"})
    assert ["getTodo" in request.query for request in todo.requests] == [True, False]


def test_a_part_that_is_not_stored_is_named(store: ClientHarness, table: Table) -> None:
    """The error names the index and the field to give, and nothing is written."""
    table.records[table.text(KEY)] = NEW
    with pytest.raises(errors.InvalidInputError, match=r"Product\.launchDate is missing") as caught:
        store.models.Product.update({**KEY, "rank": 4})
    assert "productsByManufacturerAndLaunchDateAndRank" in caught.value.message
    assert caught.value.resolution == "Give launchDate as well."
    assert table.done == []


def test_a_record_that_cannot_be_read(store: ClientHarness, table: Table) -> None:
    """The error's cause is the refusal of the service."""
    table.faults = [401]
    with pytest.raises(errors.InvalidInputError, match="cannot be read") as caught:
        store.models.Product.update({**KEY, "rank": 4})
    assert isinstance(caught.value.__cause__, errors.UnauthorizedError)


def test_an_update_of_a_record_that_does_not_exist(store: ClientHarness, table: Table) -> None:
    """The error is the same as for any other update."""
    with pytest.raises(errors.ConditionalCheckFailedError, match="no Product record"):
        store.models.Product.update({**KEY, "sku": "T", "rank": 4})


@pytest.mark.parametrize("row", [{**NEW, "rank": 4}, {**NEW, "launchDate": "2025-02-01"}])
def test_upsert_updates_an_existing_record(
    store: ClientHarness, table: Table, row: dict[str, Any]
) -> None:
    """AppSync would refuse the create before it looks for the record, so upsert looks first."""
    store.models.Product.upsert(row)
    assert table.done == [("update", table.text(KEY))]
    assert table.requests[-1].variables["input"] == {
        **{name: STORED[name] for name in ("launchDate", "rank")},
        **row,
    }


def test_upsert_leaves_a_new_record_to_appsync(store: ClientHarness, table: Table) -> None:
    """A new record is sent, since a default that the outputs do not list may complete the key."""
    store.models.Product.upsert({**NEW, "sku": "T", "rank": 4})
    assert table.done == [("create", "T#W#1")]


def test_skip_returns_the_existing_record(store: ClientHarness, table: Table) -> None:
    """With if_exists="skip" no create is sent that AppSync would refuse."""
    found = store.models.Product.create({**NEW, "rank": 4}, if_exists="skip")
    assert found.rank == 3
    assert table.done == []


def test_an_unchecked_create_comes_first(store: ClientHarness, table: Table) -> None:
    """With validate=False nothing is read before AppSync was asked to create the record."""
    row = {**NEW, "rank": 4}
    store.models.Product.create(row, if_exists="skip", validate=False)
    assert ["createProduct" in request.query for request in table.requests] == [True, False]


@pytest.mark.parametrize(("if_exists", "state"), [("update", "updated"), ("skip", "existed")])
def test_many_rows_are_completed_too(
    store: ClientHarness, table: Table, if_exists: Any, state: str
) -> None:
    """Rows of a bulk call are treated alike, existing and new ones."""
    rows = [{**NEW, "rank": 4}, {**NEW, "sku": "T", "rank": 5}]
    results = store.models.Product.create_many(rows, if_exists=if_exists)
    assert [result.state for result in results] == [state, "created"]
    stored = table.records[table.text(KEY)]
    assert (stored["rank"], stored["launchDate"]) == (4 if state == "updated" else 3, "2025-01-31")


def test_many_existing_rows(store: ClientHarness, table: Table) -> None:
    """If all records exist, nothing is created; a row that lacks a part fails alone."""
    table.records[table.text({**KEY, "sku": "T"})] = {**NEW, "sku": "T"}
    rows = [{**NEW, "rank": 4}, {**NEW, "sku": "T", "rank": 5}]
    results = store.models.Product.create_many(rows, if_exists="update", on_error="collect")
    assert [result.state for result in results] == ["updated", "failed"]
    assert "Give launchDate" in str(results[1].error.resolution)  # type: ignore[union-attr]
    assert {verb for verb, _ in table.done} == {"update"}


@pytest.mark.parametrize(
    ("row", "options"),
    [
        pytest.param({**NEW, "sku": "T"}, {"if_exists": "update"}, id="no part"),
        pytest.param({**NEW, "sku": "T", "rank": 1}, {}, id="must be new"),
        pytest.param(
            {**NEW, "sku": "T", "rank": 1}, {"if_exists": "skip", "validate": False}, id="unchecked"
        ),
    ],
)
def test_rows_that_are_not_read(
    store: ClientHarness, table: Table, row: dict[str, Any], options: dict[str, Any]
) -> None:
    """Rows without a part of a composite key, and rows that are not checked, cost one request."""
    store.models.Product.create_many([row], **options)
    assert len(table.requests) == 1


def _outputs(*index_fields: str, owner_field: str | None = None) -> dict[str, Any]:
    """Return outputs in which Todo has an index by *index_fields*."""
    document: dict[str, Any] = json.loads(
        (DATA / "outputs" / "todo_userpool.json").read_text(encoding="utf-8")
    )
    todo = document["data"]["model_introspection"]["models"]["Todo"]
    for name, type_ in {"team": "ID", "status": "String", "createdAt": "AWSDateTime"}.items():
        todo["fields"][name] = {
            "name": name,
            "type": type_,
            "isArray": False,
            "isRequired": False,
            "attributes": [],
        }
    todo["fields"]["updatedAt"] = {**todo["fields"]["createdAt"], "name": "updatedAt"}
    index = {"name": "byTeam", "queryField": "listByTeam", "fields": list(index_fields)}
    rule = {"allow": "private", "operations": ["create", "update", "delete", "read"]}
    rules = [
        rule,
        *([{**rule, "allow": "owner", "ownerField": owner_field}] if owner_field else []),
    ]
    todo["attributes"] = [
        {"type": "model", "properties": {}},
        {"type": "key", "properties": index},
        {"type": "auth", "properties": {"rules": rules}},
    ]
    return document


@pytest.mark.parametrize("time", ["createdAt", "updatedAt"])
def test_a_seed_can_be_run_again_on_the_local_sandbox(tmp_path: Path, time: str) -> None:
    """A second run updates, by upsert and by create_many, what the first has created; a timestamp
    in the key is set by the API."""
    root = make_project(tmp_path / "app", outputs=None)
    document = _outputs("team", "status", time)
    (root / "amplify_outputs.json").write_text(json.dumps(document), encoding="utf-8")
    with connect(root, identifier="ann", local=True) as backend, backend.activate():
        create_and_sign_up_user("ann@example.com", PASSWORD, sign_in_after_creation=True)
        todos: Any = data.generate_client().models.Todo
        row = {"id": "t1", "team": "a", "status": "OPEN", "content": "x"}
        first = todos.upsert(row)
        second = todos.upsert({**row, "status": "DONE"})
        assert (second.status, second.createdAt) == ("DONE", first.createdAt)
        assert second.updatedAt > first.updatedAt
        rows = [{**row, "status": "OPEN"}, {**row, "id": "t2"}]
        results = todos.create_many(rows, if_exists="update")
        assert [result.state for result in results] == ["updated", "created"]
        assert todos.get({"id": "t1"}).status == "OPEN"
        assert todos.update({"id": "t1", "content": "y"}).status == "OPEN"


def test_an_owner_is_not_completed(tmp_path: Path) -> None:
    """An owner field reads as the user name alone, so the script has to give the owner."""
    root = make_project(tmp_path / "app", outputs=None)
    document = _outputs("status", "team", "content", owner_field="team")
    (root / "amplify_outputs.json").write_text(json.dumps(document), encoding="utf-8")
    with connect(root, identifier="ann", local=True) as backend, backend.activate():
        create_and_sign_up_user("ann@example.com", PASSWORD, sign_in_after_creation=True)
        todos: Any = data.generate_client().models.Todo
        todos.create({"id": "t1", "content": "x", "team": "ann@example.com"})
        with pytest.raises(errors.InvalidInputError, match=r"Todo\.team is missing"):
            todos.update({"id": "t1", "content": "y"})
