"""The state that is shared by the whole process: at most one instance of each class, made on first use.

All of it can be replaced for a block and restored afterwards, which tests do for each test.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_Kind = TypeVar("_Kind")


class _ProcessState:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._instances: dict[type, object] = {}

    def instance(self, kind: type[_Kind]) -> _Kind:
        found = self._instances.get(kind)
        if found is None:  # signal handlers call this too: do not lock when there is an instance
            with self._lock:
                found = self._instances.setdefault(kind, kind())
        assert isinstance(found, kind)
        return found

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        with self._lock:
            saved, self._instances = self._instances, {}
        try:
            yield
        finally:
            with self._lock:
                self._instances = saved


_state = _ProcessState()


def instance(kind: type[_Kind]) -> _Kind:
    """Return the instance of *kind* that the whole process shares; the first call creates it."""
    return _state.instance(kind)


@contextlib.contextmanager
def fresh() -> Iterator[None]:
    """Start the block without any shared instance, and restore the previous ones at its end."""
    with _state.fresh():
        yield
