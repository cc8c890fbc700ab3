"""Attribute values of DynamoDB: their types, their text form, and the range of numbers."""

from __future__ import annotations

from typing import Any

from seedctl.local.appsync.errors import FieldError, dynamodb_error

_LARGEST = 1e126
_SMALLEST = 1e-130


def type_of(value: object) -> str:
    """Return DynamoDB's type of *value*: ``S``, ``N``, ``BOOL``, ``NULL``, ``L`` or ``M``."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "BOOL"
    if isinstance(value, (int, float)):
        return "N"
    return "S" if isinstance(value, str) else "L" if isinstance(value, list) else "M"


def text_of(value: object) -> str:
    """Return *value* as the resolvers print it into a string."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        # Velocity prints a null reference as the source text of the template, or as "null" [?].
        return "null"
    # Whole numbers are printed without a fraction [?].
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def check_numbers(values: Any, key: str | None = None) -> None:
    """Raise FieldError if a number in *values*, at any depth, is out of DynamoDB's range.

    *key* is the name of the value in an expression, such as ``:sortKey``; None for a new item.
    """
    rest = [values]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
        elif type_of(value) == "N" and value:
            if abs(value) >= _LARGEST:
                raise _out_of_range("overflow", "larger", key)
            if abs(value) < _SMALLEST:
                raise _out_of_range("underflow", "smaller", key)


def invalid_expression_value(reason: str, key: str) -> FieldError:
    text = f"ExpressionAttributeValues contains invalid value: {reason} for key {key}"
    return dynamodb_error(text)


def check_bounds(expression: str, lower: Any, upper: object) -> None:
    """Raise FieldError if DynamoDB rejects a BETWEEN of these bounds in *expression*, its kind."""
    if type_of(lower) != type_of(upper):
        wrong = "same data type for lower and upper bounds"
    elif type_of(lower) in ("S", "N") and lower > upper:
        wrong = "upper bound to be greater than or equal to lower bound"
    else:
        return
    raise dynamodb_error(
        f"Invalid {expression}: The BETWEEN operator requires {wrong}; "
        f"lower bound operand: AttributeValue: {_operand(lower)}, "
        f"upper bound operand: AttributeValue: {_operand(upper)}"
    )


def _operand(value: object) -> str:
    return f"{{{type_of(value)}:{'true' if value is None else text_of(value)}}}"


def _out_of_range(name: str, size: str, key: str | None) -> FieldError:
    reason = (
        f"Number {name}. Attempting to store a number with magnitude {size} than supported range"
    )
    return dynamodb_error(reason) if key is None else invalid_expression_value(reason, key)
