"""Conditions on sort keys: refused in AppSync's words, or turned into a test on items."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.errors import invalid_arguments
from seedctl.local.appsync.filters import matches, ordered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_JOINED = "joined"


def argument_name(names: Sequence[str]) -> str:
    """Return the argument for the sort keys *names*: ``warehouseShelf``."""
    return names[0] + "".join(name[0].upper() + name[1:] for name in names[1:])


def sort_position(names: Sequence[str], item: Mapping[str, Any]) -> list[Any]:
    """Return what items of one partition are ordered by."""
    if not names:
        return [False, 0]
    value = ordered(item[names[0]] if len(names) == 1 else joined(names, item))
    # A field may have had another type once; numbers then come first.
    return [isinstance(value, str), 0 if value is None else value]


def joined(names: Sequence[str], values: Mapping[str, Any]) -> str:
    """Return a composite sort key as it is stored: numbers in it order as text."""
    return "#".join(_plain(values[name]) for name in names if values.get(name) is not None)


def key_test(
    names: Sequence[str], condition: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], bool]:
    """Return the test on items that *condition* stands for. Raises FieldError."""
    argument = argument_name(names)
    operations = {name: value for name, value in condition.items() if value is not None}
    if len(operations) > 1:
        raise invalid_arguments(
            f"Argument {argument} must specify at most one key condition operation."
        )
    for operator, value in operations.items():
        if operator == "between" and len(value) != 2:
            raise invalid_arguments(f"Argument '{argument}.between' expects exactly two elements.")
    if len(names) == 1:
        return lambda item: matches({names[0]: operations}, item)
    compared = {
        operator: [_part(names, argument, operator, each) for each in value]
        if operator == "between"
        else _part(names, argument, operator, value)
        for operator, value in operations.items()
    }
    return lambda item: matches({_JOINED: compared}, {_JOINED: joined(names, item)})


def _part(
    names: Sequence[str], argument: str, operator: str, given: Mapping[str, Any] | None
) -> str:
    values = given or {}
    for earlier, later in pairwise(names):
        if values.get(later) is not None and values.get(earlier) is None:
            where = f"{argument}.{operator}"
            raise invalid_arguments(
                f"When providing argument '{where}.{later}' you must also provide "
                f"'{where}.{earlier}'."
            )
    return joined(names, values)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
