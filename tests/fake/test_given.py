"""What a caller gives for fields takes the place of made values."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import InvalidInputError
from seedctl.fake import FakeRow
from seedctl.fake.given import given_maker
from tests.appsync.appsync import ClientHarness

if TYPE_CHECKING:
    from collections.abc import Callable

    from seedctl.data import DataClient
    from tests.fake.api import FakeAPI


@pytest.fixture
def blog_client() -> DataClient:
    """A client of an API that answers nothing: each request would fail."""
    client: DataClient = ClientHarness("blog_apikey.json").client
    return client


class Status(Enum):
    DRAFT = "DRAFT"
    ARCHIVED = "ARCHIVED"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("PUBLISHED", {"PUBLISHED"}, id="one value"),
        pytest.param(["DRAFT", "ARCHIVED"], {"DRAFT", "ARCHIVED"}, id="a list"),
        pytest.param(Status, {Status.DRAFT, Status.ARCHIVED}, id="an enum class"),
        pytest.param(Status.DRAFT, {Status.DRAFT}, id="a member"),
        pytest.param({"DRAFT": 1, "PUBLISHED": 0}, {"DRAFT"}, id="weights"),
        pytest.param(lambda row: row["id"][:1] and "DRAFT", {"DRAFT"}, id="a function"),
    ],
)
def test_values_of_a_field(given: Any, expected: set[Any], blog: FakeAPI) -> None:
    """A value is that of all rows; lists are drawn from; functions are called with the row."""
    rows = blog.fake("Post", 60, status=given, comments=1)
    assert {row["status"] for row in rows} == expected


def test_enums_are_drawn_evenly_or_by_weight(blog: FakeAPI) -> None:
    """Of an enum each value is as frequent as the others, unless weights are given."""
    even = Counter(row["status"] for row in blog.fake("Post", 900))
    assert set(even) == {"DRAFT", "PUBLISHED", "ARCHIVED"}
    assert all(200 < count < 400 for count in even.values())
    weighted = Counter(
        row["status"] for row in blog.fake("Post", 900, status={"DRAFT": 0.5, "ARCHIVED": 4})
    )
    assert 50 < weighted["DRAFT"] < 150
    assert weighted["DRAFT"] + weighted["ARCHIVED"] == 900


def test_a_value_without_weight_is_never_drawn(blog: FakeAPI) -> None:
    """The lowest and the highest draw choose a value that has a weight too."""
    field = blog.schema.models["Post"].fields["status"]
    make = given_maker(field, {"DRAFT": 0, "PUBLISHED": 1, "ARCHIVED": 0}, "Post.status")
    for below in (lambda _limit: 0, lambda limit: limit - 1):
        draw: Any = SimpleNamespace(below=below)
        assert make(draw) == "PUBLISHED"


def test_none_leaves_a_field_out(blog: FakeAPI) -> None:
    """A field given as None is not in the rows."""
    (row,) = blog.fake("Post", 1, body=None, id=None)
    assert row.keys().isdisjoint({"body", "id"})
    assert "title" in row


def test_a_function_gets_the_row_with_its_number(blog: FakeAPI) -> None:
    """Functions see the made values, and those of functions before them."""
    seen: list[FakeRow] = []

    def title(row: FakeRow) -> str:
        seen.append(row)
        return f"{row['status']} {row.number}"

    rows = blog.fake("Post", 3, title=title, body=lambda row: row["title"].lower())
    assert [row["body"] for row in rows] == [
        f"{row['status']} {row.number}".lower() for row in rows
    ]
    assert {row.number for row in seen} == {0, 1, 2}


def test_functions_are_not_called_before_a_row_is_read(blog: FakeAPI) -> None:
    """Making the plan calls no function, since a factory may count its calls."""
    calls: list[int] = []

    def count(row: FakeRow) -> str:
        calls.append(row.number)
        return "x"

    rows = blog.fake("Post", 5, title=count)
    assert len(rows[1:3]) == 2
    assert rows.key(3)
    assert calls == []


def test_lists_take_a_length_or_a_value(blog: FakeAPI) -> None:
    """For a field that is a list, a number or range is its length, and a list is its value."""
    assert {len(row["tags"]) for row in blog.fake("Post", 40, tags=4)} == {4}
    assert {len(row["tags"]) for row in blog.fake("Post", 40, tags=range(3))} == {0, 1, 2}
    assert [row["tags"] for row in blog.fake("Post", 2, tags=["a", "b"])] == [["a", "b"]] * 2
    assert {len(row["links"]) for row in blog.fake("Author", 9, links=2)} == {2}


def test_a_mapping_for_json_is_its_value(one_field: Callable[..., FakeAPI]) -> None:
    """Numbers in a mapping are no weights where the field can hold the mapping itself."""
    (row,) = one_field("value", "AWSJSON").fake("Thing", 1, value={"a": 1})
    assert row["value"] == {"a": 1}


def test_parts_of_custom_types(blog: FakeAPI) -> None:
    """A mapping for a custom type gives some of its fields, nested too; the others are made."""
    rows = blog.fake(
        "Author",
        9,
        address={
            "city": ["Rome", "Oslo"],
            "street": None,
            "geo": {"lat": 1.5, "lon": lambda geo: geo["lat"] + 1},
        },
    )
    for row in rows:
        assert row["address"]["city"] in {"Rome", "Oslo"}
        assert row["address"].keys() == {"city", "geo"}
        assert row["address"]["geo"] == {"lat": 1.5, "lon": 2.5}
    places = [{"city": "Rome"}, {"city": "Oslo"}]
    chosen = [row["address"] for row in blog.fake("Author", 20, address=places)]
    assert all(each in chosen for each in places)


def test_what_is_given_for_a_part_changes_no_other_part(blog: FakeAPI) -> None:
    """A value for a field of a custom type leaves the made values of the others as they are."""
    plain = [row["address"] for row in blog.fake("Author", 20)]
    given = [row["address"] for row in blog.fake("Author", 20, address={"geo": {"lat": 1.5}})]
    assert given == [{**each, "geo": {**each["geo"], "lat": 1.5}} for each in plain]


def test_names_that_are_options_too(blog_client: DataClient) -> None:
    """The client's method takes values by keyword, or in a mapping for any name."""
    models = blog_client.models
    by_name = models.Post.fake(2, {"title": "x"}, seed=7, body=["y"])
    assert [(row["title"], row["body"]) for row in by_name] == [("x", "y")] * 2
    assert models.Post.fake(2)[0]["id"] != by_name[0]["id"]
    with pytest.raises(InvalidInputError, match="Post has no field seed"):
        models.Post.fake(2, {"seed": 1})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"titel": "x"}, "Post has no field titel.", id="unknown"),
        pytest.param({"createdAt": "x"}, "Post.createdAt is set by the API", id="read only"),
        pytest.param({"status": []}, "Post.status: the list of values is empty", id="empty"),
        pytest.param({"status": {"DRAFT": -1}}, "Post.status: a mapping gives", id="negative"),
        pytest.param({"status": {"DRAFT": 0}}, "Post.status: a mapping gives", id="no weight"),
        pytest.param({"status": {"DRAFT": "x"}}, "Post.status: a mapping gives", id="no number"),
        pytest.param({"tags": -1}, "Post.tags: expected a number", id="negative length"),
        pytest.param({"tags": range(-1, 3)}, "Post.tags: expected a number", id="below 0"),
        pytest.param({"tags": range(0)}, "Post.tags: expected a number", id="empty range"),
        pytest.param({"tags": True}, "Post.tags: expected a number", id="a flag"),
        pytest.param({"comments": "x"}, "Post.comments: expected a number", id="children"),
        pytest.param({"author": "x"}, "Post.author: a str cannot be a parent", id="parent"),
        pytest.param({"author": []}, "Post.author: there are no parents", id="no parents"),
        pytest.param({"author": 3, "authorId": "x"}, "Post.authorId is given, and", id="both"),
        pytest.param({"author": -3}, "Expected a number of rows", id="negative parents"),
    ],
)
def test_what_cannot_be_given(given: dict[str, Any], message: str, blog: FakeAPI) -> None:
    """A wrong value is refused when the rows are asked for, and the error names the field."""
    with pytest.raises(InvalidInputError) as caught:
        blog.fake("Post", 5, **given)
    assert str(caught.value).startswith(message)
    assert caught.value.resolution


def test_wrong_fields_of_custom_types(blog: FakeAPI) -> None:
    """The error for a field within a custom type names the whole path."""
    with pytest.raises(InvalidInputError, match=r"Author\.address has no field town"):
        blog.fake("Author", 1, address={"town": "x"})
    with pytest.raises(InvalidInputError, match=r"Author\.address\.geo has no field x"):
        blog.fake("Author", 1, address={"geo": {"x": 1}})


@pytest.mark.parametrize("count", [-1, 2.0, True, "3", None])
def test_a_wrong_number_of_rows(count: Any, blog: FakeAPI) -> None:
    """The number of rows is a whole number from 0 on."""
    with pytest.raises(InvalidInputError, match="Expected a number of rows"):
        blog.fake("Post", count)
    assert list(blog.fake("Post", 0)) == []
