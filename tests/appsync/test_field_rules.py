"""Rules of fields: ids that a caller may not send, and denials that say which rule denies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.appsync.model_client import ModelClient
from seedctl.report import Event
from tests.appsync.table import Table, sizes, with_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.appsync.appsync import ClientHarness

CALLER = 'generate_client(credentials="caller")'


def unauthorized(*fields: str) -> dict[str, Any]:
    """Return AppSync's error for a caller who may not write *fields*; with none, nothing at all."""
    named = f" on [{', '.join(fields)}]" if fields else ""
    return {"errorType": "Unauthorized", "message": f"Unauthorized{named}"}


def deny_fields(table: Table, verb: str, *names: str) -> None:
    """Deny *names* in the input of each *verb*, as the rules of fields do."""

    def error_of(found: str, values: dict[str, Any]) -> dict[str, Any] | None:
        denied = [name for name in names if name in values]
        return unauthorized(*denied) if found == verb and denied else None

    table.error_of = error_of


@pytest.fixture
def table(todo: ClientHarness) -> Table:
    """A table whose caller may not send an id with a new record."""
    table = with_table(todo)
    deny_fields(table, "create", "id")
    return table


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"content": f"todo {number}", **more} for number in range(count)]


def states(results: list[Any]) -> list[str]:
    return [result.state for result in results]


@pytest.mark.parametrize("if_exists", ["error", "skip", "update"])
def test_rows_go_without_ids(todo: ClientHarness, table: Table, if_exists: Any) -> None:
    """After the first denial, generated ids are left to AppSync; each row is stored once."""
    results = todo.models.Todo.create_many(rows(60), concurrency=1, if_exists=if_exists)
    assert states(results) == ["created"] * 60
    assert sizes(table) == [25, 25, 25, 10]
    assert len(table.records) == 60
    assert {result.key["id"] for result in results} == set(table.records)
    assert all("id" not in values for values in table.requests[-1].variables.values())
    assert todo.report.records == {Event("record", "Todo", "created"): 60}


def test_other_denied_fields_fail_the_row(todo: ClientHarness, table: Table) -> None:
    """A row that is denied for another field too fails for that field alone; the others go on."""
    deny_fields(table, "create", "id", "isDone")
    given: list[dict[str, Any]] = [{"content": "a", "isDone": True}, {"content": "b"}]
    results = todo.models.Todo.create_many(given, on_error="collect")
    assert states(results) == ["failed", "created"]
    assert results[0].error is not None
    assert "Unauthorized on [isDone]" in results[0].error.message
    assert str(results[0].error.resolution).startswith(
        "A field's rules replace those of the model, and no rule for isDone lets this caller create "
        "it. A default counts as given. Use an auth_mode"
    )


def test_a_row_that_is_denied_twice_is_not_lost(todo: ClientHarness, table: Table) -> None:
    """A row that AppSync certainly has not stored is not reported as lost; it has no key."""
    deny_fields(table, "create", "id", "isDone")
    table.faults = ["cut"]
    (result,) = todo.models.Todo.create_many([{"content": "a", "isDone": True}], on_error="collect")
    assert (result.state, result.key) == ("failed", {})
    assert "no rule for isDone" in str(result.error and result.error.resolution)


def test_given_and_derived_ids_are_needed(todo: ClientHarness, table: Table) -> None:
    """A row whose id is given, or derived by key=, fails; the resolution names the rule and the way out."""
    given = [{"content": "a"}, {"content": "b", "id": "mine"}]
    results = todo.models.Todo.create_many(given, on_error="collect", batch_size=1, concurrency=1)
    assert states(results) == ["created", "failed"]
    with pytest.raises(errors.BulkError, match="2 of 2 Todo records failed") as caught:
        todo.models.Todo.create_many(rows(2), key="content")
    for error in (results[1].error, caught.value):
        resolution = str(error and error.resolution)
        assert 'if_exists="skip"' not in resolution
        assert resolution.startswith("The rules of fields do not let this caller send an id with")
        assert "a role that may create every field of Todo. upsert, key= and a given" in resolution
        assert "create_many without key=" in resolution
        assert CALLER in resolution
    assert len(table.records) == 1
    assert sizes(table) == [1, 1, 1, 2]  # a row that needs its id is not sent again


