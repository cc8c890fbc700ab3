"""The state that the process shares: one instance of each class, which a block can replace."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedctl import interruption, masking, process_state


class _Counter:
    def __init__(self) -> None:
        self.count = 0


class _Other(_Counter):
    pass


def test_each_class_has_one_instance() -> None:
    """Everyone who asks for a class gets the same instance, and other classes have their own."""
    assert process_state.instance(_Counter) is process_state.instance(_Counter)
    assert process_state.instance(_Counter) is not process_state.instance(_Other)


def test_threads_share_the_instance() -> None:
    """Threads that ask at the same time get one instance, even when it does not exist yet."""
    barrier = threading.Barrier(8)

    class Slow:
        def __init__(self) -> None:
            time.sleep(0.02)  # the others ask meanwhile

    def ask(_: int) -> Slow:
        barrier.wait()
        return process_state.instance(Slow)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_block_starts_without_state_and_restores_it() -> None:
    """All state is set aside during the block and comes back afterwards, after an error too."""
    masking.register("Pl4nted-one")
    interruption.set_requested(True)
    before = process_state.instance(_Counter)
    with pytest.raises(ZeroDivisionError), process_state.fresh():  # noqa: PT012
        assert process_state.instance(_Counter) is not before
        assert masking.mask("Pl4nted-one") == "Pl4nted-one"
        assert not interruption.is_requested()
        raise ZeroDivisionError
    assert process_state.instance(_Counter) is before
    assert masking.mask("Pl4nted-one") == "***"
    assert interruption.is_requested()
