"""create_many and delete_many: batches, keys, existing records, and each kind of failure."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.appsync.batches import RowResult
from seedctl.appsync.input_builder import InputBuilder
from seedctl.appsync.keys import derive_id
from seedctl.appsync.model_client import ModelClient
from seedctl.outputs.models import Rule
from seedctl.report import Event
from tests.appsync.appsync import FakeIdentity
from tests.appsync.table import Table, sizes, with_table
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.appsync.appsync import ClientHarness

UNAUTHORIZED = {"errorType": "Unauthorized", "message": "Not Authorized to access it"}


@pytest.fixture
def table(todo: ClientHarness) -> Table:
    return with_table(todo)


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"t-{number}", "content": f"todo {number}", **more} for number in range(count)]


def states(results: list[RowResult]) -> list[str]:
    return [result.state for result in results]


def test_rows_go_in_batches(todo: ClientHarness, table: Table) -> None:
    """Each request creates a full batch and selects the keys alone. Full batches have the same
    text."""
    results = todo.models.Todo.create_many(rows(60), concurrency=1)
    assert sizes(table) == [25, 25, 10]
    texts = [request.query for request in table.requests]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("mutation ($a0: CreateTodoInput!, $a1: CreateTodoInput!, ")
    assert "  a24: createTodo(input: $a24) { id }\n}\n" in texts[0]
    assert results == [RowResult(n, {"id": f"t-{n}"}, "created") for n in range(60)]
    assert list(table.records) == [f"t-{n}" for n in range(60)]
    assert todo.report.records == {Event("record", "Todo", "created"): 60}
    assert todo.report.progress is not None
    assert todo.report.progress.what == "Todo records"
    assert (todo.report.progress.done, todo.report.progress.total) == (60, 60)


def test_results_are_in_the_order_of_the_rows(todo: ClientHarness, table: Table) -> None:
    """With many requests at once, each row is stored once and the results are in order."""
    results = todo.models.Todo.create_many(rows(500), batch_size=7, concurrency=16)
    assert [result.index for result in results] == list(range(500))
    assert [result.key["id"] for result in results] == [f"t-{n}" for n in range(500)]
    assert len(table.done) == len(table.records) == 500


def test_a_row_without_an_id_gets_one(todo: ClientHarness, table: Table) -> None:
    """The client generates a random id, and leaves the given row unchanged."""
    given: list[dict[str, Any]]
    given = [{"content": "x"}, {"content": "x", "id": None}, {"content": "y", "id": "mine"}]
    results = todo.models.Todo.create_many(given)
    ids = [result.key["id"] for result in results]
    assert [uuid.UUID(each).version for each in ids[:2]] == [4, 4]
    assert ids[2] == "mine"
    assert set(ids) == set(table.records)
    assert given == [{"content": "x"}, {"content": "x", "id": None}, {"content": "y", "id": "mine"}]


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("content", id="field"),
        pytest.param(["content"], id="fields"),
        pytest.param(lambda row: row["content"], id="function"),
        pytest.param(lambda row: (row["content"],), id="function of several"),
    ],
)
def test_an_id_is_derived(todo: ClientHarness, table: Table, key: Any) -> None:
    """The same values give the same id in each run and version, for each form of key=."""
    (result,) = todo.models.Todo.create_many([{"content": "Zoë"}], key=key)
    assert result.key == {"id": "9d3b05d9-6cdc-5aa7-9a9b-2957f4815da5"}
    assert "9d3b05d9-6cdc-5aa7-9a9b-2957f4815da5" in table.records
    # What is sent for a value decides, not its type in Python.
    value = uuid.UUID(int=1)
    results = todo.models.Todo.create_many(
        ({"content": each} for each in (value, str(value))), key=key, on_error="collect"
    )
    assert states(results) == ["created", "failed"]


def test_an_id_is_derived_from_any_value(todo: ClientHarness, table: Table) -> None:
    """Equal objects give equal ids; other models and other types give other ids."""
    keys: list[Any] = [{"a": 1, "b": [None]}, {"b": [None], "a": 1}]
    results = [
        todo.models.Todo.create_many(
            [{"content": "x"}], key=lambda row, key=key: key, if_exists="skip"
        )
        for key in keys
    ]
    assert [states(each) for each in results] == [["created"], ["existed"]]
    assert derive_id("Todo", ["x"]) != derive_id("Post", ["x"]) != derive_id("Post", [1])


def test_a_second_run_finds_the_same_records(todo: ClientHarness, table: Table) -> None:
    """With key= a second run skips, updates or refuses the records of the first, by if_exists."""
    given = [{"content": f"todo {number}"} for number in range(30)]
    create_many = todo.models.Todo.create_many
    assert set(states(create_many(given, key="content"))) == {"created"}
    assert set(states(create_many(given, key="content", if_exists="skip"))) == {"existed"}
    changed = [{"id": None, **row, "isDone": True} for row in given]
    assert set(states(create_many(changed, key="content", if_exists="update"))) == {"updated"}
    assert all(record["isDone"] for record in table.records.values())
    with pytest.raises(
        errors.BulkError, match=r"30 of 30 Todo records failed; the first, rows\[0\]: createT"
    ):
        create_many(given, key="content")
    assert len(table.records) == 30
    reported = {event.state: count for event, count in todo.report.records.items()}
    assert reported == {"created": 30, "existed": 30, "updated": 30, "failed": 30}


def test_new_and_existing_records_in_one_batch(todo: ClientHarness, table: Table) -> None:
    """In one batch, new records are created and existing ones updated."""
    table.records["t-1"] = {"id": "t-1", "content": "old"}
    results = todo.models.Todo.create_many(rows(3), if_exists="update")
    assert states(results) == ["created", "updated", "created"]
    assert table.records["t-1"]["content"] == "todo 1"
    assert sizes(table) == [3, 1]
    assert "a0: updateTodo(input: $a0) { id }" in table.requests[-1].query


def test_an_update_may_fail_alone(todo: ClientHarness, table: Table) -> None:
    """A row whose update is refused fails; the others are updated."""
    for row in rows(3):
        table.records[row["id"]] = {"id": row["id"]}
    given = rows(3)
    table.error_of = lambda verb, values: (
        UNAUTHORIZED if verb == "update" and values["id"] == "t-0" else None
    )
    results = todo.models.Todo.create_many(given, if_exists="update", on_error="collect")
    assert states(results) == ["failed", "updated", "updated"]
    assert isinstance(results[0].error, errors.UnauthorizedError)


def test_an_update_is_checked_as_one(
    todo: ClientHarness, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is valid as a create but not as an update fails; the others are updated."""

    def refuse(self: InputBuilder, model: Any, given: dict[str, Any], *, validate: bool) -> Any:
        if given["id"] == "t-0":
            raise errors.InvalidInputError("no update")
        return given

    monkeypatch.setattr(InputBuilder, "update", refuse)
    for row in rows(2):
        table.records[row["id"]] = {"id": row["id"]}
    results = todo.models.Todo.create_many(rows(2), if_exists="update", on_error="collect")
    assert states(results) == ["failed", "updated"]
    results = todo.models.Todo.create_many(rows(1), if_exists="update", on_error="collect")
    assert states(results) == ["failed"]


