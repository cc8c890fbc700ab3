"""Input is checked against the schema and converted to JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl import errors, masking
from seedctl.appsync.model_client import ModelClient
from seedctl.appsync.values import WrongValueError, convert_scalar, to_json
from seedctl.outputs.models import TypeKind, TypeName
from tests.appsync.appsync import DATA, ClientHarness
from tests.cases import case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOON = datetime(2025, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=1)))
SOME_ID = UUID("12345678-1234-5678-1234-567812345678")


class Status(Enum):
    DRAFT = "draft"
    PUBLISHED = "PUBLISHED"


def test_a_value_is_sent_as_its_scalar() -> None:
    """Python types are converted to AppSync's scalars."""
    for scalar, value, sent in (
        ("ID", SOME_ID, str(SOME_ID)),
        ("ID", 7, 7),
        ("String", SOME_ID, str(SOME_ID)),
        ("String", Status.PUBLISHED, "PUBLISHED"),
        ("Int", Decimal(3), 3),
        ("Int", 3.0, 3),
        ("Int", 2**31 - 1, 2**31 - 1),
        ("Int", -(2**31), -(2**31)),
        ("Float", Decimal("9.99"), 9.99),
        ("Float", 3, 3),
        ("Boolean", False, False),
        ("AWSDate", date(2025, 1, 31), "2025-01-31"),
        ("AWSDate", "2025-01-31Z", "2025-01-31Z"),
        ("AWSDate", "-0044-03-15", "-0044-03-15"),
        ("AWSDate", "2024-02-29", "2024-02-29"),
        ("AWSDate", "-0004-02-29", "-0004-02-29"),
        ("AWSDateTime", "-2017-01-01T00:00Z", "-2017-01-01T00:00Z"),
        ("AWSTime", time(12, 30), "12:30:00"),
        ("AWSTime", "12:30", "12:30"),
        ("AWSDateTime", NOON, "2025-01-31T11:30:00.000Z"),
        ("AWSDateTime", NOON.replace(microsecond=1), "2025-01-31T11:30:00.000001Z"),
        ("AWSDateTime", NOON.replace(microsecond=5000), "2025-01-31T11:30:00.005Z"),
        ("AWSDateTime", "2025-01-31T12:30+01:00", "2025-01-31T12:30+01:00"),
        ("AWSTimestamp", NOON.replace(microsecond=600_000), 1738323000),
        ("AWSTimestamp", NOON.replace(year=1960, microsecond=600_000), -312985800),
        ("AWSTimestamp", NOON, 1738323000),
        ("AWSTimestamp", 1738323000, 1738323000),
        ("AWSEmail", "ann@example.com", "ann@example.com"),
        ("AWSJSON", {"k": [1, SOME_ID]}, f'{{"k": [1, "{SOME_ID}"]}}'),
        ("AWSJSON", '{"k":1}', '{"k":1}'),
        ("AWSJSON", 5, "5"),
        ("AWSPhone", "+1 425-555-0123", "+1 425-555-0123"),
        ("AWSURL", "mailto:ann@example.com", "mailto:ann@example.com"),
        ("AWSIPAddress", ip_address("2001:db8::1"), "2001:db8::1"),
        ("AWSIPAddress", "10.0.0.0/8", "10.0.0.0/8"),
        ("SomethingNew", NOON, "2025-01-31T11:30:00.000Z"),
    ):
        with case(scalar, value, sent):
            assert convert_scalar(scalar, value) == sent
            assert type(convert_scalar(scalar, value)) is type(sent)


