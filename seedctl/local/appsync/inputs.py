"""Input types: of models and custom types, of filters and conditions, of sort keys."""

from __future__ import annotations

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
    from collections.abc import Callable, Mapping

    from graphql import GraphQLInputType, GraphQLNamedInputType

    from seedctl.local.appsync.introspection import Field, Introspection, Model

    Fields = dict[str, GraphQLInputField]

_ORDER = ("ne", "eq", "le", "lt", "ge", "gt")
_TEXT = ("contains", "notContains", "beginsWith")
_KEY_ORDER = ("eq", "le", "lt", "ge", "gt")
_TIMESTAMPS = ("createdAt", "updatedAt")
# The stored kind of a scalar, by which filters and key conditions go.
_BASES = {
    "ID": "ID",
    "Int": "Int",
    "AWSTimestamp": "Int",
    "Float": "Float",
    "Boolean": "Boolean",
}

ATTRIBUTE_TYPES = GraphQLEnumType(
    "ModelAttributeTypes",
    {
        name: name
        for name in (
            *("binary", "binarySet", "bool", "list", "map"),
            *("number", "numberSet", "string", "stringSet", "_null"),
        )
    },
)


class InputTypes:
    """Makes each input type once."""

    def __init__(self, introspection: Introspection) -> None:
        self._introspection = introspection
        self._made: dict[str, GraphQLInputObjectType] = {}
        self.enums = {
            name: GraphQLEnumType(name, {value: value for value in values})
            for name, values in introspection.enums.items()
        }

    def named(self, name: str, fields: Callable[[], Fields]) -> GraphQLInputObjectType:
        if name not in self._made:
            # The fields are made late, since types may hold themselves or each other.
            self._made[name] = GraphQLInputObjectType(name, fields)
        return self._made[name]

    def of_field(self, field: Field, *, required: bool | None = None) -> GraphQLInputType:
        """Return the type of *field*; *required* overrides what it says of itself."""
        element = self._element(field)
        if not field.is_list:
            is_required = field.is_required if required is None else required
            return GraphQLNonNull(element) if is_required else element
        wrapped: GraphQLList[Any] = GraphQLList(
            GraphQLNonNull(element) if field.is_required else element
        )
        is_required = field.is_list_required if required is None else required
        return GraphQLNonNull(wrapped) if is_required else wrapped

    def create(self, model: Model) -> GraphQLInputObjectType:
        def fields() -> Fields:
            return {
                field.name: self._field(
                    field, required=False if model.generates(field.name) else None
                )
                for field in _writable(model)
            }

        return self.named(f"Create{model.upper_name}Input", fields)

    def update(self, model: Model) -> GraphQLInputObjectType:
        def fields() -> Fields:
            return {
                field.name: self._field(field, required=field.name in model.key)
                for field in _writable(model)
            }

        return self.named(f"Update{model.upper_name}Input", fields)

    def delete(self, model: Model) -> GraphQLInputObjectType:
        def fields() -> Fields:
            return {name: self._field(model.fields[name], required=True) for name in model.key}

        return self.named(f"Delete{model.upper_name}Input", fields)

    def filter(self, model: Model) -> GraphQLInputObjectType:
        before = {"id": self._scalar("ID"), **self._stamps()}
        return self._expression(f"Model{model.upper_name}FilterInput", model, (), before, {})

    def condition(self, model: Model) -> GraphQLInputObjectType:
        name = f"Model{model.upper_name}ConditionInput"
        return self._expression(name, model, model.key, {}, self._stamps())

    def sort_key(
        self, model: Model, index_name: str, names: tuple[str, ...]
    ) -> GraphQLInputObjectType:
        """Return the type of the argument for the sort keys *names* of an index."""
        if len(names) == 1:
            field = model.fields[names[0]]
            base = _BASES.get(field.type_name, "String") if field.kind == "scalar" else "String"
            return self._single_key(base)
        return self._composite_key(model, index_name, names)

    def operators(self) -> list[GraphQLInputObjectType]:
        """Return the filter operators of all kinds: a deployed schema has them, used or not."""
        return [self._scalar(base) for base in ("ID", "String", "Int", "Float", "Boolean")]

    def _element(self, field: Field) -> GraphQLNamedInputType:
        if field.kind == "scalar":
            return SCALARS[field.type_name]
        if field.kind == "enum":
            return self.enums[field.type_name]
        name = field.type_name if field.kind == "input" else f"{field.type_name}Input"
        introspection = self._introspection
        entries = introspection.inputs.get(name) or introspection.custom_types[field.type_name]
        return self.named(
            name,
            lambda: {
                # A record is read through a custom type, and never sent with one.
                entry.name: self._field(entry)
                for entry in entries.values()
                if entry.kind != "model"
            },
        )

    def _field(self, field: Field, *, required: bool | None = None) -> GraphQLInputField:
        return GraphQLInputField(self.of_field(field, required=required))

    def _expression(
        self,
        name: str,
        model: Model,
        without: tuple[str, ...],
        before: Mapping[str, GraphQLInputObjectType],
        behind: Mapping[str, GraphQLInputObjectType],
    ) -> GraphQLInputObjectType:
        """Return the type for the fields of *model*, and those *before* and *behind* and, or, not."""

        def fields() -> Fields:
            own = self.named(name, fields)
            declared = {
                field.name: self._operators(field)
                for field in model.fields.values()
                if field.is_filterable and not field.is_read_only and field.name not in without
            }
            owners = {owner: self._scalar("String") for owner in model.owner_fields}
            operators: dict[str, GraphQLInputType] = {
                # A field that is declared stays where it is.
                **declared,
                **{key: kind for key, kind in before.items() if key not in declared},
                "and": GraphQLList(own),
                "or": GraphQLList(own),
                "not": own,
                **{key: kind for key, kind in {**behind, **owners}.items() if key not in declared},
            }
            return {key: GraphQLInputField(kind) for key, kind in operators.items()}

        return self.named(name, fields)

    def _stamps(self) -> dict[str, GraphQLInputObjectType]:
        return {name: self._scalar("String") for name in _TIMESTAMPS}

    def _operators(self, field: Field) -> GraphQLInputObjectType:
        if field.kind == "scalar":
            return self._scalar(_BASES.get(field.type_name, "String"))
        enum = self.enums[field.type_name]
        if field.is_list:
            # As the transformer has it (makeEnumFilterInput); no deployed example does.
            whole = GraphQLList(enum)
            types: dict[str, Any] = {
                "eq": whole,
                "ne": whole,
                "contains": enum,
                "notContains": enum,
            }
            return self.named(
                f"Model{enum.name}ListInput",
                lambda: {name: GraphQLInputField(kind) for name, kind in types.items()},
            )
        return self.named(
            f"Model{enum.name}Input",
            lambda: {name: GraphQLInputField(enum) for name in ("eq", "ne")},
        )

    def _scalar(self, base: str) -> GraphQLInputObjectType:
        """Return the filter operators of values stored as *base*."""
        scalar = SCALARS[base]

        def fields() -> Fields:
            names = _ORDER[:2] if base == "Boolean" else _ORDER
            found = {name: GraphQLInputField(scalar) for name in names}
            is_text = base in ("ID", "String")
            if is_text:
                found.update({name: GraphQLInputField(scalar) for name in _TEXT[:2]})
            if base != "Boolean":
                found["between"] = GraphQLInputField(GraphQLList(scalar))
            if is_text:
                found[_TEXT[2]] = GraphQLInputField(scalar)
            found["attributeExists"] = GraphQLInputField(SCALARS["Boolean"])
            found["attributeType"] = GraphQLInputField(ATTRIBUTE_TYPES)
            if is_text:
                found["size"] = GraphQLInputField(self.named("ModelSizeInput", sizes))
            return found

        def sizes() -> Fields:
            between = GraphQLInputField(GraphQLList(SCALARS["Int"]))
            found = {name: GraphQLInputField(SCALARS["Int"]) for name in _ORDER}
            return {**found, "between": between}

        return self.named(f"Model{base}Input", fields)

    def _single_key(self, base: str) -> GraphQLInputObjectType:
        scalar = SCALARS[base]

        def fields() -> Fields:
            found = {name: GraphQLInputField(scalar) for name in _KEY_ORDER}
            found["between"] = GraphQLInputField(GraphQLList(scalar))
            if base not in ("Int", "Float"):
                found["beginsWith"] = GraphQLInputField(scalar)
            return found

        return self.named(f"Model{base}KeyConditionInput", fields)

    def _composite_key(
        self, model: Model, index_name: str, names: tuple[str, ...]
    ) -> GraphQLInputObjectType:
        stem = f"Model{model.upper_name}{index_name[:1].upper()}{index_name[1:]}CompositeKey"
        value = self.named(
            f"{stem}Input",
            lambda: {name: self._field(model.fields[name], required=False) for name in names},
        )

        def fields() -> Fields:
            found = {name: GraphQLInputField(value) for name in _KEY_ORDER}
            found["between"] = GraphQLInputField(GraphQLList(value))
            return {**found, "beginsWith": GraphQLInputField(value)}

        return self.named(f"{stem}ConditionInput", fields)


def _writable(model: Model) -> list[Field]:
    return [
        field
        for field in model.fields.values()
        if field.association is None and field.kind != "model" and not field.is_read_only
    ]
