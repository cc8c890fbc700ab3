"""The GraphQL schema that Gen 2 deploys, built from the introspection.

It has no directives, and no subscriptions, since HTTP requests cannot use them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from seedctl.local.appsync.inputs import InputTypes
from seedctl.local.appsync.introspection import HAS_MANY, Index, Model
from seedctl.local.appsync.key_conditions import argument_name
from seedctl.local.appsync.request import Resolver, record_internal_errors
from seedctl.local.appsync.resolvers_fields import (
    displayed_owner,
    guarded,
    not_available,
    require_value,
)
from seedctl.local.appsync.scalars import SCALARS
from seedctl.outputs.models import Field, Introspection, OperationSignature

Arguments = dict[str, GraphQLArgument]
Fields = dict[str, GraphQLField]

_SORT_DIRECTION = GraphQLEnumType("ModelSortDirection", {"ASC": "ASC", "DESC": "DESC"})


def build(introspection: Introspection, models: Mapping[str, Model]) -> GraphQLSchema:
    """Return the schema with *models* as they are deployed.

    Raises ValueError or TypeError if the schema is not valid.
    """
    schema = _Builder(introspection, models).schema()
    errors = validate_schema(schema)
    if errors:
        raise ValueError(str(errors[0]))
    return schema


class _Builder:
    def __init__(self, introspection: Introspection, models: Mapping[str, Model]) -> None:
        self._introspection = introspection
        self._deployed = models
        self._inputs = InputTypes(introspection)
        self._custom_types = {
            name: self._custom_type(name, custom_type.fields)
            for name, custom_type in introspection.custom_types.items()
        }
        self._models = {name: self._model(model) for name, model in models.items()}
        self._connections = {name: self._connection(model) for name, model in models.items()}
        self._types: Mapping[str, Mapping[str, Any]] = {
            "scalar": SCALARS,
            "enum": self._inputs.enums,
            "nonModel": self._custom_types,
            "model": self._models,
        }

    def schema(self) -> GraphQLSchema:
        queries: Fields = {}
        mutations: Fields = {}
        for model in self._deployed.values():
            queries.update(self._queries(model))
            mutations.update(self._mutations(model))
        queries.update(self._custom_operations(self._introspection.queries))
        mutations.update(self._custom_operations(self._introspection.mutations))
        return GraphQLSchema(
            query=GraphQLObjectType("Query", queries),
            mutation=GraphQLObjectType("Mutation", mutations) if mutations else None,
            types=[
                *self._models.values(),
                *self._custom_types.values(),
                *self._inputs.enums.values(),
                *self._inputs.filters(),
                _SORT_DIRECTION,
            ],
        )

    def _custom_type(self, name: str, fields: Mapping[str, Field]) -> GraphQLObjectType:
        return GraphQLObjectType(
            name, lambda: {field.name: self._simple_field(field) for field in fields.values()}
        )

    def _model(self, model: Model) -> GraphQLObjectType:
        def fields() -> Fields:
            found = {name: self._model_field(model, field) for name, field in model.fields.items()}
            for name in model.access.owner_fields:
                # The type has owner fields even if the schema does not declare them.
                found.setdefault(name, GraphQLField(GraphQLString, resolve=displayed_owner))
            return found

        return GraphQLObjectType(model.name, fields)

    def _model_field(self, model: Model, field: Field) -> GraphQLField:
        if field.association is None:
            resolve = displayed_owner if field.name in model.access.identity_fields else None
            if model.access.is_guarded(field.name):
                resolve = guarded(model, field.name, resolve)
            return self._simple_field(field, resolve)
        resolve = record_internal_errors(read.relation(model, field, self._deployed))
        name = field.type.name
        if field.association.connection_type == HAS_MANY:
            listing = self._list_arguments(self._deployed[name])
            return GraphQLField(self._connections[name], listing, resolve)
        related = self._models[name]
        type_ = GraphQLNonNull(related) if field.is_required else related
        return GraphQLField(type_, resolve=resolve)

    def _simple_field(self, field: Field, resolve: Resolver | None = None) -> GraphQLField:
        type_ = self._type(field)
        if isinstance(type_, GraphQLNonNull):
            resolve = require_value(str(type_.of_type), resolve)
        return GraphQLField(type_, resolve=resolve)

    def _type(self, field: Field) -> Any:
        type_ = self._types[field.type.kind][field.type.name]
        # A generated timestamp is never null, although the introspection does not say so.
        if field.is_required or field.is_read_only:
            type_ = GraphQLNonNull(type_)
        if field.is_array:
            type_ = GraphQLList(type_)
            return type_ if field.is_array_nullable else GraphQLNonNull(type_)
        return type_

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
        found: Fields = {}
        if "get" in model.operations:
            key = {name: self._key_argument(model, name) for name in model.key}
            resolve = record_internal_errors(read.get(model))
            found[f"get{model.upper_name}"] = GraphQLField(self._models[model.name], key, resolve)
        if "list" in model.operations:
            arguments = self._list_arguments(model)
            if model.has_custom_key:
                arguments = self._query_arguments(model, model.table, required=False)
            else:
                del arguments["sortDirection"]
            plural = model.plural[0].upper() + model.plural[1:]
            resolve = record_internal_errors(read.list_all(model))
            found[f"list{plural}"] = GraphQLField(connection, arguments, resolve)
        for index in model.indexes:
            if index.query_field is not None:
                arguments = self._query_arguments(model, index)
                resolve = record_internal_errors(read.by_index(model, index))
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
                record_internal_errors(resolver(model)),
            )
            for operation, (make, resolver) in inputs.items()
            if operation in model.operations
        }

    def _custom_operations(self, operations: Mapping[str, OperationSignature]) -> Fields:
        found: Fields = {}
        for name, operation in operations.items():
            arguments = {
                field.name: GraphQLArgument(self._inputs.of_field(field))
                for field in operation.arguments.values()
            }
            found[name] = GraphQLField(self._type(operation.result), arguments, not_available)
        return found

    def _list_arguments(self, model: Model) -> Arguments:
        return {
            "filter": GraphQLArgument(self._inputs.filter(model)),
            "sortDirection": GraphQLArgument(_SORT_DIRECTION),
            "limit": GraphQLArgument(GraphQLInt),
            "nextToken": GraphQLArgument(GraphQLString),
        }

    def _query_arguments(self, model: Model, index: Index, *, required: bool = True) -> Arguments:
        """Return the arguments of a query of *index*; *required* is about its partition key."""
        partition = index.partition_key
        found = {partition: self._key_argument(model, partition, required=required)}
        if index.sort_key is not None:
            found[argument_name(index)] = GraphQLArgument(self._inputs.sort_key(model, index))
        return {**found, **self._list_arguments(model)}

    def _key_argument(self, model: Model, name: str, *, required: bool = True) -> GraphQLArgument:
        return GraphQLArgument(self._inputs.of_field(model.fields[name], required=required))
