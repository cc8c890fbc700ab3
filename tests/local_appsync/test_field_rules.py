"""The rules of fields, known from the source of the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local_appsync.sources import ANN, EVE, SourceAPI, api_of, denied, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALL = "title secret note open once grade"
_REPORT = {"title": "t", "secret": "s", "note": "n", "open": "o", "once": "c", "grade": 1}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceAPI]:
    folder = tmp_path_factory.mktemp("rules") / "state"
    with api_of(folder, "reports_userpool.json", "reports") as found:
        found.create("iam", "Report", {"id": "r", "binderId": "b", **_REPORT})
        found.create("iam", "Binder", {"id": "b", "name": "B", "stock": 4})
        found.create("iam", "Review", {"id": "v", "text": "fine", "hidden": "h", "reportId": "r"})
        found.create("iam", "Loose", {"id": "l", "name": "n", "hidden": "h"})
        yield found


@pytest.mark.parametrize(
    ("who", "given", "names"),
    [
        pytest.param("ann", {"title": "t", "secret": "s"}, (), id="owner"),
        pytest.param("ann", {"title": "t", "note": "n", "id": "x"}, ("note", "id"), id="denied"),
        pytest.param("ann", {"title": "t", "note": None}, ("note",), id="null"),
        pytest.param("ann", {"once": "o"}, (), id="the last rule of a role counts"),
        pytest.param("bob", {"note": "n", "open": "o"}, (), id="union of the roles"),
        pytest.param("bob", {"secret": "s"}, (), id="everybody may be an owner"),
        pytest.param("key", {"open": "o"}, ("grade",), id="default of a denied field"),
        pytest.param("key", {"title": "t", "open": "o"}, ("title", "grade"), id="key"),
    ],
)
def test_create(api: SourceAPI, who: str, given: dict[str, Any], names: tuple[str, ...]) -> None:
    """A create may send the fields that any role of the caller may create; all others are named."""
    errors = api.create(who, "Report", given)[1]
    assert errors == (denied("createReport", *names) if names else [])


def test_create_by_nobody(api: SourceAPI) -> None:
    """A caller without any field to write is refused as a whole."""
    assert api.create("guest", "Report", {})[1] == [refused("createReport", "Mutation")]


@pytest.mark.parametrize(
    ("who", "given", "names"),
    [
        pytest.param("ann", {"title": "u", "secret": None, "grade": 3}, (), id="owner"),
        pytest.param("ann", {"once": "u"}, ("once",), id="owner may not update"),
        pytest.param("eve", {"title": "u", "open": "u"}, ("title",), id="no owner"),
        pytest.param("cid", {"title": "u"}, (), id="editor"),
        pytest.param("cid", {"title": None}, ("title",), id="null needs delete"),
        pytest.param("bob", {"note": None, "open": None}, (), id="admin"),
        pytest.param("bob", {"secret": "u"}, ("secret",), id="admin, a field of the owner"),
        pytest.param("key", {"open": "u"}, (), id="key"),
        pytest.param("key", {"note": "u", "title": None}, ("note", "title"), id="key, two"),
        pytest.param("eve", {}, (), id="nothing"),
    ],
)
def test_update(api: SourceAPI, who: str, given: dict[str, Any], names: tuple[str, ...]) -> None:
    """An update may send what a role of the caller may update, and null where it may delete."""
    title = f"{who} {sorted(given)}"
    assert api.create("ann", "Report", {"title": title})[1] == []
    (item,) = api.call("iam", _list(title))[0]["items"]
    errors = api.write(who, "update", "Report", {**item, **given})[1]
    assert errors == (denied("updateReport", *names) if names else [])


def _list(title: str, fields: str = "id") -> str:
    return f'{{ listReports(filter: {{title: {{eq: "{title}"}}}}) {{ items {{ {fields} }} }} }}'


def test_update_of_a_missing_item(api: SourceAPI) -> None:
    """A missing item has no owner; with permitted fields only, its absence is the error."""
    assert api.write("ann", "update", "Report", {"id": "no", "title": "u"})[1] == denied(
        "updateReport", "title"
    )
    (error,) = api.write("ann", "update", "Report", {"id": "no", "open": "u"})[1]
    assert error.startswith("DynamoDB:ConditionalCheckFailedException")


def test_rights_before_values(api: SourceAPI) -> None:
    """A value that is not valid is not an error yet for a caller who may not send it."""
    bad = {"once": "too long"}
    assert api.create("key", "Report", bad)[1] == denied("createReport", "once", "grade")
    assert api.write("ann", "update", "Report", {"id": "r", **bad})[1] == denied(
        "updateReport", "once"
    )
    message = "Field once of type Report must have a maximum length of 1"
    assert api.create("ann", "Report", bad)[1] == [f"None createReport: {message}"]


def test_update_by_a_role_without_delete(api: SourceAPI) -> None:
    """Null needs delete also where only the model has rules; who may only delete sends the key."""
    api.create("iam", "Part", {"id": "p", "name": "n"})
    assert api.write("ann", "update", "Part", {"id": "p", "name": "m"})[1] == []
    assert api.write("ann", "update", "Part", {"id": "p", "name": None})[1] == denied(
        "updatePart", "name"
    )


@pytest.mark.parametrize(
    ("who", "model", "key", "may"),
    [
        pytest.param("ann", "Report", "r", False, id="no role may delete every field"),
        pytest.param("bob", "Report", "r", False, id="admin"),
        pytest.param("ann", "Loose", "l", False, id="no rules of the model"),
        pytest.param("ann", "Review", "v", False, id="a field without delete"),
        pytest.param("iam", "Review", "v2", True, id="iam"),
    ],
)
def test_delete(api: SourceAPI, who: str, model: str, key: str, may: bool) -> None:
    """Only a role that may delete every field may delete an item; IAM may always."""
    if may:
        api.create("iam", model, {"id": key})
    errors = api.write(who, "delete", model, {"id": key})[1]
    assert errors == ([] if may else [refused(f"delete{model}", "Mutation")])


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        pytest.param("iam", set(_REPORT), id="iam"),
        pytest.param("eve", {"title", "open"}, id="user"),
        pytest.param("bob", {"title", "note", "open", "grade"}, id="admin"),
        pytest.param("key", {"open"}, id="key"),
    ],
)
def test_get(api: SourceAPI, who: str, shown: set[str]) -> None:
    """Get returns the item to whoever may read a field, with an error for each other field."""
    value, errors = api.get(who, "Report", "r", f"id createdAt {_ALL}")
    assert value["id"] == "r"
    assert value["createdAt"] is not None
    expected = {name: _REPORT[name] if name in shown else None for name in _REPORT}
    assert {name: value[name] for name in _REPORT} == expected
    hidden = [refused(f"getReport.{name}", "Report") for name in _REPORT if name not in shown]
    assert errors == hidden


def test_list_and_filter(api: SourceAPI) -> None:
    """Lists give one error for each item; filters may name fields that the caller cannot read."""
    query = '{ listReports(filter: {note: {eq: "n"}, id: {eq: "r"}}) { items { id note } } }'
    assert api.call("eve", query) == (
        {"items": [{"id": "r", "note": None}]},
        [refused("listReports.items.0.note", "Report")],
    )


def test_owners_read_their_fields(api: SourceAPI) -> None:
    """An owner rule of a field looks at the item that the field belongs to."""
    for owner in ("ann with an id token", "eve"):
        api.create(owner, "Report", {"title": "owned", "secret": f"of {owner}"})
    value, errors = api.call("ann", _list("owned", "secret owner"))
    found = {item["owner"]: item["secret"] for item in value["items"]}
    assert found == {"ann": "of ann with an id token", "eve": None}
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("who", "fields", "value", "errors"),
    [
        pytest.param(
            "ann",
            "title secret note",
            {"title": None, "secret": None, "note": None},
            [refused("createReport.note", "Report")],
            id="owner",
        ),
        pytest.param("iam", "title note", {"title": None, "note": None}, [], id="iam"),
    ],
)
def test_response_of_a_mutation(
    api: SourceAPI, who: str, fields: str, value: dict[str, Any], errors: list[str]
) -> None:
    """Fields that not all readers may read are null in responses, with an error for some callers."""
    assert api.create(who, "Report", {"title": "answer", "secret": "s"}, fields) == (value, errors)


def test_response_without_subscriptions(api: SourceAPI) -> None:
    """A model without subscriptions shows such fields and its relations in responses."""
    given = {"text": "x", "reportId": "r"}
    assert api.create("iam", "Review", {**given, "hidden": "h"}, "hidden report { open }") == (
        {"hidden": "h", "report": {"open": "o"}},
        [],
    )
    assert api.create("ann", "Review", given, "text hidden")[1] == [
        refused("createReview.hidden", "Review")
    ]


def test_relation_with_rules(api: SourceAPI) -> None:
    """The rules of a relation are checked first, then those of the related model and its fields."""
    fields = "reviews { items { text } } binder { name stock }"
    value, errors = api.get("iam", "Report", "r", fields)
    assert errors == []
    assert {"text": "fine"} in value["reviews"]["items"]
    assert value["binder"] == {"name": "B", "stock": 4}
    assert api.get("eve", "Report", "r", fields) == (
        {"reviews": None, "binder": {"name": "B", "stock": None}},
        [refused("getReport.reviews", "Report"), refused("getReport.binder.stock", "Binder")],
    )
    assert api.get("key", "Report", "r", "open binder { name }") == (
        {"open": "o", "binder": None},
        [refused("getReport.binder", "Report")],
    )


def test_composite_key(api: SourceAPI) -> None:
    """The joined sort key is an input too: who may not write its parts may not write the item."""
    key = {"row": "r", "column": "c", "level": 1}
    given = {**key, "note": "n"}
    assert api.create("ann", "Crate", key, "row")[1] == []
    assert api.create("ann", "Crate", given)[1] == denied("createCrate", "note")
    assert api.write("bob", "update", "Crate", given)[1] == denied(
        "updateCrate", "column", "level", "column#level"
    )
    assert api.write("ann", "update", "Crate", given)[1] == denied("updateCrate", "note")


def test_owner_field_with_rules(api: SourceAPI) -> None:
    """An owner who may create and read, but not update, the owner field cannot give items away."""
    fields = "owner holder team"
    value, errors = api.create("ann", "Deed", {"id": "d", "text": "t"}, fields)
    assert errors == denied("createDeed", "id")
    value, errors = api.create("ann", "Deed", {"text": "t", "owner": ANN}, fields)
    # The API shows the owner by a resolver of its own, in responses of mutations too.
    assert (value, errors) == ({"owner": "ann", "holder": "ann", "team": None}, [])
    (item,) = api.call("iam", "{ listDeeds { items { id holder } } }")[0]["items"]
    assert item["holder"] == "ann"
    for owner in (ANN, EVE):
        given = {"id": item["id"], "owner": owner}
        assert api.write("ann", "update", "Deed", given)[1] == denied("updateDeed", "owner")
    assert api.create("dan", "Deed", {"team": "Red", "owner": EVE})[1] == denied(
        "createDeed", "owner"
    )


def test_model_without_rules(api: SourceAPI) -> None:
    """The rules of fields count without rules of the model; other fields are for IAM."""
    assert api.create("ann", "Loose", {"name": "n"}, "name") == ({"name": "n"}, [])
    assert api.create("ann", "Loose", {"name": "n", "id": "x"})[1] == denied("createLoose", "id")
    assert api.get("ann", "Loose", "l", "id name hidden") == (
        {"id": "l", "name": "n", "hidden": None},
        [refused("getLoose.hidden", "Loose")],
    )
    assert api.get("bob", "Loose", "l", "name hidden") == ({"name": "n", "hidden": "h"}, [])
    assert api.get("key", "Loose", "l", "id")[1] == [refused("getLoose", "Query")]