def test_an_invalid_key_option(todo: ClientHarness, table: Table) -> None:
    """A key= that cannot be used is refused before any row is read."""
    key: Any
    for case_name, key, message in (
        ("unknown field", "nope", "no field of Todo.*nope"),
        ("no field", [], "no field of Todo"),
        ("set", {"content", "isDone"}, "key= cannot be a set"),
        ("mapping", {"content": 1}, "key= cannot be a dict"),
        ("bytes", b"content", "key= cannot be a bytes"),
        ("number", 5, "key= cannot be a int"),
        ("list of lists", [["content"]], "a list with elements that are not text"),
        ("number in a tuple", ("content", 5), "a tuple with elements that are not text"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidInputError, match=message):
                todo.models.Todo.create_many(rows(1), key=key)
            assert table.requests == []


@pytest.mark.parametrize(
    "key", ["isDone", lambda row: None, lambda row: ()], ids=["missing", "None", "nothing"]
)
def test_a_row_without_its_key_fails(todo: ClientHarness, table: Table, key: Any) -> None:
    """A row without a value for key= fails alone."""
    given = [{"content": "x"}, {"content": "y", "id": "mine"}]
    results = todo.models.Todo.create_many(given, key=key, on_error="collect")
    assert states(results) == ["failed", "created"]
    assert "No id can be derived" in str(results[0].error)


def test_a_custom_identifier_is_given_whole(store: ClientHarness) -> None:
    """For a model without an id, each row must have its whole key, and key= is refused."""
    table = with_table(store)
    table.key = ("sku", "warehouse", "shelf")
    product = {"sku": "s", "warehouse": "w", "shelf": 1, "name": "n"}
    create_many = store.models.Product.create_many
    results = create_many([product, {"sku": "s"}], validate=False, on_error="collect")
    assert states(results) == ["created", "failed"]
    assert results[0].key == {"sku": "s", "warehouse": "w", "shelf": 1}
    assert "missing: warehouse, shelf" in str(results[1].error)
    assert "{ sku warehouse shelf }" in table.requests[0].query
    with pytest.raises(errors.InvalidInputError, match="key= derives ids"):
        create_many([product], key="sku")


def test_the_same_key_twice(todo: ClientHarness, table: Table) -> None:
    """In a list a repeated key is an error before anything is sent, and names both rows."""
    with pytest.raises(errors.InvalidInputError, match=r"Rows 2 and 5 have the same key \(id\)"):
        todo.models.Todo.create_many([*rows(5), {"id": "t-2", "content": "again"}])
    assert table.requests == []


def test_the_same_key_twice_in_a_generator(todo: ClientHarness, table: Table) -> None:
    """In a generator the second row with the same key fails alone."""
    given: Iterator[dict[str, Any]]
    given = iter([{"id": 5, "content": "x"}, {"id": "5", "content": "y"}])
    results = todo.models.Todo.create_many(given, on_error="collect")
    assert states(results) == ["created", "failed"]
    assert "Rows 0 and 1" in str(results[1].error)


def test_an_invalid_row_fails_alone(todo: ClientHarness, table: Table) -> None:
    """A row that does not fit the schema is not sent; the rest of its batch is."""
    wrong: list[Any] = [{"content": 5}, {"content": "\ud800"}, "no mapping", {5: 1}, {None: 1}]
    results = todo.models.Todo.create_many([*rows(2), *wrong], on_error="collect")
    assert states(results) == ["created", "created", *["failed"] * 5]
    assert {type(result.error) for result in results[2:]} == {errors.InvalidInputError}
    assert sizes(table) == [2]
    assert todo.report.progress is not None
    assert (todo.report.progress.done, todo.report.progress.failed) == (2, 5)


def test_a_request_stays_under_a_megabyte(todo: ClientHarness, table: Table) -> None:
    """Large rows are sent in smaller batches, and one that is too large is sent alone."""
    given = [*rows(1), *rows(6, content="ä" * 100_000)[1:], {"id": "x", "content": "y" * 2_000_000}]
    todo.models.Todo.create_many([*given, {"id": "z", "content": "small"}], concurrency=1)
    assert sizes(table) == [5, 1, 1, 1]
    lengths = sorted(len(request.body) for request in table.requests)
    assert lengths[-2] < 900_000 < lengths[-1]


def test_rows_are_read_as_they_are_sent(todo: ClientHarness, table: Table) -> None:
    """Of a generator no more rows are read than the threads can send."""
    ahead: list[int] = []

    def given() -> Iterator[dict[str, Any]]:
        for number in range(3000):
            ahead.append(number - len(table.done))
            yield {"id": f"g-{number}", "content": "x"}

    results = todo.models.Todo.create_many(given(), batch_size=10, concurrency=3)
    assert len(results) == len(table.records) == 3000
    assert max(ahead) <= 10 * (3 + 1)
    assert todo.report.progress is not None
    assert todo.report.progress.total is None


@pytest.mark.parametrize("status", ["413", "500"])
def test_a_refused_batch_is_split(todo: ClientHarness, table: Table, status: str) -> None:
    """The invalid row is found and fails alone; all others are created once."""
    table.fault_of = lambda request: status if b'"t-13"' in request.body else None
    results = todo.models.Todo.create_many(rows(50), concurrency=1, on_error="collect")
    assert [result.index for result in results if result.state != "created"] == [13]
    kind = errors.ServiceFailedError if status == "500" else errors.GraphQLError
    assert isinstance(results[13].error, kind)
    assert [key for _, key in table.done] == [f"t-{n}" for n in range(50) if n != 13]


def test_several_rows_that_make_the_service_fail(todo: ClientHarness, table: Table) -> None:
    """While other rows succeed, the rows are the cause, and all others are tried."""
    bad = range(20, 26)
    table.fault_of = lambda request: (
        "500" if any(f'"t-{n}"'.encode() in request.body for n in bad) else None
    )
    results = todo.models.Todo.create_many(rows(40), concurrency=1, on_error="collect")
    assert [result.index for result in results if result.state == "failed"] == list(bad)
    assert len(table.records) == 34


@pytest.mark.parametrize("bad", [[3, 20], [0, 1, 2, 3]], ids=["some", "the first"])
def test_rows_that_the_schema_refuses(todo: ClientHarness, table: Table, bad: list[int]) -> None:
    """When AppSync refuses a document for one row, only that row fails, with its message. Halves are
    sent again, not each row by itself."""
    table.is_invalid = lambda values: "content" not in values
    given = rows(25)
    for number in bad:
        del given[number]["content"]
    results = todo.models.Todo.create_many(given, on_error="collect", validate=False)
    assert [result.index for result in results if result.state == "failed"] == bad
    assert isinstance(results[3].error, errors.GraphQLValidationError)
    assert "coerced Null value" in results[3].error.message
    assert len(table.records) == 25 - len(bad)
    assert len(table.requests) <= 20
    assert todo.transport.slept == []


def test_a_row_that_may_not_be_written(todo: ClientHarness, table: Table) -> None:
    """When one row is Unauthorized, only that row fails."""
    table.error_of = lambda verb, values: UNAUTHORIZED if values["id"] == "t-2" else None
    with pytest.raises(errors.BulkError, match="1 of 4 Todo records failed") as caught:
        todo.models.Todo.create_many(rows(4))
    assert states(caught.value.results) == ["created", "created", "failed", "created"]
    assert isinstance(caught.value.__cause__, errors.UnauthorizedError)
    assert caught.value.exit_code == 1
    assert 'if_exists="skip"' in str(caught.value.resolution)
    assert sizes(table) == [4]


def test_an_error_below_a_record_is_not_a_failure(todo: ClientHarness, table: Table) -> None:
    """A row was written even if one of its fields may not be read."""
    table.error_of = lambda verb, values: {**UNAUTHORIZED, "below": ["id"]}
    assert states(todo.models.Todo.create_many(rows(2))) == ["created"] * 2


def test_a_response_without_a_row(todo: ClientHarness, table: Table) -> None:
    """A row that is not in the response is not reported as created."""
    table.fault_of = lambda request: {"data": {}}
    results = todo.models.Todo.create_many(rows(2), on_error="collect")
    assert states(results) == ["failed"] * 2
    assert "has no result for this record" in str(results[0].error)


@pytest.mark.parametrize("if_exists", ["error", "skip", "update"])
@pytest.mark.parametrize("fault", ["cut after", "500 after"])
@pytest.mark.parametrize("has_ids", [True, False], ids=["own ids", "random ids"])
def test_lost_responses(
    todo: ClientHarness, table: Table, if_exists: Any, fault: str, has_ids: bool
) -> None:
    """A row whose response was lost is neither created twice nor reported as failed."""
    given = rows(10) if has_ids else [{"content": f"todo {n}"} for n in range(10)]
    table.faults = [fault]
    results = todo.models.Todo.create_many(given, if_exists=if_exists)
    assert set(states(results)) == {"present" if has_ids else "created"}
    assert len(table.records) == 10
    assert {verb for verb, _ in table.done} == {"create"}
    assert any("getTodo" in request.query for request in table.requests) is has_ids


@pytest.mark.parametrize("if_exists", ["skip", "update"])
@pytest.mark.parametrize("fault", ["cut", "500", "cut after", "500 after"])
def test_lost_responses_in_a_second_run(
    todo: ClientHarness, table: Table, if_exists: Any, fault: str
) -> None:
    """A row whose response was lost is "present": who created the record is not known."""
    todo.models.Todo.create_many(rows(10))
    # The first batch succeeds: its creates, and then its updates.
    table.faults = [*([None] * (2 if if_exists == "update" else 1)), fault]
    options: Any = {"if_exists": if_exists, "batch_size": 4, "concurrency": 1}
    results = todo.models.Todo.create_many(rows(10), **options)
    clear = "existed" if if_exists == "skip" else "updated"
    assert states(results)[4:8] == ["present"] * 4
    assert set(states(results)[:4] + states(results)[8:]) == {clear}
    assert todo.report.records[Event("record", "Todo", "created")] == 10


def test_a_lost_response_after_throttled_ones(todo: ClientHarness, table: Table) -> None:
    """A response that is lost in the last attempt counts as well."""
    table.faults = ["429", "429", "500 after"]
    assert set(states(todo.models.Todo.create_many(rows(3)))) == {"present"}


def test_responses_lost_for_long(todo: ClientHarness, table: Table) -> None:
    """A batch is sent again after the attempts of the transport, with growing pauses."""
    table.faults = ["cut after", *["cut"] * 3, *["500 after"] * 4]
    assert set(states(todo.models.Todo.create_many(rows(5)))) == {"present"}
    assert sorted(todo.transport.slept)[-2:] == pytest.approx([1.5, 2.5], abs=0.5)
    assert len(table.done) == 5


@pytest.mark.parametrize(
    ("if_exists", "state", "others"),
    [
        ("error", "failed", "present"),
        ("skip", "existed", "present"),
        ("update", "updated", "present"),
    ],
)
def test_a_different_record_is_recognised(
    todo: ClientHarness, table: Table, if_exists: Any, state: str, others: str
) -> None:
    """After a lost response, a record with other content is not taken for the row's own."""
    table.records["t-1"] = {"id": "t-1", "content": "somebody else's"}
    table.faults = ["cut after"]
    results = todo.models.Todo.create_many(rows(3), if_exists=if_exists, on_error="collect")
    assert states(results) == [others, state, others]
    if if_exists == "update":
        assert table.records["t-1"]["content"] == "todo 1"


@pytest.mark.parametrize(
    ("if_exists", "state"), [("error", "failed"), ("skip", "existed"), ("update", "updated")]
)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(UNAUTHORIZED, id="may not be read"),
        pytest.param({"errorType": "DynamoDB:Other", "message": "no"}, id="cannot be read"),
    ],
)
def test_a_record_that_cannot_be_read_is_not_present(
    todo: ClientHarness, table: Table, answer: dict[str, Any], if_exists: Any, state: str
) -> None:
    """After a lost response, only a record with the row's values is "present"."""
    table.faults = ["cut after"]
    table.error_of = lambda verb, values: answer if verb == "get" else None
    results = todo.models.Todo.create_many(rows(1), if_exists=if_exists, on_error="collect")
    assert states(results) == [state]
    if state == "failed":
        resolution = str(results[0].error and results[0].error.resolution)
        assert "it may still be this row's own" in resolution
        assert 'if_exists="skip"' in resolution


