"""Owners and groups that are keys: the argument is compared before the query."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_appsync.builders import OWNER, model, outputs

GROUP = {
    "allow": "groups",
    "provider": "userPools",
    "groupsField": "team",
    "groupField": "groups",
    "groupClaim": "cognito:groups",
}
NOTE = model(
    "Note",
    {"owner": "String", "at": "Int", "team": "String"},
    indexes={
        "noteByOwner": ("owner", "at"),
        "noteByTeam": ("team", "owner"),
        "noteByAt": ("at", "owner"),
    },
    rules=(OWNER, GROUP),
)
DIARY = model("Diary", {"owner": "String!", "day": "Int!"}, key=("owner", "day"), rules=(OWNER,))
PAGE = model(
    "Page",
    {"owner": "String", "at": "Int", "team": "String"},
    indexes={"pageByParts": ("at", "owner", "team")},
    rules=(OWNER,),
)
SHARED = model(
    "Shared",
    {"owner": "String", "reader": "String"},
    indexes={"sharedByOwner": ("owner",)},
    rules=(OWNER, {**OWNER, "ownerField": "reader", "identityClaim": "sub"}),
)


@pytest.fixture
def api(start: Any) -> Any:
    return start(outputs(NOTE, DIARY, PAGE, SHARED))


def _found(api: Any, headers: Any, query: str) -> str | None:
    """Return the ids of a list, None if it is rejected."""
    answer = api.execute(headers, f"{{ {query} {{ items {{ id }} }} }}")
    if "errors" in answer:
        (error,) = answer["errors"]
        assert error["errorType"] == "Unauthorized"
        return None
    (page,) = answer["data"].values()
    return " ".join(sorted(item["id"] for item in page["items"]))


def _note(api: Any, headers: Any, fields: str) -> str:
    document = f"mutation {{ createNote(input: {{{fields}}}) {{ owner }} }}"
    owner: str = api.data(headers, document)["owner"]
    return owner


def test_index_by_owner(api: Any) -> None:
    """An index rejects a query for another owner, and accepts any form of the caller's identity."""
    ann, eve = api.user("ann@example.com"), api.user("eve@example.com")
    name = _note(api, ann, 'id: "a", at: 1')
    full = f"{name}::{name}"
    assert _found(api, ann, f'noteByOwner(owner: "{full}")') == "a"
    # An identity in another form than the stored one is accepted, but finds nothing.
    assert _found(api, ann, f'noteByOwner(owner: "{name}")') == ""
    assert _found(api, ann, 'noteByOwner(owner: "nobody")') is None
    assert _found(api, eve, f'noteByOwner(owner: "{full}")') is None
    assert _found(api, api.developer, 'noteByOwner(owner: "nobody")') == ""
    assert _found(api, api.developer, f'noteByOwner(owner: "{full}")') == "a"
    refused = api.error(ann, '{ noteByOwner(owner: "x", at: {between: [2, 1]}) { items { id } } }')
    assert refused["errorType"] == "Unauthorized"


def test_index_by_group(api: Any) -> None:
    """A dynamic group as partition key must be one of the caller's groups."""
    dan = api.user("dan@example.com", "Red", "Blue")
    eve = api.user("eve@example.com")
    _note(api, api.developer, 'id: "r", team: "Red", owner: "x"')
    _note(api, api.developer, 'id: "g", team: "Green", owner: "x"')
    # A missing owner is not filled in if the group is accepted.
    assert _found(api, dan, 'noteByTeam(team: "Red")') == "r"
    assert _found(api, dan, 'noteByTeam(team: "Green")') == ""
    assert _found(api, dan, 'noteByTeam(team: "Green", owner: {eq: "x"})') is None
    assert _found(api, eve, 'noteByTeam(team: "Red", owner: {eq: "x"})') is None


def test_owner_as_sort_key(api: Any) -> None:
    """An owner as sort key is compared if given, else it is set to the caller."""
    ann, eve = api.user("ann@example.com"), api.user("eve@example.com")
    name = _note(api, ann, 'id: "a", at: 1')
    _note(api, eve, 'id: "e", at: 1')
    assert _found(api, ann, "noteByAt(at: 1)") == "a"
    assert _found(api, ann, f'noteByAt(at: 1, owner: {{eq: "{name}::{name}"}})') == "a"
    assert _found(api, ann, 'noteByAt(at: 1, owner: {eq: "x"})') is None
    assert _found(api, ann, 'noteByAt(at: 1, owner: {ge: "a"})') is None
    assert _found(api, api.developer, "noteByAt(at: 1)") == "a e"


def test_owner_in_a_composite_sort_key(api: Any) -> None:
    """An owner in a composite sort key is not a key: it filters the items."""
    ann = api.user("ann@example.com")
    name = _note(api, ann, "at: 1")
    create = 'mutation { createPage(input: {id: "%s", at: 1, owner: "%s", team: "t"}) { id } }'
    api.data(api.developer, create % ("a", name))
    api.data(api.developer, create % ("b", "other"))
    assert _found(api, ann, "pageByParts(at: 1)") == "a"
    wanted = 'pageByParts(at: 1, ownerTeam: {eq: {owner: "other", team: "t"}})'
    assert _found(api, ann, wanted) == ""
    # The owner is filled in after the parts have been checked.
    error = api.error(ann, 'mutation { createPage(input: {at: 1, team: "t"}) { id } }')
    assert error["message"].endswith("Missing key: 'owner'.")


def test_owner_as_primary_key(api: Any) -> None:
    """Get and list by key reject another owner, whether or not there are items; a scan filters."""
    ann = api.user("ann@example.com")
    name = _note(api, ann, "at: 1")
    full = f"{name}::{name}"
    for owner in (full, "other"):
        create = f'mutation {{ createDiary(input: {{owner: "{owner}", day: 1}}) {{ day }} }}'
        api.data(api.developer, create)
    get = '{ getDiary(owner: "%s", day: %s) { day } }'
    assert api.data(ann, get % (full, 1)) == {"day": 1}
    assert api.data(ann, get % (full, 2)) is None
    for day in (1, 2):
        assert api.error(ann, get % ("other", day))["errorType"] == "Unauthorized"
    listing = "{ listDiarys%s { items { day } } }"
    assert api.data(ann, listing % "") == {"items": [{"day": 1}]}
    assert api.data(ann, listing % f'(owner: "{full}")') == {"items": [{"day": 1}]}
    assert api.error(ann, listing % '(owner: "other")')["errorType"] == "Unauthorized"


def test_another_owner_field(api: Any) -> None:
    """If another rule may allow items, a query for another owner is filtered, not rejected."""
    ann = api.user("ann@example.com")
    name = _note(api, ann, "at: 1")
    create = 'mutation { createShared(input: {id: "%s", owner: "other", reader: "%s"}) { id } }'
    api.data(api.developer, create % ("a", name))
    api.data(api.developer, create % ("b", "somebody"))
    assert _found(api, ann, 'sharedByOwner(owner: "other")') == "a"
