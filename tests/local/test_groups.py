"""Groups: deployed and created, their members, and pages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from seedctl.local import blueprint
from seedctl.outputs import parse_outputs
from tests.cases import case
from tests.local.conftest import claims_of

ANN = "ann@example.com"
NO_GROUP = "ResourceNotFoundException: Group not found."


def _names(reply: dict[str, Any]) -> list[str]:
    return [group["GroupName"] for group in reply["Groups"]]


def test_deployed_groups(client: Any) -> None:
    """The groups of the outputs file exist from the start, with their precedence."""
    assert _names(client.cognito("ListGroups")) == ["EDITORS", "READERS", "admin"]
    group = client.cognito("GetGroup", GroupName="EDITORS")["Group"]
    assert (group["Precedence"], group["UserPoolId"]) == (1, client.pool_id)


def test_membership(client: Any) -> None:
    """Adding twice is harmless, and so is removing a user who is not a member."""
    user = client.create(ANN)
    for _ in range(2):
        client.cognito("AdminAddUserToGroup", Username=ANN.upper(), GroupName="READERS")
    client.cognito("AdminAddUserToGroup", Username=user["Username"], GroupName="admin")
    assert _names(client.cognito("AdminListGroupsForUser", Username=ANN)) == ["READERS", "admin"]
    members = client.cognito("ListUsersInGroup", GroupName="READERS")["Users"]
    assert [member["Username"] for member in members] == [user["Username"]]
    for _ in range(2):
        client.cognito("AdminRemoveUserFromGroup", Username=ANN, GroupName="READERS")
    assert _names(client.cognito("AdminListGroupsForUser", Username=ANN)) == ["admin"]
    assert client.cognito("ListUsersInGroup", GroupName="READERS")["Users"] == []


def test_membership_ends_with_the_user(start: Any, outputs_of: Any) -> None:
    """A new user with the user name of a deleted one is not in that user's groups."""
    client = start(outputs_of(username_attributes=["username"], standard_required_attributes=[]))
    client.cognito("CreateGroup", GroupName="admin")
    client.create("ann")
    client.cognito("AdminAddUserToGroup", Username="ann", GroupName="admin")
    client.cognito("AdminDeleteUser", Username="ann")
    client.create("ann")
    assert _names(client.cognito("AdminListGroupsForUser", Username="ann")) == []


@pytest.mark.parametrize("operation", ["AdminAddUserToGroup", "AdminRemoveUserFromGroup"])
def test_unknown_groups_and_users(client: Any, operation: str) -> None:
    """Group names are case-sensitive; a missing user is reported before a missing group."""
    client.create(ANN)
    for name in ("ADMIN", "nobody"):
        assert client.cognito_refusal(operation, Username=ANN, GroupName=name) == NO_GROUP
    refusal = client.cognito_refusal(operation, Username="eve@example.com", GroupName="admin")
    assert refusal == "UserNotFoundException: User does not exist."


@pytest.mark.parametrize("operation", ["GetGroup", "DeleteGroup", "ListUsersInGroup"])
def test_unknown_group(client: Any, operation: str) -> None:
    """Calls for a group that does not exist return its error."""
    assert client.cognito_refusal(operation, GroupName="nobody") == NO_GROUP
    refusal = client.cognito_refusal(operation, GroupName="two words")
    assert refusal.startswith("InvalidParameterException: GroupName may hold no blanks")


def test_created_group(client: Any) -> None:
    """A group can be created once, and returns the values given."""
    given = {
        "GroupName": "testers",
        "Description": "try things",
        "Precedence": 7,
        "RoleArn": "arn:aws:iam::000000000000:role/testers",
    }
    group = client.cognito("CreateGroup", **given)["Group"]
    assert given.items() <= group.items()
    assert group["CreationDate"] == client.clock()
    for name in ("testers", "admin"):
        refusal = client.cognito_refusal("CreateGroup", GroupName=name)
        assert refusal == "GroupExistsException: A group with the name already exists."


def test_limits_of_a_new_group(client: Any) -> None:
    """A precedence of 0 and an empty description are values; those out of range are refused."""
    smallest = {"Precedence": 0, "Description": ""}
    group = client.cognito("CreateGroup", GroupName="first", **smallest)["Group"]
    assert smallest.items() <= group.items()
    assert client.cognito("GetGroup", GroupName="first")["Group"] == group
    client.cognito("CreateGroup", GroupName="last", Precedence=2**31 - 1)
    for key, value in (
        ("Precedence", -1),
        ("Precedence", 2**31),
        ("Precedence", True),
        ("RoleArn", "arn:aws:iam::1:role"),
    ):
        with case(key, value):
            given = {"GroupName": "other", key: value}
            assert f"{key} must be" in client.cognito_refusal("CreateGroup", **given)


@pytest.mark.parametrize("name", ["admin", "testers"])
def test_deleted_group(client: Any, start: Any, name: str) -> None:
    """A deleted group is gone with its members, even a deployed one and after a restart."""
    client.create(ANN)
    if name == "testers":
        client.cognito("CreateGroup", GroupName=name)
    client.cognito("AdminAddUserToGroup", Username=ANN, GroupName=name)
    assert client.cognito("DeleteGroup", GroupName=name) == {}
    later = start(client.outputs)
    assert later.cognito_refusal("GetGroup", GroupName=name) == NO_GROUP
    assert name not in _names(later.cognito("ListGroups"))
    later.cognito("CreateGroup", GroupName=name)
    assert later.cognito("ListUsersInGroup", GroupName=name)["Users"] == []