def test_a_different_spelling_is_the_same_record(todo: ClientHarness, table: Table) -> None:
    """Values that AppSync fills in or hides do not make it another record."""
    table.records["t-0"] = {"id": "t-0", "content": None, "isDone": True}
    table.faults = ["cut"]
    results = todo.models.Todo.create_many(rows(1, isDone=None))
    assert states(results) == ["present"]
    table.faults = ["cut"]
    results = todo.models.Todo.create_many(rows(1, isDone=None), if_exists="update")
    assert states(results) == ["updated"]  # a second update does no harm


def test_which_record_is_the_rows_own(store: ClientHarness) -> None:
    """After a lost response, values of types that AppSync returns as they were sent are compared."""
    number: object
    for case_name, number, field, given, stored, state in (
        ("a number as the id", 5, "aInt", 1, 1, "present"),
        ("a list of ids", "x", "aIds", ["a", "b"], ["a", "b"], "present"),
        ("another list of ids", "x", "aIds", ["a", "b"], ["a", "c"], "failed"),
        ("another number", "x", "aInt", 1, 2, "failed"),
        ("another boolean", "x", "aBool", True, False, "failed"),
        ("another e-mail address", "x", "aEmail", "a@b.c", "a@b.d", "failed"),
        ("a time", "x", "aTime", "12:30", "12:30:00.000Z", "present"),
        ("what may be spelled differently", "x", "aFloat", 1, 1.5, "present"),
    ):
        with case(case_name):
            table = with_table(store)
            required: dict[str, Any] = {"id": number, "reqArr": [1], "arrReq": [1]}
            table.records[str(number)] = {**required, "id": str(number), field: stored}
            table.faults = ["cut"]
            row = {**required, field: given}
            results = store.models.Scalars.create_many([row], on_error="collect")
            assert states(results) == [state]


