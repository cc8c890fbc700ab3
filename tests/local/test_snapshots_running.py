"""Snapshots of a sandbox that is running: requests in progress, clients, and the server's commands."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect
from seedctl.cli.local_snapshots import _size
from seedctl.errors import LocalSandboxError, SeedctlError
from seedctl.local import list_snapshots, load_snapshot, read_inbox, save_snapshot
from seedctl.local.hosting import host_sandbox
from seedctl.local.request_gate import RequestGate
from seedctl.local.running import SNAPSHOTS_PATH, RunningServer, send_command
from seedctl.local.snapshots import Snapshots
from seedctl.outputs import load_outputs
from tests.cases import case
from tests.keep_alive import send_once
from tests.running import DATA, PASSWORD, CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seedctl import Backend

TODO = DATA / "outputs" / "todo_userpool.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_project(tmp_path / "app", outputs=None)
    (root / "amplify_outputs.json").write_bytes(TODO.read_bytes())
    return root


@pytest.fixture
def state(root: Path) -> Path:
    return root / ".amplify" / "seedctl"


@pytest.fixture
def server(root: Path, state: Path) -> Iterator[RunningServer]:
    """The project's server, in this process."""
    with host_sandbox(state, load_outputs(root / "amplify_outputs.json")) as server:
        yield server


@pytest.fixture
def backend(root: Path, server: RunningServer) -> Iterator[Backend]:
    """A client of the server."""
    with connect(root, identifier="alice", local=True, target="none") as connected:
        yield connected


def _fail() -> None:
    """Stand for the outputs file, which the server knows already."""
    pytest.fail("the outputs file is read although a server is running")


def _save(state: Path, name: str = "base", **options: Any) -> Any:
    return save_snapshot(state, _fail, name, **options)


def _load(state: Path, name: str = "base") -> Any:
    return load_snapshot(state, _fail, name)


def test_the_server_saves_and_loads(backend: Backend, state: Path) -> None:
    """It does what the commands say, with its own ids, and repeats errors with their advice."""
    backend.secrets.set("x", "old")
    saved = _save(state, is_portable=True)
    assert saved.is_portable
    assert saved.backend.user_pool == "us-east-1_EXAMPLE01"
    backend.secrets.set("x", "new")
    for _ in range(2):
        assert _load(state) == saved
        assert backend.secrets.get("x") == "old"
    with pytest.raises(LocalSandboxError, match="'base' already") as caught:
        _save(state)
    assert "--force" in (caught.value.resolution or "")
    assert not _save(state, is_replacing=True).is_portable
    (saved.folder / "snapshot.json").write_text("{")
    with pytest.raises(LocalSandboxError, match="is damaged"):
        _load(state)


def test_clients_stay_connected(backend: Backend, state: Path) -> None:
    """Sign-ins that the loaded state has go on; later ones have ended, and users can sign in again."""
    backend.auth.create_user("ann@example.com", PASSWORD)
    session = backend.auth.sign_in("ann@example.com", PASSWORD)
    session.data.models.Todo.create({"content": "old"})
    session.storage.upload_data("pictures/x", "old")
    _save(state)
    later = backend.auth.sign_in("ann@example.com", PASSWORD)
    later.data.models.Todo.create({"content": "new"})
    session.storage.upload_data("pictures/x", "longer")
    _load(state)
    assert [item.size for item in session.storage.list("pictures/").items] == [3]
    assert [todo["content"] for todo in session.data.models.Todo.list()] == ["old"]
    session.tokens(force_refresh=True)
    with pytest.raises(SeedctlError, match="Invalid Refresh Token"):
        later.tokens(force_refresh=True)
    with backend.auth.sign_in("ann@example.com", PASSWORD) as again:
        again.data.models.Todo.create({"content": "again"})
    assert read_inbox(state) == []


