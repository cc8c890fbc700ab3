"""Input types: of models and custom types, of filters and conditions, of sort keys."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
)

from seedctl.local.appsync.scalars import SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphql import GraphQLInputType, GraphQLNamedInputType

    from seedctl.local.appsync.introspection import Index, Model
    from seedctl.outputs.models import Field, Introspection

    Fields = dict[str, GraphQLInputField]

_TIMESTAMPS = {"createdAt": "String", "updatedAt": "String"}
# The stored kind of a scalar, by which filters and key conditions go; String for all others.
_BASES = {"ID": "ID", "Int": "Int", "AWSTimestamp": "Int", "Float": "Float", "Boolean": "Boolean"}
# The operators of filters by stored kind, and those of sort keys, in the deployed order.
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
    """Makes each input type once."""

    def __init__(self, schema: Introspection) -> None:
        self._schema = schema
        self._made: dict[str, GraphQLInputObjectType] = {}
        self.enums = {
            name: GraphQLEnumType(name, {value: value for value in values})
            for name, values in schema.enums.items()
        }

    def of_field(self, field: Field, *, required: bool | None = None) -> GraphQLInputType:
        """Return the type of *field*; *required* overrides what it says of itself."""
        type_: Any = self._element(field)
        if field.is_array:
            type_ = GraphQLList(GraphQLNonNull(type_) if field.is_required else type_)
        is_required = field.must_be_given if required is None else required
        return GraphQLNonNull(type_) if is_required else type_

    def create(self, model: Model) -> GraphQLInputObjectType:
        return self._written(
            "Create", model, lambda field: False if model.generates(field.name) else None
        )

    def update(self, model: Model) -> GraphQLInputObjectType:
        return self._written("Update", model, lambda field: field.name in model.key)

    def delete(self, model: Model) -> GraphQLInputObjectType:
        return self._named(
            f"Delete{model.upper_name}Input",
            lambda: {name: self._field(model.fields[name], required=True) for name in model.key},
        )

    def filter(self, model: Model) -> GraphQLInputObjectType:
        name = f"Model{model.upper_name}FilterInput"
        return self._expression(name, model, (), {"id": "ID", **_TIMESTAMPS}, {})

    def condition(self, model: Model) -> GraphQLInputObjectType:
        name = f"Model{model.upper_name}ConditionInput"
        return self._expression(name, model, model.key, {}, _TIMESTAMPS)

    def sort_key(self, model: Model, index: Index) -> GraphQLInputObjectType:
        """Return the type of the argument for the sort key of *index*."""
        names = index.sort_fields
        if len(names) == 1:
            field = model.fields[names[0]]
            base = _BASES.get(field.type.name, "String")
            operators = _NUMBER_KEY if base in ("Int", "Float") else _TEXT_KEY
            return self._operators(f"Model{base}KeyConditionInput", operators, SCALARS[base])
        stem = f"Model{model.upper_name}{index.name[:1].upper()}{index.name[1:]}CompositeKey"
        value = self._named(
            f"{stem}Input",
            lambda: {name: self._field(model.fields[name], required=False) for name in names},
        )
        return self._operators(f"{stem}ConditionInput", _TEXT_KEY, value)

    def filters(self) -> list[GraphQLInputObjectType]:
        """Return the filter operators of all kinds: a deployed schema has them, used or not."""
        return [self._filter(base) for base in _FILTERS]

    def _named(self, name: str, fields: Callable[[], Fields]) -> GraphQLInputObjectType:
        if name not in self._made:
            # The fields are made late, since types may hold themselves or each other.
            self._made[name] = GraphQLInputObjectType(name, fields)
        return self._made[name]

    def _element(self, field: Field) -> GraphQLNamedInputType:
        kind, name = field.type.kind, field.type.name
        if kind == "scalar":
            return SCALARS[name]
        if kind == "enum":
            return self.enums[name]
        input_name = name if kind == "input" else f"{name}Input"
        made_of = self._schema.inputs.get(input_name) or self._schema.custom_types[name]
        return self._named(
            input_name,
            lambda: {
                # A record is read through a custom type, and never sent with one.
                entry.name: self._field(entry)
                for entry in made_of.fields.values()
                if entry.type.kind != "model"
            },
        )

    def _field(self, field: Field, *, required: bool | None = None) -> GraphQLInputField:
        return GraphQLInputField(self.of_field(field, required=required))

    def _written(
        self, verb: str, model: Model, is_required: Callable[[Field], bool | None]
    ) -> GraphQLInputObjectType:
        return self._named(
            f"{verb}{model.upper_name}Input",
            lambda: {
                field.name: self._field(field, required=is_required(field))
                for field in model.fields.values()
                if field.association is None
                and field.type.kind != "model"
                and not field.is_read_only
            },
        )

    def _expression(
        self,
        name: str,
        model: Model,
        without: tuple[str, ...],
        before: Mapping[str, str],
        behind: Mapping[str, str],
    ) -> GraphQLInputObjectType:
        """Return the type for the fields of *model*, and those *before* and *behind* and, or, not.

        Of the latter two the stored kinds are given.
        """

        def fields() -> Fields:
            own = self._named(name, fields)
            types: dict[str, GraphQLInputType] = {
                field.name: self._filter_of(field)
                for field in model.fields.values()
                if field.type.kind in ("scalar", "enum")
                and not field.is_read_only
                and field.name not in without
            }
            # A field that is declared stays where it is.
            for key, base in before.items():
                types.setdefault(key, self._filter(base))
            types.update({"and": GraphQLList(own), "or": GraphQLList(own), "not": own})
            for key, base in {**behind, **dict.fromkeys(model.owner_fields, "String")}.items():
                types.setdefault(key, self._filter(base))
            return {key: GraphQLInputField(kind) for key, kind in types.items()}

        return self._named(name, fields)

    def _filter_of(self, field: Field) -> GraphQLInputObjectType:
        if field.type.kind == "scalar":
            return self._filter(_BASES.get(field.type.name, "String"))
        enum = self.enums[field.type.name]
        if not field.is_array:
            return self._operators(f"Model{enum.name}Input", ("eq", "ne"), enum)
        # As the transformer has it (makeEnumFilterInput); no deployed example does.
        types = {"eq": GraphQLList(enum), "ne": GraphQLList(enum)}
        operators = (*types, "contains", "notContains")
        return self._operators(f"Model{enum.name}ListInput", operators, enum, types)

    def _filter(self, base: str) -> GraphQLInputObjectType:
        """Return the filter operators of values stored as *base*."""
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
        """Return the type *name*, whose *operators* take an *operand* but for some *others*."""
        types = {"between": GraphQLList(operand), **others}
        return self._named(
            name, lambda: {each: GraphQLInputField(types.get(each, operand)) for each in operators}
        )
