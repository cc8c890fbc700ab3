"""The schema as it is deployed: what the outputs file says, with what the deployment adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seedctl.outputs import models as outputs

HAS_MANY = "HAS_MANY"
BELONGS_TO = "BELONGS_TO"
_OPERATIONS = frozenset({"create", "update", "delete", "get", "list"})
_READS = frozenset({"get", "list"})
# The types for which the API makes a value of its own, where a new item comes without one.
_GENERATED = {
    "id": ("ID", "String"),
    "createdAt": ("AWSDateTime", "String"),
    "updatedAt": ("AWSDateTime", "String"),
}
_DEFAULT_PROVIDERS = {"public": "apiKey", "custom": "function"}


@dataclass(frozen=True, slots=True)
class Association:
    kind: str
    keys: tuple[str, ...]
    """The foreign key: fields of this model for BELONGS_TO, of the related one otherwise."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type_name: str
    kind: str
    """``scalar``, ``enum``, ``nonModel``, ``model`` or ``input``."""
    is_list: bool
    is_required: bool
    """About the element, where this is a list."""
    is_list_required: bool
    is_read_only: bool
    association: Association | None

    @property
    def is_filterable(self) -> bool:
        return self.kind in ("scalar", "enum")


@dataclass(frozen=True, slots=True)
class Index:
    """The key of a table, or of one of its secondary indexes."""

    name: str
    fields: tuple[str, ...]
    """Partition key, then the fields of the sort key."""
    query_field: str | None = None
    """None for the index behind a relation, and where the schema turns the query off."""
    is_relation: bool = False

    @property
    def partition_key(self) -> str:
        return self.fields[0]

    @property
    def sort_fields(self) -> tuple[str, ...]:
        return self.fields[1:]

    @property
    def sort_key(self) -> str | None:
        """The attribute that items are sorted by: several fields are joined into one."""
        return "#".join(self.sort_fields) or None

    @property
    def attributes(self) -> tuple[str, ...]:
        """The key attributes, one or two."""
        return (self.partition_key,) if self.sort_key is None else (self.fields[0], self.sort_key)


@dataclass(frozen=True, slots=True)
class Rule:
    allow: str
    provider: str
    operations: frozenset[str]
    groups: tuple[str, ...] | None
    groups_field: str | None
    group_claim: str
    owner_field: str | None
    identity_claim: str

    @property
    def is_static(self) -> bool:
        """Whether it can be decided without an item."""
        return self.owner_field is None and self.groups_field is None


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    plural: str
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    has_custom_key: bool
    indexes: tuple[Index, ...]
    rules: tuple[Rule, ...]
    operations: frozenset[str]
    """What is not disabled, of create, update, delete, get and list."""

    @property
    def table(self) -> Index:
        """The primary key."""
        return Index("Primary", self.key)

    @property
    def upper_name(self) -> str:
        return self.name[0].upper() + self.name[1:]

    @property
    def upper_plural(self) -> str:
        return self.plural[0].upper() + self.plural[1:]

    def generates(self, name: str) -> bool:
        """Whether the API fills *name* where nothing is given: an id, or the time."""
        field = self.fields.get(name)
        types = _GENERATED.get(name, ())
        return field is not None and not field.is_list and field.type_name in types

    @property
    def owner_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.owner_field for rule in self.rules if rule.owner_field))

    @property
    def implied_owner_fields(self) -> tuple[str, ...]:
        """Owner fields that the type has though the schema does not declare them."""
        return tuple(name for name in self.owner_fields if name not in self.fields)


@dataclass(frozen=True, slots=True)
class Operation:
    """A custom query or mutation."""

    result: Field
    arguments: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Introspection:
    models: Mapping[str, Model]
    enums: Mapping[str, tuple[str, ...]]
    custom_types: Mapping[str, Mapping[str, Field]]
    inputs: Mapping[str, Mapping[str, Field]]
    queries: Mapping[str, Operation]
    mutations: Mapping[str, Operation]

    @classmethod
    def deployed(cls, schema: outputs.Introspection) -> Introspection:
        models = {name: _model(model) for name, model in schema.models.items()}
        return cls(
            models={name: _with_relation_indexes(model, models) for name, model in models.items()},
            enums=schema.enums,
            custom_types={name: _fields(some.fields) for name, some in schema.custom_types.items()},
            inputs={name: _fields(some.fields) for name, some in schema.inputs.items()},
            queries=_operations(schema.queries),
            mutations=_operations(schema.mutations),
        )


