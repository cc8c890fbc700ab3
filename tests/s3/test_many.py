"""upload_many: order, results, failures, and running again."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.s3.results import NewFile
from tests.cases import case
from tests.s3.s3 import FakeIdentity, FakeS3, Reply, Sent, StorageHarness, error

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED = Reply(headers={"etag": '"e"'})


def _refusing(*keys: str) -> Any:
    def answer(sent: Sent) -> Reply:
        return error("InvalidRequest", "no", 400) if sent.key in keys else STORED

    return answer


def test_results_are_in_order() -> None:
    """Pairs and NewFiles are uploaded with their options; results are in the given order."""
    with FakeS3(answer=lambda _: STORED) as server:
        harness = StorageHarness(server.url)
        found = harness.storage.upload_many(
            [
                ("a.txt", "one"),
                NewFile("b", b"two", content_type="a/b", metadata={"K": "v"}),
                (lambda identity_id: f"{identity_id}/c", "three"),
            ]
        )
    assert [(each.index, each.state, each.error) for each in found] == [
        (0, "uploaded", None),
        (1, "uploaded", None),
        (2, "uploaded", None),
    ]
    assert found[2].path == f"{harness.identity.identity_id}/c"
    assert found[0].uploaded is not None
    sent = {each.key: each for each in server.sent}
    assert sent["b"].headers["x-amz-meta-k"] == "v"
    assert sent["b"].headers["content-type"] == "a/b"
    assert "if-none-match" not in sent["a.txt"].headers
    assert harness.report.progress is not None
    assert (harness.report.progress.done, harness.report.progress.total) == (3, 3)


def test_a_failed_file_does_not_stop_the_others() -> None:
    """All files are tried; then one error is raised with every result."""
    with FakeS3(answer=_refusing("f3", "f5")) as server:
        harness = StorageHarness(server.url)
        with pytest.raises(
            errors.BulkError, match="2 of 9 files failed; the first, f3: no"
        ) as caught:
            harness.storage.upload_many([(f"f{n}", "x") for n in range(9)])
        again = harness.storage.upload_many([("f3", "x"), ("g", "y")], on_error="collect")
    results = caught.value.results
    assert [each.path for each in results if each.state == "failed"] == ["f3", "f5"]
    assert isinstance(results[3].error, errors.StorageError)
    assert [each.state for each in again] == ["failed", "uploaded"]
    states = {event.state: count for event, count in harness.report.records.items()}
    assert states == {"uploaded": 8, "failed": 3}
    told = sorted(event.detail for event, _ in harness.report.failures)
    assert told == [f"{key}: InvalidRequest: no" for key in ("f3", "f3", "f5")]


@pytest.mark.parametrize(
    ("if_exists", "state"), [("skip", "existed"), ("error", "failed"), ("update", "uploaded")]
)
def test_existing_objects(if_exists: Any, state: str) -> None:
    """An existing file is left, refused or replaced, as if_exists says."""

    def answer(sent: Sent) -> Reply:
        if "if-none-match" in sent.headers:
            return error("PreconditionFailed", status=412)
        return STORED

    with FakeS3(answer=answer) as server:
        harness = StorageHarness(server.url)
        found = harness.storage.upload_many([("x", "y")], if_exists=if_exists, on_error="collect")
    assert [each.state for each in found] == [state]
    assert [event.state for event in harness.report.records] == [state]


def test_a_generator_is_read_lazily() -> None:
    """A generator is read only as far as threads are free, so files can be produced lazily."""
    taken, most = 0, 0
    lock = threading.Lock()
    finished = 0

    def answer(_: Sent) -> Reply:
        nonlocal finished, most
        with lock:
            finished += 1
            most = max(most, taken - finished)
        return STORED

    def files() -> Iterator[tuple[str, str]]:
        nonlocal taken
        for number in range(60):
            taken += 1
            yield f"f{number}", "x"

    with FakeS3(answer=answer) as server:
        found = StorageHarness(server.url).storage.upload_many(files(), concurrency=3)
    assert len(found) == 60
    assert most <= 4


def test_a_fatal_error_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a network failure the remaining files are marked as not tried."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    harness = StorageHarness("http://127.0.0.1:9")
    with pytest.raises(errors.BulkError, match="were not tried") as caught:
        harness.storage.upload_many([(f"f{n}", "x") for n in range(50)], concurrency=2)
    states = [each.state for each in caught.value.results]
    assert len(states) == 50
    assert states[-1] == "not tried"
    assert isinstance(caught.value.__cause__, errors.EndpointUnreachableError)


@pytest.mark.parametrize(
    "options", [{"if_exists": "maybe"}, {"on_error": "ignore"}, {"concurrency": 0}]
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    """An invalid option is refused before anything is sent."""
    with pytest.raises((errors.InvalidStorageOperationInput, errors.InvalidInputError)):
        StorageHarness("http://127.0.0.1:9").storage.upload_many([("x", "y")], **options)


WRONG: list[Any] = [
    ("a path alone", "c", "Row 1 is a str, which is not a file", "rows[1]"),
    ("no data", ("c",), "Row 1 is a tuple, which is not a file", "rows[1]"),
    ("three", ("c", "d", "e"), "Row 1 is a tuple, which is not a file", "rows[1]"),
    ("nothing", None, "Row 1 is a NoneType, which is not a file", "rows[1]"),
    ("a number as path", (5, "x"), "The path of row 1 is a int", "rows[1]"),
    ("made", NewFile(lambda _: 5, "x"), "The path of row 1 is a int", "rows[1]"),  # type: ignore[arg-type, return-value]
    ("a leading slash", ("/c", "x"), "Row 1: Input `path` does not allow", "/c"),
    ("no path", ("", "x"), "Row 1: Path or key parameter must", "rows[1]"),
    ("twice", ("a", "x"), "Rows 0 and 1 have the same path, a", "a"),
    ("made twice", (lambda _: "a", "x"), "Rows 0 and 1 have the same path", "rows[1]"),
]


def test_a_list_with_an_invalid_file_is_refused() -> None:
    """With on_error="raise", a list with an invalid file is refused before anything is sent."""
    for label, wrong, message, _ in WRONG:
        with case(label):
            harness = StorageHarness("http://127.0.0.1:9")
            is_path = label == "a leading slash"
            kind = (
                errors.InvalidStoragePathInput if is_path else errors.InvalidStorageOperationInput
            )
            with pytest.raises(kind, match=message):
                harness.storage.upload_many([("a", "b"), wrong])
            assert harness.report.records == {}


def test_an_invalid_file_fails_alone() -> None:
    """With "collect", and from a generator, the other files are sent."""
    for label, wrong, message, name in WRONG:
        for is_list in (True, False):
            with case(label, is_list):
                given = [("a", "b"), wrong, ("d", "e")]
                with FakeS3(answer=lambda _: STORED) as server:
                    harness = StorageHarness(server.url)
                    files: Any = given if is_list else iter(given)
                    found = harness.storage.upload_many(files, on_error="collect")
                assert [(each.index, each.state) for each in found] == [
                    (0, "uploaded"),
                    (1, "failed"),
                    (2, "uploaded"),
                ]
                assert message in str(found[1].error)
                assert sorted((each.key, each.body) for each in server.sent) == [
                    ("a", b"b"),
                    ("d", b"e"),
                ]
                ((event, _),) = harness.report.failures
                assert event.detail.startswith(f"{name}: ")
                assert harness.report.progress is not None
                assert (harness.report.progress.done, harness.report.progress.failed) == (2, 1)


def test_an_invalid_file_of_a_generator_is_raised_at_the_end() -> None:
    """Files before and after an invalid file are sent, and the error has all results."""
    files: Any = iter([("a", "b"), "c", ("d", "e")])
    with (
        FakeS3(answer=lambda _: STORED) as server,
        pytest.raises(
            errors.BulkError, match=r"1 of 3 files failed; the first, rows\[1\]: Row 1"
        ) as got,
    ):
        StorageHarness(server.url).storage.upload_many(files)
    assert [each.state for each in got.value.results] == ["uploaded", "failed", "uploaded"]
    assert len(server.sent) == 2


@pytest.mark.parametrize("name", ["missing", "no\0file"], ids=["missing", "no name of a file"])
def test_an_unreadable_file_fails_alone(tmp_path: Path, name: str) -> None:
    """A missing local file does not prevent the upload of the other files."""
    given: list[Any] = [("a", tmp_path / name), *((f"f{n}", "x") for n in range(5))]
    with FakeS3(answer=lambda _: STORED) as server:
        found = StorageHarness(server.url).storage.upload_many(
            given, concurrency=1, on_error="collect"
        )
    assert [each.state for each in found] == ["failed", *["uploaded"] * 5]
    assert isinstance(found[0].error, errors.FileAccessError)


def test_a_path_function_is_called_once() -> None:
    """A function as path is called once, and its result is used."""
    numbers = iter(range(10))
    given = [(lambda identity_id: f"{identity_id}/{next(numbers)}", "x") for _ in range(3)]
    with FakeS3(answer=lambda _: STORED) as server:
        harness = StorageHarness(server.url)
        found = harness.storage.upload_many(given)
    paths = [f"{harness.identity.identity_id}/{number}" for number in range(3)]
    assert [each.path for each in found] == paths
    assert sorted(each.key for each in server.sent) == paths


def test_arguments_that_are_not_files_are_refused() -> None:
    """An argument that is not an iterable of files is refused, and nothing is sent."""
    files: Any
    for case_name, files in (
        ("number", 5),
        ("nothing", None),
        ("text", "ab"),
        ("mapping", {"a": "b"}),
        ("one file", NewFile("a", "b")),
    ):
        with case(case_name):
            harness = StorageHarness("http://127.0.0.1:9")
            with pytest.raises(
                errors.InvalidStorageOperationInput, match="Expected an iterable of NewFile, got "
            ):
                harness.storage.upload_many(files)


def test_nobody_can_upload_without_credentials() -> None:
    """Without credentials the call itself fails, not each file."""
    nobody = StorageHarness("http://127.0.0.1:9", identity=FakeIdentity(identity_id=None))
    with pytest.raises(errors.NoCredentials):
        nobody.storage.upload_many([("a", "b")])


def test_an_empty_list() -> None:
    """An empty list has an empty result."""
    assert StorageHarness("http://127.0.0.1:9").storage.upload_many([]) == []


def test_a_transient_failure_of_s3_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is sent again after a transient failure, unless its data can be read only once."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    failures: dict[str, int] = {}

    def answer(sent: Sent) -> Reply:
        failures[sent.key] = failures.get(sent.key, 0) + 1
        return error("InternalError", "no", 500) if failures[sent.key] < 3 else STORED

    with FakeS3(answer=answer) as server:
        harness = StorageHarness(server.url)
        (tmp_path / "file").write_text("x")
        found = harness.storage.upload_many(
            [("text", "x"), ("bytes", b"y"), ("file", tmp_path / "file")]
        )
        assert [each.state for each in found] == ["uploaded"] * 3
        for name, data in (("pieces", iter([b"z"])), ("device", Path(os.devnull))):
            (once,) = harness.storage.upload_many([(name, data)], on_error="collect")
            assert once.state == "failed"
            assert isinstance(once.error, errors.ServiceFailedError)
    assert failures == {"text": 3, "bytes": 3, "file": 3, "pieces": 1, "device": 1}
