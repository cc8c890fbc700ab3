"""Finding a running server: its address file, its lock and its answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import LocalSandboxError
from seedctl.local import LocalSandbox, hosting, reset_state, running
from seedctl.local.faults import FaultSettings
from seedctl.local.hosting import host_sandbox
from seedctl.local.running import (
    RunningServer,
    check_deployed,
    digest_of,
    find_server,
    locate_server,
    read_address,
    require_server,
    stop_server,
)
from seedctl.local.server import Server
from seedctl.outputs import load_outputs
from seedctl.project.lock import FileLock, is_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
OUTPUTS = ROOT / "tests/data/amplify_outputs.basic.json"
NONCE = "0123456789abcdef"
ANSWER = b"HTTP/1.1 200 OK\r\n\r\n" + NONCE.encode()


def address(state_folder: Path) -> Path:
    return state_folder / "local" / "server.json"


@contextlib.contextmanager
def foreign(answer: bytes | None) -> Iterator[int]:
    """Listen like another program: with *answer*, or without answering."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopped = threading.Event()

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                if stopped.is_set():
                    connection.close()
                    return
                with connection:
                    if answer is None:
                        stopped.wait(20)
                    else:
                        connection.recv(1000)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()


@contextlib.contextmanager
def pretended(folder: Path, port: int, **changes: Any) -> Iterator[RunningServer]:
    """Write the address of a server at *port* and hold the lock, like a running server."""
    (folder / "local").mkdir(parents=True)
    server = RunningServer(os.getpid(), port, 1.0, None, "", NONCE)
    address(folder).write_text(json.dumps({**asdict(server), **changes}))
    lock = FileLock.take(folder / "local" / "server.lock")
    assert lock is not None
    try:
        yield server
    finally:
        lock.release()


def test_a_server_is_found_while_it_is_up(tmp_path: Path) -> None:
    """The address file is private, names the outputs, and exists while the server runs."""
    outputs = load_outputs(OUTPUTS)
    assert find_server(tmp_path) is None
    with host_sandbox(tmp_path, outputs) as server:
        assert find_server(tmp_path) == server == require_server(tmp_path)
        assert (server.pid, server.outputs) == (os.getpid(), str(OUTPUTS))
        assert stat.S_IMODE(address(tmp_path).stat().st_mode) == 0o600
        assert server.nonce not in repr(server)
        check_deployed(server, outputs)
    assert find_server(tmp_path) is None
    assert not address(tmp_path).exists()
    with pytest.raises(LocalSandboxError, match="No local sandbox is running") as caught:
        require_server(tmp_path)
    assert "seedctl local start" in (caught.value.resolution or "")


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    """The error names the first server, which continues."""
    with host_sandbox(tmp_path, None) as server:
        with (
            pytest.raises(LocalSandboxError, match=server.url) as caught,
            host_sandbox(tmp_path, None),
        ):
            pass
        assert "seedctl local stop" in (caught.value.resolution or "")
        assert find_server(tmp_path) == server


