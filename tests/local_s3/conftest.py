"""A sandbox with two buckets, and clients of it: boto3's, and one that sends requests unchanged."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from seedctl.local import LocalSandbox
from seedctl.outputs import parse_outputs
from tests.boto3_clients import client_of
from tests.keep_alive import KeepAlive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTPUTS = Path(__file__).parents[1] / "data" / "outputs" / "storage_only_multi_bucket.json"
DOCUMENT = json.loads(OUTPUTS.read_text())
BUCKET = DOCUMENT["storage"]["bucket_name"]
ARCHIVE = DOCUMENT["storage"]["buckets"][1]["bucket_name"]


@dataclass
class Clock:
    """The real clock moved forward by *ahead* seconds, since boto3 signs with the real time."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class S3Harness:
    """A sandbox with its state folder and clock, and the boto3 clients that a test makes of it."""

    sandbox: LocalSandbox
    folder: Path
    clock: Clock
    session: boto3.Session
    document: dict[str, Any]
    opened: list[Any] = field(default_factory=list)

    bucket = BUCKET
    archive = ARCHIVE

    @property
    def port(self) -> int:
        return int(self.sandbox.url.rpartition(":")[2])

    @cached_property
    def connection(self) -> KeepAlive:
        return KeepAlive(self.port)

    @property
    def objects(self) -> Path:
        return self.folder / "local" / "objects"

    def client(self, key: str = "local", secret: str = "local", token: str | None = None) -> Any:
        url = self.sandbox.url
        made = client_of(self.session, "s3", url, key=key, secret=secret, token=token)
        self.opened.append(made)
        return made

    def send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request unchanged, signed with a developer's key unless *headers* are given."""
        given = developer_headers() if headers is None else headers
        return self.connection.send(method, path, body, given)

    def files(self) -> set[str]:
        if not self.objects.exists():
            return set()
        return {path.name for path in self.objects.iterdir()} - {"lock"}

    def close(self) -> None:
        for client in self.opened:
            client.close()
        self.connection.close()
        self.sandbox.stop()
        assert self.sandbox.handler_errors == []


def developer_headers(**more: str) -> dict[str, str]:
    """A developer's key is not verified: only the form of the signature counts."""
    return {
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/s3/"
        "aws4_request, SignedHeaders=host, Signature=00",
        "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


@pytest.fixture(scope="session")
def signed() -> Callable[..., dict[str, str]]:
    return developer_headers


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    return boto3.Session()


def _start(folder: Path, session: boto3.Session, paths: object = None) -> S3Harness:
    document = copy.deepcopy(DOCUMENT)
    if paths is not None:
        document["storage"]["buckets"][0]["paths"] = json.loads(json.dumps(paths))
    clock = Clock()
    sandbox = LocalSandbox.start(
        state_folder=folder, outputs=parse_outputs(document, OUTPUTS), clock=clock
    )
    return S3Harness(sandbox, folder, clock, session, document)


@pytest.fixture
def start(tmp_path: Path, session: boto3.Session) -> Iterator[Callable[..., S3Harness]]:
    """Start sandboxes on one state; none may have had an internal error at the end."""
    started = []

    def start_one(paths: object = None) -> S3Harness:
        harness = _start(tmp_path / "state", session, paths)
        started.append(harness)
        return harness

    yield start_one
    for harness in started:
        harness.close()


@pytest.fixture
def harness(start: Callable[..., S3Harness]) -> S3Harness:
    """Start a sandbox for one test."""
    return start()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, session: boto3.Session) -> Iterator[S3Harness]:
    """Return the sandbox that the tests of a module share; each test uses its own keys."""
    harness = _start(tmp_path_factory.mktemp("shared") / "state", session)
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def s3(shared: S3Harness) -> Any:
    return shared.client()