def test_groups_of_two_pools(start: Any, outputs_of: Any) -> None:
    """Groups and members of one pool are not those of another pool in the same state."""
    outputs = outputs_of(username_attributes=["username"], standard_required_attributes=[])
    auth = dataclasses.replace(outputs.auth, user_pool_id="us-east-1_Other", groups=())
    one, two = start(outputs), start(dataclasses.replace(outputs, auth=auth))

    def members(client: Any, name: str) -> list[str]:
        found = client.cognito("ListUsersInGroup", GroupName=name)["Users"]
        return [user["Username"] for user in found]

    for client in (one, two):
        client.create("ann")
        assert _names(client.cognito("ListGroups")) == []
    for client in (one, two):
        for name in ("a", "b"):
            client.cognito("CreateGroup", GroupName=name)
    for name in ("a", "b"):
        one.cognito("AdminAddUserToGroup", Username="ann", GroupName=name)
    assert _names(two.cognito("AdminListGroupsForUser", Username="ann")) == []
    assert members(two, "a") == members(two, "b") == []
    two.cognito("AdminRemoveUserFromGroup", Username="ann", GroupName="a")
    two.cognito("DeleteGroup", GroupName="b")
    assert members(one, "a") == members(one, "b") == ["ann"]


def _groups_in_token(client: Any) -> list[str]:
    claims = claims_of(client.sign_in(ANN)["AuthenticationResult"]["AccessToken"])
    groups: list[str] = claims.get("cognito:groups", [])
    return groups


def test_group_that_is_no_longer_deployed(client: Any, start: Any) -> None:
    """A group removed from the outputs file disappears from its members' tokens."""
    client.tokens(ANN)
    client.cognito("AdminAddUserToGroup", Username=ANN, GroupName="READERS")
    assert _groups_in_token(client) == ["READERS"]
    later = start(groups=("admin",))
    assert _names(later.cognito("AdminListGroupsForUser", Username=ANN)) == []
    assert _groups_in_token(later) == []


def test_groups_without_precedence_come_last(start: Any) -> None:
    """Tokens have groups without a precedence last, and groups of the same precedence by name."""
    document = blueprint.from_options()
    three = {"precedence": 3}
    document["auth"]["groups"] = [{"a": {}}, {"d": three}, {"c": three}, {"b": three}]
    client = start(parse_outputs(document, Path("local_outputs.json")))
    assert "Precedence" not in client.cognito("GetGroup", GroupName="a")["Group"]
    client.tokens(ANN)
    for name in "acbd":
        client.cognito("AdminAddUserToGroup", Username=ANN, GroupName=name)
    assert _groups_in_token(client) == ["b", "c", "d", "a"]


@pytest.mark.parametrize("operation", ["ListGroups", "ListUsers", "ListUsersInGroup"])
def test_pages(client: Any, operation: str) -> None:
    """Pages hold each item once, even if items are added between two pages."""
    for number in range(5):
        client.create(f"user{number}@example.com")
        client.cognito(
            "AdminAddUserToGroup", Username=f"user{number}@example.com", GroupName="admin"
        )
        client.cognito("CreateGroup", GroupName=f"group{number}")
        client.clock.advance(1)
    key = "PaginationToken" if operation == "ListUsers" else "NextToken"
    given = {"GroupName": "admin"} if operation == "ListUsersInGroup" else {}
    items: list[str] = []
    found: dict[str, Any] = {}
    for page in range(10):
        token = {key: found[key]} if key in found else {}
        found = client.cognito(operation, Limit=2, **given, **token)
        items += [str(item) for item in found.get("Groups") or found["Users"]]
        if page == 1:
            client.create("zoe@example.com")
        if key not in found:
            break
    assert key not in found
    assert len(set(items)) == len(items)
    assert len(items) >= 5


def test_page_tokens_are_checked(client: Any) -> None:
    """A made-up token, or one of another call, is refused."""
    for token in (
        "x",
        "bm9uc2Vuc2U",
        "A" * 64,
        "ü",
    ):
        with case(token):
            refusal = client.cognito_refusal("ListGroups", NextToken=token)
            assert refusal == "InvalidParameterException: Invalid NextToken"
    given = client.cognito("ListGroups", Limit=1)["NextToken"]
    refusal = client.cognito_refusal("ListUsers", PaginationToken=given)
    assert refusal == "InvalidParameterException: Invalid PaginationToken"
    for name in (ANN, "eve@example.com"):
        client.create(name)
        client.cognito("AdminAddUserToGroup", Username=name, GroupName="admin")
    given = client.cognito("ListUsersInGroup", GroupName="admin", Limit=1)["NextToken"]
    refusal = client.cognito_refusal("ListUsersInGroup", GroupName="READERS", NextToken=given)
    assert refusal == "InvalidParameterException: Invalid NextToken"


def test_limits(client: Any) -> None:
    """A page has up to 60 items; 0 means 60."""
    for limit in (
        -1,
        61,
        True,
        "5",
        1.5,
    ):
        with case(limit):
            assert "Limit must be" in client.cognito_refusal("ListGroups", Limit=limit)
    assert len(client.cognito("ListGroups", Limit=0)["Groups"]) == 3