def test_a_second_server_beside_one_that_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an address file, it is refused too, after a while."""
    monkeypatch.setattr(running, "_APPEAR_SECONDS", 0.05)
    with (
        pretended(tmp_path, 1, nonce="short"),
        pytest.raises(LocalSandboxError, match=r"is already running for this project\."),
        host_sandbox(tmp_path, None),
    ):
        pass


def test_a_server_that_cannot_start_leaves_the_lock(tmp_path: Path) -> None:
    """A port in use is an error, and the next start is not refused; an old address is removed."""
    with pretended(tmp_path, 1):
        pass  # the file of a server that was killed
    with (
        foreign(b"") as port,
        pytest.raises(LocalSandboxError, match="cannot listen"),
        host_sandbox(tmp_path, None, port=port),
    ):
        pass
    assert not is_held(tmp_path / "local" / "server.lock")
    assert not address(tmp_path).exists()
    with host_sandbox(tmp_path, None) as server:
        assert find_server(tmp_path) == server


def test_the_options_of_a_server_reach_its_sandbox(tmp_path: Path) -> None:
    """Allowed origins, faults and their statistics are those that were asked for."""
    page = "http://localhost:3000"
    ended: list[dict[str, Any]] = []
    faults = FaultSettings.parse(latency=None, faults="throttle=1", quotas=None, fault_seed=None)
    with host_sandbox(
        tmp_path, None, origins=[page], fault_settings=faults, at_end=ended.append
    ) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/", headers={"Origin": page})
        assert connection.getresponse().getheader("Access-Control-Allow-Origin") == page
        connection.close()
        assert ended == []
    assert len(ended) == 1
    started = time.time()
    with host_sandbox(tmp_path, None, at_end=ended.append) as later:
        assert later.nonce != server.nonce
        assert later.started_at >= started
    assert len(ended) == 1


def test_a_server_starts_and_ends_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is public only while the server answers, and the lock is held all the time."""
    seen: list[tuple[bool, bool]] = []

    def look() -> None:
        seen.append((address(tmp_path).exists(), is_held(tmp_path / "local" / "server.lock")))

    start, stop = LocalSandbox.start, LocalSandbox.stop

    def start_looking(**options: Any) -> LocalSandbox:
        look()
        return start(**options)

    def stop_looking(sandbox: LocalSandbox) -> None:
        look()
        stop(sandbox)
        look()

    monkeypatch.setattr(LocalSandbox, "start", start_looking)
    monkeypatch.setattr(LocalSandbox, "stop", stop_looking)
    with host_sandbox(tmp_path, None):
        look()
    look()
    assert seen == [(False, True), (True, True), (False, True), (False, True), (False, False)]


