"""Upload and download 1 GiB with seedctl and with a bare boto3 script; measure time and memory.

`make bench`, or `python benchmarks/transfers.py [MIB]`. Both use the same server in a separate process,
which discards uploads and sends zeros. Each transfer runs in a separate process too. The two are
measured alternately, and the ratio is that of the medians.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
ROUNDS = 3
BUCKET, KEY, REGION = "bench-bucket", "pictures/large.bin", "us-east-1"

_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")
_RANGE = re.compile(rb"(?im)^range: *bytes=(\d+)-(\d*)")
_ZEROS = bytes(1024 * 1024)


def sink(size: int) -> None:
    """Print a free port and serve on it until the process is killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection, size), daemon=True).start()


def _serve(connection: socket.socket, size: int) -> None:
    buffer = bytearray(1024 * 1024)
    rest = b""
    while True:
        while b"\r\n\r\n" not in rest:
            received = connection.recv(65536)
            if not received:
                return
            rest += received
        head, _, rest = rest.partition(b"\r\n\r\n")
        if b"100-continue" in head:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        found = _LENGTH.search(head)
        left = int(found[1]) - len(rest) if found else 0
        rest = b""
        while left > 0:
            left -= connection.recv_into(buffer, min(left, len(buffer)))
        _answer(connection, head, size)


def _answer(connection: socket.socket, head: bytes, size: int) -> None:
    method = head.partition(b" ")[0]
    facts = b'ETag: "e"\r\nLast-Modified: Wed, 15 Jan 2025 12:00:00 GMT\r\n'
    if method in {b"GET", b"HEAD"}:
        found = _RANGE.search(head)
        start = int(found[1]) if found else 0
        end = min(int(found[2] or size - 1), size - 1) if found else size - 1
        status = b"206 Partial Content" if found else b"200 OK"
        facts += b"Content-Range: bytes %d-%d/%d\r\n" % (start, end, size) if found else b""
        left = end + 1 - start
        connection.sendall(b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, facts, left))
        while method == b"GET" and left > 0:
            left -= connection.send(_ZEROS[:left])
        return
    body = b""
    if method == b"POST":
        body = b"<R><UploadId>U</UploadId><ETag>e</ETag></R>"
    connection.sendall(
        b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (facts, len(body), body)
    )


_MEASURED = """
import json, os, resource, sys, time
from pathlib import Path
port, source, target, which = sys.argv[1:]
url = "http://127.0.0.1:" + port
{prepare}
started = time.perf_counter()
if which == "up":
    {up}
else:
    {down}
took = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"seconds": took, "mib": peak, "cpu": time.process_time()}}))
"""

BARE = _MEASURED.format(
    prepare=f"""
import boto3
client = boto3.client("s3", endpoint_url=url, region_name={REGION!r},
                      aws_access_key_id="local", aws_secret_access_key="local")
""",
    up=f"client.upload_file(source, {BUCKET!r}, {KEY!r})",
    down=f"client.download_file({BUCKET!r}, {KEY!r}, target)",
)

OURS = _MEASURED.format(
    prepare=f"""
sys.path.insert(0, {str(ROOT)!r})
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials, IdentityCredentials
from seedctl.aws.objects import S3
from seedctl.aws.settings import AWSSettings
from seedctl.report import Report
from seedctl.s3.client import Storage
from seedctl.s3.section import Bucket, StorageSection
class Somebody:
    def bind(self): return self
    def credentials(self, *, renew=False):
        return IdentityCredentials("us-east-1:id", Credentials("ASIA", "secret", "token"))
    def groups(self): return ()
aws = AWS(AWSSettings(region={REGION!r}, endpoint_url=url))
objects = S3(aws)
section = StorageSection(Bucket({BUCKET!r}, {REGION!r}), {{}})
storage = Storage(lambda: objects, lambda: section, Somebody(), Report(), lambda: None)
aws.client("s3", {REGION!r})
""",
    up=f"storage.upload_data({KEY!r}, Path(source))",
    down=f"storage.download_data({KEY!r}, Path(target))",
)


def measure(script: str, port: str, work: Path, which: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", script, port, str(work / "source"), str(work / "target"), which],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    size = mib * 1024 * 1024
    with tempfile.TemporaryDirectory(prefix="seedctl-bench-") as name:
        work = Path(name)
        with (work / "source").open("wb") as file:
            file.truncate(size)
        server = subprocess.Popen(
            [sys.executable, __file__, "sink", str(size)], stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        print(f"{mib} MiB{'seedctl':>30}{'bare boto3':>24}{'ratio':>9}")
        try:
            for which in ("up", "down"):
                runs: dict[str, list[dict[str, float]]] = {OURS: [], BARE: []}
                for _ in range(ROUNDS):
                    for script, found in runs.items():
                        found.append(measure(script, port, work, which))
                _show(which, runs[OURS], runs[BARE])
        finally:
            server.kill()
            server.wait()


def _show(which: str, ours: list[dict[str, float]], bare: list[dict[str, float]]) -> None:
    def middle(runs: list[dict[str, float]], name: str) -> float:
        return statistics.median(run[name] for run in runs)

    cells = [
        f"{middle(runs, 'seconds'):6.2f} s, peak {max(run['mib'] for run in runs):4.0f} MiB"
        for runs in (ours, bare)
    ]
    ratio = middle(ours, "seconds") / middle(bare, "seconds")
    print(f"{which:<9}{cells[0]:>26}{cells[1]:>26}{ratio:>7.2f} x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["sink"]:
        sink(int(sys.argv[2]))
    else:
        main()
