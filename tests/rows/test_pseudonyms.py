"""Pseudonyms have the form of the values that they replace, and the same value has the same one."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.appsync.values import convert_scalar
from seedctl.cognito.user_list import StoredUser
from seedctl.errors import InvalidInputError
from seedctl.local.appsync.scalars import SCALARS as LOCAL_SCALARS
from seedctl.outputs import load_outputs, parse_outputs
from seedctl.outputs.models import Introspection
from seedctl.report import Progress, Report
from seedctl.rows.exporting import export_users
from seedctl.rows.folder import ExportFolder
from seedctl.rows.masked_fields import MaskedFields
from seedctl.rows.pseudonyms import Pseudonyms
from tests.local_appsync.builders import model, outputs
from tests.rows.schemas import SCALARS, value_of
from tests.running import DATA

if TYPE_CHECKING:
    from pathlib import Path

MASKS = Pseudonyms(b"one key")


def _schema(name: str) -> Introspection:
    outputs = load_outputs(DATA / "outputs" / f"{name}.json")
    assert outputs.data is not None
    assert outputs.data.schema is not None
    return outputs.data.schema


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_pseudonym_has_the_type_of_its_value(scalar: str) -> None:
    """The client and the API accept it, it depends on the key and the value alone, and says nothing
    of the value."""
    rng = Random(scalar)
    for _ in range(50):
        value = value_of(scalar, rng)
        masked = MASKS.of(value, scalar)
        assert convert_scalar(scalar, masked) == masked
        assert LOCAL_SCALARS[scalar].parse_value(masked) is not None
        assert Pseudonyms(b"one key").of(value, scalar) == masked
        if scalar not in {"Boolean", "AWSPhone", "AWSDate"}:  # with few values, some are the same
            assert masked != value
            assert Pseudonyms(b"another key").of(value, scalar) != masked


def test_pseudonyms_stay_the_same() -> None:
    """With the same key, another version makes the same pseudonyms: exports can be compared."""
    user = "7a4c7f0e-6a9d-4b71-8f4e-0d8a3b1c2d3e"
    for value, scalar, pseudonym in (
        (5, "Int", 1820388278),
        (-5, "Int", -1602112954),
        (2**40, "AWSTimestamp", 1603455826),
        (2, "Float", 1292157098.4524574),
        (2.0, "Float", 1292157098.4524574),
        ("Ann", "String", "masked-c9fb468ab5dcf1e8"),
        ("ann@example.org", "AWSEmail", "user-70ebfdfc7fde239c@example.com"),
        ("+14255550123", "AWSPhone", "+12125550122"),
        ("2000-01-31", "AWSDate", "1983-07-04"),
        (user, "ID", "49194da4-1738-4924-b9e8-23fe8d599728"),
    ):
        assert MASKS.of(value, scalar) == pseudonym


def test_odd_text_is_masked() -> None:
    """The type decides for text that does not look like it; no text is refused."""
    assert MASKS.of("911", "AWSPhone").startswith("+1")
    assert MASKS.of("Ann <ann@x>, Bob", "AWSEmail").endswith("@example.com")
    assert MASKS.of("\ud800", "String").startswith("masked-")


@pytest.mark.parametrize("scalar", ["String", "ID", "AWSEmail", ""])
def test_text_keeps_its_form(scalar: str) -> None:
    """A value has one pseudonym in fields of all these types: relations and owners stay equal."""
    user = "7a4c7f0e-6a9d-4b71-8f4e-0d8a3b1c2d3e"
    if scalar != "AWSEmail":
        assert MASKS.of(user, scalar) == MASKS.of(user, "ID")
        assert len(MASKS.of(user, scalar)) == 36
        assert MASKS.of("+14255550123", scalar).startswith("+1")
        assert MASKS.of("Ann", scalar).startswith("masked-")
    assert MASKS.of("ann@example.org", scalar) == MASKS.of("ann@example.org", "AWSEmail")
    assert MASKS.of("ann@example.org", scalar).endswith("@example.com")
    assert MASKS.of("", scalar) == ""
    assert MASKS.of(None, scalar) is None


def test_numbers_stay_different() -> None:
    """No two whole numbers that GraphQL's Int can have get the same pseudonym: they may be keys."""
    numbers = [*range(-3000, 3000), 2**31 - 1, -(2**31)]
    masked = {MASKS.of(number, "Int") for number in numbers}
    assert len(masked) == len(numbers)
    assert all(-(2**31) <= number < 2**31 for number in masked)
    assert masked.isdisjoint(range(-10, 10))
    assert 0 <= MASKS.of(2**40, "AWSTimestamp") < 2**31