def test_a_file_without_its_server_is_stale(tmp_path: Path) -> None:
    """The file of a killed server is ignored, whatever answers at its port; the next replaces it."""
    with foreign(ANSWER) as port:
        with pretended(tmp_path, port) as killed:
            assert find_server(tmp_path) == killed
        assert find_server(tmp_path) is None
    with host_sandbox(tmp_path, None) as server:
        assert find_server(tmp_path) == server


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhello", id="another server"),
        pytest.param(b"SSH-2.0\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 404 Not Found\r\n\r\n" + NONCE.encode(), id="not found"),
        pytest.param(b"x" * 100_000, id="endless"),
    ],
)
def test_another_program_at_the_port(tmp_path: Path, answer: bytes) -> None:
    """Without the nonce in its answer, a program is not the sandbox, even if the lock is held."""
    with foreign(answer) as port, pretended(tmp_path, port):
        assert locate_server(tmp_path) is None
        assert find_server(tmp_path) is None


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspended server is an error: a second one would have other tokens and codes."""
    monkeypatch.setattr(running, "_PROBE_SECONDS", 0.05)
    with foreign(None) as port, pretended(tmp_path, port) as server:
        with pytest.raises(LocalSandboxError, match="does not answer"):
            find_server(tmp_path)
        assert locate_server(tmp_path) == (server, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        "[" * 3000,
        '{"pid": 1}',
        *(
            json.dumps({**asdict(RunningServer(1, 1, 1.0, None, "", NONCE)), **change})
            for change in (
                {"pid": 0},
                {"pid": -1},
                {"pid": True},
                {"pid": "1"},
                {"port": 65536},
                {"started_at": "x"},
                {"outputs": 5},
                {"digest": None},
                {"nonce": ""},
                {"nonce": 5},
            )
        ),
    ],
)
def test_a_file_that_is_no_address(tmp_path: Path, text: str) -> None:
    """Nothing in it is used: a process id of -1 would signal every process."""
    with pretended(tmp_path, 1) as server:
        assert read_address(tmp_path) == server
        address(tmp_path).write_text(text)
        assert read_address(tmp_path) is None
        assert find_server(tmp_path) is None
        # Fields of another version are ignored; there is no server at this port.
        assert (running.read_address(tmp_path) is None) == ("more" not in text)


def test_an_address_that_cannot_be_read(tmp_path: Path) -> None:
    """It is an error, not a missing file: a server may be running."""
    address(tmp_path).mkdir(parents=True)
    with pytest.raises(LocalSandboxError, match=r"server\.json"):
        find_server(tmp_path)
    with pytest.raises(LocalSandboxError, match=r"server\.json"), host_sandbox(tmp_path, None):
        pass


def test_a_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    """The error names the file."""
    with pretended(tmp_path, 1):
        (tmp_path / "local" / "server.lock").unlink()
        (tmp_path / "local" / "server.lock").mkdir()
        with pytest.raises(LocalSandboxError, match=r"server\.lock"):
            find_server(tmp_path)
        with pytest.raises(LocalSandboxError, match=r"server\.lock"), host_sandbox(tmp_path, None):
            pass


def test_an_address_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server stops with the reason."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hosting, "write_private", full)
    with pytest.raises(LocalSandboxError, match="No space left"), host_sandbox(tmp_path, None):
        pass
    assert not is_held(tmp_path / "local" / "server.lock")


def test_a_state_folder_that_is_removed_meanwhile(tmp_path: Path) -> None:
    """A stopping server does not delete the address of its successor."""
    with host_sandbox(tmp_path, None) as server:
        later = replace(server, nonce="f" * 32)
        address(tmp_path).write_text(later.to_json())
    assert json.loads(address(tmp_path).read_text())["nonce"] == later.nonce


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("content", "the file has changed since", id="content"),
        pytest.param("file", "but this command uses", id="other file"),
        pytest.param("gone", "no longer has an outputs file", id="gone"),
        pytest.param("new", "was started without an outputs file", id="new"),
    ],
)
def test_outputs_that_are_not_the_deployed_ones(tmp_path: Path, change: str, words: str) -> None:
    """The error names both files: their users are in different pools."""
    path = tmp_path / "a.json"
    path.write_text(OUTPUTS.read_text())
    deployed = load_outputs(path)
    server = RunningServer(1, 1, 1.0, str(path), digest_of(deployed), NONCE)
    document = json.loads(path.read_text())
    document["custom"] = {"changed": True}
    path.write_text(json.dumps(document))
    used = load_outputs(path)
    if change == "file":
        used = replace(used, path=tmp_path / "b.json")
    elif change == "new":
        server = replace(server, outputs=None, digest="")
    with pytest.raises(LocalSandboxError, match=words) as caught:
        check_deployed(server, None if change == "gone" else used)
    assert str(tmp_path) in caught.value.message
    assert "seedctl local stop" in (caught.value.resolution or "")
    assert ("--outputs" in (caught.value.resolution or "")) == (change == "file")


def test_the_order_of_keys_is_no_difference(tmp_path: Path) -> None:
    """A rewritten file with the same content is the same file."""
    document = json.loads(OUTPUTS.read_text())
    path = tmp_path / "a.json"
    path.write_text(json.dumps(dict(reversed(document.items()))))
    assert digest_of(load_outputs(path)) == digest_of(load_outputs(OUTPUTS)) != digest_of(None)


def test_the_nonce_is_told_only_by_a_server_that_has_one(tmp_path: Path) -> None:
    """The sandbox of a single command is not taken for a running server."""
    with LocalSandbox.start(state_folder=tmp_path, outputs=None) as sandbox:
        server = RunningServer(1, sandbox.port, 1.0, None, "", NONCE)
        assert running._probe(server, 5.0) == "absent"


def test_a_reset_is_refused_while_a_server_is_up(tmp_path: Path) -> None:
    """It would delete the open database; later it deletes the server's files too."""
    with host_sandbox(tmp_path, None):
        with pytest.raises(LocalSandboxError, match="uses its state") as caught:
            reset_state(tmp_path)
        assert "seedctl local stop" in (caught.value.resolution or "")
        assert (tmp_path / "local" / "state.db").exists()
    (tmp_path / "local" / "server.log").touch()
    assert reset_state(tmp_path) is True
    assert not (tmp_path / "local").exists()


# --- the lock -------------------------------------------------------------------------------------


