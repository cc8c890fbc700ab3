"""Many files at once: in order, each with its own result, and a second run that goes on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.storage.many import NewFile
from tests.storage.s3 import FakeIdentity, FakeS3, Reply, Sent, Stage, error

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED = Reply(headers={"etag": '"e"'})


def _refusing(*keys: str) -> Any:
    def answer(sent: Sent) -> Reply:
        return error("InvalidRequest", "no", 400) if sent.key in keys else STORED

    return answer


def test_results_are_in_order() -> None:
    """Pairs and NewFiles are stored, each with its options, and told in the order given."""
    with FakeS3(answer=lambda _: STORED) as server:
        stage = Stage(server.url)
        found = stage.storage.upload_many(
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
    assert found[2].path == f"{stage.identity.identity_id}/c"
    assert found[0].uploaded is not None
    sent = {each.key: each for each in server.sent}
    assert sent["b"].headers["x-amz-meta-k"] == "v"
    assert sent["b"].headers["content-type"] == "a/b"
    assert "if-none-match" not in sent["a.txt"].headers
    assert stage.report.progress is not None
    assert (stage.report.progress.done, stage.report.progress.total) == (3, 3)


def test_one_that_fails_does_not_stop_the_others() -> None:
    """All are tried, and then the failures are raised together, with every result."""
    with FakeS3(answer=_refusing("f3", "f5")) as server:
        stage = Stage(server.url)
        with pytest.raises(errors.BulkError, match="2 of 9 files failed; the first: no") as caught:
            stage.storage.upload_many([(f"f{n}", "x") for n in range(9)])
        again = stage.storage.upload_many([("f3", "x"), ("g", "y")], on_error="collect")
    results = caught.value.results
    assert [each.path for each in results if each.state == "failed"] == ["f3", "f5"]
    assert isinstance(results[3].error, errors.StorageError)
    assert [each.state for each in again] == ["failed", "uploaded"]
    states = {event.state: count for event, count in stage.report.records.items()}
    assert states == {"uploaded": 8, "failed": 3}
    told = sorted(event.detail for event, _ in stage.report.failures)
    assert told == [f"{key}: InvalidRequest: no" for key in ("f3", "f3", "f5")]


@pytest.mark.parametrize(
    ("if_exists", "state"), [("skip", "existed"), ("error", "failed"), ("overwrite", "uploaded")]
)
def test_what_is_there_already(if_exists: Any, state: str) -> None:
    """A file that is there is left, refused or written anew, as was asked for."""

    def answer(sent: Sent) -> Reply:
        if "if-none-match" in sent.headers:
            return error("PreconditionFailed", status=412)
        return STORED

    with FakeS3(answer=answer) as server:
        stage = Stage(server.url)
        found = stage.storage.upload_many([("x", "y")], if_exists=if_exists, on_error="collect")
    assert [each.state for each in found] == [state]
    assert [event.state for event in stage.report.records] == [state]


def test_a_generator_is_drawn_from_as_there_is_room() -> None:
    """No more is drawn ahead than is in flight, and files may be made on the way."""
    drawn, most = 0, 0
    lock = threading.Lock()
    finished = 0

    def answer(_: Sent) -> Reply:
        nonlocal finished, most
        with lock:
            finished += 1
            most = max(most, drawn - finished)
        return STORED

    def files() -> Iterator[tuple[str, str]]:
        nonlocal drawn
        for number in range(60):
            drawn += 1
            yield f"f{number}", "x"

    with FakeS3(answer=answer) as server:
        found = Stage(server.url).storage.upload_many(files(), concurrency=3)
    assert len(found) == 60
    assert most <= 4


def test_what_concerns_all_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """When nothing answers, the rest is not tried, and says so."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    stage = Stage("http://127.0.0.1:9")
    with pytest.raises(errors.BulkError, match="were not tried") as caught:
        stage.storage.upload_many([(f"f{n}", "x") for n in range(50)], concurrency=2)
    states = [each.state for each in caught.value.results]
    assert len(states) == 50
    assert states[-1] == "not tried"
    assert isinstance(caught.value.__cause__, errors.EndpointUnreachableError)


@pytest.mark.parametrize(
    "options", [{"if_exists": "maybe"}, {"on_error": "ignore"}, {"concurrency": 0}]
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    """An option that cannot be meant is refused before anything is sent."""
    with pytest.raises((errors.InvalidStorageOperationInput, errors.InvalidInputError)):
        Stage("http://127.0.0.1:9").storage.upload_many([("x", "y")], **options)


def test_what_is_no_file_is_refused() -> None:
    """A path alone is no file; nothing of the list is sent."""
    stage = Stage("http://127.0.0.1:9")
    with pytest.raises(errors.InvalidStorageOperationInput, match="A str is no file"):
        stage.storage.upload_many([("a", "b"), "c"])  # type: ignore[list-item]
    nobody = Stage("http://127.0.0.1:9", identity=FakeIdentity(identity_id=None))
    with pytest.raises(errors.NoCredentials):
        nobody.storage.upload_many([("a", "b")])


def test_nothing_is_no_error() -> None:
    """An empty list has an empty result."""
    assert Stage("http://127.0.0.1:9").storage.upload_many([]) == []


def test_a_moment_s3_fails_in_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is sent again after its calls have failed, unless its data can be read only once."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    failures: dict[str, int] = {}

    def answer(sent: Sent) -> Reply:
        failures[sent.key] = failures.get(sent.key, 0) + 1
        return error("InternalError", "no", 500) if failures[sent.key] < 3 else STORED

    with FakeS3(answer=answer) as server:
        stage = Stage(server.url)
        found = stage.storage.upload_many([("text", "x"), ("bytes", b"y")])
        assert [each.state for each in found] == ["uploaded"] * 2
        (once,) = stage.storage.upload_many([("pieces", iter([b"z"]))], on_error="collect")
    assert once.state == "failed"
    assert isinstance(once.error, errors.ServiceFailedError)
    assert failures == {"text": 3, "bytes": 3, "pieces": 1}
