"""Several mutations in one request: its document, and how many rows go into it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from seedctl.appsync.documents import mutation_document
from seedctl.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from seedctl.appsync.requests import Verb
    from seedctl.outputs.models import Model

MOST_ROWS = 100  # AppSync does them one after the other, and ends a request after 30 seconds
# AppSync takes about a megabyte; what is left is for what this module does not count: escapes.
_MOST_BYTES = 900_000
_ENCODER = json.JSONEncoder(ensure_ascii=False)  # json.dumps would make one for each row


@dataclass(slots=True)
class Row:
    """One thing to be done: the record it is about, and what is sent."""

    index: int
    key: Mapping[str, Any]
    variables: dict[str, Any] = field(repr=False)
    given: Mapping[str, Any] = field(repr=False)
    """As the caller gave it."""
    is_random: bool = False
    """The key was made at random: a record that has it is this row's own."""
    may_have_run: bool = False
    """It was sent before, and nobody knows what came of it."""
    size: int = 0

    def __post_init__(self) -> None:
        try:
            self.size = len(_ENCODER.encode(self.variables).encode())
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                "The row cannot be sent: a value is not valid Unicode text.",
                resolution="Check where the text was read from; encode binary values.",
            ) from error


def alias(position: int) -> str:
    """Return the name of a row in the document, which is its variable's name too."""
    return f"a{position}"


class BatchDocuments:
    """The documents of one verb for one model: one text for each number of rows."""

    def __init__(self, verb: Verb, model: Model) -> None:
        # The answer has the key alone: it is small, and no rule takes it out of the answer.
        single = mutation_document(verb, model, {name: {} for name in model.primary_key})
        self.root = single.root
        self._input = f"{single.root[:1].upper()}{single.root[1:]}Input!"
        self._selection = " ".join(model.primary_key)
        self.text: Callable[[int], str] = cache(self._text)

    @property
    def bytes_for_row(self) -> int:
        """How much one more row adds to the document, at most."""
        return len(self.text(1)) + 16

    def _text(self, count: int) -> str:
        names = [alias(position) for position in range(count)]
        declared = ", ".join(f"${name}: {self._input}" for name in names)
        fields = "\n".join(
            f"  {name}: {self.root}(input: ${name}) {{ {self._selection} }}" for name in names
        )
        return f"mutation ({declared}) {{\n{fields}\n}}\n"


class Batches:
    """Puts *rows* into batches as they are drawn, as many as one request takes."""

    def __init__(self, rows: Iterator[Row], most_rows: int, bytes_for_row: int) -> None:
        self._rows = rows
        self._most_rows = most_rows
        self._bytes_for_row = bytes_for_row
        self._kept: Row | None = None

    def __iter__(self) -> Iterator[list[Row]]:
        return self

    def __next__(self) -> list[Row]:
        batch: list[Row] = []
        size = 0
        while len(batch) < self._most_rows:
            row = self._kept or next(self._rows, None)
            self._kept = None
            if row is None:
                break
            size += row.size + self._bytes_for_row
            if batch and size > _MOST_BYTES:
                self._kept = row
                break
            batch.append(row)
        if not batch:
            raise StopIteration
        return batch

    def kept(self) -> Iterator[Row]:
        """Yield the row that was drawn and is in no batch yet, if there is one."""
        if self._kept is not None:
            yield self._kept
