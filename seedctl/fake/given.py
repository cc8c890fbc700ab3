"""What the caller gives for a field in place of generated values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import Draw
from seedctl.fake.tables import Maker
from seedctl.outputs.models import Field

CountMaker = Callable[[Draw], int]

_PRECISION = 1 << 32


def is_function(value: object) -> bool:
    """Whether *value* makes values from rows. The class of an enum can be called too, but does not."""
    return callable(value) and not isinstance(value, type)


def given_maker(field: Field, value: Any, where: str) -> Maker:
    """Return what makes the values of *field*, for which *value* was given.

    From a list or range one value is chosen for each row, from the keys of a mapping by their weights;
    anything else is the value of every row. Fields of lists or JSON take a list or mapping as it is. *where* names the
    field in errors. Raises InvalidInputError.
    """
    holds_any = field.is_array or field.type.name == "AWSJSON"
    if isinstance(value, type) and issubclass(value, Enum):
        value = list(value)
    if not holds_any and isinstance(value, Mapping):
        return _weighted(value, where)
    if not holds_any and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return chosen_from(value, where)
    return lambda _draw: value


def chosen_from(values: Sequence[Any], where: str) -> Maker:
    """Return what chooses from *values* evenly. Raises InvalidInputError if there are none."""
    if not values:
        raise InvalidInputError(
            f"{where}: the list of values is empty.",
            resolution=f"Give at least one, or {where.rpartition('.')[2]}=None for no value.",
        )
    return lambda draw: draw.choose(values)


def _weighted(weights: Mapping[Any, Any], where: str) -> Maker:
    values = list(weights)
    numbers = list(weights.values())
    is_right = all(
        isinstance(each, int | float) and not isinstance(each, bool) and 0 <= each < float("inf")
        for each in numbers
    )
    if not is_right or not sum(numbers):
        raise InvalidInputError(
            f"{where}: a mapping gives the weights of values, which are numbers from 0 on.",
            resolution='Write for example {"DRAFT": 1, "PUBLISHED": 9}.',
        )
    limits = list(itertools.accumulate(numbers))

    def make(draw: Draw) -> Any:
        point = draw.below(_PRECISION) / _PRECISION * limits[-1]
        return values[next(index for index, limit in enumerate(limits) if point < limit)]

    return make


def count_maker(given: Any, where: str) -> CountMaker:
    """Return what chooses a number: *given* itself, or one of the range *given*.

    Raises InvalidInputError.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return lambda _draw: given
    if isinstance(given, range) and len(given) and min(given) >= 0:
        return lambda draw: draw.choose(given)
    raise InvalidInputError(
        f"{where}: expected a number, got a {type(given).__name__}.",
        resolution="Give a whole number, or a range such as range(0, 6) for 0 to 5.",
    )


def check_count(count: Any, example: str) -> None:
    """Raise InvalidInputError unless *count* is a number of rows; *example* is a right call."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise InvalidInputError(
            f"Expected a number of rows, got {count!r}.", resolution=f"Write {example}."
        )
