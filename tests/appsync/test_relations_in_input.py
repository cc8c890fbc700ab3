"""Related records in an input become foreign keys; conflicts are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedctl.appsync.documents import default_selection
from seedctl.appsync.input_builder import InputBuilder
from seedctl.appsync.records import Record
from seedctl.appsync.values import WrongValueError, convert_scalar
from seedctl.errors import InvalidInputError
from seedctl.outputs.introspection import parse_introspection
from seedctl.outputs.models import CustomType, TypeName

if TYPE_CHECKING:
    from seedctl.outputs.models import Introspection

OUTPUTS = Path(__file__).parents[1] / "data" / "outputs" / "blog_apikey.json"


@pytest.fixture
def schema() -> Introspection:
    document = json.loads(OUTPUTS.read_text(encoding="utf-8"))
    return parse_introspection(document["data"]["model_introspection"], OUTPUTS)


def test_a_relation_and_its_key_may_not_differ(schema: Introspection) -> None:
    """A relation and its foreign key may both be given only if they agree."""
    post = schema.models["Post"]
    with pytest.raises(InvalidInputError, match=r"Post\.author and Post\.authorId"):
        InputBuilder(schema).update(
            post, {"id": "p", "authorId": "one", "author": {"id": "two"}}, validate=True
        )
    variables = InputBuilder(schema).update(
        post, {"id": "p", "authorId": "one", "author": {"id": "one"}}, validate=True
    )
    assert variables == {"id": "p", "authorId": "one"}


def test_a_record_of_another_model_is_refused(schema: Introspection) -> None:
    """The model of a related record is compared, not only its key: many models have an id."""
    other = Record("Post", {"id": "p1"})
    with pytest.raises(InvalidInputError, match=r"a record of Author\. It is one of Post"):
        InputBuilder(schema).update(
            schema.models["Post"], {"id": "p1", "author": other}, validate=True
        )


def test_a_record_that_was_read_can_be_written(schema: Introspection) -> None:
    """Fields that the API sets, and records of other models, are left out of the input."""
    author = schema.models["Author"]
    required = {
        field.name: "x"
        for field in author.fields.values()
        if field.is_required and field.type.kind == "scalar" and not field.is_read_only
    }
    record = Record("Author", {**required, "id": "a", "createdAt": "2026-01-01T00:00:00.000Z"})
    assert "createdAt" not in InputBuilder(schema).create(author, record, validate=True)
    post = Record("Post", {"id": "p", "title": "t", "comments": [{"text": "c"}]})
    assert InputBuilder(schema).update(schema.models["Post"], post, validate=True) == {
        "id": "p",
        "title": "t",
    }


def test_a_custom_type_in_itself_is_selected_once(schema: Introspection) -> None:
    """Its own fields are selected, and the type in it is left out, since that would never end."""
    post = schema.models["Post"]
    label = replace(post.fields["title"], name="label")
    left = replace(label, name="left", type=TypeName("nonModel", "Node"))
    types = {"Node": CustomType("Node", {"label": label, "left": left})}
    tree = replace(post, fields={"root": replace(left, name="root")}, rules=())
    found = default_selection(replace(schema, custom_types=types), tree)
    assert found == {"root": {"label": {}}}


@pytest.mark.parametrize("value", [Decimal("1e999"), 10**400, float("inf")])
def test_a_number_too_large_for_a_float_is_a_wrong_value(value: object) -> None:
    """It raises WrongValueError, not Python's OverflowError."""
    with pytest.raises(WrongValueError):
        convert_scalar("Float", value)
