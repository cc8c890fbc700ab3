"""The schema of a backend's API as frozen dataclasses: models, custom types, operations, rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

TypeKind = Literal["scalar", "enum", "nonModel", "model", "input"]
ConnectionType = Literal["HAS_MANY", "HAS_ONE", "BELONGS_TO"]
OwnerKind = Literal["owner", "group"]


@dataclass(frozen=True, slots=True)
class TypeName:
    kind: TypeKind
    name: str


@dataclass(frozen=True, slots=True)
class Association:
    connection_type: ConnectionType
    associated_with: tuple[str, ...]
    """Of HAS_MANY and HAS_ONE: the child's foreign key, in the order of this model's key."""
    target_names: tuple[str, ...]
    """Of BELONGS_TO: this model's foreign key, in the order of the related model's key."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model or custom type, or an argument of an operation."""

    name: str
    type: TypeName
    is_array: bool
    is_required: bool
    """Of a list: whether its elements are."""
    is_array_nullable: bool
    is_read_only: bool
    association: Association | None

    @property
    def must_be_given(self) -> bool:
        return not self.is_array_nullable if self.is_array else self.is_required

    @property
    def is_single_value(self) -> bool:
        """Whether it holds one scalar or enum value, as the fields of a key do."""
        return self.type.kind in ("scalar", "enum") and not self.is_array


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    query_field: str | None
    """None for an index that the API has no query for."""
    fields: tuple[str, ...]
    """The partition key, then the sort keys."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An authorization rule of a model. None means that the file does not say."""

    allow: str
    provider: str | None
    operations: tuple[str, ...] | None
    groups: tuple[str, ...] | None
    groups_field: str | None
    group_claim: str | None
    owner_field: str | None
    identity_claim: str | None


@dataclass(frozen=True)
class Model:
    name: str
    plural_name: str
    fields: Mapping[str, Field] = field(repr=False)
    primary_key: tuple[str, ...]
    is_custom_key: bool
    """Whether the key is another one than a generated ``id``."""
    is_key_declared: bool
    """Whether the schema names the key, be it ``id``: its list then takes key arguments."""
    secondary_indexes: tuple[Index, ...]
    disabled: frozenset[str]
    """Of create, get, list, update and delete, those that the schema leaves out."""
    rules: tuple[Rule, ...]

    @cached_property
    def indexes(self) -> Mapping[str, Index]:
        """The indexes that can be queried, by query field."""
        return {
            index.query_field: index
            for index in self.secondary_indexes
            if index.query_field is not None
        }

    @cached_property
    def owner_fields(self) -> Mapping[str, OwnerKind]:
        """The fields that hold owners or groups for the auth rules, declared or not."""
        names: dict[str, OwnerKind] = {}
        for rule in self.rules:
            if rule.allow == "owner":
                names[rule.owner_field or "owner"] = "owner"
            elif rule.allow == "groups" and rule.groups_field is not None:
                names[rule.groups_field] = "group"
        return names

    @cached_property
    def implied_fields(self) -> tuple[str, ...]:
        """The owner fields that the API adds, since the schema does not declare them."""
        return tuple(name for name in self.owner_fields if name not in self.fields)


@dataclass(frozen=True, slots=True)
class CustomType:
    """A non-model type, or an input type."""

    name: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Operation:
    """A custom query or mutation."""

    name: str
    result: Field
    arguments: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Introspection:
    models: Mapping[str, Model]
    enums: Mapping[str, tuple[str, ...]]
    custom_types: Mapping[str, CustomType]
    inputs: Mapping[str, CustomType]
    queries: Mapping[str, Operation]
    mutations: Mapping[str, Operation]

    def fields_of(self, type_name: TypeName) -> Mapping[str, Field]:
        """Return the fields of a custom type or input type."""
        kinds = self.inputs if type_name.kind == "input" else self.custom_types
        return kinds[type_name.name].fields


NO_SCHEMA = Introspection({}, {}, {}, {}, {}, {})
