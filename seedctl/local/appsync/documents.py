"""Parse and validate GraphQL documents, and report errors with the names that AppSync uses."""

from __future__ import annotations

from typing import Any

from graphql import (
    BREAK,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_nullable_type,
    is_required_input_field,
    parse,
    print_ast,
    specified_rules,
    validate,
    visit,
)

from seedctl.local.appsync.errors import (
    NO_SUBSCRIPTIONS,
    NOT_AVAILABLE,
    InvalidInputError,
    malformed,
)

# graphql-java's name of each error, by the rule of graphql-core that finds it.
_ERROR_TYPES = {
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
    """Return the parsed document, which is valid for *schema*.

    Raises RefusedCallError if it cannot be parsed, InvalidInputError if it is not valid or has a
    subscription.
    """
    try:
        document = parse(text)
        _reject_subscriptions(document)
        errors = validate(schema, document, max_errors=1)
    except (GraphQLError, RecursionError) as error:
        raise malformed("Unable to parse GraphQL query.") from error
    if errors:
        raise _validation_error(schema, document, errors[0])
    return document


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation to execute. Raises RefusedCallError unless exactly one matches."""
    operations = [
        node
        for node in _operations(document)
        if name is None or (node.name is not None and node.name.value == name)
    ]
    if len(operations) != 1:
        raise malformed("Unable to determine which operation to execute.")  # [?]
    return operations[0]


def locations(error: GraphQLError) -> list[dict[str, Any]]:
    return [
        {"line": place.line, "column": place.column, "sourceName": None}
        for place in error.locations or ()
    ]


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


def _reject_subscriptions(document: DocumentNode) -> None:
    for node in _operations(document):
        if node.operation is OperationType.SUBSCRIPTION:
            error = GraphQLError(NO_SUBSCRIPTIONS, node)
            raise InvalidInputError(NO_SUBSCRIPTIONS, locations(error), NOT_AVAILABLE)


def _validation_error(
    schema: GraphQLSchema, document: DocumentNode, error: GraphQLError
) -> InvalidInputError:
    # The error does not name its rule, so validate again with one rule at a time.
    failed = (rule for rule in specified_rules if validate(schema, document, [rule], max_errors=1))
    rule = next(failed, None)
    kind = _ERROR_TYPES.get(rule.__name__, "InvalidSyntax") if rule is not None else "InvalidSyntax"
    return InvalidInputError(
        f"Validation error of type {kind}: {_describe(kind, schema, document, error)}",
        locations(error),
    )


class _NodeLocator(Visitor):
    """Finds the path of a node, its parent type, and the argument and input type around it."""

    def __init__(self, wanted: Node | None, types: TypeInfo) -> None:
        super().__init__()
        self._wanted = wanted
        self._types = types
        self.path = ""
        self.parent = ""
        self.argument: ArgumentNode | None = None
        self.input_type: Any = None

    def enter(
        self, node: Node, _key: object, parent: object, _path: object, ancestors: list[Any]
    ) -> Any:
        if node is not self._wanted:
            return None
        above = [*ancestors, parent, node]
        self.path = "/".join(each.name.value for each in above if isinstance(each, FieldNode))
        self.parent = str(self._types.get_parent_type())
        self.argument = next((each for each in above if isinstance(each, ArgumentNode)), None)
        self.input_type = get_nullable_type(self._types.get_input_type())
        return BREAK


def _describe(kind: str, schema: GraphQLSchema, document: DocumentNode, error: GraphQLError) -> str:
    node = error.nodes[0] if error.nodes else None
    types = TypeInfo(schema)
    locator = _NodeLocator(node, types)
    visit(document, TypeInfoVisitor(types, locator))
    if kind == "FieldUndefined" and isinstance(node, FieldNode):
        name = node.name.value
        return f"Field '{name}' in type '{locator.parent}' is undefined @ '{locator.path}'"
    if kind == "WrongType" and locator.argument is not None:
        argument = locator.argument
        problem = _describe_value(node, locator.input_type)
        return (
            f"argument '{argument.name.value}' with value '{print_ast(argument.value)}' "
            f"{problem} @ '{locator.path}'"
        )
    return f"{error.message} @ '{locator.path}'"


def _describe_value(node: Node | None, type_: object) -> str:
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        given = {field.name.value for field in node.fields}
        required = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        missing = ", ".join(name for name in required if name not in given)
        return f"is missing required fields '[{missing}]'"
    return f"is not a valid '{type_}'"
