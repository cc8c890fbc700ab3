"""Applies to every test: no network beyond loopback, no AWS settings, and nothing left behind."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import JSONFileLoader

from seedctl import backend, process_state

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent / "data"
RESOURCES = Path(__file__).parent / "resources"

_OURS = ("AWS_", "SEEDCTL_", "AMPLIFY_", "GITHUB_", "NO_COLOR", "CI", "BOTO_", "MOTO_", "PYTHON")


def _is_loopback(host: Any) -> bool:
    if host in {None, "", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except (ValueError, AttributeError):
        return False


@pytest.fixture(scope="session", autouse=True)
def _default_signals() -> None:
    """Ignore no signal: a shell ignores some for background jobs, and so does nohup."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _cached_service_models() -> Iterator[None]:
    """Cache botocore's service models: every session would read megabytes of them again."""
    contents: dict[str, Any] = {}
    load_file = JSONFileLoader.load_file

    def load_once(self: JSONFileLoader, file_path: str) -> Any:
        if file_path not in contents:
            contents[file_path] = load_file(self, file_path)
        return contents[file_path]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", load_once)
        yield


@pytest.fixture(autouse=True)
def refused_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Refuse every connection and every name look-up beyond this machine, in any thread."""
    refused: list[Any] = []
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def check(address: Any) -> None:
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            refused.append(address)
            # pytest.fail raises no Exception, which libraries would treat as a network failure.
            pytest.fail(f"a test reaches beyond loopback: {address}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        check((host,))
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield refused
    assert refused == [], "a test reaches beyond loopback"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Start without the developer's settings and process state, and end with no backend active."""
    for name in list(os.environ):
        if name.startswith(_OURS) and name not in {"PYTEST_CURRENT_TEST", "PYTHONPATH"}:
            monkeypatch.delenv(name)
    nowhere = tmp_path / "no-such-file"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with process_state.fresh():
        yield
        assert backend.active_backends().is_empty, "a test left a backend active"
