"""Every public function explains each of its parameters."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

import seedctl
from seedctl import auth, data, secrets, storage, testing
from seedctl.appsync.model_client import ModelClient
from seedctl.parameter_store import Secrets
from seedctl.users.auth import Auth

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: tuple[Any, ...] = (auth, data, secrets, storage, testing)
REACHED: tuple[type, ...] = (seedctl.Backend, Auth, Secrets, ModelClient, testing.SeededSandbox)
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


def _public() -> list[Any]:
    functions: dict[str, Callable[..., Any]] = {
        f"seedctl.{name}": getattr(seedctl, name) for name in ("connect", "current_backend")
    }
    classes = set(REACHED)
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value):
                classes.add(value)
            elif callable(value):
                functions[f"{module.__name__}.{name}"] = value
    for each in classes:
        for name, value in inspect.getmembers(each, inspect.isfunction):
            is_ours = value.__module__.startswith("seedctl.")
            if is_ours and not name.startswith("_"):
                functions[f"{each.__name__}.{name}"] = value
    return [pytest.param(functions[name], id=name) for name in sorted(functions)]


@pytest.mark.parametrize("function", _public())
def test_each_parameter_is_explained(function: Callable[..., Any]) -> None:
    """The docstring has a first sentence, and a line for each parameter under "Args:"."""
    assert (inspect.getdoc(function) or "").strip()
    assert parameters(function) - explained(function) == set()
    assert explained(function) <= parameters(function) | {"options"}


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
