"""Check variables against the schema, with the error messages of AppSync.

Only the first violation is reported; it names the variable, also if one of its fields is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    type_from_ast,
)

from seedctl.local.appsync.documents import locations
from seedctl.local.appsync.errors import InvalidInputError
from seedctl.local.appsync.scalars import InvalidScalarError

_JAVA_KINDS = {
    "bool": "Boolean",
    "int": "Integer",
    "float": "Double",
    "str": "String",
    "list": "ArrayList",
    "dict": "LinkedHashMap",
}


def check_variables(
    schema: GraphQLSchema, operation: OperationDefinitionNode, values: Mapping[str, Any]
) -> None:
    """Raise InvalidInputError for the first of *values* that its type does not accept."""
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        type_ = type_from_ast(schema, definition.type)
        if name not in values and (definition.default_value is not None or not _is_required(type_)):
            continue
        try:
            _check(name, type_, values.get(name))
        except InvalidInputError as error:
            error.locations = locations(GraphQLError(str(error), definition))
            raise


def _is_required(type_: object) -> bool:
    return isinstance(type_, GraphQLNonNull)


def _check(variable: str, type_: Any, value: object) -> None:
    if isinstance(type_, GraphQLNonNull):
        if value is None:
            raise InvalidInputError(
                f"Variable '{variable}' has coerced Null value for NonNull type '{type_}'"
            )
        _check(variable, type_.of_type, value)
    elif value is None:
        return
    elif isinstance(type_, GraphQLList):
        # A single value is accepted as a list of one.
        for member in value if isinstance(value, list) else [value]:
            _check(variable, type_.of_type, member)
    elif isinstance(type_, GraphQLInputObjectType):
        _check_object(variable, type_, value)
    elif isinstance(type_, GraphQLEnumType):
        if not isinstance(value, str) or value not in type_.values:
            # The rest of AppSync's message is unknown [?].
            raise _invalid(variable, f"Invalid input for Enum '{type_.name}'.")
    else:
        _check_scalar(variable, type_, value)


def _check_object(variable: str, type_: GraphQLInputObjectType, value: object) -> None:
    if not isinstance(value, dict):
        raise _invalid(variable, f"Expected type 'Map' but was '{_java_kind(value)}'.")
    for name in value:
        if name not in type_.fields:
            # AppSync's message ends with a space.
            raise InvalidInputError(
                f"The variables input contains a field name '{name}' that is not defined for "
                f"input object type '{type_.name}' "
            )
    for name, field in type_.fields.items():
        if name in value or _is_required(field.type):
            _check(variable, field.type, value.get(name))


def _check_scalar(variable: str, type_: GraphQLScalarType, value: object) -> None:
    try:
        type_.parse_value(value)
    except InvalidScalarError as error:
        raise _invalid(variable, str(error)) from error
    except (GraphQLError, OverflowError) as error:
        reason = f"Expected type '{type_.name}' but was '{_java_kind(value)}'."
        raise _invalid(variable, reason) from error


def _invalid(variable: str, reason: str) -> InvalidInputError:
    return InvalidInputError(f"Variable '{variable}' has an invalid value. {reason}")


def _java_kind(value: object) -> str:
    return _JAVA_KINDS[type(value).__name__]
