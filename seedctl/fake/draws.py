"""Choices that depend on nothing but their place: the seed, the model, the field and the row.

A random number generator would give other values as soon as one more value is taken from it. Here each
value has a generator of its own, a hash. The same holds for every version of Python.
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
    """The choices for one value."""

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
        """Return the choices for part *number* of this value, such as one element of a list."""
        return self.named(b"%d" % number)

    def named(self, name: bytes) -> Draw:
        """Return the choices for the field *name* of this value, which is a row or a custom type."""
        return Draw(blake2b(name, key=self._digest, digest_size=32).digest(), self.row)


class RowDraws:
    """The choices for all rows of a model."""

    __slots__ = ("_hash", "_number")

    def __init__(self, *place: str) -> None:
        """*place* is everything but the row and the field: the seed and the model."""
        # As JSON, since the texts may contain any separator.
        self._hash = blake2b(json.dumps(place).encode(), digest_size=32)
        self._number = int.from_bytes(self._hash.digest(), "big")

    def of(self, row: int) -> Draw:
        found = self._hash.copy()
        found.update(b"%d" % row)
        return Draw(found.digest(), row)

    def permuted(self, number: int, count: int) -> int:
        """Return a number below *count*, another one for each *number* below *count*."""
        # Every multiple of a stride without a common divisor is met once.
        stride = max(1, count * 618 // 1000)
        while math.gcd(stride, count) > 1:
            stride += 1
        return (number * stride + self._number) % count
