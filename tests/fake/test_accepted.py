"""The local API accepts made rows of every schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fake.api import FakeAPI, api_of
from tests.fake.conftest import OUTPUTS, example
from tests.fake.random_schemas import RandomSchema

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.fake import FakeRows
    from seedctl.outputs.models import Model

ROWS = 8


def parents_of(model: Model, made: dict[str, FakeRows]) -> dict[str, Any]:
    """Return the rows in *made* that rows of *model* may belong to, by relation."""
    return {
        each.name: made[each.type.name]
        for each in model.fields.values()
        if each.association is not None
        and each.association.connection_type == "BELONGS_TO"
        and each.type.name in made
    }


def make_and_create(api: FakeAPI) -> dict[str, FakeRows]:
    made: dict[str, FakeRows] = {}
    for model in api.ordered():
        made[model.name] = api.fake(model.name, ROWS, **parents_of(model, made))
        assert api.create(made[model.name]) == []
    return made


@pytest.mark.parametrize("number", range(10))
def test_rows_of_random_schemas_are_accepted(number: int, tmp_path: Path) -> None:
    """Of any schema, every made row and child is valid, and no two have the same key."""
    outputs = RandomSchema(number).outputs(example("todo_userpool.json").document)
    with api_of(outputs, tmp_path / "state") as api:
        made = make_and_create(api)
        for model in api.ordered():
            has = [
                each
                for each in model.fields.values()
                if each.association is not None
                and each.association.connection_type != "BELONGS_TO"
                and each.type.name != model.name
            ]
            counts: dict[str, Any] = {each.name: range(3) if each.is_array else 1 for each in has}
            rows = api.fake(model.name, ROWS, **parents_of(model, made), **counts)[:5]
            for each in has:
                child = api.schema.models[each.type.name]
                given = parents_of(child, made)
                mine = {
                    name
                    for name, relation in child.fields.items()
                    if relation.association is not None and relation.type.name == model.name
                }
                others = {name: value for name, value in given.items() if name not in mine}
                children = rows.children(each.name, others)
                assert len({tuple(children.key(n).items()) for n in range(len(children))}) == len(
                    children
                )
                for child_row in children:
                    api.check(child, child_row)


@pytest.mark.parametrize("name", OUTPUTS)
def test_rows_of_outputs_files_are_accepted(name: str, tmp_path: Path) -> None:
    """Of every outputs file of the tests, every made row is valid."""
    outputs = example(name)
    with api_of(outputs, tmp_path / "state") as api:
        assert make_and_create(api).keys() == api.schema.models.keys()
