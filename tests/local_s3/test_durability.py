"""Contents on disk: streamed, complete after a kill, removed when no longer referenced."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.local import reset_state
from seedctl.local.s3.files import Files
from tests.cases import case
from tests.local_s3.conftest import BUCKET, OUTPUTS
from tests.sandbox_process import sandbox_process, url_of
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a sandbox in a separate process and yield its port."""
    with sandbox_process(tmp_path / "state", OUTPUTS) as running:
        yield running, int(url_of(running).rpartition(":")[2])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory(process: tuple[subprocess.Popen[str], int], signed: Any, tmp_path: Path) -> None:
    """A large object is streamed in both directions: the process stays below 80 MB."""
    running, port = process
    size = 120 * MIB  # more than the process may have
    path = f"/{BUCKET}/large"
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(size)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=50)
    with large.open("rb") as file:
        connection.request("PUT", path, file, signed(Content_Length=str(size)))
    assert connection.getresponse().read() == b""
    connection.request("GET", path, headers=signed())
    response = connection.getresponse()
    got = 0
    while piece := response.read(MIB):
        got += len(piece)
    connection.close()
    assert got == size
    status = Path(f"/proc/{running.pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    assert peak < 80 * 1024, f"{peak} kB"


def test_acknowledged_objects_survive_a_kill(
    process: tuple[subprocess.Popen[str], int], signed: Any, start: Any, tmp_path: Path
) -> None:
    """Acknowledged objects exist after kill -9; the files of incomplete uploads are removed."""
    running, port = process
    bucket = f"/{BUCKET}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(10):
        connection.request("PUT", f"{bucket}/{number}", b"%d" % number * 1000, signed())
        assert connection.getresponse().read() == b""
    connection.close()
    half = socket.create_connection(("127.0.0.1", port))
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(Host="localhost").items())
    half.sendall(f"PUT {bucket}/half HTTP/1.1\r\n{head}Content-Length: 900000\r\n\r\n".encode())
    half.sendall(b"x" * 600_000)
    folder = tmp_path / "state" / "local" / "objects"
    # The files of ten objects, the lock, and the file that is being written.
    wait_until(lambda: len(list(folder.iterdir())) == 12)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    half.close()
    (folder / ("0" * 32)).write_bytes(b"nobody refers to this")
    (folder / "notes.txt").write_bytes(b"not ours")
    harness = start()
    client = harness.client()
    for number in range(10):
        got = client.get_object(Bucket=harness.bucket, Key=f"{number}")["Body"].read()
        assert got == b"%d" % number * 1000
    assert len(harness.files() - {"notes.txt"}) == 10
    assert client.list_objects_v2(Bucket=harness.bucket)["KeyCount"] == 10


def test_unreferenced_files_with_another_process(start: Any) -> None:
    """While another process uses the folder, only old unreferenced files are removed."""
    first = start()
    first.client().put_object(Bucket=first.bucket, Key="k", Body=b"x")
    young, old = ("a" * 32, "b" * 32)
    for name in (young, old):
        (first.objects / name).write_bytes(b"x")
    os.utime(first.objects / old, (0, 0))
    (old_object,) = first.files() - {young, old}
    os.utime(first.objects / old_object, (0, 0))
    second = start()
    assert second.client().head_object(Bucket=first.bucket, Key="k")["ContentLength"] == 1
    assert second.files() == {old_object, young}


def test_a_finished_file_is_complete(tmp_path: Path) -> None:
    """What an object or a part is about to refer to is written, even if the process is killed."""
    with closing(Files(tmp_path)) as files:
        with files.writing() as new:
            new.write(b"content")
            assert (tmp_path / "objects" / new.finish()).read_bytes() == b"content"
        os.utime(tmp_path / "objects" / new.name, (0, 0))
        with files.writing() as copy:
            files.clone(new.name, copy)
        # A copy must not look like a file that was abandoned long ago.
        assert (tmp_path / "objects" / copy.name).stat().st_mtime > time.time() - 3600


