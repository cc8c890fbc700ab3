"""The shape of the package: imports point down and form no circle; libraries have one home each."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import seedctl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGE = Path(seedctl.__file__).parent

# Top to bottom. Packages and modules of one line may not import each other either.
LAYERS = (
    ("cli", "pytest_plugin"),
    ("auth", "data", "secrets", "storage", "testing"),  # the public modules
    ("runner",),
    ("doctor", "first_script"),
    ("backend",),
    ("connection",),
    ("embedded",),  # the local sandbox as a backend of this process meets it
    ("guard", "target"),
    ("owner",),
    ("stack_lookup",),
    ("local",),
    ("deployed",),
    ("rows", "schema_file", "users"),
    ("appsync", "cognito", "parameter_store", "policy", "s3"),  # one client for each service
    ("bulk",),
    ("aws",),
    ("fake", "source"),  # made rows; the project's own source, run by Node
    ("outputs",),
    ("project",),
    ("current", "masked_output", "mfa_command", "report", "srp"),
    ("causes", "prompter", "uninterrupted"),
    ("errors", "installation", "interruption", "masking", "version"),
    ("nearest",),
    ("process_state",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# The local sandbox stands for AWS: it is met by URL only, and shares just what both sides speak.
LOCAL_MAY_IMPORT = ("srp", "outputs", "project", "errors", "masking", "local")
MAY_IMPORT_LOCAL = ("cli", "doctor", "embedded", "local")

# Modules that need little of seedctl, although more is below them.
MAY_IMPORT_ONLY = {"masked_output": ("interruption", "masking")}

ONLY_HOME = {
    "boto3": "aws",
    "botocore": "aws",
    "click": "cli",
    "pytest": "pytest_plugin",
    "rich": "cli",
    "s3transfer": "aws",
    "urllib3": "appsync",
}

# Functions that import, print or end the process, by their last names.
_IMPORTING = {"import_module", "__import__"}
_ENDING = {"print", "exit", "quit", "_exit", "abort"}

MAX_LINES = 350


@dataclass(frozen=True)
class Module:
    """A module by its dotted name below seedctl, as ``auth.srp`` or, for a package, ``auth``."""

    name: str
    source: str
    is_package: bool = False

    @cached_property
    def _contents(self) -> tuple[list[ast.AST], list[str]]:
        # Of the whole tree little is stored: it would slow the garbage collector down.
        tree = ast.parse(self.source)
        nodes = [node for node in ast.walk(tree) if _is_checked(node)]
        return nodes, [node.name for node in tree.body if isinstance(node, ast.ClassDef)]

    @property
    def nodes(self) -> list[ast.AST]:
        """The statements and calls that import, print or exit, and some others."""
        return self._contents[0]

    @property
    def classes(self) -> list[str]:
        """The names of the classes at the top of the module."""
        return self._contents[1]

    @cached_property
    def imports(self) -> tuple[str, ...]:
        return tuple(_imports(self))

    @property
    def package(self) -> str:
        """The part of seedctl that it is in, by which it has its layer."""
        return self.name.partition(".")[0]


def _called(node: ast.Call) -> str:
    """Return the name of the function that *node* calls, without what stands before a dot."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _is_checked(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _called(node) in {*_IMPORTING, *_ENDING}
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Raise)


def _modules() -> list[Module]:
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if name and name != "__main__":  # those two stand above all layers
            modules.append(Module(name, path.read_text(encoding="utf-8"), is_package))
    return modules


MODULES = _modules()
KNOWN = {module.name for module in MODULES}


def offenders(check: Callable[[Module], list[str]]) -> dict[str, list[str]]:
    """Return the modules in which *check* finds something, with what it finds."""
    found = {f"seedctl.{module.name}": check(module) for module in MODULES}
    return {name: wrong for name, wrong in found.items() if wrong}


def _imports(module: Module) -> Iterator[str]:
    """Yield the full name of everything imported anywhere: in functions, under TYPE_CHECKING too.

    ``from a import b`` yields ``a.b``, since b may be a module; relative names are resolved.
    """
    package = ["seedctl", *module.name.split(".")]
    if not module.is_package:
        package.pop()
    for node in module.nodes:
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
        elif isinstance(node, ast.Call) and _called(node) in _IMPORTING:
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value


