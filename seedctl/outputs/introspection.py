"""Parse the outputs file's ``model_introspection`` into the classes of ``models``.

Both the client and the local sandbox use the result. A schema with which no API could be deployed is
refused here, and the error names the key. Keys that Amplify's format allows to be absent or null are
never an error.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from seedctl.outputs.models import (
    Association,
    ConnectionType,
    CustomType,
    Field,
    Index,
    Introspection,
    Model,
    OperationSignature,
    Rule,
    TypeKind,
    TypeName,
)
from seedctl.outputs.reader import Reader, is_graphql_name
from seedctl.outputs.schema_checks import SCALARS, check_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_Entry = TypeVar("_Entry")

_KEY_PATH = "data.model_introspection"
_OPERATIONS = {
    "queries": ("get", "list"),
    "mutations": ("create", "update", "delete"),
}
_KEY_FIELDS = "fields of the model that hold one value"
_PART_OF_NAME = re.compile(r"[_0-9A-Za-z]+")
_NO_ENUM_VALUES = ("true", "false", "null")


def parse_introspection(document: Any, path: Path) -> Introspection:
    """Return the schema in *document*, which is ``data.model_introspection`` of the file *path*.

    Raises InvalidAmplifyOutputsError.
    """
    root = Reader(document, path, _KEY_PATH)
    introspection = Introspection(
        models=_entries(root, "models", _model),
        enums=_entries(root, "enums", _enum_values),
        custom_types=_entries(root, "nonModels", _custom_type),
        # Inputs list their fields under "attributes", all other types under "fields".
        inputs=_entries(root, "inputs", partial(_custom_type, key="attributes")),
        queries=_entries(root, "queries", _operation),
        mutations=_entries(root, "mutations", _operation),
    )
    check_schema(introspection, root)
    return introspection


def _entries(root: Reader, key: str, parse: Callable[[Reader, str], _Entry]) -> dict[str, _Entry]:
    """Parse each entry at *key* with *parse*, and return the results by the entries' names.

    The name is the entry's ``name``, or its key if it has none: the key of an enum may be spelled
    differently from its name in the API.
    """
    container = root.child(key)
    if container is None:
        return {}
    found: dict[str, _Entry] = {}
    for entry_key, entry in container.children():
        name = entry.optional_name("name") or container.check_name(entry_key)
        if name in found:
            entry.fail("name", "a name that no other entry has", name)
        found[name] = parse(entry, name)
    return found


def _model(entry: Reader, name: str) -> Model:
    fields = _entries(entry, "fields", _field)
    primary_key, is_custom = _primary_key(entry, fields)
    attributes = _attributes(entry)
    keys: list[Reader] = []
    indexes: list[Reader] = []
    for properties in attributes["key"]:
        (keys if properties.optional_text("name") is None else indexes).append(properties)
    for key in keys:
        declared = key.optional_texts("fields")
        if declared is not None and declared != primary_key:
            key.fail("fields", "the fields of primaryKeyInfo", list(declared))
    return Model(
        name=name,
        plural_name=entry.name("pluralName"),
        fields=fields,
        primary_key=primary_key,
        is_custom_key=is_custom,
        is_key_declared=is_custom or bool(keys),
        secondary_indexes=tuple(_index(properties, fields) for properties in indexes),
        disabled=frozenset(chain.from_iterable(map(_disabled, attributes["model"]))),
        rules=tuple(
            _rule(rule)
            for properties in attributes["auth"]
            for rule in properties.optional_objects("rules") or []
        ),
    )


def _primary_key(entry: Reader, fields: Mapping[str, Field]) -> tuple[tuple[str, ...], bool]:
    """Return the fields of the primary key, and whether it is a custom key, not a generated id."""
    key = entry.child("primaryKeyInfo")
    if key is None:
        entry.fail("primaryKeyInfo", "an object", None)
    names = (key.text("primaryKeyFieldName"), *(key.optional_texts("sortKeyFieldNames") or ()))
    for field in map(fields.get, names):
        if field is None or not field.is_single_value or field.is_read_only:
            entry.fail("primaryKeyInfo", _KEY_FIELDS, list(names))
    return names, key.optional_flag("isCustomPrimaryKey") or False


def _attributes(entry: Reader) -> Mapping[str, list[Reader]]:
    """Return the properties of the model's attributes by the type of the attribute."""
    found: defaultdict[str, list[Reader]] = defaultdict(list)
    for attribute in entry.optional_objects("attributes") or []:
        kind, properties = attribute.text("type"), attribute.child("properties")
        if properties is not None:
            found[kind].append(properties)
    return found


