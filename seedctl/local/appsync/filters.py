"""Filters and conditions over stored items, refused and compared as DynamoDB does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.attribute_values import check_bounds, check_numbers, type_of
from seedctl.local.appsync.errors import FieldError, dynamodb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_MISSING = object()
_TYPES = {"bool": "BOOL", "list": "L", "map": "M", "number": "N", "string": "S", "_null": "NULL"}


def check_asks(expression: Mapping[str, Any]) -> None:
    """Raise FieldError if *expression* says something and asks for nothing."""
    if expression and not any(_comparisons(expression)):
        raise _unusable()


def check_filter(expression: Mapping[str, Any], keys: Iterable[str] = ()) -> None:
    """Raise FieldError if DynamoDB refuses the filter.

    *keys* are the key attributes of the table or index that is queried; a scan has none.
    """
    check_expression("FilterExpression", expression)
    named = {name for name, _ in _comparisons(expression)}
    for key in keys:
        if key in named:
            raise dynamodb(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {key}"
            )


def check_expression(kind: str, expression: Mapping[str, Any]) -> None:
    """Raise FieldError if an operand of *expression*, a *kind* of DynamoDB's, is refused."""
    for name, operators in _comparisons(expression):
        for operator, operand in operators.items():
            check_numbers(operand, f":{name}_{operator}")
        for each in (operators, operators.get("size") or {}):
            if "between" not in each:
                continue
            bounds = each["between"]
            if bounds is None or len(bounds) != 2:
                raise _unusable()  # AppSync's expression for it is unknown [?].
            check_bounds(kind, *bounds)


def _comparisons(expression: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the fields that *expression* names, at any depth, with their operators."""
    for name, wanted in expression.items():
        if not wanted:
            continue
        if name in ("and", "or"):
            for part in wanted:
                yield from _comparisons(part or {})
        elif name == "not":
            yield from _comparisons(wanted)
        else:
            yield name, wanted


def matches(expression: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether *item* meets every part of *expression*, which has been checked."""
    for name, wanted in expression.items():
        if wanted is None:
            continue
        if name == "and":
            met = all(matches(part, item) for part in wanted if part is not None)
        elif name == "or":
            # No alternatives at all exclude nothing: such a list adds no text to the expression.
            parts = [part for part in wanted if part]
            met = not parts or any(matches(part, item) for part in parts)
        elif name == "not":
            met = not wanted or not matches(wanted, item)
        else:
            value = item.get(name, _MISSING)
            met = all(_OPERATORS[operator](value, given) for operator, given in wanted.items())
        if not met:
            return False
    return True


def _equal(value: Any, given: Any) -> bool:
    # True == 1 in Python, and not in DynamoDB.
    return isinstance(value, bool) == isinstance(given, bool) and bool(value == given)


def _ordering(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: Any, given: Any) -> bool:
        # Code points order as the UTF-8 bytes that DynamoDB compares.
        kind = type_of(value)
        return kind in ("S", "N") and type_of(given) == kind and test(value, given)

    return compare


def _between(value: Any, given: Any) -> bool:
    return _at_least(value, given[0]) and _at_most(value, given[1])


def _contains(value: Any, given: Any) -> bool:
    if isinstance(value, list):
        return any(_equal(member, given) for member in value)
    return isinstance(value, str) and isinstance(given, str) and given in value


def _begins_with(value: Any, given: Any) -> bool:
    return isinstance(value, str) and isinstance(given, str) and value.startswith(given)


def _size(value: Any, given: Any) -> bool:
    if not isinstance(value, (str, list, dict)) or given is None:
        return given is None
    # DynamoDB counts the bytes of a string.
    size = len(value.encode()) if isinstance(value, str) else len(value)
    return all(_OPERATORS[operator](size, wanted) for operator, wanted in given.items())


def _attribute_type(value: Any, given: Any) -> bool:
    return value is not _MISSING and type_of(value) == _TYPES.get(given)


def _unusable() -> FieldError:
    return FieldError("Unrecognized Filter", "Unable to process the filter expression")


_at_least = _ordering(lambda left, right: left >= right)
_at_most = _ordering(lambda left, right: left <= right)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    # A missing attribute differs from everything and contains nothing [?].
    "ne": lambda value, given: not _equal(value, given),
    "lt": _ordering(lambda left, right: left < right),
    "le": _at_most,
    "gt": _ordering(lambda left, right: left > right),
    "ge": _at_least,
    "between": _between,
    "contains": _contains,
    "notContains": lambda value, given: not _contains(value, given),
    "beginsWith": _begins_with,
    "attributeExists": lambda value, given: (value is not _MISSING) == bool(given),
    "attributeType": _attribute_type,
    "size": _size,
}