def test_json_keeps_its_shape() -> None:
    """In AWSJSON all values are replaced and the names stay."""
    value = {"name": "Ann", "mail": "ann@example.org", "n": [1, 2.5, True, None, ""]}
    masked = json.loads(MASKS.of(json.dumps(value), "AWSJSON"))
    assert list(masked) == ["name", "mail", "n"]
    assert masked["name"].startswith("masked-")
    assert masked["mail"].endswith("@example.com")
    kinds = [type(each) for each in masked["n"]]
    assert kinds == [int, float, bool, type(None), str]


def test_enums_stay_in_their_values() -> None:
    """The pseudonym of an enum's value is one of the enum's values."""
    choices = ("NEW", "PAID", "SHIPPED")
    assert {MASKS.of(each, "OrderState", choices) for each in choices} <= set(choices)


@pytest.mark.parametrize(
    ("schema", "wanted", "names"),
    [
        pytest.param(
            "blog_apikey",
            ["Author.id"],
            ["Author.id", "Post.authorId"],
            id="key and its references",
        ),
        pytest.param(
            "blog_apikey", ["Post.authorId"], ["Author.id", "Post.authorId"], id="the other way"
        ),
        pytest.param(
            "store_userpool",
            ["Product.warehouse"],
            ["Product.warehouse", "StockMove.warehouse"],
            id="a part of a composite key",
        ),
        pytest.param(
            "people_apikey",
            ["Person.id"],
            ["Msg.fromId", "Msg.toId", "Person.bossId", "Person.id"],
            id="self-relation and two relations",
        ),
        pytest.param("auth_rules", ["Note.owner"], ["Note.owner"], id="an owner not declared"),
        pytest.param(
            "blog_apikey", ["AuthorAddress.street"], ["AuthorAddress.street"], id="custom type"
        ),
        pytest.param(
            "todo_userpool", ["custom:plan"], ["users.custom:plan"], id="custom attribute"
        ),
    ],
)
def test_fields_of_the_same_key_are_masked_together(
    schema: str, wanted: list[str], names: list[str]
) -> None:
    """A key is masked wherever it is referred to, so that relations remain."""
    assert MaskedFields(_schema(schema), wanted, MASKS).names() == names


def test_a_name_alone_means_all_types() -> None:
    """A field without a model is masked in all models, in custom types and in users."""
    names = MaskedFields(_schema("blog_apikey"), ["name", "email"], MASKS).names()
    assert names == ["Author.email", "Author.name", "Tag.name", "users.email", "users.name"]


def test_values_in_custom_types() -> None:
    """A field inside of custom types and their lists is masked; the fields beside it are not."""
    fields = MaskedFields(_schema("blog_apikey"), ["street", "Link.href"], MASKS)
    row: dict[str, Any] = {
        "id": "1",
        "address": {"street": "Elm 1", "city": "X", "geo": {"lat": 1.5, "long": 2.5}},
        "links": [{"label": "x", "href": "https://example.org/ann"}, None],
    }
    masked = fields.record("Author", row)
    assert masked["address"]["street"].startswith("masked-")
    assert masked["links"][0]["href"].startswith("https://example.com/")
    masked["address"]["street"], masked["links"][0]["href"] = "Elm 1", "https://example.org/ann"
    assert masked == row
    whole = MaskedFields(_schema("blog_apikey"), ["address"], MASKS).record("Author", row)
    assert whole["address"]["city"].startswith("masked-")
    assert whole["address"]["geo"]["lat"] != 1.5
    assert whole["links"] == row["links"]


