"""Deterministic random choices, which depend only on the seed, the model, the field and the row.

With one random number generator for all values, one more value would change all that come after it. So
each value has a generator of its own, made of hashes. It is the same in every version of Python.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

_T = TypeVar("_T")

_SPARE_BITS = 64  # so that the remainder of a division is no visible bias


class Draw:
    """The random generator for one value."""

    __slots__ = ("_digest", "_next", "_rest", "row")

    def __init__(self, digest: bytes, row: int) -> None:
        self.row = row
        """The number of the row, with which a value can be made unique."""
        self._digest = self._next = digest
        self._rest = int.from_bytes(digest, "big")

    def below(self, count: int) -> int:
        """Return a whole number from 0 to *count* - 1, all equally likely."""
        while self._rest < count << _SPARE_BITS:
            self._next = blake2b(self._next).digest()  # 64 bytes
            self._rest = self._rest << 512 | int.from_bytes(self._next, "big")
        self._rest, chosen = divmod(self._rest, count)
        return chosen

    def choose(self, values: Sequence[_T]) -> _T:
        return values[self.below(len(values))]

    def part(self, number: int) -> Draw:
        """Return the generator for part *number* of this value, such as one element of a list."""
        return self.named(b"%d" % number)

    def named(self, name: bytes) -> Draw:
        """Return the generator for the field *name* of this value, which is a row or a custom type."""
        return Draw(blake2b(name, key=self._digest, digest_size=32).digest(), self.row)


class RowDraws:
    """The random generators for the rows of one model."""

    __slots__ = ("_hash", "_number")

    def __init__(self, *place: str) -> None:
        """*place* is what all rows have in common: the seed and the model."""
        # As JSON, since the texts may contain any separator.
        self._hash = blake2b(json.dumps(place).encode(), digest_size=32)
        self._number = int.from_bytes(self._hash.digest(), "big")

    def of(self, row: int) -> Draw:
        """Return the generator for the row with this number."""
        found = self._hash.copy()
        found.update(b"%d" % row)
        return Draw(found.digest(), row)

    def permuted(self, number: int, count: int) -> int:
        """Return a number below *count*, a different one for each *number* below *count*."""
        # If the stride and the count have no common divisor, the multiples reach each number once.
        stride = max(1, count * 618 // 1000)
        while math.gcd(stride, count) > 1:
            stride += 1
        return (number * stride + self._number) % count
