"""Restores what a script changes in this process: modules, paths, streams, signals, variables."""

from __future__ import annotations

import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYS_ATTRIBUTES = ("argv", "stdin", "stdout", "stderr", "path", "meta_path", "excepthook")


@contextmanager
def process_restored(folder: Path) -> Iterator[None]:
    """Restore the process after the block, and forget the modules imported from *folder*."""
    environ, cwd, modules = dict(os.environ), _working_directory(), set(sys.modules)
    lists: tuple[Any, ...] = (sys.path, sys.meta_path, warnings.filters)
    contents = [(values, list(values)) for values in lists]
    attributes = {name: getattr(sys, name) for name in _SYS_ATTRIBUTES}
    recursion_limit = sys.getrecursionlimit()
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        _remove_modules(set(sys.modules) - modules, folder)
        for name, value in attributes.items():
            setattr(sys, name, value)
        for values, before in contents:
            values[:] = before
        sys.setrecursionlimit(recursion_limit)
        _restore_handlers(handlers)
        for name in set(os.environ) - set(environ):
            del os.environ[name]
        os.environ.update(environ)
        if cwd is not None:
            with suppress(FileNotFoundError):  # the script may have removed it
                os.chdir(cwd)


def comes_from(module: object, folder: Path) -> bool:
    """Whether *module* was imported from *folder*."""
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return any(Path(place).is_relative_to(folder) for place in places if place)


def _remove_modules(names: set[str], folder: Path) -> None:
    # Find all before removing one: the path of a namespace package depends on its parent.
    modules = {name: sys.modules[name] for name in names}
    for name in [name for name, module in modules.items() if comes_from(module, folder)]:
        del sys.modules[name]


def _restore_handlers(handlers: dict[signal.Signals, Any]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # signal.signal() works in the main thread only
    for number, handler in handlers.items():
        # None: it was not set by Python, and cannot be set again.
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _working_directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:  # it was removed; with -C that does not matter
        return None
