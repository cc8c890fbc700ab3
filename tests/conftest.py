"""Applies to every test: no network beyond loopback, no AWS settings, and nothing left behind."""

from __future__ import annotations

import gc
import ipaddress
import itertools
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, settings

from seedctl import backend, process_state
from tests import tracing
from tests.forking import PARENT
from tests.quick_botocore import quick_sessions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Address: TypeAlias = tuple[Any, ...] | str | bytes

DATA = Path(__file__).parent / "data"

_OURS = ("AWS_", "SEEDCTL_", "AMPLIFY_", "GITHUB_", "NO_COLOR", "CI", "BOTO_", "MOTO_", "PYTHON")

# A slow machine fails no test: examples have no deadline. CI runs Hypothesis's own number of them.
_ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", _ANY_SPEED)
settings.register_profile("usual", _ANY_SPEED, max_examples=40)
settings.load_profile("usual")


def _is_loopback(host: str | bytes | int | None) -> bool:
    if host in {None, "", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except (ValueError, AttributeError):
        return False


@pytest.hookimpl(trylast=True)  # after coverage has started
def pytest_sessionstart(session: pytest.Session) -> None:
    """Measure coverage while tests run, and not in between."""
    tracing.pause(session.config)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all tests and libraries, which stay anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _default_signals() -> None:
    """Ignore no signal: a shell ignores some for background jobs, and so does nohup."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _quick_sessions() -> Iterator[None]:
    with quick_sessions():
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_signing_keys() -> Iterator[None]:
    """Make four RSA keys in all: a new one for each sandbox takes longer than most tests."""
    generate = rsa.generate_private_key
    keys: dict[tuple[int, int, int], rsa.RSAPrivateKey] = {}
    places = itertools.cycle(range(4))  # different keys where a test compares two pools

    def generate_few(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        wanted = (public_exponent, key_size, next(places))
        if wanted not in keys:
            keys[wanted] = generate(public_exponent, key_size)
        return keys[wanted]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rsa, "generate_private_key", generate_few)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_parent_left() -> Iterator[None]:
    yield
    PARENT.stop()


@pytest.fixture(autouse=True)
def refused_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Refuse every connection and every name look-up beyond this machine, in any thread."""
    refused: list[object] = []
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def check(address: object) -> None:
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            refused.append(address)
            # pytest.fail raises no Exception, which libraries would treat as a network failure.
            pytest.fail(f"a test reaches beyond loopback: {address}")

    def guarded_connect(self: socket.socket, address: Address) -> None:
        check(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Address) -> int:
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
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start without the developer's settings and process state, and end with no backend active."""
    for name in list(os.environ):
        if name.startswith(_OURS) and name not in {"PYTEST_CURRENT_TEST", "PYTHONPATH"}:
            monkeypatch.delenv(name)
    nowhere = str(DATA / "no-such-file")  # a folder for each test would take long to make
    monkeypatch.setenv("AWS_CONFIG_FILE", nowhere)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with process_state.fresh():
        yield
        assert backend.active_backends().is_empty, "a test left a backend active"