def test_saving_while_rows_are_written(backend: Backend, state: Path) -> None:
    """Snapshots during a bulk call have some of its rows, all complete, and the call ends well."""
    todos = backend.data.generate_client(credentials="caller").models.Todo
    todos.create({"content": "first"})
    rows = [{"content": f"todo {number}"} for number in range(400)]
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(todos.create_many(rows)))
    thread.start()
    names: list[str] = []
    while not names or (thread.is_alive() and len(names) < 10):
        names.append(f"n{len(names)}")
        _save(state, names[-1])
    thread.join()
    assert len(done) == 1
    assert len(list(todos.list(limit=1000))) == 401
    counts = [_load(state, name).records for name in names]
    assert counts == sorted(counts)
    for name, count in zip(names, counts, strict=True):
        _load(state, name)
        assert len(list(todos.list(limit=1000))) == count


def test_loading_while_rows_are_written(backend: Backend, state: Path) -> None:
    """A bulk call goes on while states are loaded, and no row is there twice afterwards."""
    todos = backend.data.generate_client(credentials="caller").models.Todo
    todos.create({"content": "first"})
    _save(state)
    rows = [{"content": f"todo {number}"} for number in range(200)]
    thread = threading.Thread(target=lambda: todos.create_many(rows))
    thread.start()
    for _ in range(5):
        _load(state)
    thread.join()
    contents = [todo["content"] for todo in todos.list(limit=1000)]
    assert contents.count("first") == 1
    assert len(set(contents)) == len(contents)


