"""What a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 12


def advice(name: object, known: Iterable[str]) -> str:
    """Return the sentence that helps whoever wrote *name* where one of *known* belongs.

    What is written there by mistake need not be text.
    """
    names = list(known)
    # Names differ in case more often than in letters.
    by_folded = {each.casefold(): each for each in names}
    near = difflib.get_close_matches(str(name).casefold(), by_folded, n=3)
    if near:
        return f"Did you mean {' or '.join(by_folded[each] for each in near)}?"
    if not names:
        return "There are none. Add one in amplify/data/resource.ts, and deploy."
    more = ", …" if len(names) > _SHOWN else ""
    return f"There {'is only' if len(names) == 1 else 'are'} {', '.join(names[:_SHOWN])}{more}."
