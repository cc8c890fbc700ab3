"""If the sandbox's own machine fails, every service reports the reason at once."""

from __future__ import annotations

import errno
import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from seedctl import NewUser, connect
from seedctl.errors import BulkError, LocalSandboxError
from seedctl.local import LocalSandbox, connections
from seedctl.local.connections import Acceptor
from seedctl.local.state_folder import prepare
from seedctl.local.store import Store
from tests.changes import ABSENT, changed
from tests.running import DATA, PASSWORD, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from seedctl import Backend
    from seedctl.auth import UserSession

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    root = make_project(tmp_path / "app", outputs=None)
    document = json.loads((DATA / "outputs" / "todo_userpool.json").read_text(encoding="utf-8"))
    open_to_users = changed(document, ("storage", "buckets", 0, "paths"), ABSENT)
    (root / "amplify_outputs.json").write_text(json.dumps(open_to_users), encoding="utf-8")
    with connect(root, identifier="alice", local=True, target="none") as connected:
        yield connected


@pytest.fixture
def user(backend: Backend) -> UserSession:
    """A user who has signed in, has AWS credentials, and has a file."""
    backend.auth.create_user("ann@example.com", PASSWORD)
    session = backend.auth.sign_in("ann@example.com", PASSWORD)
    session.storage.upload_data("public/x.txt", "x")
    return session


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Make every later access to the state fail."""

    def let_fail(error: Exception) -> None:
        @contextmanager
        def borrowed(_: Store) -> Iterator[Any]:
            raise error
            yield

        monkeypatch.setattr(Store, "_pooled_connection", borrowed)

    return let_fail


def _todos(backend: Backend) -> Any:
    return backend.data.generate_client(credentials="caller").models.Todo


ROWS = [{"content": str(number)} for number in range(100)]
CALLS: dict[str, tuple[str, Callable[[Backend, UserSession], object]]] = {
    "secret": ("PutParameter", lambda backend, _: backend.secrets.set("x", "y")),
    "user": ("AdminCreateUser", lambda backend, _: backend.auth.create_user("b@c.de", PASSWORD)),
    "sign-in": ("InitiateAuth", lambda backend, _: backend.auth.sign_in("b@c.de", PASSWORD)),
    "guest": ("GetId", lambda backend, _: backend.storage.list("public/")),
    "record": ("createTodo", lambda backend, _: _todos(backend).create({})),
    "records": ("listTodos", lambda _, user: user.data.models.Todo.list()),
    "upload": ("PutObject", lambda _, user: user.storage.upload_data("public/y.txt", "y")),
    "properties": ("HeadObject", lambda _, user: user.storage.get_properties("public/x.txt")),
    "download": ("GetObject", lambda _, user: user.storage.download_data("public/x.txt").text()),
    "files": ("ListObjectsV2", lambda _, user: user.storage.list("public/")),
}


def _counts(backend: Backend) -> dict[str, int]:
    return {name: each.calls for name, each in backend.statistics().items()}


def test_every_service_tells_it_at_once(
    backend: Backend, user: UserSession, fail: Callable[[Exception], None]
) -> None:
    """A full disk is reported with its reason and a remedy, without retries."""
    fail(FULL)
    for name, (operation, call) in CALLS.items():
        before = _counts(backend)
        with pytest.raises(LocalSandboxError) as caught:
            call(backend, user)
        assert "No space left on device" in caught.value.message, name
        assert (caught.value.resolution or "").startswith("Free space on the disk"), name
        assert caught.value.exit_code == 3, name
        made = {each: count - before.get(each, 0) for each, count in _counts(backend).items()}
        assert {each: count for each, count in made.items() if count} == {operation: 1}, name


def test_many_are_stopped_by_the_first(
    backend: Backend, user: UserSession, fail: Callable[[Exception], None]
) -> None:
    """A failure that does not depend on the row stops the call; later rows are not tried."""
    calls: dict[str, Callable[[], object]] = {
        "records": lambda: _todos(backend).create_many(ROWS, concurrency=1, batch_size=10),
        "users": lambda: backend.auth.create_users(
            [NewUser(f"u{number}@example.com", PASSWORD) for number in range(9)],
            concurrency=1,
        ),
        "files": lambda: user.storage.upload_many(
            [(f"public/{number}.txt", "x") for number in range(9)], concurrency=1
        ),
    }
    fail(FULL)
    for name, call in calls.items():
        before = sum(_counts(backend).values())
        with pytest.raises(BulkError) as caught:
            call()
        assert isinstance(caught.value.__cause__, LocalSandboxError), name
        assert sum(_counts(backend).values()) == before + 1, name


def test_the_reason_arrives(backend: Backend, fail: Callable[[Exception], None]) -> None:
    """Each failure of the machine is reported with its reason and a remedy."""
    denied = PermissionError(errno.EACCES, "Permission denied", "/s/x")
    failures: list[tuple[Exception, str, str]] = [
        (FULL, "No space left", "Free space"),
        (OSError(errno.EFBIG, "File too large"), "too large", "Free space"),
        (OSError(errno.EMFILE, "Too many open files"), "open files", "ulimit"),
        (denied, "/s/x", "writable"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only", "writable"),
        (LocalSandboxError("Broken.", resolution="Repair it."), "Broken.", "Repair it."),
        (LocalSandboxError("Größe\n."), "Größe\n.", ""),
    ]
    for error, reason, advice in failures:
        fail(error)
        with pytest.raises(LocalSandboxError) as caught:
            backend.secrets.set("x", "y")
        assert reason in caught.value.message
        assert advice in (caught.value.resolution or ""), reason


@pytest.mark.parametrize("service", ["ssm", "s3"])
def test_other_clients_do_not_repeat_it(
    service: str, backend: Backend, fail: Callable[[Exception], None]
) -> None:
    """A script's own client fails at its first call too, and shows the reason."""
    fail(FULL)
    assert backend.outputs.storage is not None
    bucket = backend.outputs.storage.default.bucket_name
    operation, parameters = ("get_parameter", {"Name": "/x"})
    if service == "s3":
        operation, parameters = ("list_objects_v2", {"Bucket": bucket})
    modes: list[Any] = ["legacy", "standard", "adaptive"]
    for mode in modes:
        client: Any = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=backend.environment()["AWS_ENDPOINT_URL"],
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"mode": mode}, s3={"addressing_style": "path"}),
        )
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(**parameters)
        answer = caught.value.response
        assert answer["Error"]["Code"] == "LocalSandboxFailure", mode
        assert "No space left on device" in answer["Error"]["Message"], mode
        assert answer["ResponseMetadata"]["RetryAttempts"] == 0, mode
        client.close()


