"""The state that the whole process shares: one instance of each class, created on first use.

A block can replace all of it and restore it afterwards, as the tests do for each test.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TypeVar

_Kind = TypeVar("_Kind")


class _ProcessState:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._instances: dict[type, object] = {}

    def instance(self, kind: type[_Kind]) -> _Kind:
        """Return the instance of *kind* that the whole process shares; the first call creates it."""
        found = self._instances.get(kind)
        if found is None:  # signal handlers call this too: do not lock when there is an instance
            with self._lock:
                found = self._instances.setdefault(kind, kind())
        assert isinstance(found, kind)
        return found

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Start the block without any shared instance, and restore the previous ones at its end."""
        with self._lock:
            saved, self._instances = self._instances, {}
        try:
            yield
        finally:
            with self._lock:
                self._instances = saved


_state = _ProcessState()
instance = _state.instance
fresh = _state.fresh
