"""A request to stop reaches every thread that waits, and cleanup runs if the process ends early."""

from __future__ import annotations

import pytest

from seedctl import interruption


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
