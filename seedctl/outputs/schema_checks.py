"""Check that the parts of a schema fit together, as in every schema that AppSync deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.outputs.reader import is_graphql_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seedctl.outputs.models import Field, Introspection, TypeKind
    from seedctl.outputs.reader import Reader

SCALARS = frozenset(
    {
        *("Boolean", "Float", "ID", "Int", "String"),
        *("AWSDate", "AWSDateTime", "AWSEmail", "AWSIPAddress", "AWSJSON"),
        *("AWSPhone", "AWSTime", "AWSTimestamp", "AWSURL"),
    }
)
_RESERVED = SCALARS | {"Query", "Mutation", "Subscription"}

# The types that a field may have: one in a request cannot be a model, one in a response no input.
_REQUEST_KINDS: tuple[TypeKind, ...] = ("scalar", "enum", "nonModel", "input")
_RESPONSE_KINDS: tuple[TypeKind, ...] = ("scalar", "enum", "nonModel", "model")


def check_schema(found: Introspection, root: Reader) -> None:
    """Refuse a schema with duplicate names, or with references to types that it does not have."""
    _check_type_names(found, root)
    _check_queries(found, root)
    for key_path, fields, kinds in _types_with_fields(found):
        for field in fields.values():
            _check_type(found, root, f"{key_path}.{field.name}", field, kinds)
            _check_association(root, f"{key_path}.{field.name}", field)


def _check_type_names(found: Introspection, root: Reader) -> None:
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


def _check_queries(found: Introspection, root: Reader) -> None:
    taken = set(found.queries)
    for name, model in found.models.items():
        for index in model.secondary_indexes:
            if index.query_field in taken:
                at = f"models.{name}: the queryField of {index.name}"
                root.fail(at, "a name that no other query has", index.query_field)
            if index.query_field is not None:
                taken.add(index.query_field)


def _types_with_fields(
    found: Introspection,
) -> Iterator[tuple[str, Mapping[str, Field], tuple[TypeKind, ...]]]:
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
    found: Introspection, root: Reader, key_path: str, field: Field, kinds: tuple[TypeKind, ...]
) -> None:
    known: dict[TypeKind, Mapping[str, object]] = {
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


def _check_association(root: Reader, key_path: str, field: Field) -> None:
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
