"""Rows of a bulk call: their results, and the documents that they are sent in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from seedctl.appsync.documents import mutation_document
from seedctl.appsync.model_requests import Verb
from seedctl.errors import InvalidInputError, SeedctlError
from seedctl.outputs.models import Model

RowState = Literal[
    "created", "existed", "present", "updated", "deleted", "missing", "failed", "not tried"
]

MAX_ROWS = 100  # AppSync runs them one after the other, and stops a request after 30 seconds
# AppSync accepts about a megabyte. The rest is for what is not counted here: the document.
MAX_BYTES = 900_000
_ENCODER = json.JSONEncoder(ensure_ascii=False)  # json.dumps would create one for each row


@dataclass(slots=True)
class Row:
    """One row of a bulk call: the key of its record, and the input of its mutation."""

    index: int
    key: Mapping[str, Any]
    variables: dict[str, Any] = field(repr=False)
    original: Mapping[str, Any] = field(repr=False)
    """The row as the script gave it."""
    has_random_key: bool = False
    """Whether the key was generated for this row, so that no other record can have it."""
    is_keyless: bool = False
    """Whether it is sent without its key, which the API then generates."""
    may_have_run: bool = False
    """Whether an earlier attempt may have been executed: it got no clear response."""
    size: int = 0

    def __post_init__(self) -> None:
        try:
            self.size = len(_ENCODER.encode(self.variables).encode())
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                "The row cannot be sent: a value is not valid Unicode text.",
                resolution="Check where the text was read from; encode binary values.",
            ) from error

    @property
    def is_lost(self) -> bool:
        """Whether its record may exist without a way to find it: sent again, there might be two."""
        return self.is_keyless and self.may_have_run

    def remove_key(self) -> None:
        """Leave the generated id to the API, which has just refused it, and so has not run the row."""
        for name in self.key:
            del self.variables[name]
        self.key, self.is_keyless, self.may_have_run = {}, True, False


@dataclass(frozen=True, slots=True)
class RowResult:
    """What happened to one row of a bulk call.

    Attributes:
        index: The position of the row among those given, from 0.
        key: The record's primary key. Empty for a row that failed before its key was known.
        state: "created", "updated", "deleted" and "failed" are meant literally. "existed": the
            record was there already and was left unchanged. "present": a response was lost, and the
            record is there with these values; this call or an earlier run has created it.
            "missing": there was no record to delete. "not tried": the call stopped before this row,
            for a reason that affects all rows, such as a network that is down. Of a "failed" row
            that was sent without an id and got no answer, the record may exist.
        error: Why the row failed.
        place: For a row of ``read_rows``: its file and line, such as "posts.csv, line 3".
    """

    index: int
    key: Mapping[str, Any]
    state: RowState
    error: SeedctlError | None = None
    place: str = ""


def alias(position: int) -> str:
    """Return the alias of a row's field in the document. Its variable has the same name."""
    return f"a{position}"


class BatchDocuments:
    """The documents of one verb for one model: one text for each number of rows."""

    def __init__(self, verb: Verb, model: Model) -> None:
        # Select the key alone: it is small, and no authorization rule hides it.
        single = mutation_document(verb, model, {name: {} for name in model.primary_key})
        self.root = single.root
        self._input = f"{single.root[:1].upper()}{single.root[1:]}Input!"
        self._selection = " ".join(model.primary_key)
        self.text: Callable[[int], str] = cache(self._text)

    def _text(self, count: int) -> str:
        names = [alias(position) for position in range(count)]
        declared = ", ".join(f"${name}: {self._input}" for name in names)
        fields = "\n".join(
            f"  {name}: {self.root}(input: ${name}) {{ {self._selection} }}" for name in names
        )
        return f"mutation ({declared}) {{\n{fields}\n}}\n"
