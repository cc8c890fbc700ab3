"""Imports and exports: what ends them, what they warn of, and that their memory does not grow."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.appsync.api import API
from seedctl.appsync.auth_modes import AuthOptions, Authorizer
from seedctl.appsync.client import DataClient
from seedctl.outputs import parse_outputs
from seedctl.report import Report
from seedctl.rows import exporting, importing
from seedctl.rows.folder import ExportFolder, ModelFile
from seedctl.rows.masked_fields import MaskedFields
from seedctl.rows.pseudonyms import Pseudonyms
from seedctl.rows.writers import JSONLineWriter
from tests.appsync.appsync import ClientHarness, FakePool
from tests.appsync.table import with_table
from tests.local_appsync.builders import model, outputs
from tests.running import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NETWORK_DOWN = {"networkError": True}


class Warnings(Report):
    """A report that stores its warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def on_warning(self, text: str) -> None:
        self.texts.append(text)


class EndlessTable(FakePool):
    """Accepts every record and stores none; lists records page after page, *total* in all."""

    def __init__(self, total: int = 0) -> None:
        super().__init__()
        self.total = total
        self.given = 0

    def request(self, method: str, url: str, *, body: bytes, headers: Any, **_: object) -> Any:
        variables = json.loads(body)["variables"]
        if "a0" in variables:
            self.given += len(variables)
            data = {name: {"id": row["id"]} for name, row in variables.items()}
        else:
            first = int(variables.get("nextToken", 0))
            following = first + 100
            items = [{"id": f"t-{n}", "content": "x" * 2400} for n in range(first, following)]
            token = str(following) if following < self.total else None
            data = {"listTodos": {"items": items, "nextToken": token}}
        self.replies.append({"data": data})
        answer = super().request(method, url, body=body, headers=headers)
        self.requests.clear()
        return answer


def _harness(pool: FakePool) -> ClientHarness:
    harness = ClientHarness("todo_userpool.json")
    harness.transport._fake = pool
    return harness


def _client(document: dict[str, Any], report: Report) -> tuple[DataClient, ClientHarness]:
    """Return a client for the models of *document*, and the harness with its requests."""
    data = parse_outputs(document, DATA / "amplify_outputs.json").data
    assert data is not None
    harness = ClientHarness("todo_userpool.json")
    authorizer = Authorizer(data, harness.identity, AuthOptions())
    return DataClient(API(data, harness.transport, authorizer, report, lambda: None)), harness


def _peak(work: Callable[..., object], *given: object) -> int:
    tracemalloc.start()
    try:
        work(*given)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_of_an_import_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times as many rows take no more memory: they are read and written in parts."""
    monkeypatch.setattr(importing, "_PART", 200)
    peaks: list[int] = []
    for count in (200, 200, 2000):  # the first fills caches
        file = tmp_path / f"{count}.csv"
        file.write_text("id,content\n" + "".join(f"t-{n},{'x' * 300}\n" for n in range(count)))
        table = EndlessTable()
        harness = _harness(table)
        files = [ModelFile("Todo", file)]
        peaks.append(_peak(importing.import_files, harness.client, files, harness.report))
        assert table.given == count
    assert peaks[2] < peaks[1] + 750_000  # the rows alone would take about twice this


def test_the_memory_of_an_export_does_not_grow(tmp_path: Path) -> None:
    """Ten times as many records take no more memory: a page is written before the next is read."""
    peaks: list[int] = []
    for count in (100, 100, 1000):  # the first fills caches
        harness = _harness(EndlessTable(count))
        folder = tmp_path / str(len(peaks))
        target = ExportFolder(folder)
        fields = MaskedFields(harness.schema, ["content"], Pseudonyms(b"x"))
        peaks.append(
            _peak(exporting.export_models, harness.client, (), target, fields, harness.report)
        )
        target.finish([])
        assert len((folder / "Todo.jsonl").read_text().splitlines()) == count
    assert peaks[2] < peaks[1] + 750_000  # the rows alone would take more than three times this


@pytest.mark.parametrize("count", [3, 3000])
def test_a_network_that_is_down_ends_the_import(tmp_path: Path, count: int) -> None:
    """The error is the network's, not that of a row: no further row is tried."""
    file = tmp_path / "Todo.csv"
    file.write_text("id,isDone\nwrong,maybe\n" + "".join(f"t-{n},\n" for n in range(count)))
    harness = ClientHarness("todo_userpool.json")
    harness.answer(*[NETWORK_DOWN] * 1000)
    with pytest.raises(errors.EndpointUnreachableError):
        importing.import_files(harness.client, [ModelFile("Todo", file)], harness.report)
    assert harness.report.failures[0][0].row == f"{file}, line 2"


