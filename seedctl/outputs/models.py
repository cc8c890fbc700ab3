"""The schema of a backend's API as dataclasses: models, custom types, operations, rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

TypeKind = Literal["scalar", "enum", "nonModel", "model", "input"]
ConnectionType = Literal["HAS_MANY", "HAS_ONE", "BELONGS_TO"]
OwnerKind = Literal["owner", "group"]


@dataclass(frozen=True, slots=True)
class TypeName:
    """The type of a field or argument."""

    kind: TypeKind
    name: str


@dataclass(frozen=True, slots=True)
class Association:
    """How a field relates its model to another one."""

    connection_type: ConnectionType
    associated_with: tuple[str, ...]
    """For HAS_MANY and HAS_ONE: the related model's foreign key, in the order of this model's key."""
    target_names: tuple[str, ...]
    """For BELONGS_TO: this model's foreign key, in the order of the related model's key."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a model or custom type, or an argument of an operation."""

    name: str
    type: TypeName
    is_array: bool
    is_required: bool
    """For a list: whether its elements are required."""
    is_array_nullable: bool
    is_read_only: bool
    association: Association | None

    @property
    def must_be_given(self) -> bool:
        return not self.is_array_nullable if self.is_array else self.is_required

    @property
    def is_single_value(self) -> bool:
        """Whether the field holds one scalar or enum value, as the fields of a key must."""
        return self.type.kind in ("scalar", "enum") and not self.is_array


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index of a model."""

    name: str
    query_field: str | None
    """None if the API has no query for this index."""
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
    """A model of the API: a type whose records are stored in a table."""

    name: str
    plural_name: str
    fields: Mapping[str, Field] = field(repr=False)
    primary_key: tuple[str, ...]
    is_custom_key: bool
    """Whether the key is something else than a generated ``id``."""
    is_key_declared: bool
    """Whether the schema declares the key, even as ``id``: then list takes key arguments."""
    secondary_indexes: tuple[Index, ...]
    disabled: frozenset[str]
    """What the API lacks, out of create, get, list, update, delete, and all ``subscriptions``."""
    rules: tuple[Rule, ...]

    @cached_property
    def indexes(self) -> Mapping[str, Index]:
        """The indexes that have a query, by the name of the query."""
        return {
            index.query_field: index
            for index in self.secondary_indexes
            if index.query_field is not None
        }

    @cached_property
    def owner_fields(self) -> Mapping[str, OwnerKind]:
        """The fields that the auth rules read owners or groups from, declared in the schema or not."""
        names: dict[str, OwnerKind] = {}
        for rule in self.rules:
            if rule.allow == "owner":
                names[rule.owner_field or "owner"] = "owner"
            elif rule.allow == "groups" and rule.groups_field is not None:
                names[rule.groups_field] = "group"
        return names

    @cached_property
    def implied_fields(self) -> tuple[str, ...]:
        """The owner fields that the API adds because the schema does not declare them."""
        return tuple(name for name in self.owner_fields if name not in self.fields)


@dataclass(frozen=True, slots=True)
class CustomType:
    """A non-model type, or an input type."""

    name: str
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class OperationSignature:
    """The name, result and arguments of a custom query or mutation."""

    name: str
    result: Field
    arguments: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Introspection:
    """The whole schema."""

    models: Mapping[str, Model]
    enums: Mapping[str, tuple[str, ...]]
    custom_types: Mapping[str, CustomType]
    inputs: Mapping[str, CustomType]
    queries: Mapping[str, OperationSignature]
    mutations: Mapping[str, OperationSignature]

    def fields_of(self, type_name: TypeName) -> Mapping[str, Field]:
        """Return the fields of a custom type or input type."""
        kinds = self.inputs if type_name.kind == "input" else self.custom_types
        return kinds[type_name.name].fields


NO_SCHEMA = Introspection({}, {}, {}, {}, {}, {})