def test_requests_in_progress_end_first(
    backend: Backend, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load waits for a request that has begun, and later requests wait for the load."""
    backend.secrets.set("x", "old")
    _save(state)
    order: list[str] = []
    has_begun, may_end = threading.Event(), threading.Event()
    wrapped = Snapshots._add

    def slow(self: Snapshots, *arguments: Any) -> None:
        order.append("load")
        wrapped(self, *arguments)

    monkeypatch.setattr(Snapshots, "_add", slow)
    gate = RequestGate.request

    def hold(self: RequestGate) -> Any:
        stack = ExitStack()
        stack.enter_context(gate(self))
        if not has_begun.is_set():
            has_begun.set()
            may_end.wait(30)
            order.append("request")
        return stack

    monkeypatch.setattr(RequestGate, "request", hold)
    writing = threading.Thread(target=lambda: backend.secrets.set("x", "new"))
    writing.start()
    assert has_begun.wait(30)
    loading = threading.Thread(target=lambda: _load(state))
    loading.start()
    loading.join(0.2)
    assert loading.is_alive()
    may_end.set()
    for thread in (writing, loading):
        thread.join()
    assert order == ["request", "load"]
    assert backend.secrets.get("x") == "old"


def test_a_request_that_does_not_end() -> None:
    """After a while the load gives up, and requests go on."""
    gate = RequestGate()
    with gate.request():
        with (
            pytest.raises(LocalSandboxError, match="requests in progress"),
            gate.closed(seconds=0.01),
        ):
            pytest.fail("it did not wait")
        with gate.request():
            pass
    with gate.closed():
        pass


def test_two_loads_at_once(backend: Backend, state: Path) -> None:
    """Loads from several commands at once follow each other."""
    backend.secrets.set("x", "old")
    _save(state)
    threads = [threading.Thread(target=lambda: _load(state)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert backend.secrets.get("x") == "old"
    gate = RequestGate()
    order: list[int] = []

    def close() -> None:
        with gate.closed():
            order.append(1)
            time.sleep(0)
            order.append(-1)

    threads = [threading.Thread(target=close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == [1, -1] * 8


def test_what_is_no_command(server: RunningServer) -> None:
    """The server answers 400 to what seedctl does not send."""
    for case_name, body in (
        ("nothing", b""),
        ("no object", b"[]"),
        ("without the nonce", b'{"action": "load", "name": "base"}'),
        ("another server's", b'{"action": "load", "name": "base", "nonce": "0"}'),
        ("unknown action", b'{"action": "drop", "name": "base", "nonce": "%s"}'),
        ("no name", b'{"action": "load", "name": 1, "nonce": "%s"}'),
    ):
        with case(case_name):
            sent = body.replace(b"%s", server.nonce.encode())
            assert send_once(server.port, "POST", SNAPSHOTS_PATH, sent, {})[0] == 400


def test_a_web_page_sends_no_command(server: RunningServer) -> None:
    """A page of another origin is refused."""
    body = json.dumps({"action": "save", "name": "base", "nonce": server.nonce})
    origin = {"Origin": "https://example.com"}
    assert send_once(server.port, "POST", SNAPSHOTS_PATH, body, origin)[0] == 403


def test_a_server_of_another_version(server: RunningServer) -> None:
    """A server that does not know the command, or is gone, is an error that says what to do."""
    gone = replace(server, port=1)
    for called, path, match in (
        (server, "/_seedctl/unknown", "another version"),
        (gone, SNAPSHOTS_PATH, "ended before"),
    ):
        with pytest.raises(LocalSandboxError, match=match) as caught:
            send_command(called, path, {"name": "x"})
        assert "seedctl local stop" in (caught.value.resolution or "")


def test_a_server_that_is_killed(server: RunningServer) -> None:
    """A server that closes the connection without an answer did not refuse the command."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def close() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.close()

        thread = threading.Thread(target=close)
        thread.start()
        with pytest.raises(LocalSandboxError, match="ended before it answered"):
            send_command(replace(server, port=port), SNAPSHOTS_PATH, {"name": "x"})
        thread.join()


# --- the commands ---------------------------------------------------------------------------------


@pytest.fixture
def seedctl(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    monkeypatch.chdir(root)
    return CommandLine(capsys, monkeypatch)


@pytest.mark.parametrize("is_running", [False, True])
def test_the_commands(seedctl: CommandLine, root: Path, state: Path, is_running: bool) -> None:
    """save, load, snapshots and --remove, with and without a server."""
    with ExitStack() as opened:
        if is_running:
            outputs = load_outputs(root / "amplify_outputs.json")
            opened.enter_context(host_sandbox(state, outputs))
        assert seedctl("secret", "set", "x", "--local", stdin=b"old").code == 0
        saved = seedctl("local", "save", "base")
        assert (saved.code, saved.out) == (0, "")
        assert saved.err == "✔ Saved the local sandbox as base: 0 users, 0 records, 0 files.\n"
        refused = seedctl("local", "save", "base")
        assert (refused.code, "--force" in refused.err) == (3, True)
        portable = seedctl("local", "save", "other", "--portable")
        assert "contains the key of its secrets" in portable.err
        seedctl("secret", "set", "x", "--local", stdin=b"new")
        loaded = seedctl("local", "load", "base")
        assert loaded.err == "✔ Loaded base: 0 users, 0 records, 0 files.\n"
        assert seedctl("secret", "get", "x", "--local", "--value-only").out == "old\n"
        assert seedctl("local", "load", "../base").code == 2
        assert seedctl("local", "load", "none").code == 3
        rows = seedctl("local", "snapshots").out.splitlines()
        assert [row.split()[0] for row in rows] == ["base", "other"]
        assert rows[1].endswith(" KB  portable")
        removed = seedctl("local", "snapshots", "--remove", "other")
        assert (removed.out, removed.err) == ("", "✔ Removed other.\n")
        assert list(list_snapshots(state)) == ["base"]


def test_the_list_as_json(seedctl: CommandLine, state: Path) -> None:
    """It has what a script needs; one that cannot be read is listed with the reason."""
    assert seedctl("local", "snapshots").err.startswith("There are no snapshots.")
    assert json.loads(seedctl("local", "snapshots", "--format", "json").out) == []
    seedctl("secret", "set", "x", "--local", stdin=b"old")
    for name in ("base", "broken"):
        seedctl("local", "save", name)
    (state / "local" / "snapshots" / "broken" / "snapshot.json").write_text("{")
    good, broken = json.loads(seedctl("local", "snapshots", "--format", "json").out)
    assert good.pop("saved_at").endswith("Z")
    assert good.pop("size") > 10_000
    folder = os.path.realpath(state / "local" / "snapshots" / "base")
    assert os.path.realpath(good.pop("folder")) == folder
    assert good == {"name": "base", "users": 0, "records": 0, "files": 0, "portable": False}
    assert (broken["name"], "damaged" in broken["error"]) == ("broken", True)
    assert "is damaged" in seedctl("local", "snapshots").out
    reset = seedctl("local", "reset")
    assert "seedctl local snapshots" in reset.err


def test_sizes() -> None:
    """A size is in the largest unit that is not larger."""
    for size, text in (
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (2_500_000_000_000, "2500.0 GB"),
    ):
        with case(size, text):
            assert _size(size) == text
