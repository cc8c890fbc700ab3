"""create_many and delete_many against the local sandbox, over a connection that fails."""

from __future__ import annotations

import random
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.exceptions import ProtocolError

from seedctl import connect, create_and_sign_up_user, data, errors
from seedctl.report import Event, Report
from tests.appsync.appsync import DATA
from tests.running import PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl import Backend

ROWS = 300


class BadNetwork:
    """Breaks some requests, before or after they reached the sandbox."""

    def __init__(self, pool: Any, share: float) -> None:
        self.cut = 0
        self._pool = pool
        self._share = share
        self._chance = random.Random(1)
        self._lock = threading.Lock()

    def request(self, *arguments: Any, **options: Any) -> Any:
        with self._lock:
            is_cut = self._chance.random() < self._share
            is_done = self._chance.random() < 0.5
            self.cut += is_cut
        if is_cut and not is_done:
            raise ProtocolError("cut before")
        answer = self._pool.request(*arguments, **options)
        if is_cut:
            raise ProtocolError("cut after")
        return answer

    def clear(self) -> None:
        self._pool.clear()


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """A backend on the local sandbox, with Ann signed in as a script signs in."""
    root = make_project(tmp_path / "app", outputs=None)
    shutil.copy(DATA / "outputs" / "auth_rules.json", root / "amplify_outputs.json")
    with connect(root, identifier="alice", local=True) as made, made.activate():
        create_and_sign_up_user(
            "ann@example.com", PASSWORD, sign_in_flow="Password", sign_in_after_creation=True
        )
        yield made


def _with_bad_network(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> BadNetwork:
    transport: Any = backend.data._factory._transport
    network = BadNetwork(transport._pool("http://127.0.0.1"), 0.05)
    monkeypatch.setattr(transport, "_pool", lambda url: network)
    monkeypatch.setattr(transport, "sleep", lambda seconds: None)
    return network


def test_each_row_is_stored_once(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads write as the signed-in user. Although each twentieth request breaks, each row is
    stored once, a second run skips all, and all can be deleted."""
    notes: Any = data.generate_client().models.Note
    network = _with_bad_network(backend, monkeypatch)
    given = [{"content": f"note {number}"} for number in range(ROWS)]
    results = notes.create_many((row for row in given), key="content", batch_size=3)
    assert [result.index for result in results] == list(range(ROWS))
    assert {result.state for result in results} <= {"created", "present"}
    found = list(notes.list_all(limit=1000))
    assert sorted(note.content for note in found) == sorted(row["content"] for row in given)
    assert len({note.owner for note in found}) == 1
    again = notes.create_many(given, key="content", if_exists="skip", batch_size=10)
    # A row whose response was lost is "present" if the record exists with its values.
    assert {"existed"} <= {result.state for result in again} <= {"existed", "present"}
    assert [result.key for result in again] == [result.key for result in results]
    gone = notes.delete_many((result.key for result in results), batch_size=10)
    assert {result.state for result in gone} == {"deleted"}
    assert list(notes.list_all()) == []
    assert network.cut > 5


def test_records_too_large_for_aws(backend: Backend) -> None:
    """The local sandbox stores records that AWS would refuse, as docs/offline-compared.md says."""
    notes: Any = data.generate_client().models.Note
    large = "x" * 1_200_000
    notes.create_many([{"id": "large", "content": large}])
    assert notes.get({"id": "large"}).content == large


def test_records_that_do_not_exist(backend: Backend) -> None:
    """Owner rules answer Unauthorized for a record that does not exist: it is "missing"."""
    notes: Any = data.generate_client().models.Note
    notes.create({"id": "there", "content": "x"})
    results = notes.delete_many([{"id": "gone"}, {"id": "there"}])
    assert [result.state for result in results] == ["missing", "deleted"]


def test_records_of_another_user(backend: Backend) -> None:
    """A record of another user is neither deleted nor called missing; other rows succeed."""
    backend.auth.create_user("bob@example.com", PASSWORD)
    with backend.auth.sign_in("bob@example.com", PASSWORD) as session:
        session.data.models.Note.create_many([{"id": "bobs", "content": "x"}])
    notes: Any = data.generate_client().models.Note
    results = notes.delete_many([{"id": "bobs"}], on_error="collect")
    assert isinstance(results[0].error, errors.UnauthorizedError)
    with pytest.raises(errors.BulkError) as caught:
        notes.create_many([{"id": "bobs", "content": "y"}, {"id": "anns", "content": "y"}])
    assert [result.state for result in caught.value.results] == ["failed", "created"]


def test_each_failed_row_is_reported_once(backend: Backend) -> None:
    """Invalid and refused rows are reported when they fail, also if the run is interrupted later."""
    notes: Any = data.generate_client().models.Note
    notes.create({"id": "there", "content": "x"})
    report = backend.auth._observer
    assert isinstance(report, Report)

    def rows() -> Iterator[dict[str, Any]]:
        yield {"id": "there", "content": "y"}
        yield {"content": 3}
        yield {"id": "new", "content": "z"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        notes.create_many(rows(), concurrency=1, batch_size=1)
    assert [event.detail.split(": ")[:2] for event, _ in report.failures] == [
        ["rows[0]", "ConditionalCheckFailedError"],
        ["rows[1]", "InvalidInputError"],
    ]
    notes.delete_many([{"content": "no key"}], on_error="collect")
    assert [event.detail.split(": ")[0] for event, _ in report.failures[2:]] == ["rows[0]"]
    assert report.failed == report.records[Event("record", "Note", "failed")] == 3


def test_a_row_that_only_the_api_refuses(backend: Backend) -> None:
    """A row that the API refuses fails alone, with the API's message."""
    notes: Any = data.generate_client().models.Note
    given = [{"content": f"note {number}"} for number in range(20)]
    given[7] = {"content": "x", "bogus": "y"}
    results = notes.create_many(given, validate=False, on_error="collect")
    assert [result.index for result in results if result.state == "failed"] == [7]
    assert isinstance(results[7].error, errors.GraphQLValidationError)
    assert "bogus" in results[7].error.message
