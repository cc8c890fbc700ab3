"""The plan for the rows of one call, made once from the schema and from what the caller gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import Draw, RowDraws
from seedctl.fake.fields import FieldMakers, MadeField, cannot_make, check_given
from seedctl.fake.given import is_function
from seedctl.fake.limits import CannotMakeError
from seedctl.fake.numbering import Numbering, RowNumber
from seedctl.fake.relations import Relation, assign, foreign_keys
from seedctl.fake.unique_keys import UniqueKeys
from seedctl.outputs.model_schema import ModelSource
from seedctl.outputs.models import Field, Introspection, Model
from seedctl.outputs.validators import Validator


class FakeRow(dict[str, Any]):
    """One fake row: the values by field, and the number of the row."""

    __slots__ = ("number",)

    def __init__(self, values: Mapping[str, Any], number: int) -> None:
        super().__init__(values)
        self.number = number
        """From 0, among all rows of the call."""


@dataclass(frozen=True)
class Plan:
    """Makes the rows of one call."""

    model: Model
    draws: RowDraws
    fields: Sequence[MadeField]
    relations: Sequence[Relation]
    functions: Sequence[tuple[str, Callable[[Any], Any]]]
    null_names: Sequence[str]
    """Fields that are null if they have no value: a part of a key that the API wants as a whole."""

    def _values(self, row: RowNumber) -> dict[str, Any]:
        draw = self.draws.of(row.number)
        values = self.made(self.fields, draw)
        if self.relations:
            values |= assign(self.relations, row, draw)
        for name in self.null_names:
            values.setdefault(name, None)
        return values

    def row(self, row: RowNumber) -> FakeRow:
        """Return the whole *row*."""
        values = FakeRow(self._values(row), row.number)
        for name, function in self.functions:
            values[name] = function(values)
        return values

    def key(self, row: RowNumber) -> Mapping[str, Any]:
        """Return the primary key of *row*, if possible without making the rest."""
        names = self.model.primary_key
        if any(name in names for name, _ in self.functions):
            return self.row(row)
        draw = self.draws.of(row.number)
        values = self.made([each for each in self.fields if each.name in names], draw)
        if any(name not in values for name in names):
            values |= assign(self.relations, row, draw)
        missing = [name for name in names if name not in values]
        if missing:
            raise InvalidInputError(
                f"The fake rows of {self.model.name} have no key: {', '.join(missing)} is missing.",
                resolution="Create them first, and give the records or the results of create_many.",
            )
        return values

    def made(self, fields: Sequence[MadeField], draw: Draw) -> dict[str, Any]:
        """Return the values of *fields* for the row with the choices *draw*."""
        values = {}
        for name, key, make in fields:
            try:
                values[name] = make(draw.named(key))
            except CannotMakeError as error:
                raise cannot_make(f"{self.model.name}.{name}", error) from error
        return values


@dataclass
class Planner:
    """Makes the plan for the rows of a model."""

    schema: Introspection
    model: Model
    source: ModelSource | None
    """The model as the project's source declares it; None if the outputs file lacks that."""
    draws: RowDraws
    given: Mapping[str, Any]
    """What the caller gives for fields that are no relations; None for no value."""
    relations: Sequence[Relation]
    numbering: Numbering
    _makers: FieldMakers = field(init=False)

    def __post_init__(self) -> None:
        self._makers = FieldMakers(self.schema)

    def plan(self) -> Plan:
        functions = check_given(self.given, self.model.fields, self.model.name)
        related = {name for each in self.relations for name in each.targets}
        by_function = {name for each, _ in functions for name in self._targets_of(each)}
        for name in related & self.given.keys():
            raise InvalidInputError(
                f"{self.model.name}.{name} is given, and a relation that sets it too.",
                resolution="Leave one of them out.",
            )
        fields = list(self._fields(related | by_function))
        made = {*related, *by_function, *self.given, *(each.name for each in fields)}
        keys = UniqueKeys(self.schema, self.model, self.draws, self.numbering, self._validators)
        fields, relations = keys.applied(fields, self.relations, by_function | self.given.keys())
        plan = Plan(
            self.model, self.draws, fields, relations, functions, list(self._null_names(made))
        )
        for number in {0, self.numbering.count - 1} if self.numbering.count else ():
            plan.made(fields, self.draws.of(number))  # raises for a value that cannot be generated
        return plan

    def _fields(self, related: set[str]) -> Iterator[MadeField]:
        """Yield the fields whose values are made or given as values."""
        references = foreign_keys(self.schema, self.model)
        for each in self.model.fields.values():
            name, where = each.name, f"{self.model.name}.{each.name}"
            if each.is_read_only or each.type.kind == "model" or name in related:
                continue
            if name in self.given:
                value = self.given[name]
                if value is not None and not is_function(value):
                    yield self._makers.given(each, value, self.model.name, where)
            elif name in references:
                self._require_optional(each, "it refers to another record", self._advice(name))
            elif name in self.model.owner_fields:
                self._require_optional(each, "it holds the owner of the record", None)
            else:
                yield self._makers.made(each, self.model.name, where, self._validators(name))

    def _targets_of(self, name: str) -> tuple[str, ...]:
        """Return the foreign key of the relation *name*; nothing if it is another field."""
        association = self.model.fields[name].association
        return association.target_names if association is not None else ()

    def _validators(self, name: str) -> Sequence[Validator]:
        return self.source.validators.get(name, ()) if self.source is not None else ()

    def _require_optional(self, field: Field, reason: str, advice: str | None) -> None:
        """Raise InvalidInputError if *field*, which is not made for this *reason*, must have a value."""
        name = field.name
        is_key = name in self.model.primary_key
        if is_key or field.must_be_given:
            error = cannot_make(f"{self.model.name}.{name}", reason)
            error.resolution = advice or error.resolution
            raise error

    def _advice(self, name: str) -> str | None:
        for each in self.model.fields.values():
            if each.association is not None and name in each.association.target_names:
                return (
                    f"Give {each.name}=…: records, rows that fake() made, or a number of "
                    f"{each.type.name} rows to make. Or give {name}=…."
                )
        return None

    def _null_names(self, made: set[str]) -> Iterator[str]:
        """Yield the fields that may have no value, of composite sort keys in which other fields have one."""
        for index in self.model.secondary_indexes:
            parts = index.fields[1:]
            if len(parts) < 2 or not any(name in made for name in parts):
                continue
            for name in parts:
                where = f"{self.model.name}.{name}"
                found = self.model.fields[name]
                if name in self.model.owner_fields and name not in made:
                    reason = f"it holds the owner, and the index {index.name} is sorted by it"
                    raise cannot_make(where, reason)
                if not found.must_be_given and not found.is_read_only:
                    yield name