def test_an_enum_is_compared(store: ClientHarness) -> None:
    """After a lost response, a record with another value of an enum is not the row's own."""
    table = with_table(store)
    table.key = ("sku", "warehouse", "shelf")
    row = {"sku": "s", "warehouse": "w", "shelf": 1, "name": "n", "category": "BOOK"}
    row["price"] = {"amount": 1, "currency": "EUR"}
    for stored, state in (("BOOK", "present"), ("GAME", "failed")):
        table.records = {table.text(row): {**row, "category": stored}}
        table.faults = ["cut"]
        results = store.models.Product.create_many([row], on_error="collect")
        assert states(results) == [state]


def test_the_read_after_a_lost_response_is_retried(todo: ClientHarness, table: Table) -> None:
    """A record is read four times, with growing pauses, before it counts as unreadable."""
    for failed_reads, state, requests in ((3, "present", 2 + 10), (4, "failed", 2 + 12)):
        table.records.clear()
        table.requests.clear()
        todo.transport.slept.clear()
        table.faults = ["cut after", None, *["500"] * 3 * failed_reads]
        results = todo.models.Todo.create_many(rows(1), on_error="collect")
        assert states(results) == [state]
        # The transport makes three attempts each time, with shorter pauses.
        assert [each for each in todo.transport.slept if each >= 1] == [1, 2, 4]
        assert len(table.requests) == requests


