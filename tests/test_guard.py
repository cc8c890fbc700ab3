"""What other tests rely on: no thread can reach another machine, and a failing case is named."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.aws.calls import AWS
from seedctl.aws.settings import AWSSettings
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_connection_beyond_loopback_fails_the_test(refused_addresses: list[Any]) -> None:
    """The guard raises no Exception, which the tested code would treat as a network failure."""
    with socket.socket() as client:
        for connect in (client.connect, client.connect_ex):
            with pytest.raises(pytest.fail.Exception):
                connect(("192.0.2.1", 80))
    assert refused_addresses == [("192.0.2.1", 80)] * 2
    refused_addresses.clear()


def test_a_call_to_the_real_aws_fails_the_test(
    refused_addresses: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither botocore's retries nor seedctl's error translation hide it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    with pytest.raises(pytest.fail.Exception):
        AWS(AWSSettings(region="us-east-1")).call("sts", "GetCallerIdentity", {})
    assert len(refused_addresses) == 1
    refused_addresses.clear()


def test_other_threads_are_guarded_too(refused_addresses: list[Any]) -> None:
    """A thread's attempt is recorded, even though its failure only ends that thread."""

    def look_up() -> None:
        with pytest.raises(pytest.fail.Exception):
            socket.getaddrinfo("example.com", 443)

    thread = threading.Thread(target=look_up)
    thread.start()
    thread.join()
    assert refused_addresses == [("example.com",)]
    refused_addresses.clear()


def _differ() -> None:
    assert 1 + 1 == 3


def _raise_nothing() -> None:
    with pytest.raises(ValueError, match="x"):
        pass


@pytest.mark.parametrize("fail", [_differ, _raise_nothing])
def test_a_failing_case_fails_its_test_and_is_named(fail: Callable[[], None]) -> None:
    """A test that loops over cases fails with the values of the first case that fails."""
    tried = []
    with pytest.raises(AssertionError, match="case 'second', 2: "):  # noqa: PT012
        for name, number in (("first", 1), ("second", 2), ("third", 3)):
            with case(name, number):
                tried.append(name)
                if number == 2:
                    fail()
    assert tried == ["first", "second"]
