"""Run the seed script in this process, and leave the process as it was.

The script sees what ``python amplify/seed/seed.py`` would give it: its folder first on
``sys.path``, the project's root as working directory, its own ``sys.argv``, ``__name__`` of
``"__main__"``, and a connected backend.
"""

from __future__ import annotations

import gc
import importlib
import math
import os
import runpy
import signal
import sys
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl import interruption
from seedctl.errors import SeedctlError, SeedingFailedError
from seedctl.installation import how_to_install
from seedctl.masked_output import masked_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seedctl.backend import Backend

_PACKAGE = Path(__file__).parents[1]

# Our libraries import these only when first used. A script's folder comes first on sys.path, so a
# user's module of the same name would be found in their place: they are loaded before it is there.
_LAZY_IMPORTS = (
    "base64",
    "calendar",
    "configparser",
    "cryptography.exceptions",
    "email.message",
    "email.mime.multipart",
    "email.mime.nonmultipart",
    "email.mime.text",
    "email.parser",
    "encodings.idna",
    "getpass",
    "hmac",
    "html",
    "http.client",
    "http.cookies",
    "importlib.metadata",
    "importlib.resources",
    "json",
    "linecache",
    "multiprocessing",
    "netrc",
    "pkgutil",
    "pprint",
    "queue",
    "rich.console",
    "rich.table",
    "secrets",
    "seedctl.auth",
    "seedctl.data",
    "seedctl.storage",
    "signal",
    "stringprep",
    "tempfile",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "urllib.request",
    "uuid",
    "xml.etree.ElementTree",
    "zipfile",
)


def run_script(script: Path, backend: Backend, arguments: Sequence[str] = ()) -> None:
    """Run *script* against *backend*.

    Raises SeedingFailedError, caused by the script's own exception; a SeedctlError, SystemExit or
    KeyboardInterrupt passes as it is.
    """
    _finish_imports()
    try:
        # The backend outside: the script's threads, which are waited for, still need it.
        with backend.activate(), _as_main(script, backend, arguments):
            runpy.run_path(str(script), run_name="__main__")
    except (SeedctlError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise _failure(script, error) from error


def shadowed_modules(script: Path) -> list[str]:
    """Return the files beside *script* that it cannot import: another module has the name."""
    _finish_imports()
    return sorted(
        path.name
        for path in script.parent.glob("*.py")
        if path not in {script, script.with_name("__main__.py")}
        and path.stem in sys.modules
        and not _comes_from(sys.modules[path.stem], script.parent)
    )


def script_trace(error: BaseException) -> str:
    """Return *error*'s traceback with the script's own lines: none of ours, none of Python's."""
    trace = traceback.TracebackException.from_exception(error)
    _drop_foreign_frames(trace)
    return "".join(trace.format())


def _drop_foreign_frames(trace: traceback.TracebackException) -> None:
    kept = [frame for frame in trace.stack if not _is_foreign(frame.filename)]
    trace.stack = traceback.StackSummary.from_list(kept)
    members = getattr(trace, "exceptions", None) or ()  # of a group, since Python 3.11
    for part in (trace.__cause__, trace.__context__, *members):
        if part is not None:
            _drop_foreign_frames(part)


def _is_foreign(filename: str) -> bool:
    path = Path(filename)
    return (
        filename.startswith("<frozen")
        or path.is_relative_to(_PACKAGE)
        or path.name in {"contextlib.py", "runpy.py"}
        or "botocore" in path.parts
    )


def location(error: BaseException, script: Path) -> tuple[Path, int] | None:
    """Return the last place in the script's folder that *error* came through, as file and line."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return Path(error.filename), error.lineno
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(script.parent):
            place = (path, line)
    return place


@contextmanager
def _as_main(script: Path, backend: Backend, arguments: Sequence[str]) -> Iterator[None]:
    with _restored(script.parent), masked_output():
        for name, value in backend.environment().items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        sys.path.insert(0, str(script.parent))
        sys.argv = [str(script), *arguments]
        os.chdir(backend.project.root)
        with _threads_awaited():
            yield


@contextmanager
def _restored(folder: Path) -> Iterator[None]:
    """Put back, after the block, whatever a script may change in the process."""
    environ, cwd, modules = dict(os.environ), _working_directory(), set(sys.modules)
    path, finders, filters = sys.path, sys.meta_path, warnings.filters
    lists: tuple[Any, ...] = (path, finders, filters)
    contents = [(values, list(values)) for values in lists]
    names = ("argv", "stdin", "stdout", "stderr", "path", "meta_path", "excepthook")
    attributes = {name: getattr(sys, name) for name in names}
    depth = sys.getrecursionlimit()
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        # All are found before the first goes: a namespace package asks its parent where it is.
        new = {name: sys.modules[name] for name in set(sys.modules) - modules}
        for name in [name for name, module in new.items() if _comes_from(module, folder)]:
            del sys.modules[name]
        for name, value in attributes.items():
            setattr(sys, name, value)
        for values, before in contents:
            values[:] = before
        sys.setrecursionlimit(depth)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                # One that is None was not set by Python, and cannot be put back.
                if handler is not None and signal.getsignal(number) != handler:
                    signal.signal(number, handler)
        for name in set(os.environ) - set(environ):
            del os.environ[name]
        os.environ.update(environ)
        if cwd is not None:
            with suppress(FileNotFoundError):  # the script may have removed it
                os.chdir(cwd)


def _working_directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:  # removed, as a run with -C does not mind
        return None


def _comes_from(module: object, folder: Path) -> bool:
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return any(Path(place).is_relative_to(folder) for place in places if place)


@contextmanager
def _threads_awaited() -> Iterator[None]:
    """Wait for the threads that are started in the block, as the end of a Python program does.

    After Ctrl-C or another signal only for two seconds: what they do is not wanted any more.
    """
    before = set(threading.enumerate())
    try:
        try:
            yield
        finally:
            if not interruption.is_requested():
                _wait_for_threads(before)
    finally:
        if interruption.is_requested():
            _wait_for_threads(before, time.monotonic() + interruption.GRACE_SECONDS)


def _wait_for_threads(before: set[threading.Thread], deadline: float = math.inf) -> None:
    """Wait for all threads but *before*. With a *deadline* their pools begin nothing more."""
    while waiting := [
        thread
        for thread in threading.enumerate()  # anew each time: threads may start others
        if thread not in before and not thread.daemon
    ]:
        # A pool that was not shut down would wait for work for ever, and its work must be done.
        for pool in gc.get_objects():
            is_pool = issubclass(type(pool), ThreadPoolExecutor)  # isinstance() asks proxies, too
            if is_pool and not before.issuperset(pool._threads):  # noqa: SLF001
                pool.shutdown(wait=False, cancel_futures=deadline != math.inf)
        for thread in waiting:
            while thread.is_alive() and time.monotonic() < deadline:
                # Not one long wait: a signal that comes right before it begins does not end it.
                thread.join(interruption.WAKE_SECONDS)
        if time.monotonic() >= deadline:
            return


def _finish_imports() -> None:
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