def test_a_response_that_is_no_result(todo: ClientHarness, table: Table) -> None:
    """A web page in place of a result leaves open whether the rows were created; no more are sent."""
    table.faults = [{"status": 200, "body": b"<html>"}]
    results = todo.models.Todo.create_many(rows(4), batch_size=2, concurrency=1, on_error="collect")
    assert states(results) == ["failed"] * 2 + ["not tried"] * 2
    assert isinstance(results[0].error, errors.InvalidResponseError)
    assert len(table.requests) == 1


def test_an_update_whose_credentials_are_rejected(todo: ClientHarness, table: Table) -> None:
    """No more rows are tried after an error of the updates that would affect all of them."""
    for row in rows(4):
        table.records[row["id"]] = {"id": row["id"]}
    table.faults = [None, "401"]
    results = todo.models.Todo.create_many(
        rows(4), if_exists="update", batch_size=2, concurrency=1, on_error="collect"
    )
    assert states(results) == ["failed"] * 2 + ["not tried"] * 2
    assert len(table.requests) == 2


def test_a_network_that_goes_down_before_the_update(todo: ClientHarness, table: Table) -> None:
    """A row that is to be updated fails with the error that ended the run; it is not sent."""
    table.records["t-0"] = {"id": "t-0"}
    table.faults = ["413", "413", None, "401"]
    results = todo.models.Todo.create_many(rows(4), if_exists="update", on_error="collect")
    assert states(results) == ["failed"] * 4
    assert {type(result.error) for result in results} == {errors.UnauthorizedError}
    assert len(table.requests) == 4
    assert table.records == {"t-0": {"id": "t-0"}}