def test_the_next_run_without_ids(todo: ClientHarness, table: Table) -> None:
    """A failure does not advise a second run of all rows, which would create the records again."""
    deny_fields(table, "create", "id", "isDone")
    with pytest.raises(errors.BulkError) as caught:
        todo.models.Todo.create_many([*rows(1), {"content": "x", "isDone": True}])
    resolution = str(caught.value.resolution)
    assert resolution.endswith(
        "so a second run does not recognize records of the first: give it only the rows that failed."
    )
    assert "if_exists" not in resolution


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda todo: todo.upsert({"id": "t-1", "content": "x"}), id="upsert"),
        pytest.param(lambda todo: todo.create({"id": "t-1"}), id="given"),
        pytest.param(lambda todo: todo.create({"id": "t-1"}, if_exists="skip"), id="skip"),
    ],
)
def test_single_calls_with_an_id(
    todo: ClientHarness, table: Table, call: Callable[[Any], Any]
) -> None:
    """upsert and a given id end with an error that says why; nothing else is tried."""
    with pytest.raises(
        errors.UnauthorizedError, match=r"createTodo: Unauthorized on \[id\]"
    ) as caught:
        call(todo.models.Todo)
    assert str(caught.value.resolution).startswith(
        "The rules of fields do not let this caller send"
    )
    assert len(table.requests) == 1


@pytest.mark.parametrize("fault", ["cut after", "500 after", "cut"])
def test_a_lost_answer_is_not_repeated(todo: ClientHarness, table: Table, fault: str) -> None:
    """Without ids a repeated request would store rows twice: rows without an answer fail instead."""
    table.faults = [None, None, fault]
    results = todo.models.Todo.create_many(rows(6), batch_size=3, concurrency=1, on_error="collect")
    assert states(results) == ["created"] * 3 + ["failed"] * 3
    assert len(table.records) == (6 if fault.endswith("after") else 3)
    assert str(results[3].error and results[3].error.resolution).startswith(
        "No answer came for rows that were sent without an id"
    )
    assert len(table.requests) == 3


def test_a_given_id_does_not_make_a_batch_repeatable(todo: ClientHarness, table: Table) -> None:
    """A batch in which one row has no id is not sent again without an answer."""
    table.faults = [None, None, "cut after"]
    given: list[dict[str, Any]] = [*rows(2), {"content": "b"}, {"content": "c", "id": "mine"}]
    results = todo.models.Todo.create_many(given, batch_size=2, concurrency=1, on_error="collect")
    assert states(results) == ["created"] * 2 + ["failed"] * 2
    assert len(table.requests) == 3


def test_a_fatal_error_of_rows_without_ids(todo: ClientHarness, table: Table) -> None:
    """No more rows are tried after an error that would affect all of them, in either attempt."""
    table.faults = [None, "401"]
    options: Any = {"batch_size": 3, "concurrency": 1, "on_error": "collect"}
    results = todo.models.Todo.create_many(rows(6), **options)
    assert states(results) == ["failed"] * 3 + ["not tried"] * 3
    assert len(table.requests) == 2
    # The batch is split; one half is denied for its ids, and then the credentials are rejected.
    table.faults = ["413", None, "401"]
    results = todo.models.Todo.create_many(rows(6), **options)
    assert states(results) == ["failed"] * 3 + ["not tried"] * 3
    assert len(table.requests) == 2 + 3


def _answer_for(*names: str, **error: Any) -> dict[str, Any]:
    """Return AppSync's answer with results for the rows *names* and one error, which has no path."""
    entry = {"path": None, "message": "m", **error}
    return {"data": {name: {"id": f"of-{name}"} for name in names}, "errors": [entry]}


