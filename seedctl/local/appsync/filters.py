"""Filters and conditions on stored items: validated and evaluated as DynamoDB does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from seedctl.local.appsync.attribute_values import check_bounds, check_numbers, type_of
from seedctl.local.appsync.errors import FieldError, dynamodb_error

_MISSING = object()
_TYPES = {"bool": "BOOL", "list": "L", "map": "M", "number": "N", "string": "S", "_null": "NULL"}


def check_not_empty(expression: Mapping[str, Any]) -> None:
    """Raise FieldError if *expression* has entries but not one comparison."""
    if expression and not any(_comparisons(expression)):
        raise _unprocessable()


def check_filter(expression: Mapping[str, Any], keys: Iterable[str] = ()) -> None:
    """Raise FieldError if DynamoDB rejects the filter.

    *keys* are the key attributes of the queried table or index; empty for a scan.
    """
    check_expression("FilterExpression", expression)
    named = {name for name, _ in _comparisons(expression)}
    for key in keys:
        if key in named:
            raise dynamodb_error(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {key}"
            )


def check_expression(kind: str, expression: Mapping[str, Any]) -> None:
    """Raise FieldError if DynamoDB rejects an operand of *expression*, its expression *kind*."""
    for name, operators in _comparisons(expression):
        for operator, operand in operators.items():
            check_numbers(operand, f":{name}_{operator}")
        for each in (operators, operators.get("size") or {}):
            if "between" not in each:
                continue
            bounds = each["between"]
            if bounds is None or len(bounds) != 2:
                raise _unprocessable()  # how AppSync translates this is unknown [?]
            check_bounds(kind, *bounds)


def _comparisons(expression: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each field in *expression*, at any depth, with its operators."""
    for name, operand in expression.items():
        if not operand:
            continue
        if name in ("and", "or"):
            for part in operand:
                yield from _comparisons(part or {})
        elif name == "not":
            yield from _comparisons(operand)
        else:
            yield name, operand


def matches(expression: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether *item* matches every part of *expression*, which was validated before."""
    for name, operand in expression.items():
        if operand is None:
            continue
        if name == "and":
            holds = all(matches(part, item) for part in operand if part is not None)
        elif name == "or":
            # A list without alternatives matches all: it adds nothing to the expression.
            parts = [part for part in operand if part]
            holds = not parts or any(matches(part, item) for part in parts)
        elif name == "not":
            holds = not operand or not matches(operand, item)
        else:
            value = item.get(name, _MISSING)
            holds = all(_OPERATORS[operator](value, given) for operator, given in operand.items())
        if not holds:
            return False
    return True


def _equal(value: object, given: object) -> bool:
    # True == 1 in Python, but not in DynamoDB.
    return isinstance(value, bool) == isinstance(given, bool) and bool(value == given)


def _ordering(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: object, given: object) -> bool:
        # Code points sort like the UTF-8 bytes that DynamoDB compares.
        kind = type_of(value)
        return kind in ("S", "N") and type_of(given) == kind and test(value, given)

    return compare


def _between(value: object, given: Any) -> bool:
    return _at_least(value, given[0]) and _at_most(value, given[1])


def _contains(value: object, given: object) -> bool:
    if isinstance(value, list):
        return any(_equal(member, given) for member in value)
    return isinstance(value, str) and isinstance(given, str) and given in value


def _begins_with(value: object, given: object) -> bool:
    return isinstance(value, str) and isinstance(given, str) and value.startswith(given)


def _size(value: Any, given: Any) -> bool:
    if not isinstance(value, (str, list, dict)) or given is None:
        return given is None
    # DynamoDB counts the bytes of a string.
    size = len(value.encode()) if isinstance(value, str) else len(value)
    return all(_OPERATORS[operator](size, operand) for operator, operand in given.items())


def _attribute_type(value: Any, given: Any) -> bool:
    return value is not _MISSING and type_of(value) == _TYPES.get(given)


def _unprocessable() -> FieldError:
    return FieldError("Unrecognized Filter", "Unable to process the filter expression")


_at_least = _ordering(lambda left, right: left >= right)
_at_most = _ordering(lambda left, right: left <= right)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    # A missing attribute is not equal to any value and contains nothing [?].
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
