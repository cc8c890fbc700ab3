"""The GraphQL schema that Gen 2 deploys, made from the introspection.

Left out are subscriptions, which no request over HTTP can ask for, and directives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    validate_schema,
)

from seedctl.local.appsync import resolvers_read as read
from seedctl.local.appsync import resolvers_write as write
from seedctl.local.appsync import rules
from seedctl.local.appsync.errors import NOT_AVAILABLE, FieldError
from seedctl.local.appsync.inputs import InputTypes
from seedctl.local.appsync.introspection import HAS_MANY
from seedctl.local.appsync.key_conditions import argument_name
from seedctl.local.appsync.request import guarded, path_text
from seedctl.local.appsync.scalars import SCALARS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import GraphQLOutputType

    from seedctl.local.appsync.introspection import Field, Index, Introspection, Model, Operation
    from seedctl.local.appsync.request import Info, Resolver

    Arguments = dict[str, GraphQLArgument]
    Fields = dict[str, GraphQLField]

_SORT_DIRECTION = GraphQLEnumType("ModelSortDirection", {"ASC": "ASC", "DESC": "DESC"})


def build(introspection: Introspection) -> GraphQLSchema:
    """Return the schema. Raises ValueError or TypeError if there can be none."""
    schema = _Builder(introspection).schema()
    errors = validate_schema(schema)
    if errors:
        raise ValueError(str(errors[0]))
    return schema


class _Builder:
    def __init__(self, introspection: Introspection) -> None:
        self._introspection = introspection
        self._inputs = InputTypes(introspection)
        self._custom_types = {
            name: self._custom_type(name, fields)
            for name, fields in introspection.custom_types.items()
        }
        self._models = {name: self._model(model) for name, model in introspection.models.items()}
        self._connections = {
            name: self._connection(model) for name, model in introspection.models.items()
        }

    def schema(self) -> GraphQLSchema:
        queries: Fields = {}
        mutations: Fields = {}
        for model in self._introspection.models.values():
            queries.update(self._queries(model))
            mutations.update(self._mutations(model))
        for fields, operations in (
            (queries, self._introspection.queries),
            (mutations, self._introspection.mutations),
        ):
            fields.update({name: self._custom(each) for name, each in operations.items()})
        return GraphQLSchema(
            query=GraphQLObjectType("Query", queries),
            mutation=GraphQLObjectType("Mutation", mutations) if mutations else None,
            types=[
                *self._models.values(),
                *self._custom_types.values(),
                *self._inputs.enums.values(),
                *self._inputs.operators(),
                _SORT_DIRECTION,
            ],
        )

    def _custom_type(self, name: str, fields: Mapping[str, Field]) -> GraphQLObjectType:
        return GraphQLObjectType(
            name, lambda: {field.name: self._plain(field) for field in fields.values()}
        )

    def _model(self, model: Model) -> GraphQLObjectType:
        def fields() -> Fields:
            found = {name: self._model_field(model, field) for name, field in model.fields.items()}
            owners = {
                name: GraphQLField(GraphQLString, resolve=_owner)
                for name in model.implied_owner_fields
            }
            return {**found, **owners}

        return GraphQLObjectType(model.name, fields)

    def _model_field(self, model: Model, field: Field) -> GraphQLField:
        if field.association is None:
            return self._plain(field, is_owner=field.name in model.owner_fields)
        resolve = guarded(read.relation(model, field, self._introspection.models))
        if field.association.kind == HAS_MANY:
            return GraphQLField(
                self._connections[field.type_name],
                self._listing(self._introspection.models[field.type_name]),
                resolve,
            )
        related = self._models[field.type_name]
        return GraphQLField(
            GraphQLNonNull(related) if field.is_required else related, resolve=resolve
        )

    def _plain(self, field: Field, *, is_owner: bool = False) -> GraphQLField:
        type_ = self._type(field)
        resolve: Resolver | None = _owner if is_owner else None
        if isinstance(type_, GraphQLNonNull):
            resolve = _required(str(type_.of_type), resolve)
        return GraphQLField(type_, resolve=resolve)

    def _type(self, field: Field) -> GraphQLOutputType:
        element: Any
        if field.kind == "scalar":
            element = SCALARS[field.type_name]
        elif field.kind == "enum":
            element = self._inputs.enums[field.type_name]
        else:
            element = {**self._custom_types, **self._models}[field.type_name]
        # A generated timestamp is always there, which the introspection does not say.
        is_required = field.is_required or field.is_read_only
        if is_required:
            element = GraphQLNonNull(element)
        if field.is_list:
            element = GraphQLList(element)
            return GraphQLNonNull(element) if field.is_list_required else element
        return element  # type: ignore[no-any-return]

    def _connection(self, model: Model) -> GraphQLObjectType:
        return GraphQLObjectType(
            f"Model{model.upper_name}Connection",
            lambda: {
                "items": GraphQLField(GraphQLNonNull(GraphQLList(self._models[model.name]))),
                "nextToken": GraphQLField(GraphQLString),
            },
        )

    def _queries(self, model: Model) -> Fields:
        connection = self._connections[model.name]
        listing = self._listing(model)
        found: Fields = {}
        if "get" in model.operations:
            key = {name: GraphQLArgument(self._key_type(model, name)) for name in model.key}
            resolve = guarded(read.get(model))
            found[f"get{model.upper_name}"] = GraphQLField(self._models[model.name], key, resolve)
        if "list" in model.operations:
            arguments = {name: listing[name] for name in ("filter", "limit", "nextToken")}
            if model.has_custom_key:
                partition = self._inputs.of_field(model.fields[model.key[0]], required=False)
                arguments = {
                    model.key[0]: GraphQLArgument(partition),
                    **self._sort_key(model, model.table),
                    **listing,
                }
            resolve = guarded(read.list_all(model))
            found[f"list{model.upper_plural}"] = GraphQLField(connection, arguments, resolve)
        for index in model.indexes:
            if index.query_field is not None:
                arguments = {
                    index.fields[0]: GraphQLArgument(self._key_type(model, index.fields[0])),
                    **self._sort_key(model, index),
                    **listing,
                }
                resolve = guarded(read.by_index(model, index))
                found[index.query_field] = GraphQLField(connection, arguments, resolve)
        return found

    def _mutations(self, model: Model) -> Fields:
        condition = GraphQLArgument(self._inputs.condition(model))
        inputs = {
            "create": (self._inputs.create, write.create),
            "update": (self._inputs.update, write.update),
            "delete": (self._inputs.delete, write.delete),
        }
        return {
            f"{operation}{model.upper_name}": GraphQLField(
                self._models[model.name],
                {"input": GraphQLArgument(GraphQLNonNull(make(model))), "condition": condition},
                guarded(resolver(model)),
            )
            for operation, (make, resolver) in inputs.items()
            if operation in model.operations
        }

    def _custom(self, operation: Operation) -> GraphQLField:
        arguments = {
            field.name: GraphQLArgument(self._inputs.of_field(field))
            for field in operation.arguments
        }
        return GraphQLField(self._type(operation.result), arguments, _not_available)

    def _listing(self, model: Model) -> Arguments:
        return {
            "filter": GraphQLArgument(self._inputs.filter(model)),
            "sortDirection": GraphQLArgument(_SORT_DIRECTION),
            "limit": GraphQLArgument(GraphQLInt),
            "nextToken": GraphQLArgument(GraphQLString),
        }

    def _sort_key(self, model: Model, index: Index) -> Arguments:
        if index.sort_key is None:
            return {}
        type_ = self._inputs.sort_key(model, index.name, index.sort_fields)
        return {argument_name(index): GraphQLArgument(type_)}

    def _key_type(self, model: Model, name: str) -> Any:
        return self._inputs.of_field(model.fields[name], required=True)


def _owner(source: Mapping[str, Any], info: Info) -> Any:
    return rules.shown_owner(source.get(info.field_name))


def _required(type_name: str, resolve: Resolver | None) -> Resolver:
    """Return a resolver that refuses a missing value in AppSync's words."""

    def call(source: Mapping[str, Any], info: Info) -> Any:
        value = source.get(info.field_name) if resolve is None else resolve(source, info)
        if value is None:
            where = path_text(info.path.as_list())
            parent = info.parent_type.name
            raise FieldError(
                None,
                f"Cannot return null for non-nullable type: '{type_name}' within parent "
                f"'{parent}' ({where})",
            )
        return value

    return call


def _not_available(_source: Any, info: Info, **_arguments: Any) -> Any:
    raise FieldError(
        NOT_AVAILABLE,
        f"{info.parent_type.name}.{info.field_name} is not available locally: its handler is your "
        "own code.",
    )
