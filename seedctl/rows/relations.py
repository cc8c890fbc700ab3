"""Derive from the models' relations the order of the models, and which fields contain the same keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from seedctl.outputs.models import Introspection


class ForeignKey(NamedTuple):
    """The fields of one model that contain the key of another."""

    model: str
    fields: tuple[str, ...]
    parent: str


def foreign_keys(schema: Introspection) -> Iterator[ForeignKey]:
    """Yield the foreign keys of all relations; one that both sides declare is yielded twice."""
    for model in schema.models.values():
        for field in model.fields.values():
            association = field.association
            if association is None:
                continue
            related = schema.models[field.type.name]
            if association.connection_type == "BELONGS_TO":
                yield ForeignKey(model.name, association.target_names, related.name)
                continue
            names = association.associated_with
            # Amplify Gen 1 names the child's relation here, which has the foreign key.
            back = related.fields.get(names[0]) if names else None
            if back is not None and back.association is not None:
                names = back.association.target_names
            yield ForeignKey(related.name, names, model.name)


def parents_first(schema: Introspection) -> list[str]:
    """Return the names of all models, each after the models whose keys its records contain.

    In a cycle of models, the one with the fewest missing parents comes first.
    """
    parents: dict[str, set[str]] = {name: set() for name in schema.models}
    for key in foreign_keys(schema):
        if key.model != key.parent:
            parents[key.model].add(key.parent)
    order: list[str] = []
    while parents:
        following = min(parents, key=lambda name: len(parents[name].difference(order)))
        del parents[following]
        order.append(following)
    return order