def test_the_lock_is_exclusive(tmp_path: Path) -> None:
    """One process holds it, others can see that, and it can be taken again after release."""
    path = tmp_path / "lock"
    assert not is_held(path)
    lock = FileLock.take(path)
    assert lock is not None
    assert is_held(path)
    assert FileLock.take(path, seconds=0.05) is None
    lock.release()
    lock.release()
    assert not is_held(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_removed_while_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock on a deleted file does not count: the new file is locked."""
    path = tmp_path / "lock"
    opened: list[int] = []
    real = os.open

    def removed_once(name: Any, *rest: Any, **options: Any) -> int:
        descriptor = real(name, *rest, **options)
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", removed_once)
        lock = FileLock.take(path)
    assert lock is not None
    assert len(opened) == 2
    assert is_held(path)
    lock.release()


def test_a_killed_process_has_no_lock(tmp_path: Path) -> None:
    """The system releases the lock, so the next server can start."""
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib\n"
        "from seedctl.project.lock import FileLock\n"
        "lock = FileLock.take(pathlib.Path(sys.argv[1]))\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    assert is_held(path)
    process.kill()
    process.communicate(timeout=20)
    assert not is_held(path)


# --- stopping -------------------------------------------------------------------------------------


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Record the signals instead of sending them."""
    signals: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append((pid, number)))
    return signals


def test_nothing_is_stopped_where_nothing_runs(tmp_path: Path, sent: list[tuple[int, int]]) -> None:
    """No process is signalled for a stale file, whatever process has that id now."""
    assert stop_server(tmp_path) is None
    with foreign(ANSWER) as port:
        with pretended(tmp_path, port):
            pass
        assert stop_server(tmp_path) is None
    assert sent == []


def test_a_server_out_of_reach_is_not_signalled(
    tmp_path: Path, sent: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process id inside a container belongs to another process outside."""
    monkeypatch.setattr(running, "_APPEAR_SECONDS", 0.05)
    with (
        foreign(b"hello") as port,
        pretended(tmp_path, port),
        pytest.raises(LocalSandboxError, match="cannot be reached"),
    ):
        stop_server(tmp_path)
    assert sent == []


def test_a_server_that_does_not_end_is_killed(
    tmp_path: Path, sent: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets SIGTERM, then SIGKILL; if it still runs, that is an error."""
    monkeypatch.setattr(running, "_STOP_PROBE_SECONDS", 0.05)
    with (
        foreign(None) as port,
        pretended(tmp_path, port),
        pytest.raises(LocalSandboxError, match="cannot be stopped"),
    ):
        stop_server(tmp_path, seconds=0.05)
    assert [number for _, number in sent] == [signal.SIGTERM, signal.SIGCONT, signal.SIGKILL]


def test_a_process_that_is_gone_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may stop by itself between the probe and the signal."""
    taken = []

    def gone(pid: int, number: int) -> None:
        taken.append(number)
        opened.close()
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", gone)
    with contextlib.ExitStack() as opened:
        port = opened.enter_context(foreign(ANSWER))
        server = opened.enter_context(pretended(tmp_path, port))
        assert stop_server(tmp_path) == (server, True)
    assert taken[0] == signal.SIGTERM


# --- where it listens -----------------------------------------------------------------------------


def test_both_loopback_addresses(tmp_path: Path) -> None:
    """Programs that resolve localhost to ::1 reach the same server."""
    with LocalSandbox.start(state_folder=tmp_path, outputs=None) as sandbox:
        try:
            connection = socket.create_connection(("::1", sandbox.port), timeout=10)
        except OSError:
            if len(sandbox._server._listeners) == 1:
                pytest.skip("this machine has no IPv6")
            raise
        with connection:
            host = f"[::1]:{sandbox.port}"
            head = f"GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")


def test_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without IPv6 serves on 127.0.0.1 only."""
    bind = socket.socket.bind

    def only_v4(self: socket.socket, place: Any) -> None:
        if self.family == socket.AF_INET6:
            raise OSError("no such address")
        bind(self, place)

    monkeypatch.setattr(socket.socket, "bind", only_v4)
    answer: Callable[..., Any] = lambda request: None  # noqa: E731
    server = Server(answer, port=0)
    assert len(server._listeners) == 1
    server.stop()
