"""Write the classes of models and custom types: for records that are read, and for values to write."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain, product

from seedctl.appsync.documents import key_arguments
from seedctl.appsync.input_builder import is_set_by_script
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.records import Record
from seedctl.outputs.models import Field, Model
from seedctl.schema_file.annotations import Annotations, ModelNames
from seedctl.schema_file.blocks import Key, class_, typed_dict
from seedctl.schema_file.names import UniqueNames, capital, is_attribute

_MAX_REQUIRED_RELATIONS = 2
"""Each of them doubles the number of classes."""

# The API stores owners as text. Groups may be one or a list.
_IMPLIED = {"owner": "str | None", "group": "str | list[str] | None"}


@dataclass(frozen=True, slots=True)
class RecordWriter:
    """Writes the classes, under their names in the file."""

    names: UniqueNames
    types: Annotations

    def custom_type(self, name: str, fields: Mapping[str, Field]) -> Iterator[str]:
        """Yield the lines for the custom type *name*."""
        # Requests select neither the fields of a type within itself, nor relations of a custom type.
        read = {
            field.name: self.types.read(field)
            for field in fields.values()
            if field.type.kind != "model" and field.type.name != name
        }
        yield from self._record(self.types.records[name], read, f"{name} as it is read.")
        given = {key: field for key, field in fields.items() if field.type.kind != "model"}
        text = f"{name} as it is written."
        yield from typed_dict(self.types.inputs[name], given_keys(self.types, given), text)

    def model(self, model: Model) -> Iterator[str]:
        """Yield the lines for *model*."""
        types, names = self.types, self.types.models[model.name]
        read = {
            field.name: types.read(field) if field.association is None else types.relation(field)
            for field in model.fields.values()
            if field.association is not None or field.type.kind != "model"
        }
        read |= {name: _IMPLIED[model.owner_fields[name]] for name in model.implied_fields}
        yield from self._record(names.record, read, f"{model.name} as it is read.")
        if model.name in types.targets:
            both = f"{names.record}, _t.RelatedRecord[{names.record}]"
            yield from class_(both, names.relation, {}, f"A relation to one {model.name}.")
        name = f"client.models.{model.name}"
        yield from self._create(model)
        yield from typed_dict(names.update, self._update_keys(model), f"Changes for {name}.update.")
        key = [Key(each, types.given(model.fields[each]), True) for each in model.primary_key]
        yield from typed_dict(names.key, key, f"The key of {model.name}.")
        list_keys = "_t.NoArguments"
        if model.is_custom_key:
            list_keys = names.list_keys
            text = f"The key arguments of {name}.list."
            yield from self._query_keys(list_keys, model, model.primary_key, text, is_index=False)
        queries = yield from self._index_queries(model)
        bases = _client_bases(names, list_keys, model.disabled)
        shown = {key: self.names.unshadowed(text, queries) for key, text in queries.items()}
        yield from class_(bases, names.client, shown, f"The type of {name}.")

    def _index_queries(self, model: Model) -> Generator[str, None, dict[str, str]]:
        """Yield the lines for the keys of the indexes, and return the types of their queries."""
        queries = {}
        for query, index in sorted(model.indexes.items()):
            keys = self.names.new(f"{capital(query)}Keys")
            text = f"The key arguments of client.models.{model.name}.{query}."
            yield from self._query_keys(keys, model, index.fields, text, is_index=True)
            if is_attribute(query, ModelClient):
                queries[query] = f"_t.IndexQuery[{keys}, {self.types.records[model.name]}]"
        return queries

    def _record(self, name: str, fields: Mapping[str, str], text: str) -> Iterator[str]:
        attributes = {key: text for key, text in fields.items() if is_attribute(key, Record)}
        shown = {
            key: self.names.unshadowed(annotation, attributes)
            for key, annotation in attributes.items()
        }
        yield from class_("_t.TypedRecord", name, shown, text)

    def _create(self, model: Model) -> Iterator[str]:
        """Yield the lines for the argument of create: one class, or one for each way to give a relation."""
        name, keys = self.types.models[model.name].create, self._create_keys(model)
        text = f"A record for client.models.{model.name}.create."
        relations = _required_relations(model)
        if not relations:
            yield from typed_dict(name, keys, text)
            return
        variants = []
        for chosen in product(*relations):
            required = list(chain(*chosen))
            variants.append(self.names.new(f"{name}With{'And'.join(map(capital, required))}"))
            some = [self._required(model, key) if key.name in required else key for key in keys]
            yield from typed_dict(variants[-1], some, text)
        yield f"{name} = {' | '.join(variants)}"
        yield ""

    def _required(self, model: Model, key: Key) -> Key:
        field = model.fields[key.name]
        given = self.types.related(field) if _is_parent(field) else key.annotation
        return Key(key.name, given, True)

    def _create_keys(self, model: Model) -> list[Key]:
        relations = [field for field in model.fields.values() if _is_parent(field)]
        # A relation may be given in place of its foreign key, so neither is required by itself.
        foreign = {name for field in relations for name in _foreign_key(field)}
        keys = [
            Key(
                field.name,
                self.types.given_or_none(field),
                field.must_be_given
                and is_set_by_script(model, field)
                and field.name not in foreign,
            )
            for field in _own_fields(model)
        ]
        more = [
            Key(field.name, f"{self.types.related(field)} | None", False) for field in relations
        ]
        return keys + more

    def _update_keys(self, model: Model) -> list[Key]:
        return [
            key._replace(
                annotation=self.types.given(model.fields[key.name])
                if key.name in model.primary_key
                else key.annotation,
                is_required=key.name in model.primary_key,
            )
            for key in self._create_keys(model)
        ]

    def _query_keys(
        self, name: str, model: Model, fields: tuple[str, ...], text: str, *, is_index: bool
    ) -> Iterator[str]:
        partition, *sort = fields
        keys = [Key(partition, self.types.given(model.fields[partition]), is_index)]
        arguments = key_arguments(model, fields)[1:]
        if len(sort) == 1:
            keys.append(
                Key(sort[0], f"{self.types.condition(model.fields[sort[0]])} | None", False)
            )
        elif sort:
            parts = self.names.new(f"{name}Sort")
            operands = [Key(each, self.types.operand(model.fields[each]), False) for each in sort]
            yield from typed_dict(parts, operands, f"The sort key of {name}.")
            keys.append(Key(arguments[0], f"_t.Condition[{parts}] | None", False))
        yield from typed_dict(name, keys, text)


def given_keys(types: Annotations, fields: Mapping[str, Field]) -> list[Key]:
    """Return the keys of a TypedDict for values of *fields*."""
    return [
        Key(name, types.given_or_none(field), field.must_be_given) for name, field in fields.items()
    ]


def _client_bases(names: ModelNames, list_keys: str, disabled: AbstractSet[str]) -> str:
    """Return the bases of a model's client: one for each operation if the schema disables some."""
    record = names.record
    if not disabled:
        parameters = [names.create, names.update, names.key, list_keys, record]
        return f"_t.TypedModel[{', '.join(parameters)}]"
    bases = {
        f"_t.TypedCreate[{names.create}, {record}]": {"create"},
        f"_t.TypedUpdate[{names.update}, {record}]": {"update"},
        f"_t.TypedUpsert[{names.create}, {record}]": {"create", "update"},
        f"_t.TypedDelete[{names.key}, {record}]": {"delete"},
        f"_t.TypedGet[{names.key}, {record}]": {"get"},
        f"_t.TypedList[{list_keys}, {record}]": {"list"},
        "_t.TypedIndexes": set[str](),
    }
    return ", ".join(base for base, needs in bases.items() if not needs & disabled)


def _is_parent(field: Field) -> bool:
    return field.association is not None and field.association.connection_type == "BELONGS_TO"


def _foreign_key(field: Field) -> tuple[str, ...]:
    return field.association.target_names if field.association is not None else ()


def _required_relations(model: Model) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the foreign key and the name of each relation that a record must have.

    Either of the two must be given. If there are too many combinations, none is returned, and the client
    checks the record at run time only.
    """
    keys: dict[str, tuple[str, ...]] = {}
    for field in filter(_is_parent, model.fields.values()):
        parts = [model.fields[name] for name in _foreign_key(field) if name in model.fields]
        required = tuple(
            each.name for each in parts if each.must_be_given and is_set_by_script(model, each)
        )
        if required:
            keys[field.name] = required
    foreign = list(chain(*keys.values()))
    is_shared = len(foreign) > len(set(foreign))
    if is_shared or len(keys) > _MAX_REQUIRED_RELATIONS:
        return []
    return [(key, (name,)) for name, key in keys.items()]


def _own_fields(model: Model) -> list[Field]:
    """Return the fields that may be given, without relations."""
    return [
        field
        for field in model.fields.values()
        if not field.is_read_only and field.association is None and field.type.kind != "model"
    ]
