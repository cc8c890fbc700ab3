"""Write GraphQL documents in the format of graphql-js."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seedctl.appsync.selection import Selection
    from seedctl.outputs.models import Field, Index, Model, OperationSignature

OperationType = Literal["query", "mutation"]

# The type name in a sort key's condition input. Other scalars, and enums, use String.
_CONDITION_TYPES = {
    "ID": "ID",
    "Int": "Int",
    "Float": "Float",
    "Boolean": "Boolean",
    "AWSTimestamp": "Int",
}
_MAX_LINE = 80  # graphql-js splits longer fields, one argument on a line


@dataclass(frozen=True, slots=True)
class Document:
    """The text of a request, with the name of its only field, under which the result is found."""

    text: str
    root: str
    type: OperationType


def mutation_document(
    verb: Literal["create", "update", "delete"], model: Model, selection: Selection
) -> Document:
    root = verb + _capital(model.name)
    variables = {"input": f"{verb.capitalize()}{_capital(model.name)}Input!"}
    return _document("mutation", root, variables, selection)


def get_document(model: Model, selection: Selection) -> Document:
    variables = {name: f"{model.fields[name].type.name}!" for name in model.primary_key}
    return _document("query", "get" + _capital(model.name), variables, selection)


def list_document(model: Model, selection: Selection) -> Document:
    variables: dict[str, str] = {}
    if model.is_custom_key:
        partition, *sort = model.primary_key
        variables[partition] = model.fields[partition].type.name
        variables["sortDirection"] = "ModelSortDirection"
        variables.update(_sort_argument(model, sort, "Primary"))
    variables.update(_filter_argument(model), limit="Int", nextToken="String")
    return _document("query", "list" + _capital(model.plural_name), variables, _paged(selection))


def index_document(model: Model, index: Index, selection: Selection) -> Document:
    partition, *sort = index.fields
    variables = {
        partition: f"{model.fields[partition].type.name}!",
        **_sort_argument(model, sort, _capital(index.name)),
        **_filter_argument(model),
        "sortDirection": "ModelSortDirection",
        "limit": "Int",
        "nextToken": "String",
    }
    assert index.query_field is not None, "only indexes with a query are methods of a model"
    return _document("query", index.query_field, variables, _paged(selection))


def operation_document(
    type_: OperationType, operation: OperationSignature, selection: Selection
) -> Document:
    variables = {name: _type_text(field) for name, field in operation.arguments.items()}
    return _document(type_, operation.name, variables, selection)


def key_arguments(model: Model, fields: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the arguments that a query by a key of *fields* takes."""
    partition, *sort = fields
    return (partition, *_sort_argument(model, sort, ""))


def _sort_argument(model: Model, sort: Sequence[str], composite: str) -> dict[str, str]:
    if not sort:
        return {}
    if len(sort) == 1:
        type_name = model.fields[sort[0]].type
        name = type_name.name if type_name.kind == "scalar" else ""
        kind = _CONDITION_TYPES.get(name, "String")
        return {sort[0]: f"Model{kind}KeyConditionInput"}
    name = sort[0] + "".join(_capital(field) for field in sort[1:])
    return {name: f"Model{_capital(model.name)}{composite}CompositeKeyConditionInput"}


def _filter_argument(model: Model) -> dict[str, str]:
    return {"filter": f"Model{_capital(model.name)}FilterInput"}


def _paged(selection: Selection) -> Selection:
    return {"items": selection, "nextToken": {}, "__typename": {}}


def _type_text(field: Field) -> str:
    element = f"{field.type.name}{'!' if field.is_required else ''}"
    if not field.is_array:
        return element
    return f"[{element}]{'' if field.is_array_nullable else '!'}"


def _document(
    type_: OperationType, root: str, variables: Mapping[str, str], selection: Selection
) -> Document:
    declared = ", ".join(f"${name}: {kind}" for name, kind in variables.items())
    arguments = [f"{name}: ${name}" for name in variables]
    field = f"{root}({', '.join(arguments)})" if arguments else root
    if len(field) > _MAX_LINE:
        field = "\n".join([f"{root}(", *(f"  {argument}" for argument in arguments), ")"])
    body = _indent(f"{field}{_braces(selection)}")
    head = f"{type_} ({declared}) " if declared else ""
    if type_ == "mutation" and not declared:
        head = "mutation "
    return Document(f"{head}{{\n{body}\n}}\n", root, type_)


def _braces(selection: Selection) -> str:
    if not selection:
        return ""
    lines = "\n".join(f"{name}{_braces(below)}" for name, below in selection.items())
    return f" {{\n{_indent(lines)}\n}}"


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
