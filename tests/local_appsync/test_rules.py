"""Authorization: each kind of rule with each kind of caller."""

from __future__ import annotations

from typing import Any

import pytest

from seedctl.local.appsync import rules
from seedctl.local.appsync.callers import API_KEY, IDENTITY_POOL, USER_POOL, Caller
from seedctl.local.appsync.introspection import deployed_models
from seedctl.outputs.introspection import parse_introspection
from seedctl.outputs.model_schema import parse_model_schema
from tests.cases import case
from tests.local_appsync import builders
from tests.local_appsync.conftest import DATA, example

ANN, BOB = "ann@example.com", "bob@example.com"


def _create(model: str, fields: str = "id") -> str:
    return (
        f"mutation ($input: Create{model}Input!) {{ create{model}(input: $input) {{ {fields} }} }}"
    )


def _unauthorized(field: str, type_name: str = "Mutation") -> dict[str, str]:
    return {
        "errorType": "Unauthorized",
        "message": f"Not Authorized to access {field} on type {type_name}",
    }


def _refusal(error: dict[str, Any]) -> dict[str, str]:
    return {"errorType": error["errorType"], "message": error["message"]}


def test_owner(ruled: Any) -> None:
    """The owner is filled in and shown as the user name; only the owner sees the item."""
    ann, bob = ruled.user(ANN), ruled.user(BOB)
    username = ruled.cognito(
        "AdminGetUser", UserPoolId=ruled.outputs.auth.user_pool_id, Username=ANN
    )["Username"]
    note = ruled.data(ann, _create("Note", "id owner"), {"input": {"content": "x"}})
    assert note["owner"] == username
    get = f'{{ getNote(id: "{note["id"]}") {{ id owner }} }}'
    assert ruled.data(ann, get) == note
    answer = ruled.execute(bob, get)
    assert answer["data"] == {"getNote": None}
    assert _refusal(answer["errors"][0]) == _unauthorized("getNote", "Query")
    listing = "{ listNotes { items { id } } }"
    assert ruled.data(bob, listing) == {"items": []}
    assert ruled.data(ann, listing) == {"items": [{"id": note["id"]}]}
    for verb in ("update", "delete"):
        change = f'mutation {{ {verb}Note(input: {{id: "{note["id"]}"}}) {{ id }} }}'
        assert _refusal(ruled.error(bob, change)) == _unauthorized(f"{verb}Note")
        assert ruled.data(ann, change) == {"id": note["id"]}


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_missing_item_of_an_owner(ruled: Any, verb: str) -> None:
    """If only owners may change items, changing a missing one is unauthorized."""
    change = f'mutation {{ {verb}Note(input: {{id: "none"}}) {{ id }} }}'
    assert _refusal(ruled.error(ruled.user(ANN), change)) == _unauthorized(f"{verb}Note")


def test_owner_filter(ruled: Any) -> None:
    """A filter by owner compares the stored form, which differs from the one shown."""
    ann = ruled.user(ANN)
    owner = ruled.data(ann, _create("Note", "owner"), {"input": {}})["owner"]
    listing = "query ($o: String) { listNotes(filter: {owner: {eq: $o}}) { items { owner } } }"
    assert ruled.data(ann, listing, {"o": owner}) == {"items": []}
    assert len(ruled.data(ann, listing, {"o": f"{owner}::{owner}"})["items"]) == 1


def test_owner_undeclared(ruled: Any) -> None:
    """An owner field that the schema does not declare is in no input."""
    error = ruled.error(ruled.user(ANN), _create("Note"), {"input": {"owner": "x"}})
    assert error["message"] == (
        "The variables input contains a field name 'owner' that is not defined for input object "
        "type 'CreateNoteInput' "
    )


@pytest.mark.parametrize(
    ("owner", "is_allowed"),
    [
        pytest.param("{sub}", True, id="own name"),
        pytest.param("{sub}::{sub}", True, id="full form"),
        pytest.param("somebody", False, id="another"),
        pytest.param(None, False, id="null"),
    ],
)
def test_owner_given(people: Any, owner: str | None, is_allowed: bool) -> None:
    """A declared owner must be the caller if no other rule allows the item."""
    ann = people.user(ANN)
    sub = people.data(ann, _create("Ev", "owner"), {"input": {"tags": []}})["owner"]
    given = owner.format(sub=sub) if owner is not None else None
    answer = people.execute(ann, _create("Ev"), {"input": {"tags": [], "owner": given}})
    assert ("errors" not in answer) == is_allowed


