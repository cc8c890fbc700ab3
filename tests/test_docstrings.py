"""Every public name is explained: functions with each parameter, classes with each attribute."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import functools
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

import seedctl
from seedctl import auth, data, errors, secrets, storage, testing
from seedctl.appsync.client import CustomOperation, EnumValues, Namespace
from seedctl.appsync.client_factory import Data
from seedctl.appsync.model_client import ModelClient
from seedctl.parameter_store import Secret, Secrets, StoredSecret
from seedctl.project import BackendIdentifier, Project
from seedctl.users.auth import Auth

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: tuple[Any, ...] = (auth, data, secrets, storage, testing)
REACHED: tuple[type, ...] = (
    *(seedctl.Backend, Auth, BackendIdentifier, CustomOperation, Data, EnumValues),
    *(ModelClient, Namespace, Project, Secret, Secrets, StoredSecret, testing.SeededSandbox),
)
"""Classes whose objects a script gets from a backend, although it does not import them."""

_ARGUMENTS = re.compile(r"^Args:\n((?:^(?: .*)?\n?)*)", re.MULTILINE)
_NAME = re.compile(r"^ {4}(\w+):", re.MULTILINE)


def explained(function: Callable[..., Any]) -> set[str]:
    """Return the names of the parameters that the docstring of *function* explains."""
    section = _ARGUMENTS.search(inspect.getdoc(function) or "")
    return set(_NAME.findall(section[1])) if section is not None else set()


def parameters(function: Callable[..., Any]) -> set[str]:
    """Return the names of the parameters of *function* that a caller passes."""
    found = inspect.signature(function).parameters.values()
    return {
        each.name
        for each in found
        if each.name != "self" and each.kind not in {each.VAR_KEYWORD, each.VAR_POSITIONAL}
    }


def _names() -> dict[str, Any]:
    """Return what scripts can import or reach: functions, classes and their methods."""
    names = {f"seedctl.{name}": getattr(seedctl, name) for name in seedctl.__all__}
    for module in MODULES:
        names |= {f"{module.__name__}.{name}": getattr(module, name) for name in module.__all__}
    return {name: value for name, value in names.items() if not inspect.ismodule(value)}


CLASSES: list[type] = sorted(
    {value for value in _names().values() if inspect.isclass(value)} | {*REACHED},
    key=lambda each: each.__name__,
)
ERRORS: list[type] = sorted(
    (each for each in vars(errors).values() if inspect.isclass(each)),
    key=lambda each: each.__name__,
)
_BUILT = (seedctl.Authenticator, seedctl.SeedctlError)
"""Classes that scripts make objects of, and that are no dataclasses."""


def _public() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Any] = {
        name: value for name, value in _names().items() if inspect.isfunction(value)
    }
    for each in CLASSES:
        for name, value in inspect.getmembers(each, callable):
            is_ours = (getattr(value, "__module__", None) or "").startswith("seedctl.")
            if is_ours and (not name.startswith("_") or name == "__call__"):
                functions[f"{each.__name__}.{name}"] = value
    functions |= {f"{each.__name__}.__init__": each.__init__ for each in _BUILT}
    return functions


PUBLIC = _public()


def test_each_parameter_is_explained() -> None:
    """The docstring has a first sentence, and a line for each parameter under "Args:"."""
    wrong = {
        name: (parameters(function) - found) | (found - parameters(function) - {"options"})
        for name, function in PUBLIC.items()
        for found in [explained(function)]
    }
    assert {name: differing for name, differing in wrong.items() if differing} == {}
    assert [
        name for name, value in PUBLIC.items() if not (inspect.getdoc(value) or "").strip()
    ] == []


def test_each_error_exists() -> None:
    """What a docstring says to be raised is an error of seedctl, or of Python."""
    named = {
        (where, name)
        for where, function in PUBLIC.items()
        for name in _NAME.findall((inspect.getdoc(function) or "").partition("\nRaises:\n")[2])
    }
    assert ("seedctl.connect", "ProjectNotFoundError") in named
    assert [
        each for each in named if not (hasattr(errors, each[1]) or hasattr(builtins, each[1]))
    ] == []


@functools.cache
def _described_attributes(kind: type) -> set[str]:
    """Return the attributes of *kind* that have a text below them, or in the class's docstring."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = set(re.findall(r"^ {4}(\w+):", inspect.getdoc(kind) or "", re.MULTILINE))
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if is_text and isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found.add(field.target.id)
    return found


def _undescribed(kind: type) -> set[str]:
    """Return the public properties and fields of *kind* without a text."""
    properties = {
        name: value
        for name, value in inspect.getmembers(kind)
        if isinstance(value, property) and not name.startswith("_")
    }
    wrong = {name for name, value in properties.items() if not value.__doc__}
    if dataclasses.is_dataclass(kind):
        described = set().union(*(_described_attributes(each) for each in _own_bases(kind)))
        names = {each.name for each in dataclasses.fields(kind) if not each.name.startswith("_")}
        wrong |= names - described
    return wrong


def test_each_attribute_is_described() -> None:
    """A class says what it is, a property what it returns, and an attribute what it holds."""
    assert len(CLASSES) > 30
    assert [each for each in CLASSES if not (each.__doc__ or "").strip()] == []
    assert [(each, found) for each in CLASSES if (found := _undescribed(each))] == []


def _own_bases(kind: type) -> list[type]:
    return [each for each in kind.__mro__ if each.__module__.startswith("seedctl.")]


def test_each_error_is_described() -> None:
    """An error says in its own docstring when it is raised."""
    assert len(ERRORS) > 90
    assert [each for each in ERRORS if not (vars(each).get("__doc__") or "").strip()] == []


def test_a_missing_explanation_is_seen() -> None:
    """The check can fail."""

    def function(first: int, second: int) -> int:
        """Add.

        Args:
            first: A number, such as
                second: no parameter.
        """
        return first + second

    assert parameters(function) - explained(function) == {"second"}
