"""Fake rows: a sequence of mappings for ``create_many``, with their parents and children."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, overload

from seedctl.errors import InvalidInputError
from seedctl.fake.given import CountMaker, check_count, count_maker, is_function
from seedctl.fake.numbering import ChildRows, Numbering, RowsWithoutParents
from seedctl.fake.plan import FakeRow, Plan, Planner
from seedctl.fake.related_rows import FakeModel, GivenParents, OwnKeys, check_names
from seedctl.fake.relations import (
    Parents,
    Relation,
    belongs_to,
    child_relation,
    child_targets,
    drawn,
    is_one_to_one,
    of_forest,
    one_each,
)
from seedctl.nearest import advice
from seedctl.outputs.model_schema import ModelSources
from seedctl.outputs.models import Association, Field, Introspection, Model


class FakeRows(Sequence[FakeRow]):
    """Rows that are generated when they are read: the same ones each time, and none is stored.

    A slice is one too. Functions that were given for fields are called each time a row is read.
    """

    def __init__(
        self,
        of: FakeModel,
        plan: Plan,
        numbering: Numbering,
        parents: Mapping[str, Parents],
        child_counts: Mapping[str, CountMaker],
    ) -> None:
        """For ``fake``, which makes the *plan*. *parents* and *child_counts* are by relation."""
        self._of = of
        self._plan = plan
        self._numbering = numbering
        self._parents = parents
        self._child_counts = child_counts
        self._children: dict[str, Sequence[int]] = {}
        """By relation: how many children each row of the call has. All slices share it."""
        self._numbers: Sequence[int] = range(numbering.count)

    @property
    def model(self) -> Model:
        return self._of.model

    def __repr__(self) -> str:
        return f"<FakeRows {len(self)} {self.model.name}>"

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> FakeRow: ...
    @overload
    def __getitem__(self, index: slice) -> FakeRows: ...
    def __getitem__(self, index: int | slice) -> FakeRow | FakeRows:
        if not isinstance(index, slice):
            return self._plan.row(self._numbering.row_of(self._numbers[index]))
        return self._part(self._numbers[index])

    def _part(self, numbers: Sequence[int]) -> FakeRows:
        part: FakeRows = copy(self)
        part._numbers = numbers
        return part

    def __iter__(self) -> Iterator[FakeRow]:
        return (self._plan.row(self._numbering.row_of(number)) for number in self._numbers)

    def key(self, index: int) -> Mapping[str, Any]:
        """Return the primary key of number *index*, if possible without generating the whole row.

        Args:
            index: Which row, from 0.
        """
        return self._plan.key(self._numbering.row_of(self._numbers[index]))

    def parents(self, relation: str) -> FakeRows:
        """Return the rows that were generated as parents. Create them before these rows.

        Args:
            relation: The field for which ``fake`` was given a number of parents, or fake rows.

        Raises:
            InvalidInputError: It was given neither.
        """
        found = self._parents.get(relation)
        if isinstance(found, FakeRows):
            return found
        made = [name for name, each in self._parents.items() if isinstance(each, FakeRows)]
        raise InvalidInputError(
            f"No parents of {self.model.name} were made for {relation}.",
            resolution=advice(relation, made, none=f"Give fake() a number: {relation}=20."),
        )

    def children(
        self, relation: str, fields: Mapping[str, Any] | None = None, /, **values: Any
    ) -> FakeRows:
        """Generate children of these rows. Create them after these rows.

        ``fake`` was given how many each row has: ``fake(200, comments=range(0, 6))``. Without a
        number, a hasOne relation has one child. The children of a slice are the same ones as those that
        its rows have among the children of all rows.

        Args:
            relation: The hasMany or hasOne field of this model.
            fields: What to give the children for their fields, as for ``fake``, or by keyword.

        Raises:
            InvalidInputError: There is no such relation or number, or a value cannot be generated.
        """
        field, association = child_relation(self._of.schema, self.model, relation)
        counts = self._child_counts.get(relation)
        if counts is None and association.connection_type == "HAS_MANY":
            raise InvalidInputError(
                f"fake() was not given how many {relation} each {self.model.name} has.",
                resolution=f"Give a number or a range: {relation}=3, or {relation}=range(0, 6).",
            )
        of = self._of.related(relation, field.type.name)
        key = f"number of {relation}".encode()
        everything = range(self._numbering.count)
        if relation not in self._children:
            self._children[relation] = array(
                "q",
                (
                    1 if counts is None else counts(self._of.draws.of(number).named(key))
                    for number in everything
                ),
            )
        # The children before those of a slice have the numbers before theirs.
        siblings = ChildRows(self._children[relation][: max(self._numbers, default=-1) + 1])
        fixed = Relation(
            relation,
            child_targets(of.model, association),
            self.model.primary_key,
            self._part(everything),
            lambda row, _draw: row.parent,
        )
        made: FakeRows = _make(of, siblings, {**(fields or {}), **values}, fixed)
        return made._part(siblings.of_parents(self._numbers))


def fake_rows(
    schema: Introspection,
    sources: ModelSources,
    model: Model,
    count: int,
    given: Mapping[str, Any],
    *,
    seed: int | str,
) -> FakeRows:
    """Return *count* fake rows of *model*, with what is *given* by field.

    *sources* are the models as the project's source declares them, if the outputs file has them. Raises
    InvalidInputError.
    """
    check_count(count, f"{model.name}.fake(200)")
    return _make(FakeModel(schema, sources, model, (str(seed),)), RowsWithoutParents(count), given)


def _make(
    of: FakeModel, numbering: Numbering, given: Mapping[str, Any], fixed: Relation | None = None
) -> FakeRows:
    """Return the rows of a *numbering*; *fixed* is the relation to their parents, if any."""
    model = of.model
    check_names(model, given)
    relations = [] if fixed is None else [fixed]
    own_keys = OwnKeys(numbering)
    for field, association in belongs_to(model):
        if fixed is None or association.target_names != fixed.targets:
            relations += _relation(of, field, association, given, own_keys)
        elif field.name in given:
            raise InvalidInputError(
                f"{model.name}.{field.name} is given, and these rows already have a parent.",
                resolution="Leave it out.",
            )
    kinds = {
        name: each.association.connection_type
        for name, each in model.fields.items()
        if each.association is not None
    }
    plan = own_keys.plan = Planner(
        of.schema,
        model,
        of.sources.get(model.name),
        of.draws,
        {
            name: value
            for name, value in given.items()
            if name not in kinds or (kinds[name] == "BELONGS_TO" and is_function(value))
        },
        relations,
        numbering,
    ).plan()
    child_counts = {
        name: count_maker(value, f"{model.name}.{name}")
        for name, value in given.items()
        if kinds.get(name) in ("HAS_MANY", "HAS_ONE")
    }
    parents = {each.name: each.parents for each in relations if each is not fixed}
    return FakeRows(of, plan, numbering, parents, child_counts)


def _relation(
    of: FakeModel,
    field: Field,
    association: Association,
    given: Mapping[str, Any],
    own_keys: OwnKeys,
) -> list[Relation]:
    """Return how rows belong to the parents in *field*; nothing if they do not."""
    model, related, targets = of.model, of.schema.models[field.type.name], association.target_names
    where = f"{model.name}.{field.name}"

    def relation(parents: Parents, choose: Any, *, is_free: bool) -> list[Relation]:
        return [Relation(field.name, targets, related.primary_key, parents, choose, is_free)]

    if field.name not in given:
        is_possible = {*targets}.isdisjoint({*given, *model.primary_key}) and all(
            given.get(name, "") is not None for name in model.primary_key
        )
        if related.name != model.name or not is_possible:
            return []
        is_required = any(model.fields[name].must_be_given for name in targets)
        return relation(own_keys, of_forest(field.name, is_required=is_required), is_free=False)
    value = given[field.name]
    if value is None or is_function(value):
        return []
    parents = _parents(of, related, value, where)
    if not len(parents):
        raise InvalidInputError(
            f"{where}: there are no parents to choose from.",
            resolution=f"Give at least one, or {field.name}=None for none.",
        )
    if not is_one_to_one(of.schema, model, field):
        return relation(parents, drawn(field.name, parents), is_free=True)
    if len(own_keys) > len(parents):
        raise InvalidInputError(
            f"{where}: {len(own_keys)} rows cannot belong to {len(parents)} parents, of which each "
            f"has one {model.name} at most.",
            resolution="Give more parents, or generate fewer rows.",
        )
    return relation(parents, one_each(parents, of.draws), is_free=True)


def _parents(of: FakeModel, related: Model, value: Any, where: str) -> Parents:
    if isinstance(value, int) and not isinstance(value, bool):
        other = of.related(where.rpartition(".")[2], related.name)
        check_count(value, f"{where.rpartition('.')[2]}=20")
        try:
            return _make(other, RowsWithoutParents(value), {})
        except InvalidInputError as error:
            error.resolution = (
                f"Make the parents by themselves, models.{related.name}.fake({value}, …) with what they "
                f"need, and give these rows in place of {value}."
            )
            raise
    if isinstance(value, FakeRows):
        if value.model.name != related.name:
            raise InvalidInputError(
                f"{where} must be a {related.name}, and rows of {value.model.name} are given.",
                resolution=f"Give rows of {related.name}.",
            )
        return value
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return GivenParents(related, [value] if isinstance(value, Mapping) else list(value), where)
    raise InvalidInputError(
        f"{where}: a {type(value).__name__} cannot be a parent.",
        resolution=f"Give rows of fake(), records of {related.name}, or a number of rows to generate.",
    )
