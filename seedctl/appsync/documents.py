"""Write GraphQL documents in the format of graphql-js, and choose the fields that they select."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from seedctl.errors import InvalidSelectionSetError
from seedctl.nearest import advice
from seedctl.outputs.models import Field, Index, Introspection, Model, OperationSignature, TypeName

Selection: TypeAlias = "dict[str, Selection]"
"""Maps each selected field to the selection below it, which is empty for a scalar."""

OperationType = Literal["query", "mutation"]

_KINDS = {"model": "model", "nonModel": "custom type"}
"""The types with fields, as they are named in errors."""

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
        return {sort[0]: f"Model{condition_type(model.fields[sort[0]])}KeyConditionInput"}
    name = sort[0] + "".join(_capital(field) for field in sort[1:])
    return {name: f"Model{_capital(model.name)}{composite}CompositeKeyConditionInput"}


def condition_type(field: Field) -> str:
    """Return the scalar that the API compares the sort key *field* with."""
    name = field.type.name if field.type.kind == "scalar" else ""
    return _CONDITION_TYPES.get(name, "String")


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


def default_selection(schema: Introspection, model: Model) -> Selection:
    """Return all fields of *model*, with all fields of its custom types, without relations."""
    selection = _own_fields(schema, model.fields, ())
    selection.update((name, {}) for name in model.implied_fields)
    return selection


def type_selection(schema: Introspection, type_name: TypeName) -> Selection:
    """Return all fields of an operation's result; empty for a scalar or enum."""
    if type_name.kind == "model":
        return default_selection(schema, schema.models[type_name.name])
    if type_name.kind == "nonModel":
        return _own_fields(schema, schema.fields_of(type_name), (type_name.name,))
    return {}


def path_selection(schema: Introspection, model: Model, paths: Sequence[str]) -> Selection:
    """Return the fields that dotted *paths* name, such as ``comments.text`` and ``address.*``.

    Raises InvalidSelectionSetError for a path that is not in the schema, and for no path at all.
    """
    if isinstance(paths, str):
        raise InvalidSelectionSetError(
            f"The selection set of {model.name} is a str, not a list.",
            resolution=f"Write selection_set=[{paths!r}].",
        )
    if not paths:
        raise InvalidSelectionSetError(
            f"The selection set of {model.name} is empty: a request must select something.",
            resolution='Name at least one field, such as selection_set=["id"], or leave it out.',
        )
    selection: Selection = {}
    for path in paths:
        _select(schema, TypeName("model", model.name), path.split("."), selection)
    return selection


def _own_fields(
    schema: Introspection, fields: Mapping[str, Field], outer_types: tuple[str, ...]
) -> Selection:
    selection: Selection = {}
    for field in fields.values():
        if field.type.kind in {"scalar", "enum"}:
            selection[field.name] = {}
        elif field.type.kind == "nonModel" and field.type.name not in outer_types:
            # A type that contains itself is left out, since it would never end.
            below = schema.fields_of(field.type)
            selection[field.name] = _own_fields(schema, below, (*outer_types, field.type.name))
    return selection


def _select(schema: Introspection, owner: TypeName, path: list[str], into: Selection) -> None:
    """Select the field of *owner*, a model or custom type, to which *path* leads."""
    name, *rest = path
    fields = fields_of(schema, owner)
    implied = schema.models[owner.name].implied_fields if owner.kind == "model" else ()
    field = fields.get(name)
    if field is None and (rest or name not in implied):
        raise InvalidSelectionSetError(
            f"{name} is not a field of {_KINDS[owner.kind]} {owner.name}",
            resolution=advice(name, [*fields, *implied]),
        )
    if field is None or field.type.kind not in _KINDS:
        if field is not None and rest:
            raise InvalidSelectionSetError(
                f"{name} of {_KINDS[owner.kind]} {owner.name} is a {field.type.name}, which has no "
                "fields to select",
                resolution=f"Write {name}.",
            )
        into.setdefault(name, {})
        return
    if not rest:
        first = next(iter(fields_of(schema, field.type)), "*")
        raise InvalidSelectionSetError(
            f"{name} must declare a wildcard (*) or a field of {_KINDS[field.type.kind]} "
            f"{field.type.name}",
            resolution=f"Write {name}.* or {name}.{first}.",
        )
    below = into.setdefault(name, {})
    if field.type.kind == "model" and field.is_array:
        below = below.setdefault("items", {})
    if rest == ["*"]:
        _merge(below, type_selection(schema, field.type))
    else:
        _select(schema, field.type, rest, below)


def fields_of(schema: Introspection, type_name: TypeName) -> Mapping[str, Field]:
    """Return the fields of a model or custom type."""
    if type_name.kind == "model":
        return schema.models[type_name.name].fields
    return schema.fields_of(type_name)


def _merge(into: Selection, more: Selection) -> None:
    for name, below in more.items():
        _merge(into.setdefault(name, {}), below)
