"""The key arguments of a query: refused in AppSync's words, or made bounds of the sort key."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync import keys
from seedctl.local.appsync.attribute_values import check_bounds, text_of
from seedctl.local.appsync.errors import dynamodb, invalid_arguments
from seedctl.local.store import prefix_end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedctl.local.appsync.introspection import Index, Model

    Bounds = list[tuple[str, Any]]

_OPERATORS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def argument_name(names: Sequence[str]) -> str:
    """Return the argument for the sort keys *names*: ``warehouseShelf``."""
    return names[0] + "".join(name[0].upper() + name[1:] for name in names[1:])


def check_list_arguments(index: Index, arguments: Mapping[str, Any]) -> None:
    """Raise FieldError for *arguments* of a list that the resolver refuses."""
    partition, names = index.partition_key, index.sort_fields
    if arguments.get("sortDirection") is not None:
        if not names:
            raise invalid_arguments(
                "sortDirection is not supported for List operations without a Sort key defined."
            )
        if arguments.get(partition) is None:
            raise invalid_arguments(
                "When providing argument 'sortDirection' you must also provide argument "
                f"'{partition}'."
            )
    if len(names) == 1 and arguments.get(partition) is None and _condition(index, arguments):
        raise invalid_arguments(
            f"When providing argument '{names[0]}' you must also provide arguments {partition}"
        )


def check_composite(index: Index, arguments: Mapping[str, Any]) -> None:
    """Raise FieldError for the argument of a composite sort key that the resolver refuses."""
    names = index.sort_fields
    condition = _condition(index, arguments)
    if len(names) < 2 or condition is None:
        return
    argument = argument_name(names)
    if _is_blank(arguments.get(index.partition_key)):
        raise invalid_arguments(
            f"When providing argument '{argument}' you must also provide '{index.partition_key}'."
        )
    if len(condition) > 1:
        raise invalid_arguments(
            f"Argument {argument} must specify at most one key condition operation."
        )
    for operator, value in condition.items():
        where = f"{argument}.{operator}"
        if operator != "between":
            _check_parts(names, where, value)
        elif len(value or ()) != 2:
            raise invalid_arguments(f"Argument '{where}' expects exactly two elements.")
        else:
            for number, each in enumerate(value):
                _check_parts(names, f"{where}[{number}]", each)


def key_bounds(model: Model, index: Index, arguments: Mapping[str, Any]) -> Bounds:
    """Return what the key argument asks of the sort key, as comparisons in SQL. Raises FieldError."""
    condition = {
        operator: value
        for operator, value in (_condition(index, arguments) or {}).items()
        if value is not None
    }
    if len(condition) > 1:
        raise dynamodb("KeyConditionExpressions must only contain one condition per key")
    for operator, value in condition.items():
        if operator == "between":
            first, second = (_bound(model, index, value, number) for number in (0, 1))
            check_bounds("KeyConditionExpression", first, second)
            return [(">=", first), ("<=", second)]
        given = _value(index, value)
        if operator == "beginsWith":
            return [(">=", given), ("<", prefix_end(given))]
        return [(_OPERATORS[operator], given)]
    return []


def check_filter(index: Index, expression: Mapping[str, Any]) -> None:
    """Raise FieldError where the filter of a query names the key of the index it runs on."""
    for name, wanted in expression.items():
        if name in ("and", "or", "not"):
            for part in wanted if isinstance(wanted, list) else [wanted]:
                check_filter(index, part or {})
        elif name in index.attributes and wanted:
            raise dynamodb(
                "Filter Expression can only contain non-primary key attributes: Primary key "
                f"attribute: {name}"
            )


def _condition(index: Index, arguments: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return arguments.get(argument_name(index.sort_fields)) if index.sort_fields else None


def _check_parts(names: Sequence[str], where: str, given: Mapping[str, Any] | None) -> None:
    values = given or {}
    for earlier, later in pairwise(names):
        if not _is_blank(values.get(later)) and _is_blank(values.get(earlier)):
            raise invalid_arguments(
                f"When providing argument '{where}.{later}' you must also provide "
                f"'{where}.{earlier}'."
            )


def _bound(model: Model, index: Index, bounds: Sequence[Any], number: int) -> Any:
    """Return one bound of a between. A third one is not read; a missing one is the text below."""
    value = bounds[number] if number < len(bounds) else None
    if value is not None:
        return _value(index, value)
    # As Velocity prints a reference that leads nowhere [?].
    reference = f"$ctx.args.{argument_name(index.sort_fields)}.between[{number}]"
    if keys.attribute_type(model, index, index.attributes[1]) == "N":
        raise dynamodb(
            "ExpressionAttributeValues contains invalid value: The parameter cannot be converted "
            f"to a numeric value: {reference} for key :sortKey{number}"
        )
    return reference


def _value(index: Index, given: Any) -> Any:
    """Return the sort key that *given* means: parts that are not given are left out."""
    if len(index.sort_fields) == 1:
        return given
    parts = (given.get(name) for name in index.sort_fields)
    return "#".join(text_of(part) for part in parts if part is not None)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
