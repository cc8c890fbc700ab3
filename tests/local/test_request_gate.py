"""Requests run side by side, and wait while the state is replaced."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedctl.errors import LocalSandboxError
from seedctl.local.request_gate import RequestGate

WAIT = 60.0  # seconds; each thread ends at once, except where a wake-up is missing


def test_the_gate_waits_for_requests_and_requests_for_the_gate() -> None:
    """Closing waits for the end of a request, and a new request for the end of the block."""
    gate, begun, end = RequestGate(), threading.Event(), threading.Event()
    closed, reopen = threading.Event(), threading.Event()
    order: list[str] = []

    def request(name: str) -> None:
        with gate.request():
            begun.set()
            assert end.wait(WAIT)
            order.append(name)

    def close() -> None:
        with gate.closed(seconds=10 * WAIT):
            order.append("closed")
            closed.set()
            assert reopen.wait(WAIT)
            order.append("open")

    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(request, "first")]
        assert begun.wait(WAIT)
        calls.append(pool.submit(close))
        while not gate._is_closed:
            assert not calls[1].done()
            time.sleep(0.001)
        calls.append(pool.submit(request, "second"))
        assert order == []
        end.set()
        assert closed.wait(WAIT)
        reopen.set()
        for call in calls:
            call.result(WAIT)
    assert order == ["first", "closed", "open", "second"]


def test_a_request_that_does_not_end() -> None:
    """Closing gives up after its time, and later requests are not held back."""
    gate = RequestGate()
    with (
        gate.request(),
        pytest.raises(LocalSandboxError, match="requests in progress after 0 s"),
        gate.closed(seconds=0.0),
    ):
        pytest.fail("a request is in progress")
    with gate.request(), gate.request():
        pass
    with gate.closed(seconds=0.0):
        pass


def test_one_at_a_time_closes_the_gate() -> None:
    """A second one that closes it waits for the end of the first one's block."""
    gate, order = RequestGate(), []

    def close() -> None:
        with gate.closed():
            order.append("second")

    thread = threading.Thread(target=close)
    with gate.closed():
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(WAIT)
    assert order == ["first", "second"]
