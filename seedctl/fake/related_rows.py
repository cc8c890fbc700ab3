"""The other rows that rows depend on: rows of the same call, and parents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seedctl.errors import InvalidInputError
from seedctl.fake.draws import RowDraws
from seedctl.fake.numbering import Numbering
from seedctl.fake.plan import Plan
from seedctl.nearest import advice
from seedctl.outputs.model_schema import ModelSources
from seedctl.outputs.models import Introspection, Model


@dataclass(frozen=True)
class FakeModel:
    """A model to generate rows of, with the seed that distinguishes them from those of other calls."""

    schema: Introspection
    sources: ModelSources
    model: Model
    seed: tuple[str, ...]

    @cached_property
    def draws(self) -> RowDraws:
        return RowDraws(*self.seed, self.model.name)

    def related(self, name: str, model: str) -> FakeModel:
        """Return *model* for the rows at the other end of the relation *name*."""
        # Another seed, since these rows may exist in addition to other rows of their model.
        place = f"{self.model.name}.{name}"
        return FakeModel(self.schema, self.sources, self.schema.models[model], (*self.seed, place))


class OwnKeys:
    """The rows of a call as parents of other rows of the same call."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        self.plan: Plan | None = None
        """Set once the rows are planned."""

    def __len__(self) -> int:
        return self._numbering.count

    def key(self, number: int) -> Mapping[str, Any]:
        assert self.plan is not None
        return self.plan.key(self._numbering.row_of(number))


@dataclass(frozen=True, slots=True)
class GivenParents:
    """Records, rows or keys that the caller gave as parents."""

    model: Model
    records: Sequence[Any]
    where: str
    """Names the relation in errors."""

    def __len__(self) -> int:
        return len(self.records)

    def key(self, index: int) -> Mapping[str, Any]:
        record = self.records[index]
        # What create_many returns has the key of each record by itself.
        found = record if isinstance(record, Mapping) else getattr(record, "key", None)
        if not isinstance(found, Mapping) or any(
            found.get(name) is None for name in self.model.primary_key
        ):
            raise InvalidInputError(
                f"{self.where}: number {index} of those given is no {self.model.name} with its key, "
                f"{', '.join(self.model.primary_key)}.",
                resolution="Give records, rows of fake(), or what create_many returned.",
            )
        return found


def check_names(model: Model, given: Mapping[str, Any]) -> None:
    """Raise InvalidInputError if a script cannot set each field in *given*."""
    for name in given:
        field = model.fields.get(name)
        if field is None:
            raise InvalidInputError(
                f"{model.name} has no field {name}.", resolution=advice(name, model.fields)
            )
        if field.is_read_only:
            raise InvalidInputError(
                f"{model.name}.{name} is set by the API itself.", resolution="Leave it out."
            )
