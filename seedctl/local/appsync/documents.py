"""Documents parsed and validated, with AppSync's names for what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from seedctl.local.appsync.errors import InvalidInputError, malformed

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema

# graphql-java's names, by the rule of graphql-core that finds the same fault.
_KINDS = {
    "FieldsOnCorrectTypeRule": "FieldUndefined",
    "FragmentsOnCompositeTypesRule": "InlineFragmentTypeConditionInvalid",
    "KnownArgumentNamesRule": "UnknownArgument",
    "KnownDirectivesRule": "UnknownDirective",
    "KnownFragmentNamesRule": "UndefinedFragment",
    "KnownTypeNamesRule": "UnknownType",
    "LoneAnonymousOperationRule": "LoneAnonymousOperationViolation",
    "NoFragmentCyclesRule": "FragmentCycle",
    "NoUndefinedVariablesRule": "UndefinedVariable",
    "NoUnusedFragmentsRule": "UnusedFragment",
    "NoUnusedVariablesRule": "UnusedVariable",
    "OverlappingFieldsCanBeMergedRule": "FieldsConflict",
    "PossibleFragmentSpreadsRule": "InvalidFragmentType",
    "ProvidedRequiredArgumentsRule": "MissingFieldArgument",
    "ScalarLeafsRule": "SubSelectionRequired",
    "ValuesOfCorrectTypeRule": "WrongType",
    "VariablesAreInputTypesRule": "NonInputTypeOnVariable",
    "VariablesInAllowedPositionRule": "VariableTypeMismatch",
}


def read_document(schema: GraphQLSchema, text: str) -> DocumentNode:
    """Return the document, valid for *schema*.

    Raises RefusedCallError for what cannot be parsed, InvalidInputError for what is not valid.
    """
    try:
        document = parse(text)
        errors = validate(schema, document, max_errors=1)
    except (GraphQLError, RecursionError) as error:
        raise malformed("Unable to parse GraphQL query.") from error
    if errors:
        raise _refusal(schema, document, errors[0])
    return document


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to execute. Raises RefusedCallError if there is no such one."""
    operations = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    ]
    if len(operations) != 1:
        raise malformed("Unable to determine which operation to execute.")  # [?]
    return operations[0]


def locations(error: GraphQLError) -> list[dict[str, Any]]:
    return [
        {"line": place.line, "column": place.column, "sourceName": None}
        for place in error.locations or ()
    ]


def _refusal(
    schema: GraphQLSchema, document: DocumentNode, error: GraphQLError
) -> InvalidInputError:
    # Validation does not say which rule it was, and only its own failures are worth asking again.
    rule = next(
        (rule for rule in specified_rules if validate(schema, document, [rule], max_errors=1)),
        None,
    )
    kind = _KINDS.get(rule.__name__, "InvalidSyntax") if rule is not None else "InvalidSyntax"
    return InvalidInputError(
        f"Validation error of type {kind}: {_text(kind, error)}", locations(error)
    )


def _text(kind: str, error: GraphQLError) -> str:
    node: Any = error.nodes[0] if error.nodes else None
    if kind == "FieldUndefined":
        name = node.name.value
        parent = error.message.rpartition(" on type ")[2].partition(".")[0].strip("'\"")
        return f"Field '{name}' in type '{parent}' is undefined @ '{name}'"
    return error.message
