"""What a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def no_such_name(module: str, name: str, known: Iterable[str]) -> ImportError | AttributeError:
    """Return what the ``__getattr__`` of the package *module* raises for a *name* it lacks.

    It is to call this itself. Python shows the text of an AttributeError for ``module.name``, but
    swallows it for ``from module import name``: that gets an ImportError. A submodule that was not
    imported yet is no wrong name, and dunder names are asked for by all sorts of tools.
    """
    if name.startswith("__"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    asker = sys._getframe(2).f_code  # noqa: SLF001 - nothing else tells the two apart
    is_import = asker.co_name == "_handle_fromlist" and asker.co_filename.startswith("<frozen")
    names = list(known)
    hint = advice(name, names) if len(names) <= _SHOWN else did_you_mean(name, names)
    if is_import and importlib.util.find_spec(f"{module}.{name}") is None:
        return ImportError(f"cannot import name {name!r} from {module!r}. {hint}".rstrip())
    return no_attribute(f"module {module!r} has no attribute {name!r}. {hint}".rstrip())


def no_attribute(message: str) -> AttributeError:
    """Return an AttributeError whose *message* has the suggestion already.

    With a name and object of its own Python appends no second suggestion to a traceback.
    """
    return AttributeError(message, name="", obj=None)
