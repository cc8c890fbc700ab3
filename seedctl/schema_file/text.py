"""Write the text of the file from a schema. The same schema gives the same text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from seedctl.appsync.client import Namespace
from seedctl.appsync.documents import key_arguments
from seedctl.appsync.input_builder import must_be_set_by_script
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.records import Record
from seedctl.outputs.models import CustomType, Field, Introspection, Model, OperationSignature
from seedctl.schema_file.annotations import Annotations
from seedctl.schema_file.blocks import Key, class_, literal, typed_dict
from seedctl.schema_file.names import UniqueNames, capital, is_attribute

_Entry = TypeVar("_Entry")

_IMPORTS = """\
from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.data import BaseDataClient

if TYPE_CHECKING:
    from seedctl.appsync import typed as _t
"""

_SCHEMA = '''

class Schema(BaseDataClient):
    """The client of this backend: data.generate_client(Schema)."""

    models: Models
    queries: Queries
    mutations: Mutations
    enums: Enums
'''


def schema_text(schema: Introspection) -> str:
    """Return the imports and classes of the file for *schema*."""
    lines = _SchemaWriter(_in_order(schema)).lines()
    return _IMPORTS + "".join(f"    {line}".rstrip() + "\n" for line in ("", *lines)) + _SCHEMA


def _in_order(schema: Introspection) -> Introspection:
    """Return *schema* sorted by name, so that the order in the outputs file has no effect."""
    return Introspection(
        models=_sorted(schema.models, lambda each: replace(each, fields=_sorted(each.fields))),
        enums=_sorted(schema.enums),
        custom_types=_sorted(schema.custom_types, _custom_type_in_order),
        inputs=_sorted(schema.inputs, _custom_type_in_order),
        queries=_sorted(schema.queries, _operation_in_order),
        mutations=_sorted(schema.mutations, _operation_in_order),
    )


def _custom_type_in_order(custom: CustomType) -> CustomType:
    return replace(custom, fields=_sorted(custom.fields))


def _operation_in_order(operation: OperationSignature) -> OperationSignature:
    return replace(operation, arguments=_sorted(operation.arguments))


def _sorted(
    entries: Mapping[str, _Entry], convert: Callable[[_Entry], _Entry] = lambda entry: entry
) -> dict[str, _Entry]:
    return {name: convert(entry) for name, entry in sorted(entries.items())}


class _SchemaWriter:
    def __init__(self, schema: Introspection) -> None:
        self._schema = schema
        self._names = UniqueNames()
        self._types = Annotations(schema, self._names)

    def lines(self) -> Iterator[str]:
        for name, values in self._schema.enums.items():
            yield f"{self._types.records[name]} = {literal(values)}"
        if self._schema.enums:
            yield ""
        for name, custom in self._schema.custom_types.items():
            yield from self._custom_type(name, custom.fields)
        for name, custom in self._schema.inputs.items():
            keys = self._given_keys(custom.fields)
            yield from typed_dict(self._types.records[name], keys, f"The input type {name}.")
        clients: dict[str, str] = {}
        for name, model in self._schema.models.items():
            yield from self._model(model)
            clients[name] = self._types.models[name].client
        yield from self._namespace("Models", "ModelClient", clients)
        yield from self._operations("Queries", self._schema.queries)
        yield from self._operations("Mutations", self._schema.mutations)
        enums = {
            name: f"_t.TypedEnum[{literal(values)}]" for name, values in self._schema.enums.items()
        }
        yield from self._namespace("Enums", "EnumValues", enums)
        for name, alias in self._names.aliases.items():
            yield f"{alias} = {name}"

    def _custom_type(self, name: str, fields: Mapping[str, Field]) -> Iterator[str]:
        # A type that contains itself is not read to the end, and a relation of one not at all.
        read = {
            field.name: self._types.read(field)
            for field in fields.values()
            if field.type.kind != "model" and field.type.name != name
        }
        yield from self._record(self._types.records[name], read, f"{name} as it is read.")
        given = {key: field for key, field in fields.items() if field.type.kind != "model"}
        text = f"{name} as it is written."
        yield from typed_dict(self._types.inputs[name], self._given_keys(given), text)

    def _record(self, name: str, fields: Mapping[str, str], text: str) -> Iterator[str]:
        attributes = {key: text for key, text in fields.items() if is_attribute(key, Record)}
        shown = {
            key: self._names.unshadowed(annotation, attributes)
            for key, annotation in attributes.items()
        }
        yield from class_("_t.TypedRecord", name, shown, text)

    def _model(self, model: Model) -> Iterator[str]:
        types, names = self._types, self._types.models[model.name]
        read = {
            field.name: types.read(field) if field.association is None else types.relation(field)
            for field in model.fields.values()
            if field.association is not None or field.type.kind != "model"
        }
        read |= {name: _IMPLIED[model.owner_fields[name]] for name in model.implied_fields}
        yield from self._record(names.record, read, f"{model.name} as it is read.")
        bases = f"{names.record}, _t.RelatedRecord[{names.record}]"
        yield from class_(bases, names.relation, {}, f"A relation to one {model.name}.")
        name = f"client.models.{model.name}"
        yield from typed_dict(
            names.create, self._create_keys(model), f"A record for {name}.create."
        )
        yield from typed_dict(names.update, self._update_keys(model), f"Changes for {name}.update.")
        key = self._given_keys({key: model.fields[key] for key in model.primary_key}, whole=True)
        yield from typed_dict(names.key, key, f"The key of {model.name}.")
        list_keys = "_t.NoArguments"
        if model.is_custom_key:
            list_keys = names.list_keys
            text = f"The key arguments of {name}.list."
            yield from self._query_keys(list_keys, model, model.primary_key, text, is_index=False)
        queries = {}
        for query, index in sorted(model.indexes.items()):
            keys = self._names.new(f"{capital(query)}Keys")
            text = f"The key arguments of {name}.{query}."
            yield from self._query_keys(keys, model, index.fields, text, is_index=True)
            if is_attribute(query, ModelClient):
                queries[query] = f"_t.IndexQuery[{keys}, {names.record}]"
        parameters = [names.create, names.update, names.key, list_keys, names.record]
        base = f"_t.TypedModel[{', '.join(parameters)}]"
        shown = {key: self._names.unshadowed(text, queries) for key, text in queries.items()}
        yield from class_(base, names.client, shown, f"The type of {name}.")

    def _create_keys(self, model: Model) -> list[Key]:
        relations = [field for field in model.fields.values() if _is_parent(field)]
        # A relation may be given in place of its foreign key, so that neither is required by itself.
        foreign = {
            name
            for field in relations
            if field.association is not None
            for name in field.association.target_names
        }
        keys = [
            Key(
                field.name,
                self._types.given_or_none(field),
                must_be_set_by_script(model, field) and field.name not in foreign,
            )
            for field in _own_fields(model)
        ]
        return keys + [Key(field.name, self._types.related(field), False) for field in relations]

    def _update_keys(self, model: Model) -> list[Key]:
        return [
            key._replace(
                annotation=self._types.given(model.fields[key.name])
                if key.name in model.primary_key
                else key.annotation,
                is_required=key.name in model.primary_key,
            )
            for key in self._create_keys(model)
        ]

    def _given_keys(self, fields: Mapping[str, Field], *, whole: bool = False) -> list[Key]:
        """Return the keys for *fields*; with *whole* all of them are required."""
        return [
            Key(name, self._types.given(field), True)
            if whole
            else Key(name, self._types.given_or_none(field), field.must_be_given)
            for name, field in fields.items()
        ]

    def _query_keys(
        self, name: str, model: Model, fields: tuple[str, ...], text: str, *, is_index: bool
    ) -> Iterator[str]:
        partition, *sort = fields
        keys = [Key(partition, self._types.given(model.fields[partition]), is_index)]
        arguments = key_arguments(model, fields)[1:]
        if len(sort) == 1:
            keys.append(
                Key(sort[0], f"{self._types.condition(model.fields[sort[0]])} | None", False)
            )
        elif sort:
            parts = self._names.new(f"{name}Sort")
            operands = [Key(each, self._types.operand(model.fields[each]), False) for each in sort]
            yield from typed_dict(parts, operands, f"The sort key of {name}.")
            keys.append(Key(arguments[0], f"_t.Condition[{parts}] | None", False))
        yield from typed_dict(name, keys, text)

    def _operations(self, name: str, operations: Mapping[str, OperationSignature]) -> Iterator[str]:
        entries: dict[str, str] = {}
        for operation in operations.values():
            arguments, keys = "_t.NoArguments", self._given_keys(operation.arguments)
            if keys:
                arguments = self._names.new(f"{capital(operation.name)}Arguments")
                yield from typed_dict(arguments, keys, f"The arguments of {operation.name}.")
            is_optional = not any(key.is_required for key in keys)
            kind = "OperationWithoutRequired" if is_optional else "Operation"
            result = self._types.result(operation.result)
            entries[operation.name] = f"_t.{kind}[{arguments}, {result}]"
        yield from self._namespace(name, "CustomOperation", entries)

    def _namespace(self, name: str, entry: str, entries: Mapping[str, str]) -> Iterator[str]:
        attributes = {key: text for key, text in entries.items() if is_attribute(key, Namespace)}
        shown = {key: self._names.unshadowed(text, attributes) for key, text in attributes.items()}
        text = f"client.{name.lower()}"
        yield from class_(f"_t.TypedNamespace[_t.{entry}]", name, shown, f"The type of {text}.")


# The API stores owners as text. Groups may be one or a list.
_IMPLIED = {"owner": "str | None", "group": "str | list[str] | None"}


def _is_parent(field: Field) -> bool:
    return field.association is not None and field.association.connection_type == "BELONGS_TO"


def _own_fields(model: Model) -> list[Field]:
    """Return the fields that may be given, without relations."""
    return [
        field
        for field in model.fields.values()
        if not field.is_read_only and field.association is None and field.type.kind != "model"
    ]
