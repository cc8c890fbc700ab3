"""What a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from opcode import opmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

_SHOWN = 12


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the question that names the nearest of *known*, or "" where none is near.

    What is written there by mistake need not be text.
    """
    # Names differ in case more often than in letters.
    by_folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(str(name).casefold(), by_folded, n=3)
    return f"Did you mean {' or '.join(by_folded[each] for each in near)}?" if near else ""


def advice(
    name: object,
    known: Iterable[str],
    *,
    none: str = "There are none. Add one in amplify/data/resource.ts, and deploy.",
) -> str:
    """Return the sentence that helps whoever wrote *name* where one of *known* belongs.

    *none* is the sentence for when nothing is known.
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
    """Return the ``__getattr__`` of a *module* whose names are *known*: it says the nearest one."""

    def get_attribute(name: str) -> object:
        names = list(known)
        hint = advice(name, names) if len(names) <= _SHOWN else did_you_mean(name, names)
        raise _name_error(module, name, hint, asker=sys._getframe(1))  # noqa: SLF001

    return get_attribute


def no_public_name(
    package: str, name: str, known: Iterable[str], modules: Iterable[str]
) -> ImportError | AttributeError:
    """Return what the ``__getattr__`` of *package* raises for a *name* it lacks.

    *known* are its own names; where one of its public *modules* has the *name*, that is said. The
    ``__getattr__`` is to call this itself.
    """
    asker = sys._getframe(2)  # noqa: SLF001
    if name.startswith("__") or _is_submodule(package, name, asker):
        return AttributeError(f"module {package!r} has no attribute {name!r}")
    inner = []
    for module in modules:
        loaded = importlib.import_module(f"{package}.{module}")
        inner += [f"{module}.{each}" for each in getattr(loaded, "__all__", vars(loaded))]
    homes = [place.partition(".")[0] for place in inner if place.partition(".")[2] == name]
    if homes:
        hint = f"It is in {package}.{homes[0]}: from {package}.{homes[0]} import {name}."
    else:
        hint = did_you_mean(name, [*known, *inner])
    return _name_error(package, name, hint, asker=asker)


def _is_submodule(package: str, name: str, asker: FrameType) -> bool:
    """Whether Python asks before it imports a submodule: that is no wrong name."""
    return _is_import_of_package(asker) and (
        importlib.util.find_spec(f"{package}.{name}") is not None
    )


def _is_import_of_package(asker: FrameType) -> bool:
    code = asker.f_code
    return code.co_name == "_handle_fromlist" and code.co_filename.startswith("<frozen")


def _name_error(
    module: str, name: str, hint: str, *, asker: FrameType
) -> ImportError | AttributeError:
    """Return the exception whose text Python shows for a *name* that *module* lacks.

    Python shows the text of an AttributeError for ``module.name``, but swallows it for ``from module
    import name``: that gets an ImportError. *asker* is the frame that the name is asked for in.
    """
    if name.startswith("__"):  # asked for by all sorts of tools
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    if _is_import_of_package(asker) or asker.f_code.co_code[asker.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(f"cannot import name {name!r} from {module!r}. {hint}".rstrip())
    return no_attribute(f"module {module!r} has no attribute {name!r}. {hint}".rstrip())


def no_attribute(message: str) -> AttributeError:
    """Return an AttributeError whose *message* has the suggestion already.

    With a name and object of its own Python appends no second suggestion to a traceback.
    """
    return AttributeError(message, name="", obj=None)