def test_several_owners(ruled: Any) -> None:
    """All users in a list of owners may read and change the item."""
    ann, bob, eve = (ruled.user(name) for name in (ANN, BOB, "eve@example.com"))
    own = ruled.data(ann, _create("SharedNote", "owners"), {"input": {}})["owners"]
    bobs = ruled.data(bob, _create("SharedNote", "owners"), {"input": {}})["owners"]
    shared = ruled.data(ann, _create("SharedNote", "id owners"), {"input": {"owners": own + bobs}})
    assert shared["owners"] == own + bobs
    listing = "{ listSharedNotes { items { id } } }"
    assert {"id": shared["id"]} in ruled.data(bob, listing)["items"]
    assert ruled.data(eve, listing) == {"items": []}


def test_identity_claim(ruled: Any) -> None:
    """With the claim ``sub`` the owner field contains only the sub."""
    ann = ruled.user(ANN)
    item = ruled.data(ann, _create("Letter", "sender recipient"), {"input": {}})
    listing = "query ($s: String) { listLetters(filter: {sender: {eq: $s}}) { items { sender } } }"
    assert item["recipient"] is None
    assert ruled.data(ann, listing, {"s": item["sender"]})["items"] == [{"sender": item["sender"]}]


def test_static_groups(ruled: Any) -> None:
    """Only members of a rule's group are allowed."""
    ann, bob = ruled.user(ANN, "Admins"), ruled.user(BOB, "Others")
    assert ruled.data(ann, _create("AdminThing"), {"input": {}})["id"]
    answer = ruled.error(bob, _create("AdminThing"), {"input": {}})
    assert _refusal(answer) == _unauthorized("createAdminThing")
    listing = "{ listAdminThings { items { id } } }"
    assert _refusal(ruled.error(bob, listing)) == _unauthorized("listAdminThings", "Query")


def test_dynamic_groups(ruled: Any) -> None:
    """Only members of the groups that an item names may read it, in either field."""
    ann, bob, eve = ruled.user(ANN, "red"), ruled.user(BOB, "blue"), ruled.user("eve@example.com")
    red = ruled.data(ann, _create("TeamDoc"), {"input": {"team": "red"}})
    both = ruled.data(bob, _create("TeamDoc"), {"input": {"teams": ["red", "blue"]}})
    refused = ruled.error(ann, _create("TeamDoc"), {"input": {"team": "blue"}})
    assert _refusal(refused) == _unauthorized("createTeamDoc")
    listing = "{ listTeamDocs { items { id } } }"
    assert sorted(item["id"] for item in ruled.data(ann, listing)["items"]) == sorted(
        [red["id"], both["id"]]
    )
    assert ruled.data(bob, listing)["items"] == [both]
    assert _refusal(ruled.error(eve, listing)) == _unauthorized("listTeamDocs", "Query")


def test_read_only_rule(ruled: Any) -> None:
    """A rule applies to its own operations: all users read, owners change."""
    ann, bob = ruled.user(ANN), ruled.user(BOB)
    item = ruled.data(ann, _create("Employee"), {"input": {"email": "a@b.c"}})
    assert ruled.data(bob, "{ listEmployees { items { id } } }")["items"] == [item]
    change = f'mutation {{ updateEmployee(input: {{id: "{item["id"]}"}}) {{ id }} }}'
    assert _refusal(ruled.error(bob, change)) == _unauthorized("updateEmployee")


def test_owner_is_filled_in_despite_a_group_rule(blog: Any) -> None:
    """The owner is filled in even if a group's rule allows the item already."""
    ann = blog.user(ANN, "Editors")
    item = blog.data(ann, _create("Post", "owner"), {"input": {"title": "t", "labels": []}})
    assert item["owner"]