def _own_imports(module: Module) -> Iterator[str]:
    """Yield what *module* imports of seedctl, by module names below it; "" is the package itself."""
    for name in module.imports:
        first, _, rest = name.partition(".")
        if first != "seedctl":
            continue
        # "errors.SeedctlError" is a name in the package errors, "cognito.pool" a module.
        while rest and rest not in KNOWN and rest.partition(".")[0] in LEVEL and "." in rest:
            rest = rest.rpartition(".")[0]
        yield rest


def _is_within(name: str, packages: tuple[str, ...]) -> bool:
    return name.partition(".")[0] in packages


def wrong_imports(module: Module) -> list[str]:
    """Return what is wrong with the imports that *module* makes of seedctl."""
    if module.package not in LEVEL:
        return [f"seedctl.{module.package} has no place in LAYERS"]
    wrong = []
    for name in _own_imports(module):
        package = name.partition(".")[0]
        if package not in LEVEL:
            wrong.append(
                f"seedctl.{name} has no place in LAYERS, or is a name of the package itself"
            )
        elif module.package == "local":
            if not _is_within(name, LOCAL_MAY_IMPORT):
                wrong.append(f"seedctl.{name} is not for the local sandbox")
        elif package == "local" and module.package not in MAY_IMPORT_LOCAL:
            wrong.append(f"seedctl.{name} may only be met by URL")
        elif package not in MAY_IMPORT_ONLY.get(module.package, (package,)):
            wrong.append(f"seedctl.{name} is not for {module.package}")
        elif package != module.package and LEVEL[package] <= LEVEL[module.package]:
            wrong.append(f"seedctl.{name} is not below {module.package}")
    return wrong


def circles(modules: Iterable[Module]) -> list[list[str]]:
    """Return the groups of *modules* that import each other, directly or through others."""
    imports = {module.name: set(_own_imports(module)) - {module.name} for module in modules}
    reached: dict[str, set[str]] = {}
    for name in imports:
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            for each in imports.get(waiting.pop(), set()) - seen:
                seen.add(each)
                waiting.append(each)
        reached[name] = seen
    groups = {
        tuple(sorted(other for other in seen if name in reached.get(other, ())))
        for name, seen in reached.items()
        if name in seen
    }
    return [list(group) for group in sorted(groups)]


def classes_defined_twice(modules: Iterable[Module]) -> list[str]:
    """Return the class names that client or sandbox define in more than one module."""
    found = Counter(
        (module.package == "local", name) for module in modules for name in module.classes
    )
    return sorted(name for (_, name), count in found.items() if count > 1)


def misplaced_libraries(module: Module) -> list[str]:
    """Return the libraries that *module* imports and that have another home."""
    found = {name.partition(".")[0] for name in module.imports}
    return sorted(name for name in found if ONLY_HOME.get(name, module.package) != module.package)


def forbidden_calls(module: Module) -> list[str]:
    """Return the places where *module* prints or ends the process, which only cli may."""
    if module.package == "cli":
        return []
    found = []
    for node in module.nodes:
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


def test_every_package_has_a_place() -> None:
    """A new package must be put into the order before it can be imported."""
    assert {module.package for module in MODULES} == set(LEVEL)


def test_imports_point_down() -> None:
    """A module imports only from layers below its own, in functions and for types too."""
    assert offenders(wrong_imports) == {}


def test_no_module_imports_itself_through_others() -> None:
    """There is no circle of imports, imports in functions and for types counted."""
    assert circles(MODULES) == []


def test_a_class_name_means_one_class() -> None:
    """Neither the client nor the local sandbox has two classes of one name."""
    assert classes_defined_twice(MODULES) == []


def test_libraries_stay_at_home() -> None:
    """Only aws imports boto3 and botocore, only cli imports click and rich."""
    assert offenders(misplaced_libraries) == {}


def test_only_the_command_line_prints_and_exits() -> None:
    """No print and no sys.exit outside cli: a library tells its caller, and never stops it."""
    assert offenders(forbidden_calls) == {}


