"""The input types of models, custom types, filters, conditions and sort keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedInputType,
    GraphQLNonNull,
)

from seedctl.local.appsync.introspection import Index, Model
from seedctl.local.appsync.scalars import SCALARS
from seedctl.outputs.models import Field, Introspection

Fields = dict[str, GraphQLInputField]

_TIMESTAMPS = {"createdAt": "String", "updatedAt": "String"}
# The stored type of each scalar, which selects its filters and key conditions; otherwise String.
_BASES = {"ID": "ID", "Int": "Int", "AWSTimestamp": "Int", "Float": "Float", "Boolean": "Boolean"}
# The operators of filters by stored type, and those of sort keys, in the deployed order.
_SIZE = ("ne", "eq", "le", "lt", "ge", "gt", "between")
_EXISTENCE = ("attributeExists", "attributeType")
_TEXT = (*_SIZE[:-1], "contains", "notContains", "between", "beginsWith", *_EXISTENCE, "size")
_FILTERS = {
    "ID": _TEXT,
    "String": _TEXT,
    "Int": (*_SIZE, *_EXISTENCE),
    "Float": (*_SIZE, *_EXISTENCE),
    "Boolean": ("ne", "eq", *_EXISTENCE),
}
_NUMBER_KEY = ("eq", "le", "lt", "ge", "gt", "between")
_TEXT_KEY = (*_NUMBER_KEY, "beginsWith")
_ATTRIBUTE_TYPES = (
    *("binary", "binarySet", "bool", "list", "map"),
    *("number", "numberSet", "string", "stringSet", "_null"),
)
_ATTRIBUTE_TYPE = GraphQLEnumType("ModelAttributeTypes", {name: name for name in _ATTRIBUTE_TYPES})


class InputTypes:
    """Makes the input types, each one once."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema
        self._types: dict[str, GraphQLInputObjectType] = {}
        self.enums = {
            name: GraphQLEnumType(name, {value: value for value in values})
            for name, values in schema.enums.items()
        }

    def of_field(self, field: Field, *, required: bool | None = None) -> GraphQLInputType:
        """Return the type of *field*; *required* overrides whether it must be given."""
        type_: Any = self._element(field)
        if field.is_array:
            type_ = GraphQLList(GraphQLNonNull(type_) if field.is_required else type_)
        is_required = field.must_be_given if required is None else required
        return GraphQLNonNull(type_) if is_required else type_

    def create(self, model: Model) -> GraphQLInputObjectType:
        return self._mutation_input(
            "Create", model, lambda field: False if model.generates(field.name) else None
        )

    def update(self, model: Model) -> GraphQLInputObjectType:
        return self._mutation_input("Update", model, lambda field: field.name in model.key)

    def delete(self, model: Model) -> GraphQLInputObjectType:
        return self._get_or_make(
            f"Delete{model.upper_name}Input",
            lambda: {name: self._field(model.fields[name], required=True) for name in model.key},
        )

    def filter(self, model: Model) -> GraphQLInputObjectType:
        name = f"Model{model.upper_name}FilterInput"
        return self._filter_input(name, model, (), {"id": "ID", **_TIMESTAMPS}, {})

    def condition(self, model: Model) -> GraphQLInputObjectType:
        name = f"Model{model.upper_name}ConditionInput"
        return self._filter_input(name, model, model.key, {}, _TIMESTAMPS)

    def sort_key(self, model: Model, index: Index) -> GraphQLInputObjectType:
        """Return the type of the argument for the sort key of *index*."""
        names = index.sort_fields
        if len(names) == 1:
            field = model.fields[names[0]]
            base = _BASES.get(field.type.name, "String")
            operators = _NUMBER_KEY if base in ("Int", "Float") else _TEXT_KEY
            return self._operators(f"Model{base}KeyConditionInput", operators, SCALARS[base])
        stem = f"Model{model.upper_name}{index.name[:1].upper()}{index.name[1:]}CompositeKey"
        value = self._get_or_make(
            f"{stem}Input",
            lambda: {name: self._field(model.fields[name], required=False) for name in names},
        )
        return self._operators(f"{stem}ConditionInput", _TEXT_KEY, value)

    def filters(self) -> list[GraphQLInputObjectType]:
        """Return the filter types of all scalars: a deployed schema has even the unused ones."""
        return [self._filter(base) for base in _FILTERS]

    def _get_or_make(self, name: str, fields: Callable[[], Fields]) -> GraphQLInputObjectType:
        if name not in self._types:
            # A callable, since types may refer to themselves or each other.
            self._types[name] = GraphQLInputObjectType(name, fields)
        return self._types[name]

    def _element(self, field: Field) -> GraphQLNamedInputType:
        kind, name = field.type.kind, field.type.name
        if kind == "scalar":
            return SCALARS[name]
        if kind == "enum":
            return self.enums[name]
        input_name = name if kind == "input" else f"{name}Input"
        definition = self._schema.inputs.get(input_name) or self._schema.custom_types[name]
        return self._get_or_make(
            input_name,
            lambda: {
                # Records can be read through a custom type, but not sent in one.
                entry.name: self._field(entry)
                for entry in definition.fields.values()
                if entry.type.kind != "model"
            },
        )

    def _field(self, field: Field, *, required: bool | None = None) -> GraphQLInputField:
        return GraphQLInputField(self.of_field(field, required=required))

    def _mutation_input(
        self, verb: str, model: Model, is_required: Callable[[Field], bool | None]
    ) -> GraphQLInputObjectType:
        return self._get_or_make(
            f"{verb}{model.upper_name}Input",
            lambda: {
                field.name: self._field(field, required=is_required(field))
                for field in model.fields.values()
                if field.association is None
                and field.type.kind != "model"
                and not field.is_read_only
            },
        )

    def _filter_input(
        self,
        name: str,
        model: Model,
        excluded: tuple[str, ...],
        leading: Mapping[str, str],
        trailing: Mapping[str, str],
    ) -> GraphQLInputObjectType:
        """Return a filter type with the fields of *model*, but not those *excluded*.

        *leading* and *trailing* fields, given with their stored types, come before and after the
        operators and, or, not.
        """

        def fields() -> Fields:
            own = self._get_or_make(name, fields)
            types: dict[str, GraphQLInputType] = {
                field.name: self._filter_of(field)
                for field in model.fields.values()
                if field.type.kind in ("scalar", "enum")
                and not field.is_read_only
                and field.name not in excluded
            }
            # A declared field keeps its position.
            for key, base in leading.items():
                types.setdefault(key, self._filter(base))
            types.update({"and": GraphQLList(own), "or": GraphQLList(own), "not": own})
            for key, base in {
                **trailing,
                **dict.fromkeys(model.access.owner_fields, "String"),
            }.items():
                types.setdefault(key, self._filter(base))
            return {key: GraphQLInputField(kind) for key, kind in types.items()}

        return self._get_or_make(name, fields)

    def _filter_of(self, field: Field) -> GraphQLInputObjectType:
        if field.type.kind == "scalar":
            return self._filter(_BASES.get(field.type.name, "String"))
        enum = self.enums[field.type.name]
        if not field.is_array:
            return self._operators(f"Model{enum.name}Input", ("eq", "ne"), enum)
        # From the source of the transformer (makeEnumFilterInput), without a deployed example.
        types = {"eq": GraphQLList(enum), "ne": GraphQLList(enum)}
        operators = (*types, "contains", "notContains")
        return self._operators(f"Model{enum.name}ListInput", operators, enum, types)

    def _filter(self, base: str) -> GraphQLInputObjectType:
        """Return the filter type of values with the stored type *base*."""
        types: dict[str, GraphQLInputType] = {
            "attributeExists": SCALARS["Boolean"],
            "attributeType": _ATTRIBUTE_TYPE,
            "size": self._operators("ModelSizeInput", _SIZE, SCALARS["Int"]),
        }
        return self._operators(f"Model{base}Input", _FILTERS[base], SCALARS[base], types)

    def _operators(
        self,
        name: str,
        operators: Iterable[str],
        operand: GraphQLInputType,
        others: Mapping[str, GraphQLInputType] = MappingProxyType({}),
    ) -> GraphQLInputObjectType:
        """Return the type *name*: its *operators* take an *operand*, or the type in *others*."""
        types = {"between": GraphQLList(operand), **others}
        return self._get_or_make(
            name, lambda: {each: GraphQLInputField(types.get(each, operand)) for each in operators}
        )