def test_all_files_are_checked_before_the_first_write(tmp_path: Path) -> None:
    """A wrong header of the last file, or a model that cannot be created, ends the import before
    anything is sent."""
    (tmp_path / "One.csv").write_text("id\n1\n")
    (tmp_path / "Two.csv").write_text("nope\n1\n")
    fixed = model("Fixed", {})
    fixed["attributes"][0]["properties"] = {"mutations": {"create": None}}
    client, harness = _client(outputs(model("One", {}), model("Two", {}), fixed), Report())
    files = [ModelFile(name, tmp_path / f"{name}.csv") for name in ("One", "Two")]
    with pytest.raises(errors.DataFileError, match="Two has no field 'nope'"):
        importing.import_files(client, files, harness.report)
    files[1] = ModelFile("Fixed", tmp_path / "One.csv")
    with pytest.raises(errors.UnknownOperationError, match="disables create for Fixed"):
        importing.import_files(client, files, harness.report)
    assert harness.requests == []


def test_models_that_cannot_be_created(tmp_path: Path) -> None:
    """In a folder they are left out with a warning, if there are rows; named, they are an error, and
    so is an update that the schema disables."""
    fixed = model("Fixed", {})
    fixed["attributes"][0]["properties"] = {"mutations": {"create": None, "update": None}}
    report = Warnings()
    client, _ = _client(outputs(model("One", {}), fixed), report)
    (tmp_path / "One.csv").write_text("id\n1\n")
    (tmp_path / "Fixed.csv").write_text("id\n1\n")
    files = importing.files_to_import(client, tmp_path, (), report)
    assert [file.model for file in files] == ["One"]
    assert report.texts == [
        f"{tmp_path / 'Fixed.csv'} is not imported: the schema disables create for Fixed."
    ]
    named = importing.files_to_import(client, tmp_path, ("Fixed",), report)
    assert [file.model for file in named] == ["Fixed"]
    fixed["attributes"][0]["properties"] = {"mutations": {"update": None}}
    client, harness = _client(outputs(model("One", {}), fixed), report)
    files = importing.files_to_import(client, tmp_path, (), report)
    with pytest.raises(errors.UnknownOperationError, match="disables update for Fixed"):
        importing.import_files(client, files, report, if_exists="update")
    assert harness.requests == []


def test_an_empty_file_of_a_model_that_cannot_be_created(tmp_path: Path) -> None:
    """It needs no warning: there is nothing to import."""
    fixed = model("Fixed", {})
    fixed["attributes"][0]["properties"] = {"mutations": {"create": None}}
    report = Warnings()
    client, _ = _client(outputs(model("One", {}), fixed), report)
    folder = ExportFolder(tmp_path)
    for name in ("One", "Fixed"):
        folder.write(f"{name}.jsonl", {"model": name}, [], JSONLineWriter())
    folder.finish([])
    folder.discard()
    assert len(importing.files_to_import(client, tmp_path, (), report)) == 1
    assert report.texts == []


def test_a_row_that_makes_the_service_fail(tmp_path: Path) -> None:
    """It is a failed row like others: the import goes on, and the failures of all files are counted."""
    file = tmp_path / "Todo.csv"
    file.write_text("id,isDone\nt-1,\nbad,\nt-2,maybe\nt-3,true\n")
    harness = ClientHarness("todo_userpool.json")
    table = with_table(harness)
    table.fault_of = lambda request: "500" if b'"bad"' in request.body else None
    outcome = importing.import_files(harness.client, [ModelFile("Todo", file)] * 2, harness.report)
    assert (outcome.rows, outcome.failed) == (8, 4)
    assert isinstance(outcome.first_failure, errors.ServiceFailedError)
    assert outcome.first_place == f"{file}, line 3"
    assert list(table.records) == ["t-1", "t-3"]


