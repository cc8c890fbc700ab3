"""Filters and conditions over stored items, compared as DynamoDB compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.errors import FieldError, dynamodb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MISSING = object()
_TYPES = {
    "bool": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "_null": lambda value: value is None,
}


def check(expression: Mapping[str, Any]) -> None:
    """Raise FieldError if *expression* says something and asks for nothing."""
    if expression and not _asks(expression):
        raise _unusable()


def check_keys(expression: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Raise FieldError where the filter of a query names one of *keys*, its key attributes."""
    for name, wanted in expression.items():
        if name in ("and", "or", "not"):
            for part in wanted if isinstance(wanted, list) else [wanted]:
                check_keys(part or {}, keys)
        elif name in keys and wanted:
            raise dynamodb(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {name}"
            )


def _asks(expression: Mapping[str, Any]) -> bool:
    return any(
        any(_asks(part) for part in wanted if part)
        if name in ("and", "or")
        else _asks(wanted)
        if name == "not"
        else bool(wanted)
        for name, wanted in expression.items()
        if wanted is not None
    )


def matches(expression: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Whether *item* meets every part of *expression*, a filter as the schema coerced it."""
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
            met = all(_compare(operator, value, given) for operator, given in wanted.items())
        if not met:
            return False
    return True


def _compare(operator: str, value: Any, given: Any) -> bool:
    return _OPERATORS[operator](value, given)


def _equal(value: Any, given: Any) -> bool:
    # True == 1 in Python, and not in DynamoDB.
    return isinstance(value, bool) == isinstance(given, bool) and bool(value == given)


def ordered(value: Any) -> Any:
    """Return *value* if it has an order, None otherwise."""
    # Code points order as the UTF-8 bytes that DynamoDB compares.
    return value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


def _ordering(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: Any, given: Any) -> bool:
        left, right = ordered(value), ordered(given)
        if left is None or right is None or isinstance(left, str) != isinstance(right, str):
            return False
        return test(left, right)

    return compare


def _between(value: Any, given: Any) -> bool:
    if not isinstance(given, list) or len(given) != 2:
        raise _unusable()
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
    return all(_compare(operator, size, wanted) for operator, wanted in given.items())


def _attribute_type(value: Any, given: Any) -> bool:
    test = _TYPES.get(given)
    return test is not None and value is not _MISSING and test(value)


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