def test_lists_and_owners() -> None:
    """Each element of a list is masked by itself, and an owner that the schema does not declare too."""
    fields = MaskedFields(_schema("blog_apikey"), ["Post.labels"], MASKS)
    masked = fields.record("Post", {"title": "x", "labels": ["a", "b", "a", None]})
    assert masked["title"] == "x"
    assert masked["labels"] == [MASKS.of(each, "String") for each in ("a", "b", "a", None)]
    assert len({*masked["labels"]}) == 3
    fields = MaskedFields(_schema("auth_rules"), ["Note.owner"], MASKS)
    row = {"content": "x", "owner": "ann"}
    assert fields.record("Note", row) == {"content": "x", "owner": MASKS.of("ann", "")}
    assert MaskedFields(_schema("auth_rules"), ["Note.content"], MASKS).record("Note", row) == {
        "content": MASKS.of("x", "String"),
        "owner": "ann",
    }


@pytest.mark.parametrize("masked", ["Bottom.middleId", "Middle.topId", "Top.id"])
def test_a_key_that_is_the_key_of_another_model(masked: str) -> None:
    """A key is masked through all relations, in whatever order the schema has them."""
    document = outputs(
        model("Bottom", {"middleId": "ID"}, relations={"m": _parent("Middle", "middleId")}),
        model("Top", {}),
        model("Middle", {"topId": "ID!"}, key=("topId",), relations={"t": _parent("Top", "topId")}),
    )
    data = parse_outputs(document, DATA / "amplify_outputs.json").data
    assert data is not None
    assert data.schema is not None
    names = MaskedFields(data.schema, [masked], MASKS).names()
    assert names == ["Bottom.middleId", "Middle.topId", "Top.id"]


def _parent(name: str, key: str) -> tuple[str, str, tuple[str, ...]]:
    return "BELONGS_TO", name, (key,)


def test_exported_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of the export has the masked name and attributes; groups and status are as they are."""
    fields = MaskedFields(_schema("todo_userpool"), ["email", "username"], MASKS)
    user = StoredUser(
        "ann", {"email": "ann@example.org", "locale": "en"}, ("A",), "CONFIRMED", True
    )
    folder = ExportFolder(tmp_path)
    shown: list[Progress] = []
    report = Report()
    monkeypatch.setattr(report, "on_progress", shown.append)
    assert export_users([user, user], folder, fields, report) == 2
    assert (shown[-1].done, shown[-1].is_finished) == (2, True)
    folder.finish([])
    row, _ = (tmp_path / "users.jsonl").read_text().splitlines()
    assert json.loads(row) == {
        "username": MASKS.of("ann", ""),
        "attributes": {"email": MASKS.of("ann@example.org", ""), "locale": "en"},
        "groups": ["A"],
        "status": "CONFIRMED",
        "enabled": True,
    }


def test_users() -> None:
    """Attributes keep the form that Cognito checks."""
    fields = MaskedFields(
        _schema("todo_userpool"),
        ["birthdate", "picture", "users.username", "custom:plan", "users.custom:team"],
        MASKS,
    )
    name, attributes = fields.user(
        "ann",
        {
            "birthdate": "2000-01-31",
            "picture": "https://x.org/a",
            "custom:plan": "pro",
            "custom:team": "red",
            "sub": "s",
        },
    )
    assert name.startswith("masked-")
    assert convert_scalar("AWSDate", attributes["birthdate"]) != "2000-01-31"
    assert attributes["picture"].startswith("https://example.com/")
    assert attributes["custom:plan"].startswith("masked-")
    assert attributes["custom:team"].startswith("masked-")
    assert attributes["sub"] == "s"


@pytest.mark.parametrize(
    "name", ["nmae", "Post.nope", "Nope.id", "posts", "", "Post.", "Post.custom:x"]
)
def test_an_unknown_field_is_refused(name: str) -> None:
    """A mistyped field would be exported as it is, so that it is an error."""
    with pytest.raises(InvalidInputError, match="has this field"):
        MaskedFields(_schema("blog_apikey"), [name], MASKS)