@pytest.mark.parametrize(
    ("denied", "failed"),
    [
        pytest.param({"t-0", "t-1"}, None, id="the whole beginning"),
        pytest.param({"t-0", "t-3"}, 2, id="a part of the beginning"),
        pytest.param({"t-2", "t-3", "t-4"}, 3, id="later rows"),
    ],
)
def test_rows_that_may_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, denied: set[str], failed: int | None
) -> None:
    """Only if the caller may write none of the first rows, the import ends: the others would fail too."""
    monkeypatch.setattr(importing, "_FIRST_PART", 2)
    monkeypatch.setattr(importing, "_PART", 3)
    file = tmp_path / "Todo.csv"
    file.write_text("id\n" + "".join(f"t-{n}\n" for n in range(6)))
    harness = ClientHarness("todo_userpool.json")
    table = with_table(harness)
    refusal = {"errorType": "Unauthorized", "message": "Not Authorized to access it"}
    table.error_of = lambda verb, values: refusal if values["id"] in denied else None
    files = [ModelFile("Todo", file)]
    if failed is None:
        with pytest.raises(errors.UnauthorizedError):
            importing.import_files(harness.client, files, harness.report)
        assert len(table.requests) == 1
    else:
        outcome = importing.import_files(harness.client, files, harness.report, auth_mode="none")
        assert (outcome.rows, outcome.failed) == (6, failed)
        assert outcome.first_place == f"{file}, line {2 if 't-0' in denied else 4}"
        assert all("authorization" not in request.headers for request in table.requests)


def test_a_file_with_another_number_of_rows(tmp_path: Path) -> None:
    """A file that has lost rows since its export is imported, with a warning."""
    file = tmp_path / "Todo.jsonl"
    file.write_text('{"id": "1"}\n')
    harness = _harness(EndlessTable())
    report = Warnings()
    outcome = importing.import_files(harness.client, [ModelFile("Todo", file, 2)], report)
    assert (outcome.rows, outcome.failed) == (1, 0)
    assert report.texts == [f"{file} has 1 rows; the manifest says 2."]
    importing.import_files(harness.client, [ModelFile("Todo", file, None)], report)
    assert len(report.texts) == 1


def test_a_record_that_comes_as_null(tmp_path: Path) -> None:
    """An export in which a record is missing is no export."""
    harness = ClientHarness("todo_userpool.json")
    harness.answer({"data": {"listTodos": {"items": [{"id": "1"}, None], "nextToken": None}}})
    fields = MaskedFields(harness.schema, (), Pseudonyms(b"x"))
    with pytest.raises(errors.GraphQLError, match="null in place of a Todo record"):
        exporting.export_models(
            harness.client, (), ExportFolder(tmp_path / "out"), fields, harness.report
        )


def test_what_an_export_writes_of_a_record(tmp_path: Path) -> None:
    """A null is left out, an empty text is not. All pages are read with the auth mode of the export."""
    harness = ClientHarness("todo_userpool.json")
    for items, token in (
        ([{"id": "1", "content": ""}], "t"),
        ([{"id": "2", "content": None}], None),
    ):
        harness.answer({"data": {"listTodos": {"items": items, "nextToken": token}}})
    fields = MaskedFields(harness.schema, (), Pseudonyms(b"x"))
    folder = ExportFolder(tmp_path)
    exporting.export_models(harness.client, (), folder, fields, harness.report, auth_mode="none")
    folder.finish([])
    assert (tmp_path / "Todo.jsonl").read_text() == '{"id":"1","content":""}\n{"id":"2"}\n'
    assert [request.variables.get("nextToken") for request in harness.requests] == [None, "t"]
    assert all("authorization" not in request.headers for request in harness.requests)


def test_what_an_export_leaves_out(tmp_path: Path) -> None:
    """A model whose list is disabled, and a custom type in itself, are not exported; a warning names
    them. Named explicitly, such a model is an error."""
    tree, hidden = model("Tree", {}), model("Hidden", {})
    tree["fields"]["root"] = {
        "name": "root",
        "isArray": False,
        "type": {"nonModel": "Node"},
        "isRequired": False,
        "attributes": [],
    }
    hidden["attributes"][0]["properties"] = {"queries": {"list": None}}
    document = outputs(tree, hidden)
    node = {**tree["fields"]["root"], "name": "left"}
    label = {**node, "name": "label", "type": "String"}
    introspection = document["data"]["model_introspection"]
    introspection["nonModels"] = {
        "Node": {"name": "Node", "fields": {"label": label, "left": node}}
    }
    report = Warnings()
    client, _ = _client(document, report)
    fields = MaskedFields(exporting.schema_of(client), ("label",), Pseudonyms(b"x"))
    written = exporting.export_models(client, (), ExportFolder(tmp_path / "a"), fields, report)
    assert written == {"Tree": 0}
    assert report.texts == [
        "Tree.root.left is not exported: its type contains itself, so no request can select all of it.",
        "Hidden is not exported: the schema disables the list of its records.",
    ]
    with pytest.raises(errors.UnknownOperationError, match="disables list for Hidden"):
        exporting.export_models(client, ("Hidden",), ExportFolder(tmp_path / "b"), fields, report)


def test_a_backend_without_models() -> None:
    """Without models there is nothing to export, and no field to mask."""
    client, _ = _client(outputs(), Report())
    assert exporting.schema_of(client).models == {}
