"""A request to stop reaches every thread that waits, and cleanup runs if the process ends early."""

from __future__ import annotations

import sys
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING

import pytest

from seedctl import interruption, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable


def test_check_raises_after_a_request_to_stop() -> None:
    """check() raises KeyboardInterrupt in any thread once a stop was requested, and not before."""
    interruption.check()
    interruption.set_requested(True)
    with pytest.raises(KeyboardInterrupt):
        interruption.check()
    interruption.set_requested(False)
    interruption.check()


def test_cleanup_runs_at_the_end_of_the_block() -> None:
    """It runs once, even if an exception ended the block."""
    done: list[str] = []

    def fail() -> None:
        with interruption.cleaned_up(lambda: done.append("cleanup")):
            assert done == []
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert done == ["cleanup"]
    interruption.run_cleanup()
    assert done == ["cleanup"]


def test_cleanup_runs_when_the_process_ends_inside_the_block() -> None:
    """All pending cleanup runs, the newest first; one that fails does not prevent the others."""
    done: list[str] = []

    def fail() -> None:
        done.append("fails")
        if len(done) == 2:
            raise OSError("gone")

    with (
        interruption.cleaned_up(lambda: done.append("first")),
        interruption.cleaned_up(fail),
        interruption.cleaned_up(lambda: done.append("last")),
    ):
        interruption.run_cleanup()
        assert done == ["last", "fails", "first"]


def test_interrupted_work_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have to end a process, so the interrupt is raised when it is done."""
    monkeypatch.setattr(uninterrupted, "GRACE_SECONDS", 60.0)
    done: list[bool] = []

    def interrupted_once(*_: object) -> None:
        monkeypatch.setattr(uninterrupted, "wait", wait)
        raise KeyboardInterrupt

    def work(must_stop: Callable[[], bool]) -> None:
        while not must_stop():
            time.sleep(0.01)
        time.sleep(0.05)
        done.append(True)

    monkeypatch.setattr(uninterrupted, "wait", interrupted_once)
    with pytest.raises(KeyboardInterrupt):
        uninterrupted.run_in_thread(work)
    assert done == [True]


def test_whatever_the_work_raises_is_raised() -> None:
    """Also what is no Exception: nothing waits for work that has ended."""
    with pytest.raises(SystemExit, match="3"):
        uninterrupted.run_in_thread(lambda _: sys.exit(3))