def test_two_users_of_the_files(tmp_path: Path) -> None:
    """After its clean-up, a process goes on sharing the folder with others, and is noticed."""
    with closing(Files(tmp_path)) as first:
        first.remove_unreferenced(lambda _: False)
        lock = os.open(tmp_path / "objects" / "lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(lock)


def test_private(harness: Any) -> None:
    """Only the user's own account can read the folder and its files."""
    harness.client().put_object(Bucket=harness.bucket, Key="k", Body=b"x")
    assert stat.S_IMODE(harness.objects.stat().st_mode) == 0o700
    for path in harness.objects.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_reset(start: Any, tmp_path: Path) -> None:
    """Reset removes the objects of the buckets and nothing else."""
    harness = start()
    harness.client().put_object(Bucket=harness.bucket, Key="k", Body=b"x")
    harness.sandbox.stop()
    (harness.objects / "notes.txt").write_text("mine")
    assert reset_state(tmp_path / "state") is True
    assert [path.name for path in harness.objects.iterdir()] == ["notes.txt"]
    (harness.objects / "notes.txt").unlink()
    assert reset_state(tmp_path / "state") is False
    assert not harness.objects.exists()


def test_reset_removes_empty_folders(start: Any, tmp_path: Path) -> None:
    """Reset removes the folders too if they contain nothing else."""
    harness = start()
    harness.client().put_object(Bucket=harness.bucket, Key="k", Body=b"x")
    harness.sandbox.stop()
    assert reset_state(tmp_path / "state") is True
    assert not (tmp_path / "state" / "local").exists()


def test_reset_does_not_follow_a_link(start: Any, tmp_path: Path) -> None:
    """Reset leaves a symbolic link in place of the folder, and its target."""
    harness = start()
    harness.client().list_objects_v2(Bucket=harness.bucket)
    harness.sandbox.stop()
    elsewhere = tmp_path / "elsewhere"
    harness.objects.rename(elsewhere)
    harness.objects.symlink_to(elsewhere)
    reset_state(tmp_path / "state")
    assert (elsewhere / "lock").exists()


def test_only_one_of_many_writers_wins(harness: Any) -> None:
    """Of concurrent writers that must not overwrite, exactly one succeeds."""
    client = harness.client()
    barrier = threading.Barrier(8)

    def write(number: int) -> int:
        barrier.wait()
        with contextlib.suppress(client.exceptions.ClientError):
            client.put_object(
                Bucket=harness.bucket, Key="one", Body=b"%d" % number, IfNoneMatch="*"
            )
            return number
        return -1

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(write, range(8)) if number >= 0]
    assert len(winners) == 1
    got = client.get_object(Bucket=harness.bucket, Key="one")["Body"].read()
    assert got == b"%d" % winners[0]
    assert len(harness.files()) == 1


def test_reader_keeps_the_old_bytes(harness: Any, signed: Any) -> None:
    """A download that has begun gets the whole old object even if it is replaced meanwhile."""
    client = harness.client()
    old = os.urandom(1000) * 12_000
    client.put_object(Bucket=harness.bucket, Key="k", Body=old)
    connection = http.client.HTTPConnection("127.0.0.1", harness.port, timeout=20)
    connection.request("GET", f"/{harness.bucket}/k", headers=signed())
    response = connection.getresponse()
    first = response.read(1000)
    client.put_object(Bucket=harness.bucket, Key="k", Body=b"new")
    assert first + response.read() == old
    connection.close()
    assert client.get_object(Bucket=harness.bucket, Key="k")["Body"].read() == b"new"
    assert len(harness.files()) == 1