def test_what_of_a_record_may_be_read_is_compared(todo: ClientHarness, table: Table) -> None:
    """After a lost response, a record of which a field may not be read is the row's own if the others
    agree; a response that is no result is not read again."""
    own = {"id": "t-0", "content": "todo 0", "isDone": None}
    denied = {"path": ["getTodo", "isDone"], **UNAUTHORIZED}
    other = {**own, "content": "x"}
    for answer, state in (
        ({"data": {"getTodo": own}, "errors": [denied]}, "present"),
        ({"data": {"getTodo": other}, "errors": [denied]}, "failed"),
        ({"status": 200, "body": b"<html>"}, "failed"),
    ):
        table.records.clear()
        table.faults = ["cut after", None, answer]
        results = todo.models.Todo.create_many(rows(1), on_error="collect")
        assert states(results) == [state]


def test_an_owner_may_be_stored_in_another_form(todo: ClientHarness, table: Table) -> None:
    """After a lost response, the value of an owner field is not compared: the API stores more."""
    requests = todo.models.Todo._requests
    rule = Rule("owner", None, None, None, None, None, "content", None)
    client = ModelClient(replace(requests, model=replace(requests.model, rules=(rule,))))
    table.records["t-0"] = {"id": "t-0", "content": "sub::ann"}
    table.faults = ["cut"]
    assert states(client.create_many([{"id": "t-0", "content": "ann"}])) == ["present"]


def test_an_update_that_the_schema_disables(todo: ClientHarness, table: Table) -> None:
    """if_exists="update" is refused before any row is sent, as update itself is."""
    requests = todo.models.Todo._requests
    model = replace(requests.model, disabled=frozenset({"update"}))
    client = ModelClient(replace(requests, model=model))
    with pytest.raises(errors.UnknownOperationError, match="disables update"):
        client.create_many(rows(1), if_exists="update")
    with pytest.raises(errors.UnknownOperationError, match="disables delete"):
        ModelClient(
            replace(requests, model=replace(model, disabled=frozenset({"delete"})))
        ).delete_many(rows(1))
    assert table.requests == []
    assert states(client.create_many(rows(1), if_exists="skip")) == ["created"]


def test_a_network_that_is_down(todo: ClientHarness, table: Table) -> None:
    """After some attempts no more rows are sent, and these are "not tried"."""
    table.fault_of = lambda request: "cut"
    with pytest.raises(errors.BulkError, match="10 of 100 Todo records failed, 90 were not") as got:
        todo.models.Todo.create_many(rows(100), batch_size=10, concurrency=1)
    assert states(got.value.results) == ["failed"] * 10 + ["not tried"] * 90
    assert got.value.results[99].key == {"id": "t-99"}
    assert isinstance(got.value.__cause__, errors.EndpointUnreachableError)
    assert len(table.requests) == 9
    assert todo.report.progress is not None
    assert todo.report.progress.failed == 10


def test_a_generator_is_not_read_to_its_end(todo: ClientHarness, table: Table) -> None:
    """Rows that were read but not sent are in the results; rows that were not read are not."""
    table.fault_of = lambda request: "cut"
    given = iter(rows(10, content="x" * 400_000))
    results = todo.models.Todo.create_many(given, concurrency=1, on_error="collect")
    assert states(results) == ["failed", "failed", "not tried"]
    assert next(given)["id"] == "t-3"


def test_a_service_that_fails(todo: ClientHarness, table: Table) -> None:
    """When single rows fail and none succeeds, the service is the cause: no more are tried."""
    table.fault_of = lambda request: "503"
    results = todo.models.Todo.create_many(
        rows(100), batch_size=10, concurrency=1, on_error="collect"
    )
    assert states(results) == ["failed"] * 10 + ["not tried"] * 90
    assert isinstance(results[9].error, errors.ServiceFailedError)