def test_a_full_disk_ends_a_transaction(tmp_path: Path) -> None:
    """SQLite may have rolled back already; the error names the disk, and the store works on."""
    store = Store.open(prepare(tmp_path / "s"))

    def fill() -> None:
        with store.transaction() as view:
            view.put("guest", pool="p", id="small")
            view.execute("PRAGMA max_page_count = 1")
            view.put("guest", pool="p", id="x" * 1_000_000)

    with pytest.raises(LocalSandboxError, match="disk is full") as caught:
        fill()
    assert (caught.value.resolution or "").startswith("Free space")
    with store.reading() as view:
        assert view.row("SELECT * FROM guest") is None
    store.close()


def test_a_lack_of_descriptors_at_the_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system failure while the sandbox starts is reported in the same way."""
    monkeypatch.setattr(socket, "socketpair", _refuse)
    with pytest.raises(LocalSandboxError, match="Too many open files") as caught:
        LocalSandbox.start(state_folder=tmp_path / "s", outputs=None)
    assert "ulimit -n" in (caught.value.resolution or "")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection except by the spare descriptor."""
    accept, close = socket.socket.accept, Acceptor.close
    given_up: list[Acceptor] = []

    def closing(self: Acceptor) -> None:
        given_up.append(self)
        close(self)

    def accepting_with_it(self: socket.socket) -> Any:
        if not given_up:
            raise OSError(errno.EMFILE, "Too many open files")
        given_up.clear()
        return accept(self)

    monkeypatch.setattr(Acceptor, "close", closing)
    monkeypatch.setattr(socket.socket, "accept", accepting_with_it)
    monkeypatch.setattr(connections, "_PATIENCE_SECONDS", 0.05)


@pytest.mark.parametrize("call", ["secret", "guest", "record", "account"])
@pytest.mark.usefixtures("full")
def test_a_connection_that_cannot_be_taken_is_told(call: str, backend: Backend) -> None:
    """At the limit of open files, the server tells so to each client."""
    calls = {
        **CALLS,
        "account": ("", lambda backend, _: backend.aws.call("sts", "GetCallerIdentity", {})),
    }
    for _ in range(2):
        with pytest.raises(LocalSandboxError, match="another connection: Too many open") as caught:
            calls[call][1](backend, cast("UserSession", None))
        assert "ulimit -n" in (caught.value.resolution or "")


def _refuse() -> None:
    raise OSError(errno.EMFILE, "Too many open files")
