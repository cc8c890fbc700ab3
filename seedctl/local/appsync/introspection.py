"""The models as they are deployed: those of the outputs file, completed as the deployment does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from seedctl.local.appsync.access import Access
from seedctl.outputs import models as outputs

if TYPE_CHECKING:
    from seedctl.outputs.model_schema import ModelSource, ModelSources
    from seedctl.outputs.validators import Validator

HAS_MANY = "HAS_MANY"
BELONGS_TO = "BELONGS_TO"
_OPERATIONS = frozenset({"create", "update", "delete", "get", "list"})
# The types for which the API generates a value if a new item has none.
_GENERATED = {
    "id": ("ID", "String"),
    "createdAt": ("AWSDateTime", "String"),
    "updatedAt": ("AWSDateTime", "String"),
}
# The introspection has a claim in every owner rule, this one if the schema declares none.
_UNDECLARED_CLAIMS = ("cognito:username", "username")
_NO_SOURCES: ModelSources = MappingProxyType({})


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
class Model:
    name: str
    plural: str
    fields: Mapping[str, outputs.Field]
    key: tuple[str, ...]
    has_custom_key: bool
    indexes: tuple[Index, ...]
    access: Access
    operations: frozenset[str]
    """Those of create, update, delete, get and list that are not disabled."""
    has_subscriptions: bool
    defaults: Mapping[str, Any]
    """The values that a create puts into an input without them, by field."""
    validators: Mapping[str, tuple[Validator, ...]]
    """What creates and updates check, by field in the order of the checks."""

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


def deployed_models(
    schema: outputs.Introspection, sources: ModelSources = _NO_SOURCES
) -> dict[str, Model]:
    """Return the models of *schema* by name, with the indexes of their relations.

    *sources* are the models as their source declares them, if the outputs file has it: only the
    source has defaults, validators and the rules of fields.
    """
    models = {
        name: _model(model, schema.models, sources.get(name))
        for name, model in schema.models.items()
    }
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


def _model(
    model: outputs.Model, models: Mapping[str, outputs.Model], source: ModelSource | None
) -> Model:
    indexes = tuple(
        Index(index.name, index.query_field, index.fields) for index in model.secondary_indexes
    )
    sort_keys = (model.primary_key[1:], *(index.sort_fields for index in indexes))
    return Model(
        name=model.name,
        plural=model.plural_name,
        fields=model.fields if model.is_key_declared else _in_deployed_order(model.fields),
        key=model.primary_key,
        has_custom_key=model.is_key_declared,
        indexes=indexes,
        access=Access(
            fields=source.fields if source is not None else tuple(model.fields),
            key=model.primary_key[0],
            composites=[fields for fields in sort_keys if len(fields) > 1],
            inferred=_inferred_foreign_keys(model, models),
            rules=map(_declared, model.rules) if source is None else source.rules,
            field_rules={} if source is None else source.field_rules,
        ),
        operations=_OPERATIONS - model.disabled,
        has_subscriptions="subscriptions" not in model.disabled,
        defaults={} if source is None else source.defaults,
        validators=_validators(model, source),
    )


def _validators(
    model: outputs.Model, source: ModelSource | None
) -> Mapping[str, tuple[Validator, ...]]:
    # The deployment misses the mutations of a model whose name begins with a small letter.
    if source is None or model.name[0].islower():
        return {}
    return source.validators


def _inferred_foreign_keys(
    model: outputs.Model, models: Mapping[str, outputs.Model]
) -> Iterator[str]:
    """Yield the names of *model*'s foreign keys if the schema did not declare them.

    It does, but the deployment lets everybody write fields with these names.
    """
    for other in models.values():
        for field in _relations(other, model, HAS_MANY):
            yield from (_camel_case(other.name, field.name, key) for key in other.primary_key)
    for other in models.values():
        kinds = ("HAS_ONE", BELONGS_TO) if _relations(other, model, "HAS_ONE") else ("HAS_ONE",)
        for field in _relations(model, other, *kinds):
            for key in (other.primary_key[0], *model.primary_key[1:]):
                yield _camel_case(model.name, field.name, key)


def _relations(owner: outputs.Model, related: outputs.Model, *kinds: str) -> list[outputs.Field]:
    return [
        field
        for field in owner.fields.values()
        if field.type.name == related.name
        and field.association is not None
        and field.association.connection_type in kinds
    ]


def _camel_case(*words: str) -> str:
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    return joined[:1].lower() + joined[1:]


def _declared(rule: outputs.Rule) -> outputs.Rule:
    return replace(rule, identity_claim=None) if rule.identity_claim in _UNDECLARED_CLAIMS else rule


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
