"""Parents before children."""

from __future__ import annotations

from random import Random

import pytest

from seedctl.outputs import load_outputs, parse_outputs
from seedctl.rows.relations import foreign_keys, parents_first
from tests.local_appsync.builders import model, outputs
from tests.rows.schemas import introspection_of, outputs_of
from tests.running import DATA


@pytest.mark.parametrize("name", ["blog_apikey", "store_userpool", "people_apikey"])
def test_parents_come_first(name: str) -> None:
    """Without a circle each model comes after all models whose keys its records hold."""
    data = load_outputs(DATA / "outputs" / f"{name}.json").data
    assert data is not None
    assert data.schema is not None
    order = parents_first(data.schema)
    assert sorted(order) == sorted(data.schema.models)
    keys = [key for key in foreign_keys(data.schema) if key.model != key.parent]
    assert keys
    for key in keys:
        assert order.index(key.parent) < order.index(key.model)


def test_the_order_of_models_with_several_parents() -> None:
    """A relation of a model to itself does not count, and parents that are there already do not."""
    by_parent = {"parent": ("BELONGS_TO", "Node", ("parentId",))}
    document = outputs(
        model("Leaf", {"nodeId": "ID"}, relations={"node": ("BELONGS_TO", "Node", ("nodeId",))}),
        model("Node", {"parentId": "ID"}, relations=by_parent),
        model("Last", {"bothId": "ID"}, relations={"both": ("BELONGS_TO", "Both", ("bothId",))}),
        model(
            "Both",
            {"leafId": "ID", "nodeId": "ID"},
            relations={
                "leaf": ("BELONGS_TO", "Leaf", ("leafId",)),
                "node": ("BELONGS_TO", "Node", ("nodeId",)),
            },
        ),
    )
    data = parse_outputs(document, DATA / "amplify_outputs.json").data
    assert data is not None
    assert data.schema is not None
    assert parents_first(data.schema) == ["Node", "Leaf", "Both", "Last"]


def test_circles_end() -> None:
    """Models that refer to each other are all there, each once; a relation that only the parent
    declares counts, and one of Amplify Gen 1 that names the child's relation."""
    document = outputs_of(introspection_of(1, Random(1)))
    extra = outputs(
        model("Child", {"parentId": "ID"}),
        model("Parent", {}, relations={"children": ("HAS_MANY", "Child", ("parentId",))}),
        model("Old", {}, relations={"news": ("HAS_MANY", "New", ("old",))}),
        model("New", {"oldId": "ID"}, relations={"old": ("BELONGS_TO", "Old", ("oldId",))}),
    )["data"]["model_introspection"]["models"]
    document["data"]["model_introspection"]["models"] |= extra
    data = parse_outputs(document, DATA / "amplify_outputs.json").data
    assert data is not None
    assert data.schema is not None
    order = parents_first(data.schema)
    assert sorted(order) == sorted(data.schema.models)
    assert order.index("Parent") < order.index("Child")
    assert order.index("Old") < order.index("New")
    assert [key.fields for key in foreign_keys(data.schema) if key.model == "New"] == [
        ("oldId",),
        ("oldId",),
    ]
