"""What a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
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


def no_attribute(message: str) -> AttributeError:
    """Return an AttributeError whose *message* has the suggestion already.

    With a name and object of its own Python appends no second suggestion to a traceback.
    """
    return AttributeError(message, name="", obj=None)
