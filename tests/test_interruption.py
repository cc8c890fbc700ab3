"""What threads see of a signal, and what is undone when the process ends in the middle of it."""

from __future__ import annotations

import pytest

from seedctl import interruption


def test_whoever_waits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a signal nothing is raised, after it KeyboardInterrupt in any thread that looks."""
    monkeypatch.setattr(interruption._state, "is_requested", False)
    interruption.check()
    interruption.set_requested(True)
    with pytest.raises(KeyboardInterrupt):
        interruption.check()
    interruption.set_requested(False)
    interruption.check()


def test_what_is_ensured_happens_at_the_end_of_the_block() -> None:
    """Once, whatever ended the block."""
    done: list[str] = []

    def fail() -> None:
        with interruption.ensured(lambda: done.append("undone")):
            assert done == []
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    interruption.undo_all()
    assert done == ["undone"]


def test_what_is_ensured_happens_at_a_sudden_end() -> None:
    """All that is open is undone, the last first, and a failure keeps none of them from it."""
    done: list[str] = []

    def fail() -> None:
        done.append("fails")
        if len(done) == 2:
            raise OSError("gone")

    with (
        interruption.ensured(lambda: done.append("first")),
        interruption.ensured(fail),
        interruption.ensured(lambda: done.append("last")),
    ):
        interruption.undo_all()
        assert done == ["last", "fails", "first"]