@pytest.mark.parametrize(
    ("answer", "outcome", "requests"),
    [
        pytest.param({"data": {}}, ["failed"] * 3, 3, id="nothing"),
        pytest.param(_answer_for("a0"), ["created", "failed", "failed"], 3, id="some rows"),
        pytest.param(_answer_for(errorType="Timeout"), ["failed"] * 3, 3, id="stopped"),
        pytest.param({"status": 200, "body": b"<html>"}, ["failed"] * 3, 3, id="a web page"),
        pytest.param(_answer_for(), ["created"] * 3, 5, id="refused by the schema"),
    ],
)
def test_an_answer_without_a_row(
    todo: ClientHarness, table: Table, answer: object, outcome: list[str], requests: int
) -> None:
    """Only if AppSync refused the whole document, rows without ids are certainly not stored."""
    table.faults = [None, None, answer]
    results = todo.models.Todo.create_many(rows(6), batch_size=3, concurrency=1, on_error="collect")
    assert states(results[3:]) == outcome
    assert len(table.requests) == requests
    for result in results:
        if result.error is not None:
            assert str(result.error.resolution).startswith("No answer came for rows that were sent")
    if "failed" in outcome and "created" in outcome:
        assert results[3].key == {"id": "of-a0"}


def test_a_throttled_request_is_repeated(todo: ClientHarness, table: Table) -> None:
    """A request that was certainly not executed is sent again, also without ids."""
    table.faults = [None, None, 429]
    results = todo.models.Todo.create_many(rows(6), batch_size=3, concurrency=1)
    assert states(results) == ["created"] * 6
    assert len(table.records) == 6


def test_an_unclear_failure_of_a_row_is_not_repeated(todo: ClientHarness, table: Table) -> None:
    """DynamoDB's internal error leaves open whether the row is stored."""

    def error_of(verb: str, values: dict[str, Any]) -> dict[str, Any] | None:
        if "id" in values:
            return unauthorized("id")
        if values["content"] == "todo 1":
            return {"errorType": "DynamoDB:InternalServerErrorException", "message": "oops"}
        return None

    table.error_of = error_of
    results = todo.models.Todo.create_many(rows(3), on_error="collect")
    assert states(results) == ["created", "failed", "created"]
    assert "their records may exist" in str(results[1].error and results[1].error.resolution)
    assert sizes(table) == [3, 3]


def test_rows_that_cannot_be_read_back(todo: ClientHarness, table: Table) -> None:
    """A row whose key does not come back is created, with an empty key."""
    answer = table._answer

    def without_data(request: Any) -> dict[str, Any]:
        found = answer(request)
        if "errors" in found:
            return found
        return {
            "data": dict.fromkeys(found["data"]),
            "errors": [{"path": [name, "id"], **unauthorized()} for name in found["data"]],
        }

    table._answer = without_data  # type: ignore[method-assign]
    (result,) = todo.models.Todo.create_many(rows(1))
    assert (result.state, result.key) == ("created", {})


def test_an_id_in_a_composite_key(todo: ClientHarness, table: Table) -> None:
    """Where the id is part of a custom key it cannot be left out, and the advice does not say so."""
    requests = todo.models.Todo._requests
    model = replace(requests.model, primary_key=("content", "id"))
    table.key = ("content", "id")
    (result,) = ModelClient(replace(requests, model=model)).create_many(rows(1), on_error="collect")
    assert result.state == "failed"
    assert sizes(table) == [1]
    resolution = str(result.error and result.error.resolution)
    assert resolution.startswith("The rules of fields do not let this caller send an id")
    assert "Leave the id out" not in resolution


