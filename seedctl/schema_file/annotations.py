"""The Python types of fields: of the values to write, and of the values that are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedctl.appsync.documents import condition_type
from seedctl.outputs.models import Field, Introspection
from seedctl.schema_file.names import UniqueNames

# AppSync returns every other scalar as text.
_READ_AS = {"Int": "int", "AWSTimestamp": "int", "Float": "float", "Boolean": "bool"}


@dataclass(frozen=True, slots=True)
class ModelNames:
    """The names of the classes for one model."""

    record: str
    create: str
    update: str
    key: str
    list_keys: str
    client: str
    relation: str
    """A record, or the method that loads it."""


class Annotations:
    """The type annotations for one schema, with the names that its classes have in the file."""

    def __init__(self, schema: Introspection, names: UniqueNames) -> None:
        # The schema's own names come first; derived names get an underscore if they are taken.
        own = {
            name: names.new(name)
            for kind in (schema.models, schema.custom_types, schema.inputs, schema.enums)
            for name in kind
        }
        self.records: Mapping[str, str] = own
        """The class or alias of each model, custom type, input type and enum."""
        self.inputs = {name: names.new(f"{own[name]}Dict") for name in schema.custom_types}
        """The TypedDict of each custom type."""
        self.models = {name: _model_names(own[name], names) for name in schema.models}
        self.targets = {
            field.type.name
            for model in schema.models.values()
            for field in model.fields.values()
            if field.association is not None and not field.is_array
        }
        """The models to which another model has a relation to one record."""

    def given(self, field: Field) -> str:
        """Return the type of a value to write to *field*, without None."""
        return _listed(field, self._given_value(field), "_t.List")

    def given_or_none(self, field: Field) -> str:
        """Return the type of a value to write to *field*, with None if the field may be null."""
        return _nullable(self.given(field), field.must_be_given)

    def related(self, field: Field) -> str:
        """Return the type of a value to write to the ``belongsTo`` relation *field*, without None."""
        names = self.models[field.type.name]
        return f"{names.record} | {names.key}"

    def condition(self, field: Field) -> str:
        """Return the type of a condition on the sort key *field*."""
        return f"_t.Condition[{self.operand(field)}]"

    def operand(self, field: Field) -> str:
        """Return the type of a value to compare the sort key *field* with. It is sent unchanged."""
        if field.type.kind == "enum":
            return "str | _t.Enum"
        kind = condition_type(field)
        return f"_t.{field.type.name if kind == 'String' else kind}"

    def read(self, field: Field) -> str:
        """Return the type of *field* in a record that was read."""
        text = _listed(field, self._read_value(field), "list")
        return _nullable(text, field.must_be_given)

    def result(self, field: Field) -> str:
        """Return the type of the result of a custom operation. A list in it contains no nulls."""
        text = self._read_value(field)
        return _nullable(f"list[{text}]" if field.is_array else text, field.must_be_given)

    def relation(self, field: Field) -> str:
        """Return the type of the relation *field*: a method that loads it, or what a selection set loaded."""
        if field.is_array:
            return f"_t.RelatedRecords[{self.records[field.type.name]}]"
        return self.models[field.type.name].relation

    def _given_value(self, field: Field) -> str:
        name = field.type.name
        if field.type.kind == "scalar":
            return f"_t.{name}"
        if field.type.kind == "enum":
            return f"{self.records[name]} | _t.Enum"
        if field.type.kind == "input":
            return self.records[name]
        return f"{self.inputs[name]} | {self.records[name]}"

    def _read_value(self, field: Field) -> str:
        if field.type.kind == "scalar":
            return _READ_AS.get(field.type.name, "str")
        return self.records[field.type.name]


def _model_names(record: str, names: UniqueNames) -> ModelNames:
    return ModelNames(
        record,
        create=names.new(f"{record}Create"),
        update=names.new(f"{record}Update"),
        key=names.new(f"{record}Key"),
        list_keys=names.new(f"{record}ListKeys"),
        client=names.new(f"{record}Model"),
        relation=names.new(f"{record}Relation"),
    )


def _listed(field: Field, element: str, container: str) -> str:
    if not field.is_array:
        return element
    return f"{container}[{_nullable(element, field.is_required)}]"


def _nullable(text: str, is_required: bool) -> str:
    return text if is_required else f"{text} | None"
