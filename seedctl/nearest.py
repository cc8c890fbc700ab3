"""Suggest the names that a mistyped name may have been meant to be."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from opcode import opmap
from types import FrameType

_SHOWN = 12


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the question that names the nearest of *known*, or "" if none is similar.

    *name* may be of any type, since a user may have written anything.
    """
    # Wrong case is the most frequent mistake, so ignore it.
    by_folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(str(name).casefold(), by_folded, n=3)
    return f"Did you mean {' or '.join(by_folded[each] for each in near)}?" if near else ""


def advice(
    name: object,
    known: Iterable[str],
    *,
    none: str = "There are none. Add one in amplify/data/resource.ts, and deploy.",
) -> str:
    """Return a sentence of help for a *name* that is not one of *known*.

    *none* is the sentence to return if *known* is empty.
    """
    names = list(known)
    question = did_you_mean(name, names)
    if question:
        return question
    if not names:
        return none
    more = ", …" if len(names) > _SHOWN else ""
    return f"There {'is only' if len(names) == 1 else 'are'} {', '.join(names[:_SHOWN])}{more}."


def module_getattr(module: str, known: Iterable[str]) -> Callable[[str], object]:
    """Return a ``__getattr__`` for *module*, whose errors suggest the nearest of its *known* names."""

    def get_attribute(name: str) -> object:
        names = list(known)
        hint = advice(name, names) if len(names) <= _SHOWN else did_you_mean(name, names)
        raise _name_error(module, name, hint, caller=sys._getframe(1))  # noqa: SLF001

    return get_attribute


def no_public_name(
    package: str, name: str, known: Iterable[str], modules: Iterable[str]
) -> ImportError | AttributeError:
    """Return the exception that the ``__getattr__`` of *package* raises for an unknown *name*.

    *known* are the names of the package itself. If one of its public *modules* has *name*, the
    message says so. Only the ``__getattr__`` itself may call this, since its caller is inspected.
    """
    caller = sys._getframe(2)  # noqa: SLF001
    # ``from package import name`` may look for a submodule, which Python then imports.
    is_submodule = _is_from_import(caller) and importlib.util.find_spec(f"{package}.{name}")
    if name.startswith("__") or is_submodule:
        return AttributeError(f"module {package!r} has no attribute {name!r}")
    inner = []
    for module in modules:
        loaded = importlib.import_module(f"{package}.{module}")
        inner += [f"{module}.{each}" for each in getattr(loaded, "__all__", vars(loaded))]
    found = [each.partition(".")[0] for each in inner if each.partition(".")[2] == name]
    if found:
        hint = f"It is in {package}.{found[0]}: from {package}.{found[0]} import {name}."
    else:
        hint = did_you_mean(name, [*known, *inner])
    return _name_error(package, name, hint, caller=caller)


def _is_from_import(caller: FrameType) -> bool:
    code = caller.f_code
    return code.co_name == "_handle_fromlist" and code.co_filename.startswith("<frozen")


def _name_error(
    module: str, name: str, hint: str, *, caller: FrameType
) -> ImportError | AttributeError:
    """Return the exception for a *name* that *module* lacks, such that Python shows its message.

    For ``module.name`` that is an AttributeError. For ``from module import name`` Python replaces
    the message of an AttributeError, so it must be an ImportError. *caller* is the frame with either.
    """
    if name.startswith("__"):  # many tools look for such names
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    if _is_from_import(caller) or caller.f_code.co_code[caller.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(f"cannot import name {name!r} from {module!r}. {hint}".rstrip())
    return no_attribute(f"module {module!r} has no attribute {name!r}. {hint}".rstrip())


def no_attribute(message: str) -> AttributeError:
    """Return an AttributeError whose *message* includes the suggestion.

    An empty name keeps Python from appending a suggestion of its own in tracebacks.
    """
    return AttributeError(message, name="", obj=None)