def _index(properties: Reader, fields: Mapping[str, Field]) -> Index:
    names = properties.optional_texts("fields") or ()
    found = [fields.get(name) for name in names]
    if not found or any(field is None or not field.is_single_value for field in found):
        properties.fail("fields", _KEY_FIELDS, list(names))
    name = properties.text("name")
    if len(names) > 2 and not _PART_OF_NAME.fullmatch(name):
        # With several sort keys, the name of an input type contains the index's name.
        properties.fail("name", "a name of letters, digits and _", name)
    return Index(name, properties.optional_name("queryField"), names)


def _disabled(properties: Reader) -> set[str]:
    disabled: set[str] = set()
    for name, operations in _OPERATIONS.items():
        if name not in properties.keys():  # noqa: SIM118 - a Reader, not a dict
            continue
        chosen = properties.child(name)
        # Null disables all of them; an object disables those that it has as keys.
        disabled |= set(operations) if chosen is None else set(operations) & set(chosen.keys())
    return disabled


def _rule(rule: Reader) -> Rule:
    return Rule(
        allow=rule.text("allow"),
        provider=rule.optional_text("provider"),
        operations=rule.optional_texts("operations"),
        groups=rule.optional_texts("groups"),
        groups_field=rule.optional_name("groupsField"),
        group_claim=rule.optional_text("groupClaim"),
        owner_field=rule.optional_name("ownerField"),
        identity_claim=rule.optional_text("identityClaim"),
    )


def _enum_values(entry: Reader, _name: str) -> tuple[str, ...]:
    values = entry.optional_texts("values")
    if not values:
        entry.fail("values", "a list of one value or more", entry.raw("values"))
    for index, value in enumerate(values):
        if not is_graphql_name(value) or value in _NO_ENUM_VALUES:
            entry.fail(f"values[{index}]", "the name of an enum value", value)
    return values


def _custom_type(entry: Reader, name: str, *, key: str = "fields") -> CustomType:
    fields = _entries(entry, key, _field)
    if not fields:
        entry.fail(key, "an object of one field or more", entry.raw(key))
    return CustomType(name, fields)


def _operation(entry: Reader, name: str) -> OperationSignature:
    return OperationSignature(name, _field(entry, name), _entries(entry, "arguments", _field))


def _field(entry: Reader, name: str) -> Field:
    association = entry.child("association")
    nullable = entry.optional_flag("isArrayNullable")
    return Field(
        name=name,
        type=_type_name(entry),
        is_array=entry.flag("isArray"),
        is_required=entry.flag("isRequired"),
        is_array_nullable=True if nullable is None else nullable,
        is_read_only=entry.optional_flag("isReadOnly") or False,
        association=_association(association) if association is not None else None,
    )


def _type_name(entry: Reader) -> TypeName:
    if not isinstance(entry.raw("type"), dict):
        scalar = entry.text("type")
        if scalar not in SCALARS:
            entry.fail("type", "a scalar type of AppSync, such as String", scalar)
        return TypeName("scalar", scalar)
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
    # Amplify Gen 1 wrote a single name instead of a list.
    names = (associated,) if isinstance(associated, str) else entry.optional_texts("associatedWith")
    return Association(kind, names or (), entry.optional_texts("targetNames") or ())
