"""Forms of introspection that the examples do not contain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_appsync.conftest import example

PRIVATE = {"type": "auth", "properties": {"rules": [{"allow": "private"}]}}


def _field(name: str, kind: Any, *, required: bool = False, **more: Any) -> dict[str, Any]:
    base = {"name": name, "isArray": False, "type": kind, "isRequired": required}
    return {name: {**base, "attributes": [], **more}}


def _model(name: str, plural: str, *attributes: Any, **fields: Any) -> dict[str, Any]:
    key = {"primaryKeyFieldName": "id", "sortKeyFieldNames": [], "isCustomPrimaryKey": False}
    return {
        "name": name,
        "pluralName": plural,
        "syncable": True,
        "fields": {**_field("id", "ID", required=True), **fields},
        "attributes": [{"type": "model", "properties": {}}, *attributes],
        "primaryKeyInfo": key,
    }


def _many(name: str, model: str, keys: list[str]) -> dict[str, Any]:
    association = {"connectionType": "HAS_MANY", "associatedWith": keys}
    kind = {"model": model}
    return _field(name, kind, isArray=True, isArrayNullable=True, association=association)


def _one(name: str, model: str, key: str, *, required: bool) -> dict[str, Any]:
    association = {"connectionType": "BELONGS_TO", "targetNames": [key]}
    return _field(name, {"model": model}, required=required, association=association)


@pytest.fixture
def other(start: Any) -> Any:
    team = _model(
        "team",
        "teams",
        PRIVATE,
        **_field("colours", {"enum": "Colour"}, isArray=True, isArrayNullable=True),
        # As in Gen 1: names the relation field of the other model.
        **_many("members", "member", ["team"]),
    )
    member = _model(
        "member",
        "members",
        {"type": "auth", "properties": {"rules": [{"allow": "groups", "groups": ["Staff"]}]}},
        **_field("teamId", "ID", required=True),
        **_one("team", "team", "teamId", required=True),
    )
    guarded = _model(
        "Guarded",
        "Guardeds",
        {
            "type": "auth",
            "properties": {
                "rules": [
                    {"allow": "owner", "ownerField": "holder", "identityClaim": "sub::missing"},
                    {"allow": "groups", "groupsField": "team", "groupClaim": "cognito:groups"},
                ]
            },
        },
        **_field("team", "String"),
    )
    document = {**example("todo_userpool.json").document}
    document["data"] = {
        **document["data"],
        "model_introspection": {
            "version": 1,
            "models": {"team": team, "member": member, "Guarded": guarded},
            "enums": {"Colour": {"name": "Colour", "values": ["RED", "BLUE"]}},
            "nonModels": {},
        },
    }
    return start(document)


def test_names(other: Any) -> None:
    """Operation names capitalize the model's name, type names keep it."""
    document = "mutation { createTeam(input: {colours: [RED]}) { __typename colours } }"
    assert other.data(other.developer, document) == {"__typename": "team", "colours": ["RED"]}
    assert len(other.data(other.developer, "{ listTeams { items { id } } }")["items"]) == 1


@pytest.mark.parametrize(
    ("operators", "is_found"),
    [("contains: RED", True), ("contains: BLUE", False), ("eq: [RED]", True), ("ne: [RED]", False)],
)
def test_lists_of_enums(other: Any, operators: str, is_found: bool) -> None:
    """A list of enum values is filtered by the complete list or by a member."""
    other.data(other.developer, "mutation { createTeam(input: {colours: [RED]}) { id } }")
    document = f"{{ listTeams(filter: {{colours: {{{operators}}}}}) {{ items {{ id }} }} }}"
    assert bool(other.data(other.developer, document)["items"]) == is_found


def test_relations_of_gen_1(other: Any) -> None:
    """A list that names the relation field of the other model is found by its foreign key."""
    other.data(other.developer, 'mutation { createTeam(input: {id: "t"}) { id } }')
    document = 'mutation { createMember(input: {id: "m", teamId: "t"}) { team { id } } }'
    # A mutation shows required relations, whatever the rules.
    assert other.data(other.developer, document) == {"team": {"id": "t"}}
    document = '{ getTeam(id: "t") { members { items { id team { id } } } } }'
    found = other.data(other.developer, document)
    assert found == {"members": {"items": [{"id": "m", "team": {"id": "t"}}]}}


def test_claims(other: Any) -> None:
    """Without the claim in the token nobody is an owner; any claim can hold the groups."""
    ann = other.user("ann@example.com", "Staff")
    document = "mutation ($i: CreateGuardedInput!) { createGuarded(input: $i) { team holder } }"
    made = other.data(ann, document, {"i": {"team": "Staff"}})
    assert made == {"team": "Staff", "holder": None}
    error = other.error(ann, document, {"i": {}})
    assert error["errorType"] == "Unauthorized"
