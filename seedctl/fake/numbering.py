"""The numbers of the rows of a call, and of the parents that they were generated for."""

from __future__ import annotations

import bisect
import itertools
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class RowNumber(NamedTuple):
    """Which row of a call this is."""

    number: int
    """From 0, among all rows."""
    position: int
    """From 0, among the rows of the same parent. For rows without parents it is the *number*."""
    parent: int
    """The index of the row's parent, if the rows are children."""


class RowsWithoutParents:
    """The numbers of rows that were not generated as children."""

    def __init__(self, count: int) -> None:
        self.count = self.most = count

    def row_of(self, number: int) -> RowNumber:
        return RowNumber(number, number, 0)


class ChildRows:
    """The numbers of rows that were generated as children: those of the first parent come first."""

    def __init__(self, counts: Iterable[int]) -> None:
        """*counts* are the numbers of children, parent by parent."""
        self._ends = array("q", itertools.accumulate(counts))
        self.count = self._ends[-1] if self._ends else 0
        self.most = max(map(int.__sub__, self._ends, [0, *self._ends]), default=0)
        """How many children a parent has at most."""

    def row_of(self, number: int) -> RowNumber:
        parent = bisect.bisect_right(self._ends, number)
        return RowNumber(number, number - self._first_of(parent), parent)

    def of_parents(self, parents: Sequence[int]) -> Sequence[int]:
        """Return the numbers of the rows of *parents*, parent by parent."""
        if isinstance(parents, range) and parents and parents.step == 1:
            return range(self._first_of(parents.start), self._first_of(parents.stop))
        rows = (range(self._first_of(each), self._first_of(each + 1)) for each in parents)
        return array("q", itertools.chain.from_iterable(rows))

    def _first_of(self, parent: int) -> int:
        return self._ends[parent - 1] if parent else 0


Numbering = RowsWithoutParents | ChildRows
