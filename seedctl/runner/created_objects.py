"""Finds the objects of a class that are created while a script runs."""

from __future__ import annotations

import functools
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Object = TypeVar("_Object")


@contextmanager
def created_objects(kind: type[_Object]) -> Iterator[Callable[[], list[_Object]]]:
    """Yield a function that returns the living objects of *kind* created in the block.

    Objects of subclasses are included, and those that any library creates, in any thread.
    """
    # A list, because appending to it and copying it are safe in threads and signal handlers.
    created: list[weakref.ref[_Object]] = []
    patched: Any = kind
    init = patched.__init__

    @functools.wraps(init)
    def recording_init(self: _Object, *args: Any, **kwargs: Any) -> None:
        created.append(weakref.ref(self))
        init(self, *args, **kwargs)

    patched.__init__ = recording_init
    try:
        yield lambda: [each for reference in created.copy() if (each := reference()) is not None]
    finally:
        patched.__init__ = init
