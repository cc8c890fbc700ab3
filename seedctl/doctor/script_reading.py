"""What a seed script needs, read from its source without running it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FUNCTIONS = ("get_secret", "set_secret")
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class ScriptNeeds:
    """What a script, and the modules of its folder that it imports, need."""

    secrets: tuple[str, ...]
    """The names of the secrets that it reads by a literal name, and does not set itself."""
    missing_modules: tuple[str, ...]
    """The modules that it imports and that are not installed."""


def read_needs(script: Path) -> ScriptNeeds:
    """Return what *script* needs. Raises SyntaxError for it or a module of its folder, and OSError."""
    trees = list(_trees(script))
    names = [_accessors(tree) for tree in trees]
    read = [name for tree, own in zip(trees, names, strict=True) for name in _read(tree, own)]
    is_set = {name for tree, own in zip(trees, names, strict=True) for name in _set(tree, own)}
    imported = dict.fromkeys(name for tree in trees for name in _required_imports(tree))
    return ScriptNeeds(
        tuple(name for name in dict.fromkeys(read) if name not in is_set),
        tuple(name for name in imported if not _is_installed(name, script.parent)),
    )


def _trees(script: Path) -> Iterator[ast.Module]:
    """Yield the syntax trees of *script* and of the modules beside it that it imports."""
    waiting, seen = [script], {script}
    while waiting:
        path = waiting.pop()
        tree = ast.parse(path.read_bytes(), filename=str(path))
        yield tree
        for name in _imports(tree):
            for found in (script.parent / f"{name}.py", script.parent / name / "__init__.py"):
                if found not in seen and found.is_file():
                    seen.add(found)
                    waiting.append(found)


def _accessors(tree: ast.Module) -> dict[str, str]:
    """Return by their names in *tree* the functions get_secret and set_secret of seedctl."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "seedctl":
            for alias in node.names:
                if alias.name in _FUNCTIONS:
                    names[alias.asname or alias.name] = alias.name
                elif alias.name == "*":
                    names |= {each: each for each in _FUNCTIONS}
    return names


def _read(tree: ast.Module, accessors: dict[str, str]) -> Iterator[str]:
    return _literal_names(tree, accessors, "get_secret", ("get", "read"))


def _set(tree: ast.Module, accessors: dict[str, str]) -> Iterator[str]:
    return _literal_names(tree, accessors, "set_secret", ("set",))


def _literal_names(
    tree: ast.Module, accessors: dict[str, str], function: str, methods: tuple[str, ...]
) -> Iterator[str]:
    """Yield the literal names in calls of *function*, and of *methods* of something's ``secrets``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            is_call = accessors.get(called.id) == function
        elif isinstance(called, ast.Attribute):
            owner = called.value
            is_secrets = isinstance(owner, ast.Attribute) and owner.attr == "secrets"
            is_call = called.attr == function or (is_secrets and called.attr in methods)
        else:
            continue
        named = [keyword.value for keyword in node.keywords if keyword.arg == "name"]
        first = next(iter(node.args or named), None)
        if is_call and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the first part of the name of each module that *tree* imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def _required_imports(tree: ast.Module) -> Iterator[str]:
    """Yield the imported modules without which *tree* fails."""
    optional = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try | ast.With | ast.If) and _is_optional(node)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in optional:
            yield from _imports(node)


def _is_optional(block: ast.Try | ast.With | ast.If) -> bool:
    """Whether the script goes on if the body of *block* cannot import a module."""
    if isinstance(block, ast.If):
        return _name(block.test) == "TYPE_CHECKING"
    if isinstance(block, ast.Try):
        return any(each.type is None or _names_import_error([each.type]) for each in block.handlers)
    calls = [item.context_expr for item in block.items]
    return any(
        isinstance(call, ast.Call)
        and _name(call.func) == "suppress"
        and _names_import_error(call.args)
        for call in calls
    )


def _names_import_error(classes: list[ast.expr]) -> bool:
    return any(_name(node) in _IMPORT_ERRORS for each in classes for node in ast.walk(each))


def _name(node: ast.AST) -> str | None:
    """Return the name that *node* is, without the module before it; None for anything else."""
    return getattr(node, "attr", None) or getattr(node, "id", None)


def _is_installed(name: str, folder: Path) -> bool:
    if name in sys.modules or name in sys.stdlib_module_names:
        return True
    if (folder / f"{name}.py").is_file() or (folder / name).is_dir():
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # a module that is half imported, or has no spec
        return False
