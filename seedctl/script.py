"""Run the seed script in this process, and leave the process as it was.

The script sees what ``python amplify/seed/seed.py`` would give it: its folder first on
``sys.path``, the project's root as working directory, its own ``sys.argv``, ``__name__`` of
``"__main__"``, and a connected backend.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.errors import SeedctlError, SeedingFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from seedctl.backend import Backend

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
    "seedctl.functions",
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
        with _as_main(script, backend, arguments), backend.activate():
            runpy.run_path(str(script), run_name="__main__")
    except (SeedctlError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise _failure(script, error) from error


def shadowed_modules(script: Path) -> list[str]:
    """Return the files beside *script* that it cannot import: a standard module has the name."""
    _finish_imports()
    return sorted(
        path.name
        for path in script.parent.glob("*.py")
        if path.stem in sys.stdlib_module_names and path.stem in sys.modules
    )


def script_frames(error: BaseException, script: Path) -> TracebackType | None:
    """Return *error*'s traceback from the first frame of the script on, or all of it."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(script):
            return trace
        trace = trace.tb_next
    return None


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
    environ, path, argv = dict(os.environ), list(sys.path), list(sys.argv)
    cwd, modules = os.getcwd(), set(sys.modules)  # noqa: PTH109 - restored as it was spelled
    os.environ["AMPLIFY_BACKEND_IDENTIFIER"] = backend.identifier.to_json()
    sys.path.insert(0, str(script.parent))
    sys.argv = [str(script), *arguments]
    os.chdir(backend.project.root)
    try:
        yield
    finally:
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules.get(name), "__file__", None)
            if file and str(file).startswith(str(script.parent) + os.sep):
                del sys.modules[name]
        sys.path[:], sys.argv = path, argv
        for name in set(os.environ) - set(environ):
            del os.environ[name]
        os.environ.update(environ)
        os.chdir(cwd)


def _finish_imports() -> None:
    for name in _LAZY_IMPORTS:
        importlib.import_module(name)


def _failure(script: Path, error: BaseException) -> SeedingFailedError:
    resolution = "See the script's own lines above."
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        resolution = (
            f"If {name} is a package, install it beside seedctl: {sys.executable} -m pip install "
            f"{name}. If it is a module of yours, put it into {script.parent}."
        )
    return SeedingFailedError(f"The seed script {script.name} failed.", resolution=resolution)