def test_a_wrong_value_is_refused() -> None:
    """A value that AppSync would refuse or misread is not sent."""
    for scalar, value in (
        ("ID", True),
        ("String", 1),
        ("Int", True),
        ("Int", 1.5),
        ("Int", 2**31),
        ("Int", -(2**31) - 1),
        ("Int", float("nan")),
        ("Float", "1"),
        ("Float", float("inf")),
        ("Boolean", 1),
        ("AWSDate", NOON),
        ("AWSDate", "31.1.2025"),
        ("AWSDate", "--044-03-15"),
        ("AWSDate", "2023-02-29"),
        ("AWSDate", "-0005-02-29"),
        ("AWSDate", "1900-02-29"),
        ("AWSDateTime", "2025-01-31T25:00Z"),
        ("AWSDateTime", "-44-03-15T00:00Z"),
        ("AWSTime", "noon"),
        ("AWSTime", "25:00"),
        ("AWSDateTime", datetime(2025, 1, 31)),  # noqa: DTZ001 - what is refused
        ("AWSDateTime", "2025-01-01T00:00:00"),
        ("AWSDateTime", "2025-01-01T00:00:00+0000"),
        ("AWSTimestamp", datetime(2025, 1, 31)),  # noqa: DTZ001 - what is refused
        ("AWSTimestamp", "1738323000"),
        ("AWSEmail", "ann"),
        ("AWSJSON", "plain text"),
        ("AWSJSON", float("nan")),
        ("AWSJSON", object()),
        ("AWSJSON", "[" * 200_000),
        ("AWSPhone", "call me"),
        ("AWSURL", "example.com"),
        ("AWSURL", "http://[x"),
        ("AWSIPAddress", "10.0.0.256"),
    ):
        with case(scalar, value), pytest.raises(WrongValueError):
            convert_scalar(scalar, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(
    JSON.filter(
        lambda value: not isinstance(value, str) and value not in [float("inf"), -float("inf")]
    )
)
def test_awsjson_is_lossless(value: Any) -> None:
    """Any JSON value can be read back from an AWSJSON field."""
    try:
        sent = convert_scalar("AWSJSON", value)
    except WrongValueError:
        assert "inf" in repr(value)
    else:
        assert json.loads(sent) == value


@settings(max_examples=50)
@given(st.datetimes(timezones=st.timezones(), allow_imaginary=False))
def test_a_datetime_is_sent_as_the_same_moment(moment: datetime) -> None:
    """A datetime is sent in UTC, exact to the microsecond."""
    sent = convert_scalar("AWSDateTime", moment)
    assert sent.endswith("Z")
    # Compare numbers: in the hour that a clock change repeats, Python calls no datetimes equal.
    back = datetime.fromisoformat(sent.replace("Z", "+00:00"))
    assert abs(back.timestamp() - moment.timestamp()) < 1e-6
    assert convert_scalar("AWSDateTime", sent) == sent


def test_a_value_that_is_not_json_is_refused() -> None:
    """A value that JSON cannot represent raises InvalidInputError."""
    with pytest.raises(errors.InvalidInputError, match="A object cannot be sent"):
        to_json({"x": [object()]})
    assert to_json((Status.DRAFT, time(1, 2), Decimal("1.5"))) == ["draft", "01:02:00", 1.5]
    assert to_json(datetime(2025, 1, 1)) == "2025-01-01T00:00:00"  # noqa: DTZ001 - sent as given


def test_a_wrong_record_is_refused_before_it_is_sent(blog: ClientHarness) -> None:
    """The message names the model, the field and what was expected; nothing is sent."""
    record: Any
    for case_name, record, message in (
        ("unknown field", {"titel": "x"}, r"Post has no field titel\."),
        ("missing", {"labels": []}, r"Post\.title is required"),
        ("null", {"title": None, "labels": []}, r"Post\.title is required"),
        ("missing list", {"title": "x"}, r"Post\.labels is required"),
        ("type", {"title": 5, "labels": []}, r"Post\.title must be String: text"),
        ("item", {"title": "x", "labels": ["a", None]}, r"Post\.labels\[1\] must be not null"),
        ("no list", {"title": "x", "labels": "a"}, r"labels must be a list"),
        (
            "enum",
            {"title": "x", "labels": [], "status": "OPEN"},
            r"one of PostStatus: DRAFT, PUBLISHED, ARCHIVED",
        ),
        ("read only", {"title": "x", "labels": [], "createdAt": NOON}, r"set by the API"),
        ("key", {"title": "x", "labels": [], "author": {"name": "Ann"}}, r"without its key: id"),
        ("id", {"title": "x", "labels": [], "author": "a1"}, r"a record of Author"),
        ("no mapping", ["title"], r"is a list, not a mapping"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidInputError, match=message) as caught:
                blog.models.Post.create(record)
            assert caught.value.resolution
            assert blog.requests == []


@pytest.mark.parametrize(
    ("value", "resolution"),
    [
        pytest.param("DRAFTED", "Did you mean DRAFT?", id="near"),
        pytest.param("draft", "Did you mean DRAFT?", id="in other letters"),
        pytest.param("zzz", "Pass validate=False", id="far"),
    ],
)
def test_a_wrong_enum_value_is_named(blog: ClientHarness, value: str, resolution: str) -> None:
    """The message shows a wrong enum value, and the resolution the nearest right one."""
    with pytest.raises(errors.InvalidInputError, match=rf"It is '{value}'\.$") as caught:
        blog.models.Post.create({"title": "x", "labels": [], "status": value})
    assert resolution in str(caught.value.resolution)


def test_a_long_enum_value_is_not_shown(blog: ClientHarness) -> None:
    """A long value may be a secret in the wrong place: only its type is named."""
    with pytest.raises(errors.InvalidInputError, match="a value of type str"):
        blog.models.Post.create({"title": "x", "labels": [], "status": "hunter2" * 10})
    masking.register("hunter2-hunter2")
    with pytest.raises(errors.InvalidInputError, match=r"It is '\*\*\*'"):
        blog.models.Post.create({"title": "x", "labels": [], "status": "hunter2-hunter2"})


@pytest.mark.parametrize(
    ("rule", "is_array", "advice"),
    [
        pytest.param({"allow": "owner", "ownerField": "content"}, False, "the owner", id="owner"),
        pytest.param(
            {"allow": "owner", "ownerField": "content"}, True, "a list with the owner", id="owners"
        ),
        pytest.param({"allow": "groups", "groupsField": "content"}, False, "a group", id="group"),
    ],
)
def test_a_required_owner_field_is_named(
    rule: dict[str, Any], is_array: bool, advice: str, tmp_path: Path
) -> None:
    """AppSync refuses the record before it would set the owner: the error says what to give."""
    document = json.loads((DATA / "outputs" / "todo_userpool.json").read_text(encoding="utf-8"))
    todo = document["data"]["model_introspection"]["models"]["Todo"]
    todo["fields"]["content"] |= {
        "isRequired": True,
        "isArray": is_array,
        "isArrayNullable": False,
    }
    rules = [{**rule, "operations": ["create", "read"]}]
    todo["attributes"] = [{"type": "auth", "properties": {"rules": rules}}]
    path = tmp_path / "amplify_outputs.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    harness = ClientHarness(str(path))
    with pytest.raises(errors.InvalidInputError, match=r"Todo\.content is required") as caught:
        harness.models.Todo.create({"isDone": True})
    assert str(caught.value.resolution).startswith(f"Give {advice}")
    assert harness.requests == []


def test_the_value_itself_is_not_shown(blog: ClientHarness) -> None:
    """A wrong value may be a secret in the wrong place: only its type is named."""
    with pytest.raises(errors.InvalidInputError) as caught:
        blog.models.Post.create({"title": b"hunter2hunter2", "labels": []})
    assert "hunter2" not in f"{caught.value}{caught.value.resolution}"
    assert "a value of type bytes" in caught.value.message


def test_custom_types_are_checked_at_each_level(store: ClientHarness) -> None:
    """The error names the path to a wrong value inside a custom type."""
    product = {"sku": "S", "warehouse": "W", "shelf": 1, "name": "x"}
    with pytest.raises(errors.InvalidInputError, match=r"Product\.price\.currency is required"):
        store.models.Product.create({**product, "price": {"amount": 1}})
    with pytest.raises(errors.InvalidInputError, match=r"Product\.price\.currency is required"):
        store.models.Product.create({**product, "price": {"amount": 1, "currency": None}})
    with pytest.raises(errors.InvalidInputError, match=r"Product\.price\.amount must be Float"):
        store.models.Product.create({**product, "price": {"amount": "1", "currency": "EUR"}})
    with pytest.raises(errors.InvalidInputError, match=r"a mapping with the fields of Money"):
        store.models.Product.create({**product, "price": 5})
    store.models.Product.create({**product, "price": {"amount": Decimal("1.5"), "currency": "EUR"}})
    assert store.sent["input"]["price"] == {"amount": 1.5, "currency": "EUR"}


def test_relations_become_foreign_keys(store: ClientHarness, blog: ClientHarness) -> None:
    """Foreign keys match by position, also composite ones; null removes the relation."""
    blog.models.Post.create({"title": "x", "labels": [], "author": None})
    assert blog.sent["input"] == {"title": "x", "labels": [], "authorId": None}
    move = store.schema.models["StockMove"]
    (relation,) = [each for each in move.fields.values() if each.association is not None]
    assert relation.association is not None
    required = {
        name: 1 if field.type.name in {"Int", "Float"} else "x"
        for name, field in move.fields.items()
        if field.must_be_given
        and name != "id"
        and field.type.kind == "scalar"
        and name not in relation.association.target_names
    }
    key = {"sku": "S", "warehouse": "W", "shelf": 3}
    store.models.StockMove.create({**required, relation.name: key})
    sent = store.sent["input"]
    assert [sent[name] for name in relation.association.target_names] == ["S", "W", 3]


def test_enum_members_are_known_by_value_or_name(blog: ClientHarness) -> None:
    """A member of a Python enum is accepted if its value or its name is in the schema."""
    for member in Status:
        blog.models.Post.create({"title": "x", "labels": [], "status": member})
        assert blog.sent["input"]["status"] == member.name


def test_a_default_does_not_replace_a_required_value(blog: ClientHarness) -> None:
    """No advice to skip the check: AppSync demands a required field even if it has a default."""
    with pytest.raises(errors.InvalidInputError, match=r"Post\.title is required") as caught:
        blog.models.Post.create({"labels": []})
    assert caught.value.resolution == (
        "Give it a value. AppSync requires one even if the field has a default."
    )


def test_unchecked_input_is_sent_as_it_is(todo: ClientHarness) -> None:
    """With validate=False values are only converted to JSON."""
    todo.models.Todo.create({"content": 5, "when": NOON}, validate=False)
    assert todo.sent["input"] == {"content": 5, "when": "2025-01-31T11:30:00.000Z"}
    todo.models.Todo.update({"content": 5}, validate=False)
    assert todo.sent["input"] == {"content": 5}
    todo.models.Todo.get({}, validate=False)
    assert todo.sent == {}


def test_what_a_create_must_give(todo: ClientHarness) -> None:
    """A required field must be given, except those that the API sets, and relations."""
    requests = todo.models.Todo._requests
    required = replace(requests.model.fields["content"], is_required=True)
    types: dict[str, TypeKind] = {"createdAt": "scalar", "relation": "model", "id": "scalar"}
    fields = {
        name: replace(required, name=name, type=TypeName(kind, "Todo"))
        for name, kind in types.items()
    }

    def create(**changed: Any) -> None:
        model = replace(requests.model, **changed)
        ModelClient(replace(requests, model=model)).create({"content": "x"})

    create(fields={**requests.model.fields, **fields})
    with pytest.raises(errors.InvalidInputError, match=r"Todo\.id is required"):
        create(fields={**requests.model.fields, **fields}, primary_key=("content",))
    assert len(todo.requests) == 1


def test_children_are_not_set_with_their_parent(blog: ClientHarness) -> None:
    """The children have the foreign key: giving them is an error, also without the check of values."""
    post = {"title": "x", "labels": []}
    for validate in (True, False):
        with pytest.raises(errors.InvalidInputError, match=r"Post\.comments cannot be set here"):
            blog.models.Post.create({**post, "comments": [{"id": "c"}]}, validate=validate)
    blog.models.Post.create({**post, "comments": None}, validate=False)
    assert blog.sent["input"] == post


def test_an_undeclared_owner_is_set_by_the_api(harness_of: Callable[..., ClientHarness]) -> None:
    """The error says why the owner cannot be given, and not only that there is no such field."""
    harness = harness_of("auth_rules.json")
    with pytest.raises(errors.InvalidInputError, match=r"Note\.owner is set by the API itself"):
        harness.models.Note.create({"content": "x", "owner": "ann"})


def test_an_update_needs_its_key_and_keeps_required_fields(blog: ClientHarness) -> None:
    """An update needs the key, and refuses null in a required field."""
    with pytest.raises(errors.InvalidInputError, match="missing: id"):
        blog.models.Post.update({"title": "x"})
    with pytest.raises(errors.InvalidInputError, match="Post has no field titel"):
        blog.models.Post.update({"id": "p", "titel": "x"})
    with pytest.raises(errors.InvalidInputError, match="every later read"):
        blog.models.Post.update({"id": "p", "title": None})
    with pytest.raises(errors.InvalidInputError, match="missing: id"):
        blog.models.Post.delete({"title": "x"})
    assert blog.requests == []


def test_a_wrong_filter_is_refused(blog: ClientHarness) -> None:
    """A filter by an unknown field or without a condition is refused, unless validate=False."""
    for case_name, condition, message in (
        ("unknown", {"titel": {"eq": "x"}}, "no field titel"),
        ("inside", {"and": [{"titel": {"eq": "x"}}]}, "no field titel"),
        ("not", {"not": {"titel": {"eq": "x"}}}, "no field titel"),
        ("no condition", {"title": "x"}, "not a condition"),
        ("no mapping", {"or": ["x"]}, "not a mapping"),
    ):
        with case(case_name):
            with pytest.raises(errors.InvalidInputError, match=message):
                blog.models.Post.list(filter=condition)
            blog.models.Post.list(filter=condition, validate=False)
            assert blog.sent["filter"] == condition


def test_lists_take_their_keys_only(store: ClientHarness, blog: ClientHarness) -> None:
    """An unknown, a missing and a wrong key argument are named; sorting needs a key."""
    with pytest.raises(
        errors.InvalidInputError, match=r"name is not a key argument of Product\.list"
    ):
        store.models.Product.list({"name": "x"})
    with pytest.raises(errors.InvalidInputError, match=r"id is not a key argument of Post\.list"):
        blog.models.Post.list({"id": "p"})  # whose key the schema does not declare
    store.models.Product.productsByCategory({"category": "NOPE", "x": 1}, validate=False)
    assert store.sent == {"category": "NOPE", "x": 1}
    with pytest.raises(
        errors.InvalidInputError, match=r"Post\.listPostByStatus requires status, which is missing"
    ):
        blog.models.Post.listPostByStatus({})
    query = store.models.Product.listProductByManufacturerAndLaunchDateAndRank
    query({"manufacturer": ""}, limit=0)
    assert store.sent == {"manufacturer": ""}
    store.models.Product.list({"sku": None}, filter={"id": {"eq": "x"}})
    assert store.sent == {"filter": {"id": {"eq": "x"}}}
    with pytest.raises(errors.InvalidInputError, match="one of PostStatus"):
        blog.models.Post.listPostByStatus({"status": "OPEN"})
    with pytest.raises(errors.InvalidInputError, match="not ASC or DESC"):
        blog.models.Post.list(sort_direction="UP")  # type: ignore[arg-type]
    for model in (blog.models.Post, store.models.Product):
        with pytest.raises(errors.InvalidInputError, match="sort_direction needs a partition key"):
            model.list(sort_direction="DESC")
    blog.models.Post.list(filter={"owner": {"eq": "x"}, "title": None, "publishedAt": {"gt": NOON}})
    assert blog.sent["filter"]["publishedAt"] == {"gt": "2025-01-31T11:30:00.000Z"}


def test_arguments_of_custom_operations_are_checked(store: ClientHarness) -> None:
    """Unknown and wrong arguments are refused, and values converted."""
    with pytest.raises(errors.InvalidInputError, match="echo has no field massage"):
        store.client.queries.echo({"message": "x", "massage": "y"})
    for arguments in ({}, {"message": None}):
        with pytest.raises(errors.InvalidInputError, match="echo requires arguments 'message'"):
            store.client.queries.echo(arguments)
    with pytest.raises(errors.InvalidInputError, match=r"adjustPrice\.price\.currency is required"):
        store.client.mutations.adjustPrice({"sku": "S", "price": {"amount": 1}})
    store.client.queries.quote({"skus": (SOME_ID,), "opts": {"x": 1}})
    assert store.sent == {"skus": [str(SOME_ID)], "opts": '{"x": 1}'}
    store.client.queries.echo({"message": 5, "other": 1}, validate=False)
    assert store.sent == {"message": 5}