@pytest.mark.parametrize("fault", ["429", "Throttling"])
def test_throttled_rows_are_retried(todo: ClientHarness, table: Table, fault: str) -> None:
    """Throttling by AppSync or DynamoDB delays rows, and none fails."""
    left = {"t-1": 3, "t-4": 2}

    def throttle(verb: str, values: dict[str, Any]) -> dict[str, Any] | None:
        if not left.get(values["id"]):
            return None
        left[values["id"]] -= 1
        return {"errorType": "DynamoDB:ThrottlingException", "message": "slow down"}

    if fault == "429":
        table.faults = ["429"] * 7
    else:
        table.error_of = throttle
    assert set(states(todo.models.Todo.create_many(rows(6)))) == {"created"}
    assert len(table.done) == 6
    assert max(todo.transport.slept) >= 2


@pytest.mark.parametrize("kind", ["InternalServerError", "InternalFailure"])
def test_a_row_that_may_have_been_written(todo: ClientHarness, table: Table, kind: str) -> None:
    """After an internal error of DynamoDB the row is sent again, and its record recognised."""
    failed: list[str] = []

    def fail(verb: str, values: dict[str, Any]) -> dict[str, Any] | None:
        if verb == "create" and not failed:
            failed.append(values["id"])
            table.records[values["id"]] = values
            return {"errorType": f"DynamoDB:{kind}", "message": "oh"}
        return None

    table.error_of = fail
    assert states(todo.models.Todo.create_many(rows(3))) == ["present", "created", "created"]
    assert failed == ["t-0"]


def test_endless_throttling(todo: ClientHarness, table: Table) -> None:
    """Endless throttling of requests stops the run; that of one row fails this row alone."""
    table.fault_of = lambda request: "429"
    create_many = todo.models.Todo.create_many
    results = create_many(rows(20), batch_size=10, concurrency=1, on_error="collect")
    assert states(results) == ["failed"] * 10 + ["not tried"] * 10
    assert isinstance(results[0].error, errors.ThrottledError)
    table.fault_of = lambda request: None
    table.error_of = lambda verb, values: (
        {"errorType": "DynamoDB:ProvisionedThroughputExceededException"}
        if values["id"] == "t-0"
        else None
    )
    table.requests.clear()
    todo.transport.slept.clear()
    results = create_many(rows(20), batch_size=10, on_error="collect")
    assert states(results) == ["failed"] + ["created"] * 19
    assert isinstance(results[0].error, errors.DynamoDBError)
    assert [size for size in sizes(table) if size == 1] == [1] * 5
    assert [int(seconds) for seconds in todo.transport.slept] == [1, 2, 4, 8, 16]


def test_a_throttled_attempt_was_not_executed(todo: ClientHarness, table: Table) -> None:
    """A record that exists after throttled attempts was not created by them."""
    table.records["t-0"] = {**rows(1)[0]}
    table.faults = ["429"] * 4
    results = todo.models.Todo.create_many(rows(1), if_exists="skip")
    assert states(results) == ["existed"]


def test_rejected_credentials(todo: ClientHarness, table: Table) -> None:
    """A rejected token fails the whole batch at once, without splitting it."""
    table.fault_of = lambda request: "401"
    results = todo.models.Todo.create_many(rows(50), concurrency=1, on_error="collect")
    assert states(results) == ["failed"] * 25 + ["not tried"] * 25
    assert len(table.requests) == 1


def test_nobody_is_signed_in(harness_of: Callable[..., ClientHarness]) -> None:
    """Without a sign-in nothing is sent, and the error is raised once, not for each row."""
    harness = harness_of(identity=FakeIdentity())
    table = with_table(harness)
    with pytest.raises(errors.NoValidAuthTokens):
        harness.models.Todo.create_many(rows(50), concurrency=1, on_error="collect")
    assert table.requests == []
    assert harness.models.Todo.create_many([]) == []


def test_ctrl_c_is_raised(todo: ClientHarness, table: Table) -> None:
    """An interrupted run is not turned into failed rows."""
    table.faults = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        todo.models.Todo.create_many(rows(100), concurrency=1)
    assert todo.report.progress is not None
    assert todo.report.progress.is_finished