@pytest.mark.parametrize(
    ("verb", "fields", "reason"),
    [
        pytest.param(
            "create",
            ["note", "grade"],
            "no rule for note, grade lets this caller create each of them. A default counts as given.",
            id="create",
        ),
        pytest.param(
            "update",
            ["note"],
            "no rule for note lets this caller update it. To set a field to null, a rule must allow "
            "delete.",
            id="update",
        ),
        pytest.param(
            "update", ["id"], "The parts of the model's key count as given.", id="update key"
        ),
        pytest.param(
            "delete",
            [],
            "If fields have rules of their own, a role needs delete on every",
            id="delete",
        ),
        pytest.param("create", [], "Use an auth_mode and a user that the rules", id="nothing"),
    ],
)
def test_single_calls_name_the_rule(
    todo: ClientHarness, verb: str, fields: list[str], reason: str
) -> None:
    """A denial names the fields, and says what their rules lack before what to do."""
    root = f"{verb}Todo"
    entry = {"path": [root], **unauthorized(*fields)}
    todo.answer({"data": {root: None}, "errors": [entry]})
    with pytest.raises(errors.UnauthorizedError) as caught:
        getattr(todo.models.Todo, verb)({"id": "t-1"} if verb != "create" else {"content": "x"})
    assert reason in str(caught.value.resolution)
    assert CALLER in str(caught.value.resolution)


def test_a_result_that_may_not_be_read(todo: ClientHarness) -> None:
    """The record was written, though a field of the answer is denied: the report and the error say so."""
    below = {"path": ["createTodo", "content"], **unauthorized()}
    todo.answer({"data": {"createTodo": {"id": "t-1", "content": None}}, "errors": [below, below]})
    with pytest.raises(errors.UnauthorizedError) as caught:
        todo.models.Todo.create({"content": "x"})
    assert caught.value.resolution == (
        "The record was created. No rule lets this caller read content: give selection_set= with the "
        "fields that it may read."
    )
    assert caught.value.data["id"] == "t-1"
    assert todo.report.records == {Event("record", "Todo", "created"): 1}


def test_a_denial_of_both_the_mutation_and_its_result(todo: ClientHarness) -> None:
    """If the mutation itself was denied, the record is not reported as created."""
    both = [
        {"path": path, **unauthorized()} for path in (["createTodo", "content"], ["createTodo"])
    ]
    todo.answer({"data": {"createTodo": None}, "errors": both})
    with pytest.raises(errors.UnauthorizedError) as caught:
        todo.models.Todo.create({"content": "x"})
    assert "was created" not in str(caught.value.resolution)
    assert not todo.report.records


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (["content"], "content"),
        (["items", 3, "content"], "content"),
        (["items", 3, "notes", "items", 0, "items"], "notes.items"),
    ],
)
def test_reads_name_what_may_not_be_read(todo: ClientHarness, path: list[Any], field: str) -> None:
    """get and list name the field as selection_set= takes it, whatever record of a page it is of."""
    is_page = path[0] == "items"
    root = "listTodos" if is_page else "getTodo"
    record = {"id": "t-1", "content": None}
    data = {root: {"items": [record]} if is_page else record}
    todo.answer({"data": data, "errors": [{"path": [root, *path], **unauthorized()}] * 2})
    with pytest.raises(errors.UnauthorizedError) as caught:
        todo.models.Todo.list() if is_page else todo.models.Todo.get({"id": "t-1"})
    assert caught.value.resolution == (
        f"No rule lets this caller read {field}: give selection_set= with the fields that it may read."
    )


def test_a_bulk_delete_names_the_rule(todo: ClientHarness) -> None:
    """delete_many says that a role needs delete on every field."""
    table = with_table(todo)
    table.records["t-1"] = {"id": "t-1"}
    table.error_of = lambda verb, values: unauthorized() if verb == "delete" else None
    (result,) = todo.models.Todo.delete_many([{"id": "t-1"}], on_error="collect")
    assert result.error is not None
    assert "a role needs delete on every field" in str(result.error.resolution)
