"""Give each row another primary key."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from seedctl.fake.draws import Draw, RowDraws
from seedctl.fake.fields import MadeField, cannot_make
from seedctl.fake.identifiers import unique_maker
from seedctl.fake.limits import CannotMakeError
from seedctl.fake.numbering import Numbering, RowNumber
from seedctl.fake.relations import Relation
from seedctl.fake.tables import Maker
from seedctl.outputs.models import Field, Introspection, Model
from seedctl.outputs.validators import Validator


@dataclass(frozen=True)
class UniqueKeys:
    """Replaces what makes the values of a primary key. Raises InvalidInputError."""

    schema: Introspection
    model: Model
    draws: RowDraws
    numbering: Numbering
    validators: Callable[[str], Sequence[Validator]]
    """Returns the validators of a field."""

    def applied(
        self, fields: Sequence[MadeField], relations: Sequence[Relation], given: AbstractSet[str]
    ) -> tuple[list[MadeField], list[Relation]]:
        """Return *fields* and *relations* such that all rows have different keys.

        The fields that are *given* stay as they are: if the whole key is, the caller decides.
        """
        key = self.model.primary_key
        made = {each.name for each in fields} - given
        own = [self.model.fields[name] for name in key if name in made]
        unlimited = [each for each in own if self._all_values(each) is None]
        if unlimited:
            # An id among them, or else the last: it comes after what it belongs to.
            chosen = ([each for each in unlimited if each.type.name == "ID"] or unlimited)[-1]
            return _replaced(fields, chosen.name, self._unique_maker(chosen)), list(relations)
        if not given.isdisjoint(key):
            return list(fields), list(relations)
        return self._combined(own, fields, relations)

    def _combined(
        self,
        own: Sequence[Field],
        fields: Sequence[MadeField],
        relations: Sequence[Relation],
    ) -> tuple[list[MadeField], list[Relation]]:
        """Number the combinations of enum values and parents, and give each row another one."""
        key = self.model.primary_key
        where = f"{self.model.name}.{key[-1]}"
        parents = [each for each in relations if each.is_free and {*each.targets} & {*key}]
        if any(_depend(each, other) for each in parents for other in relations):
            raise cannot_make(where, "the parents that make up the key depend on each other")
        sizes = [len(self._all_values(each) or ()) for each in own]
        sizes += [len(each.parents) for each in parents]
        total = math.prod(sizes)
        if total < self.numbering.most:
            names = f"{', '.join(key)} has only {total} values"
            raise cannot_make(where, f"the key {names}, and {self.numbering.most} rows need one")

        def choice(place: int) -> Callable[[RowNumber], int]:
            step, size = math.prod(sizes[:place]), sizes[place]

            def choose(row: RowNumber) -> int:
                # With the parent's number, since other rows of its parent have other positions.
                number = self.draws.permuted((row.position + row.parent) % total, total)
                return number // step % size

            return choose

        result = list(fields)
        for place, field in enumerate(own):
            values = self._all_values(field) or ()
            result = _replaced(result, field.name, self._chosen(values, choice(place)))
        combined = {each.name: choice(place) for place, each in enumerate(parents, start=len(own))}
        return result, [_with_choice(each, combined.get(each.name)) for each in relations]

    def _chosen(self, values: Sequence[Any], choose: Callable[[RowNumber], int]) -> Maker:
        return lambda draw: values[choose(self.numbering.row_of(draw.row))]

    def _all_values(self, field: Field) -> Sequence[Any] | None:
        """Return all values that *field* may have; None if they are many."""
        if field.type.kind == "enum":
            return self.schema.enums[field.type.name]
        return (False, True) if field.type.name == "Boolean" else None

    def _unique_maker(self, field: Field) -> Maker:
        validators = self.validators(field.name)
        try:
            return unique_maker(
                field, self.model.name, validators, self.draws, self.numbering.count
            )
        except CannotMakeError as error:
            raise cannot_make(f"{self.model.name}.{field.name}", error) from error


def _depend(relation: Relation, other: Relation) -> bool:
    return relation is not other and not {*relation.targets}.isdisjoint(other.targets)


def _replaced(fields: Sequence[MadeField], name: str, make: Maker) -> list[MadeField]:
    return [each._replace(make=make) if each.name == name else each for each in fields]


def _with_choice(relation: Relation, choose: Callable[[RowNumber], int] | None) -> Relation:
    if choose is None:
        return relation

    def choose_parent(row: RowNumber, _draw: Draw) -> int:
        return choose(row)

    return replace(relation, choose=choose_parent)