@pytest.mark.parametrize("framing", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_aborted_upload(harness: Any, signed: Any, framing: str) -> None:
    """An aborted upload leaves neither object nor file, and is not an internal error."""
    client = harness.client()
    client.put_object(Bucket=harness.bucket, Key="other", Body=b"x")
    before = harness.files()
    head = "".join(f"{name}: {value}\r\n" for name, value in signed(Host="localhost").items())
    for hard in (False, True):
        with socket.create_connection(("127.0.0.1", harness.port)) as connection:
            if hard:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.sendall(
                f"PUT /{harness.bucket}/dead HTTP/1.1\r\n{head}{framing}\r\n\r\n".encode()
            )
            connection.sendall(b"186a00\r\n" + b"x" * 1_000_000)
        # The server notices a closed connection a little later than the client closes it.
        wait_until(lambda: harness.files() == before)
    assert harness.send("HEAD", f"/{harness.bucket}/dead")[0] == 404


def test_disconnect_during_a_download(harness: Any, signed: Any) -> None:
    """A client may disconnect in the middle of a download."""
    harness.client().put_object(Bucket=harness.bucket, Key="k", Body=bytes(20 * MIB))
    with socket.create_connection(("127.0.0.1", harness.port)) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in signed(Host="localhost").items())
        connection.sendall(f"GET /{harness.bucket}/k HTTP/1.1\r\n{head}\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert harness.send("HEAD", f"/{harness.bucket}/k")[0] == 200


def _raw(harness: Any, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", harness.port), timeout=20) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_framing(harness: Any, signed: Any) -> None:
    """A body may be sent in HTTP chunks; malformed chunks are rejected."""
    for case_name, framing, body, answer in (
        (
            "chunked",
            "Transfer-Encoding: chunked",
            b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n",
            b"200",
        ),
        ("other coding", "Transfer-Encoding: gzip", b"", b"501"),
        ("two lengths", "Transfer-Encoding: chunked\r\nContent-Length: 3", b"", b"400"),
        ("size", "Transfer-Encoding: chunked", b"x\r\n", b"400"),
        ("longer", "Transfer-Encoding: chunked", b"2\r\nhello\r\n", b"400"),
        ("long line", "Transfer-Encoding: chunked", b"1" * 5000, b"431"),
        ("trailers", "Transfer-Encoding: chunked", b"0\r\n" + b"A: b\r\n" * 200, b"431"),
        ("no length", "X: y", b"", b"411"),
    ):
        with case(case_name):
            head = "".join(
                f"{name}: {value}\r\n" for name, value in signed(Host="localhost").items()
            )
            sent = (
                f"PUT /{harness.bucket}/f HTTP/1.1\r\n{head}Connection: close\r\n{framing}\r\n\r\n"
            )
            received = _raw(harness, sent.encode() + body)
            assert received.split(b" ", 2)[1] == answer
            if answer == b"200":
                got = harness.client().get_object(Bucket=harness.bucket, Key="f")
                assert got["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "sends"])
def test_refused_upload_is_not_read(harness: Any, signed: Any, waits: bool) -> None:
    """A rejected upload is not transferred: the server responds without 100 Continue and closes."""
    more = {"Host": "localhost", "Content-Length": str(100 * MIB)}
    if waits:
        more["Expect"] = "100-continue"
    head = "".join(f"{name}: {value}\r\n" for name, value in {**signed(), **more}.items())
    sent = f"PUT /no-such-bucket/x HTTP/1.1\r\n{head}\r\n".encode()
    answer = _raw(harness, sent + (b"" if waits else b"x" * 1000))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"Connection: close" in answer
    assert b"100 Continue" not in answer


def test_small_refused_body_keeps_the_connection(harness: Any, signed: Any) -> None:
    """A small body of a rejected request is read, and the connection stays open."""
    connection = http.client.HTTPConnection("127.0.0.1", harness.port, timeout=20)
    for path, status in (("/no-such-bucket/x", 404), (f"/{harness.bucket}/x", 200)):
        connection.request("PUT", path, b"x" * 1000, signed())
        response = connection.getresponse()
        response.read()
        assert (response.status, response.getheader("Connection")) == (status, "keep-alive")
    connection.close()


def test_expect_continue(harness: Any, signed: Any) -> None:
    """A client that waits for it gets 100 Continue when its upload is accepted."""
    more = {"Host": "localhost", "Content-Length": "5", "Expect": "100-continue"}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**signed(), **more}.items())
    with socket.create_connection(("127.0.0.1", harness.port), timeout=20) as connection:
        connection.sendall(f"PUT /{harness.bucket}/x HTTP/1.1\r\n{head}\r\n".encode())
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
