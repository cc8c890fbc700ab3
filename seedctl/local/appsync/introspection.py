"""The models as they are deployed: those of the outputs file, completed as the deployment does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from seedctl.outputs import models as outputs

HAS_MANY = "HAS_MANY"
BELONGS_TO = "BELONGS_TO"
READS = frozenset({"get", "list"})
_OPERATIONS = READS | {"create", "update", "delete"}
# The types for which the API generates a value if a new item has none.
_GENERATED = {
    "id": ("ID", "String"),
    "createdAt": ("AWSDateTime", "String"),
    "updatedAt": ("AWSDateTime", "String"),
}
_DEFAULT_PROVIDERS = {"public": "apiKey", "custom": "function"}


@dataclass(frozen=True, slots=True)
class Index(outputs.Index):
    """The key of a table, or of one of its secondary indexes.

    The query field is None for the index of a relation, and if the schema disables the query.
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
        """The attribute that sorts the items; the values of several fields are joined into one."""
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
        """Whether the rule can be decided without an item."""
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
    """Those of create, update, delete, get and list that are not disabled."""

    @property
    def table(self) -> Index:
        """The primary key."""
        return Index("Primary", None, self.key)

    @property
    def upper_name(self) -> str:
        return self.name[0].upper() + self.name[1:]

    def generates(self, name: str) -> bool:
        """Whether the API generates a missing value of *name*: an id or the time."""
        field = self.fields.get(name)
        types = _GENERATED.get(name, ())
        return field is not None and not field.is_array and field.type.name in types

    @property
    def owner_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rule.owner_field for rule in self.rules if rule.owner_field))


def deployed_models(schema: outputs.Introspection) -> dict[str, Model]:
    """Return the models of *schema* by name, with the indexes of their relations."""
    models = {name: _model(model) for name, model in schema.models.items()}
    return {name: _with_relation_indexes(model, models) for name, model in models.items()}


def foreign_key(field: outputs.Field) -> tuple[str, ...]:
    """Return the foreign key of a relation.

    For BELONGS_TO its fields are in this model, else in the related one.
    """
    association = field.association
    if association is None:
        return ()
    if association.connection_type == BELONGS_TO:
        return association.target_names
    return association.associated_with


def index_of_relation(owner: Model, field: outputs.Field, models: Mapping[str, Model]) -> Index:
    """Return the index of the related model that finds the items of *field*."""
    keys = foreign_key(field)
    related = models[field.type.name].fields.get(keys[0]) if keys else None
    if related is not None and related.association is not None:
        # Gen 1 style: the key is the relation field of the other model.
        keys = foreign_key(related)
    name = f"gsi-{owner.name}.{field.name}"
    return Index(name, None, keys[: len(owner.key)], is_relation=True)


def _model(model: outputs.Model) -> Model:
    return Model(
        name=model.name,
        plural=model.plural_name,
        fields=model.fields if model.is_key_declared else _in_deployed_order(model.fields),
        key=model.primary_key,
        has_custom_key=model.is_key_declared,
        indexes=tuple(
            Index(index.name, index.query_field, index.fields) for index in model.secondary_indexes
        ),
        rules=tuple(map(_rule, model.rules)),
        operations=_OPERATIONS - model.disabled,
    )


def _in_deployed_order(fields: Mapping[str, outputs.Field]) -> Mapping[str, outputs.Field]:
    """Return *fields* in the deployed order, with an implicit ``id`` after the declared fields.

    An implicit ``id`` is the first field; in any other position it is declared.
    """
    if next(iter(fields), None) != "id":
        return fields
    declared = {
        name: field for name, field in fields.items() if name != "id" and not field.is_read_only
    }
    return {**declared, "id": fields["id"], **fields}


def _with_relation_indexes(model: Model, models: Mapping[str, Model]) -> Model:
    """Return *model* with the indexes on its foreign keys, which read the relations."""
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
