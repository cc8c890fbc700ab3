"""The schema as ``model_introspection`` in the outputs file tells it, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from seedctl.project.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TypeKind = Literal["scalar", "enum", "nonModel", "model", "input"]
ConnectionType = Literal["HAS_MANY", "HAS_ONE", "BELONGS_TO"]
OwnerKind = Literal["owner", "group"]

_Entry = TypeVar("_Entry")

_CLASSES = {
    "queries": ("get", "list"),
    "mutations": ("create", "update", "delete"),
}


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


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    query_field: str
    fields: tuple[str, ...]
    """The partition key, then the sort keys."""


@dataclass(frozen=True)
class Model:
    name: str
    plural_name: str
    fields: Mapping[str, Field] = field(repr=False)
    primary_key: tuple[str, ...]
    is_custom_key: bool
    indexes: Mapping[str, Index]
    """By query field."""
    disabled: frozenset[str]
    """Of create, get, list, update and delete, those that the schema leaves out."""
    owner_fields: Mapping[str, OwnerKind]
    """The fields that hold owners or groups for the auth rules, declared or not."""

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


def parse_introspection(document: Any, path: Path) -> Introspection:
    """Return the schema in *document*, which is ``data.model_introspection`` of the file *path*.

    None means a schema without models. Raises InvalidAmplifyOutputsError.
    """
    root = Reader({} if document is None else document, path, "data.model_introspection")
    introspection = Introspection(
        models=_entries(root, "models", _model),
        enums=_entries(root, "enums", lambda entry: entry.optional_texts("values") or ()),
        custom_types=_entries(root, "nonModels", lambda entry: _custom_type(entry, "fields")),
        inputs=_entries(root, "inputs", lambda entry: _custom_type(entry, "attributes")),
        queries=_entries(root, "queries", _operation),
        mutations=_entries(root, "mutations", _operation),
    )
    _check_references(introspection, root)
    return introspection


def _entries(root: Reader, key: str, parse: Callable[[Reader], _Entry]) -> dict[str, _Entry]:
    container = root.child(key)
    if container is None:
        return {}
    entries = {name: container.child(name) for name in container.keys()}  # noqa: SIM118 - a Reader
    return {name: parse(entry) for name, entry in entries.items() if entry is not None}


def _model(entry: Reader) -> Model:
    fields = _entries(entry, "fields", _field)
    key = entry.child("primaryKeyInfo")
    if key is None:
        entry.fail("primaryKeyInfo", "an object", None)
    primary_key = (
        key.text("primaryKeyFieldName"),
        *(key.optional_texts("sortKeyFieldNames") or ()),
    )
    for name in primary_key:
        if name not in fields:
            entry.fail("primaryKeyInfo", "fields of the model", name)
    indexes: dict[str, Index] = {}
    disabled: set[str] = set()
    owner_fields: dict[str, OwnerKind] = {}
    for attribute in entry.optional_objects("attributes") or []:
        properties = attribute.child("properties")
        if properties is None:
            continue
        kind = attribute.text("type")
        if kind == "model":
            disabled |= _disabled(properties)
        elif kind == "key" and properties.optional_text("name") is not None:
            index = _index(properties, fields)
            indexes[index.query_field] = index
        elif kind == "auth":
            owner_fields.update(_owner_fields(properties))
    return Model(
        name=entry.text("name"),
        plural_name=entry.text("pluralName"),
        fields=fields,
        primary_key=primary_key,
        is_custom_key=key.optional_flag("isCustomPrimaryKey") or False,
        indexes=indexes,
        disabled=frozenset(disabled),
        owner_fields=owner_fields,
    )


def _index(properties: Reader, fields: Mapping[str, Field]) -> Index:
    names = properties.optional_texts("fields") or ()
    if not names or any(name not in fields for name in names):
        properties.fail("fields", "a list of fields of the model", list(names))
    return Index(properties.text("name"), properties.text("queryField"), names)


def _disabled(properties: Reader) -> set[str]:
    disabled: set[str] = set()
    for name, operations in _CLASSES.items():
        if name not in properties.keys():  # noqa: SIM118 - a Reader, not a dict
            continue
        some = properties.child(name)
        # Null for the whole class, or an object that names single operations with null.
        disabled |= set(operations) if some is None else set(operations) & set(some.keys())
    return disabled


def _owner_fields(properties: Reader) -> dict[str, OwnerKind]:
    names: dict[str, OwnerKind] = {}
    for rule in properties.optional_objects("rules") or []:
        allow = rule.text("allow")
        if allow == "owner":
            names[rule.optional_text("ownerField") or "owner"] = "owner"
        groups_field = rule.optional_text("groupsField")
        if allow == "groups" and groups_field is not None:
            names[groups_field] = "group"
    return names


def _custom_type(entry: Reader, key: str) -> CustomType:
    return CustomType(entry.text("name"), _entries(entry, key, _field))


def _operation(entry: Reader) -> Operation:
    return Operation(entry.text("name"), _field(entry), _entries(entry, "arguments", _field))


def _field(entry: Reader) -> Field:
    association = entry.child("association")
    nullable = entry.optional_flag("isArrayNullable")
    return Field(
        name=entry.text("name"),
        type=_type_name(entry),
        is_array=entry.flag("isArray"),
        is_required=entry.flag("isRequired"),
        is_array_nullable=True if nullable is None else nullable,
        is_read_only=entry.optional_flag("isReadOnly") or False,
        association=_association(association) if association is not None else None,
    )


def _type_name(entry: Reader) -> TypeName:
    if not isinstance(entry.raw("type"), dict):
        return TypeName("scalar", entry.text("type"))
    named = entry.child("type")
    assert named is not None
    kinds: tuple[TypeKind, ...] = ("enum", "nonModel", "model", "input")
    for kind in kinds:
        name = named.optional_text(kind)
        if name is not None:
            return TypeName(kind, name)
    entry.fail("type", "the name of a scalar, enum, nonModel, model or input", entry.raw("type"))


def _association(entry: Reader) -> Association:
    kinds: tuple[ConnectionType, ...] = ("HAS_MANY", "HAS_ONE", "BELONGS_TO")
    kind = entry.optional_choice("connectionType", kinds)
    if kind is None:
        entry.fail("connectionType", "one of " + ", ".join(kinds), None)
    associated = entry.raw("associatedWith")
    # The first generation of Amplify wrote one name where there is a list now.
    names = (associated,) if isinstance(associated, str) else entry.optional_texts("associatedWith")
    return Association(kind, names or (), entry.optional_texts("targetNames") or ())


def _check_references(found: Introspection, root: Reader) -> None:
    """Refuse a schema that names a type it does not have, before a call trips over it."""
    known: dict[TypeKind, Mapping[str, object]] = {
        "enum": found.enums,
        "nonModel": found.custom_types,
        "model": found.models,
        "input": found.inputs,
    }
    holders: list[tuple[str, Mapping[str, Field]]] = [
        *((f"models.{name}", model.fields) for name, model in found.models.items()),
        *((f"nonModels.{name}", some.fields) for name, some in found.custom_types.items()),
        *((f"inputs.{name}", some.fields) for name, some in found.inputs.items()),
    ]
    for kind, operations in (("queries", found.queries), ("mutations", found.mutations)):
        for name, operation in operations.items():
            holders.append((f"{kind}.{name}", {"result": operation.result, **operation.arguments}))
    for where, fields in holders:
        for one in fields.values():
            if one.type.kind != "scalar" and one.type.name not in known[one.type.kind]:
                root.fail(f"{where}.{one.name}", f"a known {one.type.kind}", one.type.name)