def test_modules_stay_readable() -> None:
    """A module has at most 350 lines; a longer one can be split."""
    lengths = {f"seedctl.{module.name}": len(module.source.splitlines()) for module in MODULES}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("aws.calls", "from seedctl.cognito.pool import UserPool", id="up"),
        pytest.param("parameter_store", "import seedctl.backend", id="plain import"),
        pytest.param("errors", "from seedctl import masking", id="same line"),
        pytest.param("s3.client", "from seedctl.appsync.api import API", id="another service"),
        pytest.param("aws.calls", "def f():\n    from seedctl import cli", id="in a function"),
        pytest.param(
            "aws.calls", "if TYPE_CHECKING:\n    from seedctl.cli import main", id="for types"
        ),
        pytest.param("cognito.pool", "from ..backend import connect", id="relative"),
        pytest.param("cognito.pool", "from .. import backend", id="relative module"),
        pytest.param("users.auth", "importlib.import_module('seedctl.runner')", id="import_module"),
        pytest.param("users.auth", "from seedctl import Backend", id="through the package"),
        pytest.param("users.auth", "import seedctl", id="the package itself"),
        pytest.param("users.auth", "from seedctl.auth import sign_out", id="a public module"),
        pytest.param("users.auth", "from seedctl.helpers import x", id="unknown package"),
        pytest.param("helpers", "import os", id="in a package without a place"),
        pytest.param("local.server", "from seedctl.users.auth import Auth", id="local to users"),
        pytest.param("local.server", "from seedctl.aws.calls import AWS", id="local to aws"),
        pytest.param(
            "runner.script", "from seedctl.local import LocalSandbox", id="runner to local"
        ),
        pytest.param("backend", "from seedctl.local import LocalSandbox", id="backend to local"),
        pytest.param("masked_output", "from seedctl.errors import x", id="masked_output to errors"),
        pytest.param("target", "from seedctl.local import LocalSandbox", id="target to local"),
        pytest.param("testing", "from seedctl.local import LocalSandbox", id="testing to local"),
    ],
)
def test_a_wrong_import_is_seen(name: str, source: str) -> None:
    """The check above can fail: each way of importing what it must not is found."""
    assert len(wrong_imports(Module(name, source))) == 1


@pytest.mark.parametrize(
    ("name", "source"),
    [
        pytest.param("cognito.pool", "from seedctl import masking", id="down"),
        pytest.param("cognito.pool", "from .identity import Tokens", id="own package"),
        pytest.param("aws.calls", "from seedctl.version import __version__", id="the version"),
        pytest.param("local.server", "from seedctl.srp import g", id="local to srp"),
        pytest.param("local.server", "from seedctl.outputs import Group", id="local to outputs"),
        pytest.param("embedded", "from seedctl.local import LocalSandbox", id="embedded to local"),
        pytest.param("masked_output", "from seedctl.masking import mask", id="to masking"),
        pytest.param("cli.local", "from seedctl.local.store import x", id="cli to local"),
    ],
)
def test_a_right_import_is_let_pass(name: str, source: str) -> None:
    """The check above refuses nothing that is right."""
    assert wrong_imports(Module(name, source)) == []


def test_a_circle_is_seen() -> None:
    """The check of circles can fail: also for types, and through a third module."""
    there = Module("aws.calls", "if TYPE_CHECKING:\n    from seedctl.aws.settings import x")
    between = Module("aws.settings", "def f():\n    from seedctl.aws import rates")
    back = Module("aws.rates", "import seedctl.aws.calls")
    assert circles([there, between]) == []
    assert circles([there, between, back]) == [["aws.calls", "aws.rates", "aws.settings"]]


def test_a_class_defined_twice_is_seen() -> None:
    """The check of class names can fail; client and sandbox may each have their own."""
    one, other = Module("aws.calls", "class A: ..."), Module("cognito.pool", "class A: ...")
    assert classes_defined_twice([one, Module("local.store", "class A: ...")]) == []
    assert classes_defined_twice([one, other]) == ["A"]


@pytest.mark.parametrize(
    ("name", "source", "library"),
    [
        pytest.param("local.server", "import boto3", "boto3", id="local boto3"),
        pytest.param("cognito.pool", "from botocore import x", "botocore", id="cognito botocore"),
        pytest.param("runner.script", "import click.testing", "click", id="runner click"),
        pytest.param("testing", "import pytest", "pytest", id="testing pytest"),
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
    assert len(forbidden_calls(Module("users.auth", source))) == 1
    assert forbidden_calls(Module("cli.main", source)) == []
