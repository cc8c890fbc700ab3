"""Documents parsed and validated, with AppSync's names for what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    BREAK,
    ArgumentNode,
    FieldNode,
    GraphQLError,
    GraphQLInputObjectType,
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

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema, Node

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

    Raises RefusedCallError for what cannot be parsed, InvalidInputError for what is not valid and
    for subscriptions, which the schema does not have.
    """
    try:
        document = parse(text)
        _refuse_subscriptions(document)
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


def _refuse_subscriptions(document: DocumentNode) -> None:
    for node in _operations(document):
        if node.operation is OperationType.SUBSCRIPTION:
            error = GraphQLError(NO_SUBSCRIPTIONS, node)
            raise InvalidInputError(NO_SUBSCRIPTIONS, locations(error), NOT_AVAILABLE)


def _refusal(
    schema: GraphQLSchema, document: DocumentNode, error: GraphQLError
) -> InvalidInputError:
    # Validation does not say which rule it was, and only its own failures are worth asking again.
    broken = (rule for rule in specified_rules if validate(schema, document, [rule], max_errors=1))
    rule = next(broken, None)
    kind = _KINDS.get(rule.__name__, "InvalidSyntax") if rule is not None else "InvalidSyntax"
    return InvalidInputError(
        f"Validation error of type {kind}: {_text(kind, schema, document, error)}", locations(error)
    )


class _Finder(Visitor):
    """Finds out where a node is, and of what type things are there."""

    def __init__(self, wanted: Node | None, types: TypeInfo) -> None:
        super().__init__()
        self._wanted = wanted
        self._types = types
        self.path = ""
        self.parent = ""
        self.argument: ArgumentNode | None = None
        self.input_type: Any = None

    def enter(self, node: Node, _key: Any, parent: Any, _path: Any, ancestors: list[Any]) -> Any:
        if node is not self._wanted:
            return None
        above = [*ancestors, parent, node]
        self.path = "/".join(each.name.value for each in above if isinstance(each, FieldNode))
        self.parent = str(self._types.get_parent_type())
        self.argument = next((each for each in above if isinstance(each, ArgumentNode)), None)
        self.input_type = get_nullable_type(self._types.get_input_type())
        return BREAK


def _text(kind: str, schema: GraphQLSchema, document: DocumentNode, error: GraphQLError) -> str:
    node = error.nodes[0] if error.nodes else None
    types = TypeInfo(schema)
    found = _Finder(node, types)
    visit(document, TypeInfoVisitor(types, found))
    if kind == "FieldUndefined" and isinstance(node, FieldNode):
        name = node.name.value
        return f"Field '{name}' in type '{found.parent}' is undefined @ '{found.path}'"
    if kind == "WrongType" and found.argument is not None:
        argument = found.argument
        fault = _fault(node, found.input_type)
        return (
            f"argument '{argument.name.value}' with value '{print_ast(argument.value)}' "
            f"{fault} @ '{found.path}'"
        )
    return f"{error.message} @ '{found.path}'"


def _fault(node: Node | None, type_: Any) -> str:
    if isinstance(node, ObjectValueNode) and isinstance(type_, GraphQLInputObjectType):
        given = {field.name.value for field in node.fields}
        required = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        missing = ", ".join(name for name in required if name not in given)
        return f"is missing required fields '[{missing}]'"
    return f"is not a valid '{type_}'"
