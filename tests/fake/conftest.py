"""Backends of the tests' outputs files, and of schemas written for one test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.outputs import AmplifyOutputs, load_outputs, parse_outputs
from tests.fake.api import FakeAPI
from tests.local_appsync.builders import model

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent.parent / "data"


def example(name: str) -> AmplifyOutputs:
    return load_outputs(DATA / "outputs" / name)


OUTPUTS = [
    path.name
    for path in sorted((DATA / "outputs").glob("*.json"))
    if example(path.name).data is not None
]
"""The outputs files of the tests with models."""


def with_models(models: dict[str, Any], *, source: str = "", **types: Any) -> FakeAPI:
    """Return what makes rows of *models*, with *source* as the GraphQL text of them."""
    base = example("todo_userpool.json").document
    introspection = {"version": 1, "models": models, "enums": {}, "nonModels": {}, **types}
    custom = {"seedctl": {"format": 1, "model_schema": source}} if source else {}
    return FakeAPI(
        parse_outputs(
            {
                **base,
                "data": {**base["data"], "model_introspection": introspection},
                "custom": custom,
            },
            Path("amplify_outputs.json"),
        )
    )


@pytest.fixture(scope="session")
def blog() -> FakeAPI:
    return FakeAPI(example("blog_apikey.json"))


@pytest.fixture
def one_field() -> Callable[..., FakeAPI]:
    """Make a model Thing with an id and one field, of a type and with validators."""

    def make(name: str, kind: str, validators: str = "", *, key: bool = False) -> FakeAPI:
        keys = (name,) if key else ("id",)
        source = f"type Thing @model {{ {name}: {kind.rstrip('!')} {validators} }}"
        thing = model("Thing", {name: kind}, key=keys)
        return with_models({"Thing": thing}, source=source if validators else "")

    return make
