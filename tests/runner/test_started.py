"""Objects that are created while a script runs are found, and only those."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seedctl.runner import started
from seedctl.runner.started import created_objects


class _Thing:
    def __init__(self, *, name: str = "") -> None:
        self.name = name


class _SubThing(_Thing):
    pass


def test_living_objects_of_the_block_are_found() -> None:
    """Earlier, later and deleted objects are not; those of subclasses and of threads are."""
    earlier = _Thing()
    with created_objects(_Thing) as created:
        one, two = _Thing(name="one"), _SubThing(name="two")
        with ThreadPoolExecutor(1) as pool:
            three = pool.submit(_Thing, name="three").result()
        deleted = _Thing(name="deleted")
        del deleted
        gc.collect()
        assert created() == [one, two, three]
    later = _Thing()
    assert created() == [one, two, three]
    assert earlier.name == later.name == ""


def test_the_class_is_restored() -> None:
    """The class is as before, also after a failure; a wrong call of its constructor raises as usual."""
    init = _Thing.__init__
    wrong: Any = _Thing
    with pytest.raises(TypeError, match="unexpected"), created_objects(_Thing):
        wrong(unexpected=1)
    assert _Thing.__init__ is init


def test_a_thread_whose_join_was_interrupted_is_awaited_without_a_busy_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python before 3.13 takes such a thread for ended; it needs the processor meanwhile."""
    others, end, rounds = {*threading.enumerate()}, threading.Event(), list[int]()

    def pools() -> list[ThreadPoolExecutor]:
        rounds.append(0)
        return []

    thread = threading.Thread(target=end.wait, args=(60,))
    thread.start()
    try:
        monkeypatch.setattr(thread, "is_alive", lambda: False)
        deadline = time.monotonic() + 0.3
        started._wait_for_threads(others, pools, deadline)
        assert time.monotonic() >= deadline
        assert len(rounds) < 30
    finally:
        end.set()