def test_invalid_options(todo: ClientHarness, table: Table) -> None:
    """An invalid option is refused before any row is read."""
    for case_name, options, message in (
        ("if_exists", {"if_exists": "ignore"}, "if_exists='ignore' is not one of"),
        ("on_error", {"on_error": "warn"}, "on_error='warn' is not one of"),
        ("batch_size", {"batch_size": 0}, "batch_size=0 is not"),
        ("large batch_size", {"batch_size": 101}, "from 1 to 100"),
        ("concurrency", {"concurrency": 0}, "concurrency=0 is not"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidInputError, match=message):
                todo.models.Todo.create_many(iter(rows(1)), **options)
            assert table.requests == []


def test_rows_that_are_not_iterable(todo: ClientHarness, table: Table) -> None:
    """One record, a string or a number is refused."""
    given: Any
    for given in (
        {"id": "x"},
        "rows",
        5,
        None,
    ):
        with (
            case(given),
            pytest.raises(errors.InvalidInputError, match="Expected an iterable of mappings, got"),
        ):
            todo.models.Todo.create_many(given)


def test_no_rows(todo: ClientHarness, table: Table) -> None:
    """Without rows there is no request, no error, and the target is not announced."""
    assert todo.models.Todo.create_many([]) == todo.models.Todo.delete_many(iter(())) == []
    assert (table.requests, todo.announced) == ([], 0)


def test_delete_many(todo: ClientHarness, table: Table) -> None:
    """Records are deleted by key, in batches; one that does not exist is "missing"."""
    for row in rows(60):
        table.records[row["id"]] = row
    results = todo.models.Todo.delete_many([*rows(60), {"id": "gone"}], concurrency=1)
    assert states(results) == ["deleted"] * 60 + ["missing"]
    assert (table.records, sizes(table)) == ({}, [25, 25, 11])
    assert table.requests[0].variables["a3"] == {"id": "t-3"}
    assert "a0: deleteTodo(input: $a0) { id }" in table.requests[0].query
    assert todo.report.records == {Event("record", "Todo", "deleted"): 60}


def test_delete_many_may_fail(todo: ClientHarness, table: Table) -> None:
    """An invalid key and a record that may not be deleted fail alone."""
    for row in rows(2):
        table.records[row["id"]] = row
    table.error_of = lambda verb, values: (
        UNAUTHORIZED if verb == "delete" and values["id"] == "t-0" else None
    )
    with pytest.raises(errors.BulkError, match="2 of 3 Todo records failed") as caught:
        todo.models.Todo.delete_many([{"id": "t-0"}, {}, {"id": "t-1"}])
    assert states(caught.value.results) == ["failed", "failed", "deleted"]
    assert "deleted already are not failures" in str(caught.value.resolution)


def test_a_missing_record_under_owner_rules(todo: ClientHarness, table: Table) -> None:
    """Owner rules refuse to delete a missing record; reading it shows that it is missing."""
    table.error_of = lambda verb, values: UNAUTHORIZED if verb == "delete" else None
    assert states(todo.models.Todo.delete_many([{"id": "gone"}])) == ["missing"]
    table.faults = [None, *["500"] * 12]  # the record cannot be read either
    results = todo.models.Todo.delete_many([{"id": "gone"}], on_error="collect")
    assert states(results) == ["failed"]


def test_a_delete_whose_response_is_lost(todo: ClientHarness, table: Table) -> None:
    """A record whose delete got no response is "deleted" when it is gone."""
    table.records["t-0"] = rows(1)[0]
    table.faults = ["cut after"]
    assert states(todo.models.Todo.delete_many([{"id": "t-0"}])) == ["deleted"]


def test_a_delete_with_rejected_credentials(todo: ClientHarness, table: Table) -> None:
    """Rejected credentials do not mean that a record is missing. They end the run."""
    table.fault_of = lambda request: "401"
    keys = [{"id": "t-0"}, {"id": "t-1"}]
    results = todo.models.Todo.delete_many(keys, batch_size=1, concurrency=1, on_error="collect")
    assert states(results) == ["failed", "not tried"]
    assert len(table.requests) == 1


def test_keys_that_are_not_checked(store: ClientHarness) -> None:
    """With validate=False, delete_many leaves it to AppSync to refuse a key."""
    store.models.Product.delete_many([{"sku": 5}], validate=False)
    assert store.sent == {"a0": {"sku": 5}}


@pytest.mark.parametrize("seed", range(4))
def test_each_row_is_stored_once_on_a_bad_network(
    todo: ClientHarness, table: Table, seed: int
) -> None:
    """With faults in a fifth of the requests, before or after execution, each row is stored once."""
    chance = random.Random(seed)
    kinds = ["cut", "cut after", "500", "500 after", "429", "503 after"]
    table.fault_of = lambda _: chance.choice(kinds) if chance.random() < 0.2 else None
    given = [*rows(300), *({"content": f"no id {n}"} for n in range(300))]
    results = todo.models.Todo.create_many(given, concurrency=8, batch_size=10)
    assert set(states(results)) <= {"created", "present"}
    assert {each.state for each in results[300:]} == {"created"}  # whose ids are random
    assert len(table.done) == len(set(table.done)) == len(table.records) == 600
    assert sum(todo.report.records.values()) == 600
    assert set(states(todo.models.Todo.delete_many([each.key for each in results]))) == {"deleted"}
    assert table.records == {}
    assert json.loads(table.requests[0].body)["variables"]
