"""``model_introspection`` as frozen dataclasses: models, their keys, indexes, relations and rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HAS_MANY = "HAS_MANY"
BELONGS_TO = "BELONGS_TO"
_CLASSES = {"mutations": ("create", "update", "delete"), "queries": ("get", "list")}
_READS = frozenset({"get", "list"})


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
    def read(cls, document: Mapping[str, Any]) -> Introspection:
        models = {name: _model(entry) for name, entry in document["models"].items()}
        return cls(
            models={name: _with_relation_indexes(model, models) for name, model in models.items()},
            enums={name: tuple(entry["values"]) for name, entry in document["enums"].items()},
            custom_types={
                name: _fields(entry["fields"]) for name, entry in document["nonModels"].items()
            },
            # The fields of an input are under "attributes", unlike those of everything else.
            inputs={
                name: _fields(entry["attributes"])
                for name, entry in document.get("inputs", {}).items()
            },
            queries=_operations(document.get("queries", {})),
            mutations=_operations(document.get("mutations", {})),
        )


def _model(entry: Mapping[str, Any]) -> Model:
    keyed = [item["properties"] for item in entry["attributes"] if item["type"] == "key"]
    primary = next((item["fields"] for item in keyed if "name" not in item), None)
    key = entry["primaryKeyInfo"]
    fields = _fields(entry["fields"])
    return Model(
        name=entry["name"],
        plural=entry["pluralName"],
        fields=fields,
        key=tuple(primary or (key["primaryKeyFieldName"], *key["sortKeyFieldNames"])),
        has_custom_key=primary is not None,
        indexes=tuple(
            Index(item["name"], tuple(item["fields"]), item.get("queryField"))
            for item in keyed
            if "name" in item
        ),
        rules=tuple(
            _rule(rule)
            for item in entry["attributes"]
            if item["type"] == "auth"
            for rule in item["properties"]["rules"]
        ),
        operations=_enabled(entry["attributes"]),
    )


def _with_relation_indexes(model: Model, models: Mapping[str, Model]) -> Model:
    """Return *model* with the indexes on its foreign keys that related lists are read by."""
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


def _fields(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Field]:
    return {name: _field(entry) for name, entry in entries.items()}


def _field(entry: Mapping[str, Any]) -> Field:
    kind, type_name = "scalar", entry["type"]
    if isinstance(type_name, dict):
        ((kind, type_name),) = type_name.items()
    association = entry.get("association")
    return Field(
        name=entry["name"],
        type_name=type_name,
        kind=kind,
        is_list=entry["isArray"],
        is_required=entry["isRequired"],
        is_list_required=entry["isArray"] and not entry.get("isArrayNullable", True),
        is_read_only=entry.get("isReadOnly", False),
        association=_association(association) if association is not None else None,
    )


def _association(entry: Mapping[str, Any]) -> Association:
    kind = entry["connectionType"]
    keys = entry["targetNames" if kind == BELONGS_TO else "associatedWith"]
    return Association(kind, (keys,) if isinstance(keys, str) else tuple(keys))


def _operations(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Operation]:
    return {
        name: Operation(_field(entry), tuple(_fields(entry.get("arguments", {})).values()))
        for name, entry in entries.items()
    }


def _enabled(attributes: list[dict[str, Any]]) -> frozenset[str]:
    disabled: set[str] = set()
    for item in attributes:
        for group, members in _CLASSES.items():
            if item["type"] != "model" or group not in item["properties"]:
                continue
            chosen = item["properties"][group]
            disabled.update(name for name in members if chosen is None or name in chosen)
    return frozenset(name for members in _CLASSES.values() for name in members) - disabled


def _rule(entry: Mapping[str, Any]) -> Rule:
    allow = entry["allow"]
    default = {"public": "apiKey", "custom": "function"}.get(allow, "userPools")
    provider = entry.get("provider") or default
    operations = set(entry.get("operations") or ("create", "update", "delete", "read"))
    if "read" in operations:
        operations |= _READS
    groups = entry.get("groups")
    return Rule(
        allow=allow,
        provider="identityPool" if provider == "iam" else provider,
        operations=frozenset(operations),
        groups=tuple(groups) if groups is not None else None,
        groups_field=entry.get("groupsField", "groups" if allow == "groups" else None)
        if groups is None
        else None,
        group_claim=entry.get("groupClaim", "cognito:groups"),
        owner_field=entry.get("ownerField", "owner") if allow == "owner" else None,
        identity_claim=entry.get("identityClaim", "cognito:username"),
    )
