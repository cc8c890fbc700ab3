"""Conditions on sort keys: validate them, with the errors of resolvers and DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from seedctl.local.appsync.attribute_values import (
    check_bounds,
    check_numbers,
    invalid_expression_value,
    text_of,
    type_of,
)
from seedctl.local.appsync.errors import dynamodb_error, invalid_arguments
from seedctl.local.appsync.introspection import Index, Model
from seedctl.local.appsync.keys import attribute_types

Condition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """A condition on the sort key of a query."""

    operator: str
    """``eq``, ``lt``, ``le``, ``gt``, ``ge``, ``beginsWith`` or ``between``."""
    operand: Any
    """A string or a number; for ``between`` a list of the lower and the upper bound."""


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """A query of a table or an index: the items of one partition that match the condition."""

    index: Index
    partition: Any
    condition: KeyCondition | None
    is_descending: bool = False


def argument_name(index: Index) -> str:
    """Return the argument name for the sort key of *index*, such as ``warehouseShelf``."""
    first, *others = index.sort_fields
    return first + "".join(name[0].upper() + name[1:] for name in others)


def check_list_arguments(table: Index, arguments: Mapping[str, Any]) -> None:
    """Raise FieldError as the list of a model with a custom key does before authorization."""
    partition = arguments.get(table.partition_key)
    if arguments.get("sortDirection") is not None:
        if table.sort_key is None:
            raise invalid_arguments(
                "sortDirection is not supported for List operations without a Sort key defined."
            )
        if partition is None:
            raise invalid_arguments(
                "When providing argument 'sortDirection' you must also provide argument "
                f"'{table.partition_key}'."
            )
    check_key_arguments(table, arguments)


def check_key_arguments(index: Index, arguments: Mapping[str, Any]) -> None:
    """Raise FieldError for *arguments* that the resolvers of *index* reject."""
    condition = _given_condition(index, arguments)
    if condition is None:
        return
    argument = argument_name(index)
    partition = arguments.get(index.partition_key)
    if len(index.sort_fields) > 1:
        if _is_blank(partition):
            raise invalid_arguments(
                f"When providing argument '{argument}' you must also provide "
                f"'{index.partition_key}'."
            )
        _check_composite(index, argument, condition)
    elif partition is None:
        # AppSync omits the full stop here, unlike in all other messages.
        raise invalid_arguments(
            f"When providing argument '{argument}' you must also provide arguments "
            f"{index.partition_key}"
        )


def key_condition(model: Model, index: Index, arguments: Mapping[str, Any]) -> KeyCondition | None:
    """Return the condition on the sort key in *arguments*, None without one.

    Call ``check_key_arguments`` before. Raises FieldError if DynamoDB rejects the condition.
    """
    condition = _given_condition(index, arguments) or {}
    operations = {name: value for name, value in condition.items() if value is not None}
    if "between" in operations:
        operations["between"] = _bounds(model, index, operations["between"])
    if not operations:
        return None
    if len(operations) > 1:
        raise dynamodb_error("KeyConditionExpressions must only contain one condition per key")
    ((operator, operand),) = operations.items()
    if len(index.sort_fields) > 1 and operator != "between":
        operand = _composite_text(index, operand)
    check_numbers(operand, ":sortKey")
    if operator == "between":
        check_bounds("KeyConditionExpression", *operand)
    return KeyCondition(operator, operand)


def _given_condition(index: Index, arguments: Mapping[str, Any]) -> Condition | None:
    return None if index.sort_key is None else arguments.get(argument_name(index))


def _check_composite(index: Index, argument: str, condition: Condition) -> None:
    if len(condition) > 1:
        raise invalid_arguments(
            f"Argument {argument} must specify at most one key condition operation."
        )
    for operator, given in condition.items():
        # The template prints a property of the operation's name, so the text may be this [?].
        operands = {f"{argument}.$operation": given}
        if operator == "between":
            if given is None or len(given) != 2:
                raise invalid_arguments(
                    f"Argument '{argument}.between' expects exactly two elements."
                )
            operands = {f"{argument}.between[{n}]": each for n, each in enumerate(given)}
        for earlier, later in reversed(list(pairwise(index.sort_fields))):
            for where, parts in operands.items():
                values = parts or {}
                if not _is_blank(values.get(later)) and _is_blank(values.get(earlier)):
                    raise invalid_arguments(
                        f"When providing argument '{where}.{later}' you must also provide "
                        f"'{where}.{earlier}'."
                    )


def _bounds(model: Model, index: Index, given: list[Any]) -> list[Any]:
    """Return the two bounds of BETWEEN; a third one is ignored."""
    if len(index.sort_fields) > 1:
        return [_composite_text(index, each) for each in given]
    # For a missing bound the resolver prints the source text of its template [?].
    missing = [f"$ctx.args.{argument_name(index)}.between[{number}]" for number in range(2)]
    bounds = [text_of(each) if each is None else each for each in given[:2]]
    bounds += missing[len(bounds) :]
    is_number = attribute_types(model, index)[index.sort_fields[0]] == "N"
    for number, bound in enumerate(bounds):
        if is_number and type_of(bound) != "N":
            raise invalid_expression_value(
                f"The parameter cannot be converted to a numeric value: {bound}",
                f":sortKey{number}",
            )
    return bounds


def _composite_text(index: Index, parts: Condition | None) -> str:
    """Return the string with which a composite sort key is compared."""
    values = parts or {}
    text = ""
    for number, name in enumerate(index.sort_fields):
        if values.get(name) is not None:
            text += ("#" if number else "") + text_of(values[name])
    return text


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