def _model(model: outputs.Model) -> Model:
    fields = _fields(model.fields)
    return Model(
        name=model.name,
        plural=model.plural_name,
        fields=fields if model.is_key_declared else _as_deployed(fields),
        key=model.primary_key,
        has_custom_key=model.is_key_declared,
        indexes=tuple(
            Index(index.name, index.fields, index.query_field) for index in model.secondary_indexes
        ),
        rules=tuple(map(_rule, model.rules)),
        operations=_OPERATIONS - model.disabled,
    )


def _as_deployed(fields: dict[str, Field]) -> dict[str, Field]:
    """Return *fields* with an implied ``id`` behind those that are declared, as it is deployed.

    An ``id`` that is not the first one is declared.
    """
    if next(iter(fields), None) != "id":
        return fields
    declared = {
        name: field for name, field in fields.items() if name != "id" and not field.is_read_only
    }
    return {**declared, "id": fields["id"], **fields}


def _with_relation_indexes(model: Model, models: Mapping[str, Model]) -> Model:
    """Return *model* with the indexes on its foreign keys that relations are read by."""
    relations = tuple(
        index_of_relation(other, field, models)
        for other in models.values()
        for field in other.fields.values()
        if field.type_name == model.name
        and field.association is not None
        and field.association.kind != BELONGS_TO
    )
    return replace(model, indexes=(*model.indexes, *relations))


def index_of_relation(owner: Model, field: Field, models: Mapping[str, Model]) -> Index:
    """Return the related model's index by which the items of *field* are found."""
    assert field.association is not None
    keys = field.association.keys
    related = models[field.type_name].fields.get(keys[0]) if keys else None
    if related is not None and related.association is not None:
        # Gen 1 style: it names the relation field on the other side.
        keys = related.association.keys
    return Index(f"gsi-{owner.name}.{field.name}", keys[: len(owner.key)], is_relation=True)


def _fields(fields: Mapping[str, outputs.Field]) -> dict[str, Field]:
    return {name: _field(field) for name, field in fields.items()}


def _field(field: outputs.Field) -> Field:
    return Field(
        name=field.name,
        type_name=field.type.name,
        kind=field.type.kind,
        is_list=field.is_array,
        is_required=field.is_required,
        is_list_required=field.is_array and not field.is_array_nullable,
        is_read_only=field.is_read_only,
        association=_association(field.association) if field.association is not None else None,
    )


def _association(association: outputs.Association) -> Association:
    kind = association.connection_type
    keys = association.target_names if kind == BELONGS_TO else association.associated_with
    return Association(kind, keys)


def _operations(operations: Mapping[str, outputs.OperationSignature]) -> dict[str, Operation]:
    return {
        name: Operation(_field(each.result), tuple(_fields(each.arguments).values()))
        for name, each in operations.items()
    }


def _rule(rule: outputs.Rule) -> Rule:
    provider = rule.provider or _DEFAULT_PROVIDERS.get(rule.allow, "userPools")
    by_field = rule.allow == "groups" and rule.groups is None
    return Rule(
        allow=rule.allow,
        provider="identityPool" if provider == "iam" else provider,
        operations=_rule_operations(rule.operations),
        groups=rule.groups,
        groups_field=(rule.groups_field or "groups") if by_field else None,
        group_claim=rule.group_claim or "cognito:groups",
        owner_field=(rule.owner_field or "owner") if rule.allow == "owner" else None,
        identity_claim=rule.identity_claim or "cognito:username",
    )


def _rule_operations(said: Iterable[str] | None) -> frozenset[str]:
    if said is None:
        return _OPERATIONS
    operations = frozenset(said)
    return operations | _READS if "read" in operations else operations
