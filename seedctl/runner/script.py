"""Runs the seed script in this process, and restores the process afterwards.

The script runs as ``python amplify/seed/seed.py`` would run it: its folder is the first of
``sys.path``, the project's root is the working directory, it has its own ``sys.argv``, and
``__name__`` is ``"__main__"``. In addition, a connected backend is the current one.
"""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl.errors import SeedctlError, SeedingFailedError
from seedctl.installation import how_to_install
from seedctl.masked_output import masked_output
from seedctl.runner.started import threads_awaited

if TYPE_CHECKING:
    from seedctl.backend import Backend

# Libraries import these modules on first use. The script's folder is the first of sys.path, so a
# user's module of the same name would be found then. To prevent that they are imported before. What
# this module and seedctl.aws.calls import at their top needs no line here.
_LAZY_IMPORTS = (
    "calendar",
    "cryptography.exceptions",
    "email.mime.multipart",
    "email.mime.nonmultipart",
    "email.mime.text",
    "encodings.idna",
    "html",
    "http.cookies",
    "importlib.metadata",
    "importlib.resources",
    "multiprocessing",
    "netrc",
    "pkgutil",
    "pprint",
    "queue",
    "rich.console",
    "rich.table",
    "seedctl.auth",
    "seedctl.aws.calls",
    "seedctl.data",
    "seedctl.storage",
    "stringprep",
    "tempfile",
    "tokenize",
    "zipfile",
)
# masked_output() restores the hooks.
_SYS_ATTRIBUTES = ("argv", "stdin", "stdout", "stderr", "path", "meta_path")


def run_script(script: Path, backend: Backend, arguments: Sequence[str] = ()) -> None:
    """Run *script* with *backend* as the current backend and *arguments* as its ``sys.argv[1:]``.

    Raises SeedingFailedError, caused by the script's own exception. A SeedctlError, SystemExit or
    KeyboardInterrupt is raised unchanged.
    """
    _import_lazy_modules()
    try:
        # The backend stays active while the script's threads are awaited: they may still need it.
        with backend.activate(), _as_main(script, backend, arguments):
            runpy.run_path(str(script), run_name="__main__")
    except (SeedctlError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise _failure(script, error) from error


def shadowed_modules(script: Path) -> list[str]:
    """Return the files beside *script* that it cannot import: another module has the name."""
    _import_lazy_modules()
    return sorted(
        path.name
        for path in script.parent.glob("*.py")
        if path not in {script, script.with_name("__main__.py")}
        and path.stem in sys.modules
        and not _comes_from(sys.modules[path.stem], script.parent)
    )


@contextmanager
def _as_main(script: Path, backend: Backend, arguments: Sequence[str]) -> Iterator[None]:
    with _process_restored(script.parent), masked_output():
        for name, value in backend.environment().items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        sys.path.insert(0, str(script.parent))
        sys.argv = [str(script), *arguments]
        os.chdir(backend.project.root)
        with threads_awaited():
            yield


def _import_lazy_modules() -> None:
    for name in _LAZY_IMPORTS:
        importlib.import_module(name)


def _failure(script: Path, error: BaseException) -> SeedingFailedError:
    resolution = "See the script's own lines above."
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        resolution = (
            f"If {name} is a package, install it beside seedctl: {how_to_install(name)}. If it is a "
            f"module of yours, put it into {script.parent}."
        )
    return SeedingFailedError(f"The seed script {script.name} failed.", resolution=resolution)


@contextmanager
def _process_restored(folder: Path) -> Iterator[None]:
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


def _comes_from(module: object, folder: Path) -> bool:
    """Whether *module* was imported from *folder*."""
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return any(Path(place).is_relative_to(folder) for place in places if place)


def _remove_modules(names: set[str], folder: Path) -> None:
    # Find all before removing one: the path of a namespace package depends on its parent.
    modules = {name: sys.modules[name] for name in names}
    for name in [name for name, module in modules.items() if _comes_from(module, folder)]:
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
