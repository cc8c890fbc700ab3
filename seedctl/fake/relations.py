"""The relations of rows to their parents: which parent each row belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import Draw, RowDraws
from seedctl.fake.numbering import RowNumber
from seedctl.nearest import advice
from seedctl.outputs.models import Association, Field, Introspection, Model

Key = tuple[Any, ...]


class Parents(Protocol):
    """The keys of the rows or records that rows may belong to."""

    def __len__(self) -> int: ...

    def key(self, index: int, /) -> Mapping[str, Any]:
        """Return the primary key of number *index*."""


@dataclass(frozen=True)
class Relation:
    """A relation of a model to the parents of its rows."""

    name: str
    """The field of the relation; for children of fake rows, the field of their parent."""
    targets: tuple[str, ...]
    """The foreign key, in the order of *parent_key*."""
    parent_key: tuple[str, ...]
    parents: Parents
    choose: Callable[[RowNumber, Draw], int | None]
    """Returns the index of the parent; None if the row has none."""
    is_free: bool = False
    """Whether another choice would be as good, to make keys unique or to agree with others."""

    def values(self, index: int) -> dict[str, Any]:
        """Return the foreign key of parent number *index*."""
        key = self.parents.key(index)
        return {
            target: key[name] for target, name in zip(self.targets, self.parent_key, strict=False)
        }

    @cached_property
    def _by_shared(self) -> dict[tuple[str, ...], dict[Key, list[int]]]:
        return {}

    def agreeing(self, shared: tuple[str, ...], values: Mapping[str, Any]) -> list[int]:
        """Return the parents whose part *shared* of the foreign key is that in *values*."""
        found = self._by_shared.get(shared)
        if found is None:
            found = self._by_shared[shared] = {}
            for index in range(len(self.parents)):
                key = self.values(index)
                found.setdefault(tuple(key[name] for name in shared), []).append(index)
        return found.get(tuple(values[name] for name in shared), [])


def assign(relations: Sequence[Relation], row: RowNumber, draw: Draw) -> dict[str, Any]:
    """Return the foreign keys of *row*; *draw* are the choices of the row.

    Relations that share part of their foreign keys, such as the tenant, agree: after the first one,
    each chooses from the parents with the same part. Raises InvalidInputError if there is none.
    """
    values: dict[str, Any] = {}
    for relation in relations:
        shared = tuple(name for name in relation.targets if name in values)
        if len(shared) == len(relation.targets):
            continue
        if not shared:
            index = relation.choose(row, draw)
        else:
            agreeing = relation.agreeing(shared, values)
            if not agreeing:
                raise InvalidInputError(
                    f"None of the given {relation.name} has the same {', '.join(shared)} as the other "
                    f"parent of row {row.number}.",
                    resolution=f"Give more of them, or leave {relation.name} out with None.",
                )
            index = draw.named(relation.name.encode()).choose(agreeing)
        if index is not None:
            values |= relation.values(index)
    return values


def drawn(name: str, parents: Parents) -> Callable[[RowNumber, Draw], int]:
    """Return what chooses one of *parents* for the relation *name*, all equally likely."""
    key, count = name.encode(), len(parents)
    return lambda _row, draw: draw.named(key).below(count)


def one_each(parents: Parents, draws: RowDraws) -> Callable[[RowNumber, Draw], int]:
    """Return what gives each of *parents* to one row only."""
    count = len(parents)
    return lambda row, _draw: draws.permuted(row.number, count)


def of_forest(name: str, *, is_required: bool) -> Callable[[RowNumber, Draw], int | None]:
    """Return what makes rows trees: a row belongs to a row before it, or is a root.

    One of five rows is a root. If the schema requires the relation, a root belongs to itself.
    """
    key = name.encode()

    def choose(row: RowNumber, draw: Draw) -> int | None:
        own = draw.named(key)
        if row.number == 0 or own.below(5) == 0:
            return row.number if is_required else None
        return own.below(row.number)

    return choose


def foreign_keys(schema: Introspection, model: Model) -> frozenset[str]:
    """Return the fields of *model* that refer to records, by a relation on either side."""
    own = (
        name
        for field in model.fields.values()
        if field.association is not None
        for name in field.association.target_names
    )
    others = (
        name
        for other in schema.models.values()
        for field in other.fields.values()
        if field.association is not None and field.type.name == model.name
        for name in child_targets(model, field.association)
    )
    return frozenset({*own, *others} & model.fields.keys())


def child_targets(child: Model, association: Association) -> tuple[str, ...]:
    """Return the foreign key in *child* of a relation that its parent declares as *association*."""
    names = association.associated_with
    field = child.fields.get(names[0]) if len(names) == 1 else None
    if field is not None and field.association is not None:
        # Amplify Gen 1 names the relation of the child in place of its foreign key.
        return field.association.target_names
    if association.connection_type == "BELONGS_TO" or association.target_names:
        return ()  # the model that declares the relation has the foreign key itself
    return names


def belongs_to(model: Model) -> Iterator[tuple[Field, Association]]:
    """Yield the relations of *model* whose foreign key it holds, the longest key first."""
    found = [
        (field, field.association)
        for field in model.fields.values()
        if field.association is not None
        and field.association.connection_type == "BELONGS_TO"
        and all(name in model.fields for name in field.association.target_names)
    ]
    return iter(sorted(found, key=lambda pair: -len(pair[1].target_names)))


def is_one_to_one(schema: Introspection, model: Model, field: Field) -> bool:
    """Whether the parent of *field* has at most one row of *model*."""
    assert field.association is not None
    return any(
        other.association is not None
        and other.association.connection_type == "HAS_ONE"
        and other.type.name == model.name
        and child_targets(model, other.association) == field.association.target_names
        for other in schema.models[field.type.name].fields.values()
    )


def child_relation(schema: Introspection, model: Model, name: str) -> tuple[Field, Association]:
    """Return the relation *name* of *model* to its children. Raises InvalidInputError."""
    found = {
        field.name: (field, field.association)
        for field in model.fields.values()
        if field.association is not None
        and child_targets(schema.models[field.type.name], field.association)
    }
    if name not in found:
        raise InvalidInputError(
            f"{model.name} has no children in a field {name}.",
            resolution=advice(name, found, none="It has no hasMany and no hasOne relation."),
        )
    return found[name]
