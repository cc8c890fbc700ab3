"""The guard of these tests: no thread can reach anything beyond this machine."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from seedctl.aws.calls import AWS
from seedctl.aws.settings import AWSSettings


def test_a_connection_beyond_loopback_fails_the_test(refused_addresses: list[Any]) -> None:
    """The guard raises no Exception, which the tested code would treat as a network failure."""
    with socket.socket() as client, pytest.raises(pytest.fail.Exception):
        client.connect(("192.0.2.1", 80))
    assert refused_addresses == [("192.0.2.1", 80)]
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