def test_api_key(blog: Any) -> None:
    """An API key may do what public rules allow, and owns no items."""
    post = blog.data(blog.key, _create("Post", "owner"), {"input": {"title": "t", "labels": []}})
    assert post == {"owner": None}
    comment = {"input": {"text": "x", "postId": "p"}}
    assert _refusal(blog.error(blog.key, _create("Comment"), comment)) == _unauthorized(
        "createComment"
    )
    assert blog.data(blog.key, "{ listComments { items { id } } }") == {"items": []}


def test_developer(ruled: Any) -> None:
    """The developer's own credentials may access every model."""
    fields: dict[str, Any]
    for model, fields in (
        ("Note", {}),
        ("AdminThing", {}),
        ("GuestBook", {}),
        ("LambdaThing", {}),
        ("OidcThing", {}),
    ):
        with case(model, fields):
            assert ruled.data(ruled.developer, _create(model), {"input": fields})["id"]


@pytest.mark.parametrize("model", ["GuestBook", "LambdaThing", "OidcThing"])
def test_other_providers(ruled: Any, model: str) -> None:
    """Rules for other providers do not apply to a user's token."""
    error = ruled.error(ruled.user(ANN), _create(model), {"input": {}})
    assert _refusal(error) == _unauthorized(f"create{model}")


@pytest.mark.parametrize("is_guest", [True, False])
def test_identity_pool_roles(is_guest: bool) -> None:
    """Public rules of the identity pool allow guests; private ones the authenticated role."""
    data = example("blog_apikey.json").data
    assert data is not None
    assert data.schema is not None
    models = deployed_models(data.schema)
    caller = Caller(IDENTITY_POOL, is_guest=is_guest)
    allowed = rules.item_condition(models["Comment"], "list", caller)
    assert (allowed is None) == is_guest
    assert rules.item_condition(models["Comment"], "create", caller) is None


def _model(auth: str, field_auth: str = "") -> Any:
    """Return a model with the rules *auth* and a field ``text`` with the rules *field_auth*."""
    declared = builders.model("T", {"text": "String", "owner": "String", "editor": "String"})
    schema = parse_introspection(builders.outputs(declared)["data"]["model_introspection"], DATA)
    text = f"text: String {f'@auth(rules: [{field_auth}])' if field_auth else ''}"
    source = f"type T @model @auth(rules: [{auth}]) {{ {text} owner: String editor: String }}"
    return deployed_models(schema, parse_model_schema(source, DATA))["T"]


def test_field_rules_name_providers() -> None:
    """A rule of a field is for the callers of its own provider, and guests are not authenticated."""
    key, ann = Caller(API_KEY), Caller(USER_POOL, {"sub": "ann", "username": "ann"})
    guest = Caller(IDENTITY_POOL, is_guest=True)
    signed = Caller(IDENTITY_POOL, {"sub": "ann"})
    everybody = (
        "{allow: public}, {allow: private}, {allow: public, provider: iam}, "
        "{allow: private, provider: iam}"
    )
    for own, readers in (
        ("{allow: public}", [key]),
        ("{allow: private}", [ann]),
        ("{allow: public, provider: iam}", [guest]),
        ("{allow: private, provider: iam}", [signed]),
        ("{allow: owner}", [ann]),
        ("", [key, ann, guest, signed]),
    ):
        with case(own):
            found = _model(everybody, own)
            item = {"owner": "ann"}
            assert readers == [
                caller
                for caller in (key, ann, guest, signed)
                if rules.may_read_field(found, "text", caller, item)
            ]
    # What no rule restricts is shown in responses of mutations to those who may only create.
    creators = _model("{allow: private}, {allow: public, operations: [create]}")
    assert rules.may_read_field(creators, "text", key, {})


def test_owner_in_a_key_beside_another_rule() -> None:
    """The caller is not added to a query by an owner if another rule may allow other items."""
    ann = Caller(USER_POOL, {"sub": "ann", "username": "ann"})
    two = _model('{allow: owner}, {allow: owner, ownerField: "editor"}')
    condition, own = rules.query_condition(two, "list", ann, {"owner": None})
    assert own == {}
    assert condition is not None
    assert condition({"owner": "bob", "editor": "ann"})
    one = rules.query_condition(_model("{allow: owner}"), "list", ann, {"owner": None})
    assert one[1] == {"owner": "ann::ann"}
