"""Parse the outputs file's ``model_introspection`` into the classes of ``models``.

Both the client and the local sandbox use the result. A schema with which no API could be deployed is
refused here, and the error names the key. Keys that Amplify's format allows to be absent or null are
never an error.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

from seedctl.outputs import models
from seedctl.outputs.reader import Reader, is_graphql_name

_Entry = TypeVar("_Entry")

_KEY_PATH = "data.model_introspection"
_OPERATIONS = {
    "queries": ("get", "list"),
    "mutations": ("create", "update", "delete"),
    "subscriptions": ("subscriptions",),
}
_KEY_FIELDS = "fields of the model that hold one value"
_PART_OF_NAME = re.compile(r"[_0-9A-Za-z]+")
_NO_ENUM_VALUES = ("true", "false", "null")
_SCALARS = frozenset(
    {
        *("Boolean", "Float", "ID", "Int", "String"),
        *("AWSDate", "AWSDateTime", "AWSEmail", "AWSIPAddress", "AWSJSON"),
        *("AWSPhone", "AWSTime", "AWSTimestamp", "AWSURL"),
    }
)
_RESERVED = _SCALARS | {"Query", "Mutation", "Subscription"}

# The types that a field may have: one in a request cannot be a model, one in a response no input.
_REQUEST_KINDS: tuple[models.TypeKind, ...] = ("scalar", "enum", "nonModel", "input")
_RESPONSE_KINDS: tuple[models.TypeKind, ...] = ("scalar", "enum", "nonModel", "model")


def parse_introspection(document: object, path: Path) -> models.Introspection:
    """Return the schema in *document*, which is ``data.model_introspection`` of the file *path*.

    Raises InvalidAmplifyOutputsError.
    """
    root = Reader(document, path, _KEY_PATH)
    introspection = models.Introspection(
        models=_entries(root, "models", _model),
        enums=_entries(root, "enums", _enum_values),
        custom_types=_entries(root, "nonModels", _custom_type),
        # Inputs list their fields under "attributes", all other types under "fields".
        inputs=_entries(root, "inputs", partial(_custom_type, key="attributes")),
        queries=_entries(root, "queries", _operation),
        mutations=_entries(root, "mutations", _operation),
    )
    _check_schema(introspection, root)
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


def _model(entry: Reader, name: str) -> models.Model:
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
    return models.Model(
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


def _primary_key(entry: Reader, fields: Mapping[str, models.Field]) -> tuple[tuple[str, ...], bool]:
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


def _index(properties: Reader, fields: Mapping[str, models.Field]) -> models.Index:
    names = properties.optional_texts("fields") or ()
    found = [fields.get(name) for name in names]
    if not found or any(field is None or not field.is_single_value for field in found):
        properties.fail("fields", _KEY_FIELDS, list(names))
    name = properties.text("name")
    if len(names) > 2 and not _PART_OF_NAME.fullmatch(name):
        # With several sort keys, the name of an input type contains the index's name.
        properties.fail("name", "a name of letters, digits and _", name)
    return models.Index(name, properties.optional_name("queryField"), names)


def _disabled(properties: Reader) -> set[str]:
    disabled: set[str] = set()
    for name, operations in _OPERATIONS.items():
        if name not in properties.keys():  # noqa: SIM118 - a Reader, not a dict
            continue
        chosen = properties.child(name)
        # Null disables all of them; an object disables those that it has as keys.
        disabled |= set(operations) if chosen is None else set(operations) & set(chosen.keys())
    return disabled


def _rule(rule: Reader) -> models.Rule:
    return models.Rule(
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


def _custom_type(entry: Reader, name: str, *, key: str = "fields") -> models.CustomType:
    fields = _entries(entry, key, _field)
    if not fields:
        entry.fail(key, "an object of one field or more", entry.raw(key))
    return models.CustomType(name, fields)


def _operation(entry: Reader, name: str) -> models.OperationSignature:
    return models.OperationSignature(
        name, _field(entry, name), _entries(entry, "arguments", _field)
    )


def _field(entry: Reader, name: str) -> models.Field:
    association = entry.child("association")
    nullable = entry.optional_flag("isArrayNullable")
    return models.Field(
        name=name,
        type=_type_name(entry),
        is_array=entry.flag("isArray"),
        is_required=entry.flag("isRequired"),
        is_array_nullable=True if nullable is None else nullable,
        is_read_only=entry.optional_flag("isReadOnly") or False,
        association=_association(association) if association is not None else None,
    )


def _type_name(entry: Reader) -> models.TypeName:
    if not isinstance(entry.raw("type"), dict):
        scalar = entry.text("type")
        if scalar not in _SCALARS:
            entry.fail("type", "a scalar type of AppSync, such as String", scalar)
        return models.TypeName("scalar", scalar)
    named = entry.child("type")
    assert named is not None
    kinds: tuple[models.TypeKind, ...] = ("enum", "nonModel", "model", "input")
    for kind in kinds:
        name = named.optional_text(kind)
        if name is not None:
            return models.TypeName(kind, name)
    entry.fail("type", "the name of a scalar, enum, nonModel, model or input", entry.raw("type"))


def _association(entry: Reader) -> models.Association:
    kinds: tuple[models.ConnectionType, ...] = ("HAS_MANY", "HAS_ONE", "BELONGS_TO")
    kind = entry.optional_choice("connectionType", kinds)
    if kind is None:
        entry.fail("connectionType", "one of " + ", ".join(kinds), None)
    associated = entry.raw("associatedWith")
    # Amplify Gen 1 wrote a single name instead of a list.
    names = (associated,) if isinstance(associated, str) else entry.optional_texts("associatedWith")
    return models.Association(kind, names or (), entry.optional_texts("targetNames") or ())


def _check_schema(found: models.Introspection, root: Reader) -> None:
    """Refuse a schema with duplicate names, or with references to types that it does not have."""
    _check_type_names(found, root)
    _check_queries(found, root)
    for key_path, fields, kinds in _types_with_fields(found):
        for field in fields.values():
            _check_type(found, root, f"{key_path}.{field.name}", field, kinds)
            _check_association(root, f"{key_path}.{field.name}", field)


def _check_type_names(found: models.Introspection, root: Reader) -> None:
    taken = set(_RESERVED)
    for kind, names in (
        ("models", found.models),
        ("enums", found.enums),
        ("nonModels", found.custom_types),
        ("inputs", found.inputs),
    ):
        for name in names:
            if name in taken:
                root.fail(f"{kind}.{name}", "a name that no other type has", name)
            taken.add(name)


def _check_queries(found: models.Introspection, root: Reader) -> None:
    taken = set(found.queries)
    for name, model in found.models.items():
        for index in model.secondary_indexes:
            if index.query_field in taken:
                at = f"models.{name}: the queryField of {index.name}"
                root.fail(at, "a name that no other query has", index.query_field)
            if index.query_field is not None:
                taken.add(index.query_field)


def _types_with_fields(
    found: models.Introspection,
) -> Iterator[tuple[str, Mapping[str, models.Field], tuple[models.TypeKind, ...]]]:
    """Yield everything with fields: its key path, its fields, and which kinds of types they may have."""
    for name, model in found.models.items():
        yield f"models.{name}.fields", model.fields, _RESPONSE_KINDS
    for name, custom in found.custom_types.items():
        yield f"nonModels.{name}.fields", custom.fields, _RESPONSE_KINDS
    for name, custom in found.inputs.items():
        yield f"inputs.{name}.attributes", custom.fields, _REQUEST_KINDS
    for kind, operations in (("queries", found.queries), ("mutations", found.mutations)):
        for name, operation in operations.items():
            yield kind, {name: operation.result}, _RESPONSE_KINDS
            yield f"{kind}.{name}.arguments", operation.arguments, _REQUEST_KINDS


def _check_type(
    found: models.Introspection,
    root: Reader,
    key_path: str,
    field: models.Field,
    kinds: tuple[models.TypeKind, ...],
) -> None:
    known: dict[models.TypeKind, Mapping[str, object]] = {
        "enum": found.enums,
        "nonModel": found.custom_types,
        "model": found.models,
        "input": found.inputs,
    }
    kind, name = field.type.kind, field.type.name
    if kind not in kinds:
        root.fail(f"{key_path}.type", "one of " + ", ".join(kinds), kind)
    if kind != "scalar" and name not in known[kind]:
        root.fail(f"{key_path}.type", f"a known {kind}", name)


def _check_association(root: Reader, key_path: str, field: models.Field) -> None:
    association = field.association
    if association is None:
        return
    if field.type.kind != "model":
        root.fail(f"{key_path}.type", "a model, since the field is a relation", field.type.name)
    is_many = association.connection_type == "HAS_MANY"
    if field.is_array != is_many:
        root.fail(f"{key_path}.isArray", "true for HAS_MANY and for nothing else", field.is_array)
    if association.connection_type == "BELONGS_TO":
        key, names = "targetNames", association.target_names
    else:
        key, names = "associatedWith", association.associated_with
    if not names or not all(map(is_graphql_name, names)):
        root.fail(f"{key_path}.association.{key}", "a list of fields", list(names))
