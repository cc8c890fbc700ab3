"""The same seed makes the same rows: on every Python, with more rows, and with other fields."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.fake.draws import Draw
from tests.fake.api import FakeAPI
from tests.fake.conftest import DATA, OUTPUTS, example, with_models
from tests.fake.test_accepted import parents_of
from tests.local_appsync.builders import model

if TYPE_CHECKING:
    from seedctl.fake import FakeRows

DIGESTS = json.loads((DATA / "fake_digests.json").read_text(encoding="utf-8"))
FIELDS = {
    "name": "String!",
    "email": "AWSEmail",
    "code": "String",
    "price": "Float",
    "count": "Int",
    "isActive": "Boolean",
    "startsAt": "AWSDateTime",
    "meta": "AWSJSON",
}
SOURCE = """type Thing @model {
  code: String @validate(type: matches, value: "^[A-Z]{2}[0-9]+$")
  price: Float @validate(type: gt, value: "5000")
}"""


def digest(rows: FakeRows) -> str:
    text = json.dumps(list(rows), ensure_ascii=False, sort_keys=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def digests_of(name: str) -> dict[str, str]:
    """Return the digests of 50 rows of each model of an outputs file."""
    api, made = FakeAPI(example(name)), dict[str, Any]()
    for each in api.ordered():
        made[each.name] = api.fake(each.name, 50, **parents_of(each, made))
    return {each: digest(rows) for each, rows in sorted(made.items())}


def validated() -> FakeAPI:
    keyed = model("Keyed", FIELDS, key=("code", "startsAt"))
    models = {"Thing": model("Thing", FIELDS), "Keyed": keyed}
    return with_models(models, source=SOURCE)


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_python_makes_the_same_bytes(name: str) -> None:
    """The digests in the file are those of this Python too; a change of them changes users' rows."""
    assert digests_of(name) == DIGESTS[name]


def test_many_choices_of_one_value_are_the_same() -> None:
    """A generator that runs out of bits gets more of them, and stays unbiased and the same."""
    draw = Draw(b"x" * 32, 0)
    chosen = [draw.below(1000) for _ in range(60)]
    assert chosen[24:32] == [987, 449, 802, 980, 263, 989, 386, 375]


def test_validated_values_are_the_same_bytes() -> None:
    """The same holds for values made from validators."""
    api = validated()
    found = {each: digest(api.fake(each, 50)) for each in ("Thing", "Keyed")}
    assert found == DIGESTS["validated"]


@pytest.mark.parametrize("name", ["Thing", "Keyed"])
def test_more_rows_change_no_row(name: str) -> None:
    """The first rows are the same, however many there are."""
    api = validated()
    assert list(api.fake(name, 50)) == list(api.fake(name, 500))[:50]


def test_another_field_changes_no_value() -> None:
    """A field that is added to the schema, or given by the caller, changes its own values only."""
    before = with_models({"Thing": model("Thing", FIELDS)})
    more = {"city": "String", **FIELDS, "zip": "String!"}
    after = with_models({"Thing": model("Thing", more)})
    expected = list(before.fake("Thing", 40))
    for rows in (after.fake("Thing", 40), after.fake("Thing", 40, city=["x", "y"])):
        assert [{name: row[name] for name in expected[0]} for row in rows] == expected


def test_more_parents_change_no_child(blog: FakeAPI) -> None:
    """Children of the first parents are the same when there are more parents."""
    few, many = (blog.fake("Post", n, comments=range(5)).children("comments") for n in (20, 30))
    assert 20 < len(few) < len(many)
    assert list(many[: len(few)]) == list(few)


def test_another_seed_or_model_makes_other_rows(blog: FakeAPI) -> None:
    """Seeds, models and relations have ids of their own; a number and its text are one seed."""

    def ids(rows: FakeRows) -> set[Any]:
        return {row["id"] for row in rows}

    authors = blog.fake("Author", 20)
    assert ids(authors) == ids(blog.fake("Author", 20, seed="7"))
    others = [blog.fake("Author", 20, seed=8), blog.fake("Tag", 20)]
    others.append(blog.fake("Post", 20, author=20).parents("author"))
    for rows in others:
        assert ids(authors).isdisjoint(ids(rows))


def test_rows_can_be_read_in_any_order(blog: FakeAPI) -> None:
    """A row by its index, in a slice, from the end and in a loop is the same row."""
    rows = blog.fake("Author", 10)
    everything = list(rows)
    assert rows[3] == everything[3] == rows[2:5][1]
    assert rows[-1] == everything[9]
    assert [row.number for row in rows[::3]] == [0, 3, 6, 9]
    assert rows.key(4) == {"id": everything[4]["id"]}
    assert rows[5:].key(0) == {"id": everything[5]["id"]}
    assert repr(rows[5:]) == "<FakeRows 5 Author>"
    with pytest.raises(IndexError):
        rows[10]
