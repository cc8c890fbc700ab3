"""The models as they are deployed: what the outputs file says, and what the deployment adds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from seedctl.outputs import models as outputs

if TYPE_CHECKING:
    from collections.abc import Mapping

HAS_MANY = "HAS_MANY"
BELONGS_TO = "BELONGS_TO"
READS = frozenset({"get", "list"})
_OPERATIONS = READS | {"create", "update", "delete"}
# The types for which the API makes a value of its own, where a new item comes without one.
_GENERATED = {
    "id": ("ID", "String"),
    "createdAt": ("AWSDateTime", "String"),
    "updatedAt": ("AWSDateTime", "String"),
}
_DEFAULT_PROVIDERS = {"public": "apiKey", "custom": "function"}


@dataclass(frozen=True, slots=True)
class Index(outputs.Index):
    """The key of a table, or of one of its secondary indexes.

    The query field is None for the index behind a relation, and where the schema turns the query
    off.
    """

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
    fields: Mapping[str, outputs.Field]
    key: tuple[str, ...]
    has_custom_key: bool
    indexes: tuple[Index, ...]
    rules: tuple[Rule, ...]
    operations: frozenset[str]
    """What is not disabled, of create, update, delete, get and list."""

    @property
    def table(self) -> Index:
        """The primary key."""
        return Index("Primary", None, self.key)

    @property
    def upper_name(self) -> str:
        return self.name[0].upper() + self.name[1:]

    def generates(self, name: str) -> bool:
        """Whether the API fills *name* where nothing is given: an id, or the time."""
        field = self.fields.get(name)
        types = _GENERATED.get(name, ())
        return field is not None and not field.is_array and field.type.name in types

    @property
    def owner_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.owner_field for rule in self.rules if rule.owner_field))


def deployed_models(schema: outputs.Introspection) -> dict[str, Model]:
    """Return the models of *schema* by their names, with the indexes that relations are read by."""
    models = {name: _model(model) for name, model in schema.models.items()}
    return {name: _with_relation_indexes(model, models) for name, model in models.items()}


def foreign_key(field: outputs.Field) -> tuple[str, ...]:
    """Return the foreign key of a relation: of this model for BELONGS_TO, else of the related one."""
    association = field.association
    if association is None:
        return ()
    if association.connection_type == BELONGS_TO:
        return association.target_names
    return association.associated_with


def index_of_relation(owner: Model, field: outputs.Field, models: Mapping[str, Model]) -> Index:
    """Return the related model's index by which the items of *field* are found."""
    keys = foreign_key(field)
    related = models[field.type.name].fields.get(keys[0]) if keys else None
    if related is not None and related.association is not None:
        # Gen 1 style: it names the relation field on the other side.
        keys = foreign_key(related)
    name = f"gsi-{owner.name}.{field.name}"
    return Index(name, None, keys[: len(owner.key)], is_relation=True)


def _model(model: outputs.Model) -> Model:
    return Model(
        name=model.name,
        plural=model.plural_name,
        fields=model.fields if model.is_key_declared else _as_deployed(model.fields),
        key=model.primary_key,
        has_custom_key=model.is_key_declared,
        indexes=tuple(
            Index(index.name, index.query_field, index.fields) for index in model.secondary_indexes
        ),
        rules=tuple(map(_rule, model.rules)),
        operations=_OPERATIONS - model.disabled,
    )


def _as_deployed(fields: Mapping[str, outputs.Field]) -> Mapping[str, outputs.Field]:
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
        if field.type.name == model.name
        and field.association is not None
        and field.association.connection_type != BELONGS_TO
    )
    return replace(model, indexes=(*model.indexes, *relations))


def _rule(rule: outputs.Rule) -> Rule:
    provider = rule.provider or _DEFAULT_PROVIDERS.get(rule.allow, "userPools")
    operations = _OPERATIONS if rule.operations is None else frozenset(rule.operations)
    by_field = rule.allow == "groups" and rule.groups is None
    return Rule(
        allow=rule.allow,
        provider="identityPool" if provider == "iam" else provider,
        operations=operations | READS if "read" in operations else operations,
        groups=rule.groups,
        groups_field=(rule.groups_field or "groups") if by_field else None,
        group_claim=rule.group_claim or "cognito:groups",
        owner_field=(rule.owner_field or "owner") if rule.allow == "owner" else None,
        identity_claim=rule.identity_claim or "cognito:username",
    )
