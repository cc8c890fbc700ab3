"""The shape of the package: imports point down, and each room keeps its own libraries."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import seedctl

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(seedctl.__file__).parent

# design.md section 5, top to bottom. Rooms of one line may not import each other either.
LAYERS = (
    ("cli",),
    ("script",),
    ("functions",),
    ("connection",),
    ("backend",),
    ("target",),
    ("embedded",),  # the local sandbox as a backend meets it
    ("local",),
    ("auth",),
    ("data",),
    ("storage",),
    ("secrets",),
    ("policy",),
    ("aws",),
    ("project",),
    ("bulk", "current"),
    ("hooks", "prompter", "report"),
    ("causes",),
    ("errors", "installation", "interruption", "masking", "nearest"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# The local sandbox stands for AWS: it is met by URL only, and shares just what both sides speak.
LOCAL_MAY_IMPORT = ("auth.srp", "project", "errors", "masking", "local")
MAY_IMPORT_LOCAL = ("cli", "embedded", "local")

# Rooms that serve many and need little: what they may import of seedctl, and who may import them.
ONLY_FOR = {"hooks": ("aws", "cli", "connection", "script")}
MAY_IMPORT_ONLY = {"hooks": ("interruption", "masking")}

ONLY_HOME = {
    "boto3": "aws",
    "botocore": "aws",
    "click": "cli",
    "rich": "cli",
    "s3transfer": "aws",
    "urllib3": "data",
}

# (importing module, imported module): why it may point up.
EXCEPTIONS = {
    ("auth", "functions"): "seedctl.auth is also the namespace that scripts import",
    ("data", "functions"): "seedctl.data is also the namespace that scripts import",
    ("storage", "functions.storage"): "seedctl.storage is also the namespace that scripts import",
}

# What rooms may take from the door itself.
FROM_THE_DOOR = {"__version__"}

MAX_LINES = 350


@dataclass(frozen=True)
class Module:
    """A module by its dotted name below seedctl, as ``auth.srp`` or, for a package, ``auth``."""

    name: str
    source: str
    is_package: bool = False

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]


def _modules() -> list[Module]:
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if name and name != "__main__":  # the doors stand outside
            modules.append(Module(name, path.read_text(encoding="utf-8"), is_package))
    return modules


MODULES = _modules()
KNOWN = {module.name for module in MODULES}
EACH_MODULE = [pytest.param(module, id=module.name) for module in MODULES]


def _imports(module: Module) -> Iterator[str]:
    """Yield the full name of everything imported anywhere: in functions, under TYPE_CHECKING too.

    ``from a import b`` yields ``a.b``, since b may be a module; relative names are resolved.
    """
    package = ["seedctl", *module.name.split(".")]
    if not module.is_package:
        package.pop()
    for node in ast.walk(ast.parse(module.source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package[: len(package) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                yield f"{base}.{alias.name}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


def _own_imports(module: Module) -> Iterator[str]:
    """Yield what *module* imports of seedctl: module names below it, or the names of the door."""
    for name in _imports(module):
        first, _, rest = name.partition(".")
        if first != "seedctl":
            continue
        # "errors.SeedctlError" is a name in the module errors, "auth.srp" a module.
        while rest not in KNOWN and rest.partition(".")[0] in LEVEL and "." in rest:
            rest = rest.rpartition(".")[0]
        yield rest


def _is_within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def wrong_imports(module: Module) -> list[str]:
    """Return what is wrong with the imports that *module* makes of seedctl."""
    if module.room not in LEVEL:
        return [f"seedctl.{module.room} has no place in LAYERS"]
    wrong = []
    for name in _own_imports(module):
        room = name.partition(".")[0]
        if (module.name, name) in EXCEPTIONS:
            continue
        if room not in LEVEL:
            if name not in FROM_THE_DOOR:
                wrong.append(f"seedctl.{name} is the door's, or a room without a place in LAYERS")
        elif module.room == "local":
            if not _is_within(name, LOCAL_MAY_IMPORT):
                wrong.append(f"seedctl.{name} is no business of the local sandbox")
        elif room == "local" and module.room not in MAY_IMPORT_LOCAL:
            wrong.append(f"seedctl.{name} may only be met by URL")
        elif room not in MAY_IMPORT_ONLY.get(module.room, (room,)):
            wrong.append(f"seedctl.{name} is no business of {module.room}")
        elif module.room not in ONLY_FOR.get(room, (module.room,)):
            wrong.append(f"seedctl.{name} is not for {module.room}")
        elif room != module.room and LEVEL[room] <= LEVEL[module.room]:
            wrong.append(f"seedctl.{name} is not below {module.room}")
    return wrong


def misplaced_libraries(module: Module) -> list[str]:
    """Return the libraries that *module* imports and that live in another room."""
    found = {name.partition(".")[0] for name in _imports(module)}
    return sorted(name for name in found if ONLY_HOME.get(name, module.room) != module.room)


def forbidden_calls(module: Module) -> list[str]:
    """Return the places where *module* prints or ends the process, which only cli may."""
    if module.room == "cli":
        return []
    found = []
    for node in ast.walk(ast.parse(module.source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in {"print", "exit", "quit", "sys.exit", "os._exit", "os.abort"}:
                found.append(f"line {node.lineno}: {name}()")
        elif isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if ast.unparse(raised) == "SystemExit":
                found.append(f"line {node.lineno}: raise SystemExit")
        elif isinstance(node, ast.ImportFrom) and node.module == "sys":
            found += [f"line {node.lineno}: from sys" for a in node.names if a.name == "exit"]
    return found


def test_every_room_has_a_place() -> None:
    """A new room must be put into the order before it can be imported."""
    assert {module.room for module in MODULES} <= set(LEVEL)
    assert {"aws", "auth", "cli", "local", "project"} <= {module.room for module in MODULES}


@pytest.mark.parametrize("module", EACH_MODULE)
def test_imports_point_down(module: Module) -> None:
    """A module imports only from rooms below its own, in functions and for types too."""
    assert wrong_imports(module) == []


@pytest.mark.parametrize("module", EACH_MODULE)
def test_libraries_stay_at_home(module: Module) -> None:
    """Only aws knows boto3 and botocore, only cli knows click and rich."""
    assert misplaced_libraries(module) == []


@pytest.mark.parametrize("module", EACH_MODULE)
def test_only_the_command_line_prints_and_exits(module: Module) -> None:
    """No print and no sys.exit outside cli: a library tells its caller, and never stops it."""
    assert forbidden_calls(module) == []


@pytest.mark.parametrize("module", EACH_MODULE)
def test_modules_stay_readable(module: Module) -> None:
    """A module over 350 lines has a seam that wants to be found."""
    lines = len(module.source.splitlines())
    assert lines <= MAX_LINES, f"seedctl.{module.name} has {lines} lines: find the seam"


def test_exceptions_are_still_used() -> None:
    """An exception to the order that nobody uses any more is taken off the list."""
    used = {(module.name, name) for module in MODULES for name in _own_imports(module)}
    assert set(EXCEPTIONS) <= used


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("aws.calls", "from seedctl.auth.srp import g", id="up"),
        pytest.param("secrets", "import seedctl.backend", id="plain import"),
        pytest.param("errors", "from seedctl import masking", id="same line"),
        pytest.param("aws.calls", "def f():\n    from seedctl import cli", id="in a function"),
        pytest.param(
            "aws.calls", "if TYPE_CHECKING:\n    from seedctl.cli import main", id="for types"
        ),
        pytest.param("auth.srp", "from ..backend import connect", id="relative"),
        pytest.param("auth.srp", "from .. import backend", id="relative module"),
        pytest.param("auth.srp", "importlib.import_module('seedctl.script')", id="import_module"),
        pytest.param("auth.srp", "from seedctl import Backend", id="through the door"),
        pytest.param("auth.srp", "import seedctl", id="the door itself"),
        pytest.param("auth.srp", "from seedctl.functions import sign_out", id="not the namespace"),
        pytest.param("auth.srp", "from seedctl.helpers import x", id="unknown room"),
        pytest.param("helpers", "import os", id="in a room without a place"),
        pytest.param("local.server", "from seedctl.auth.tokens import Tokens", id="local to auth"),
        pytest.param("local.server", "from seedctl.aws import AWS", id="local to aws"),
        pytest.param("script", "from seedctl.local import LocalSandbox", id="script to local"),
        pytest.param("backend", "from seedctl.local import LocalSandbox", id="backend to local"),
        pytest.param("hooks", "from seedctl.errors import SeedctlError", id="hooks to errors"),
        pytest.param("prompter", "from seedctl.hooks import x", id="prompter to hooks"),
        pytest.param("auth.users", "from seedctl import hooks", id="auth to hooks"),
        pytest.param("target", "from seedctl.local import LocalSandbox", id="target to local"),
    ],
)
def test_a_wrong_import_is_seen(name: str, source: str) -> None:
    """The check above can fail: each way of importing what it must not is found."""
    assert len(wrong_imports(Module(name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("auth.users", "from seedctl import masking", id="down"),
        pytest.param("auth.users", "from .srp import g", id="own room"),
        pytest.param("aws.calls", "from seedctl import __version__", id="the version"),
        pytest.param("local.server", "from seedctl.auth.srp import g", id="local to srp"),
        pytest.param("embedded", "from seedctl.local import LocalSandbox", id="embedded to local"),
        pytest.param("hooks", "from seedctl.masking import mask", id="hooks to masking"),
        pytest.param("cli.main", "from seedctl.hooks import x", id="cli to hooks"),
        pytest.param("script", "from seedctl.hooks import x", id="script to hooks"),
        pytest.param("cli.local", "from seedctl.local.state import x", id="cli to local"),
    ],
)
def test_a_right_import_is_let_pass(name: str, source: str) -> None:
    """The check above does not cry wolf."""
    assert wrong_imports(Module(name, source)) == []


@pytest.mark.parametrize(
    ("name", "source", "library"),
    [
        pytest.param("local.server", "import boto3", "boto3", id="local boto3"),
        pytest.param("auth.users", "from botocore import config", "botocore", id="auth botocore"),
        pytest.param("script", "import click.testing", "click", id="script click"),
        pytest.param("aws.calls", "def f():\n  from rich.text import T", "rich", id="aws rich"),
    ],
)
def test_a_misplaced_library_is_seen(name: str, source: str, library: str) -> None:
    """The check of libraries can fail."""
    assert misplaced_libraries(Module(name, source)) == [library]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("print('x')", id="print"),
        pytest.param("import sys\nsys.exit(1)", id="sys.exit"),
        pytest.param("from sys import exit", id="from sys"),
        pytest.param("def f():\n    raise SystemExit(2)", id="raise SystemExit"),
        pytest.param("raise SystemExit", id="raise the class"),
    ],
)
def test_a_forbidden_call_is_seen(source: str) -> None:
    """The check of printing and exiting can fail, and leaves cli alone."""
    assert len(forbidden_calls(Module("auth.users", source))) == 1
    assert forbidden_calls(Module("cli.main", source)) == []
