"""Runs the seed script in this process, and restores the process afterwards.

The script runs as ``python amplify/seed/seed.py`` would run it: its folder is the first of
``sys.path``, the project's root is the working directory, it has its own ``sys.argv``, and
``__name__`` is ``"__main__"``. In addition, a connected backend is the current one.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seedctl.errors import SeedctlError, SeedingFailedError
from seedctl.installation import how_to_install
from seedctl.masked_output import masked_output
from seedctl.runner.process_state import comes_from, process_restored
from seedctl.runner.threads import threads_awaited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from seedctl.backend import Backend

# Libraries import these modules on first use. The script's folder is the first of sys.path, so a
# user's module of the same name would be found then. To prevent that they are imported before.
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
        and not comes_from(sys.modules[path.stem], script.parent)
    )


@contextmanager
def _as_main(script: Path, backend: Backend, arguments: Sequence[str]) -> Iterator[None]:
    with process_restored(script.parent), masked_output():
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
