"""Made users fit the user pool."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import auth, connect
from seedctl.cognito.new_user import check_new_user
from seedctl.cognito.types import NewUser
from seedctl.errors import InvalidInputError
from seedctl.fake import FakeUser, fake_users
from seedctl.outputs import STANDARD_ATTRIBUTES, UserGroup
from seedctl.outputs.details import UserAttribute, UserPoolDetails
from tests.fake.conftest import example
from tests.running import PASSWORD, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.outputs import AuthSection


def settings(**changes: Any) -> AuthSection:
    outputs = example("todo_userpool.json")
    assert outputs.auth is not None
    return replace(outputs.auth, **changes)


def users(pool: AuthSection, count: int = 30, **options: Any) -> list[FakeUser]:
    defaults: dict[str, Any] = {"groups": (), "attributes": {}, "seed": 7}
    return list(fake_users(pool, None, count, **{**defaults, **options}))


@pytest.mark.parametrize(
    "kinds", [("email",), ("phone_number",), ("email", "phone_number"), ("username",), (), None]
)
@pytest.mark.parametrize("required", [(), ("email",), STANDARD_ATTRIBUTES], ids=len)
def test_users_fit_the_pool(kinds: Any, required: Any) -> None:
    """User names are of the pool's kind and unique, and nothing that it requires is missing."""
    required = tuple(name for name in required if name != "updated_at")
    pool = settings(
        username_attributes=kinds,
        standard_required_attributes=required,
        groups=(UserGroup("A", 0),),
    )
    made = users(pool, groups=["A"])
    for user in made:
        new = NewUser(user.username, PASSWORD, user_attributes=user.attributes, groups=user.groups)
        checked = check_new_user(new, pool, if_exists="error")
        assert {each["Name"] for each in checked.attributes} == set(required)
        assert user.groups == ("A",)
    assert len({user.username for user in made}) == len(made)
    if kinds == ("email",) and required:
        assert all(user.attributes["email"] == user.username for user in made)


def test_more_users_change_no_user() -> None:
    """The first users are the same, however many there are; another seed makes others."""
    pool = settings()
    assert users(pool, 80)[:30] == users(pool)
    assert {user.username for user in users(pool)}.isdisjoint(
        user.username for user in users(pool, seed=8)
    )


def test_given_groups_and_attributes() -> None:
    """Groups and attributes are drawn from lists or by weights, or made by functions."""
    found = users(
        settings(),
        60,
        groups=["A", "B"],
        attributes={"custom:plan": {"FREE": 9, "PRO": 1}, "name": lambda row: row["username"]},
    )
    assert {user.groups for user in found} == {("A",), ("B",)}
    assert {user.attributes["custom:plan"] for user in found} == {"FREE", "PRO"}
    assert all(user.attributes["name"] == user.username for user in found)
    both = users(settings(), 2, groups=lambda row: ["A", "B"], attributes={"email": None})
    assert [user.groups for user in both] == [("A", "B")] * 2
    assert all("email" not in user.attributes for user in both)
    with pytest.raises(InvalidInputError, match="groups of a user are a int"):
        users(settings(), 1, groups=lambda row: 5)
    with pytest.raises(InvalidInputError, match="Expected a number of rows"):
        users(settings(), -1)


def test_the_template_may_require_more() -> None:
    """Attributes that only a file made from the source names as required are made as well."""
    details = UserPoolDetails(
        attributes=(
            UserAttribute("nickname", "String", is_required=True, is_mutable=True),
            UserAttribute("sub", "String", is_required=True, is_mutable=False),
            UserAttribute("locale", "String", is_required=False, is_mutable=True),
        )
    )
    for required in ((), None):
        pool = settings(standard_required_attributes=required)
        (user,) = fake_users(pool, details, 1, groups=(), attributes={}, seed=7)
        assert user.attributes.keys() == {"nickname"}


def test_made_users_can_be_created(tmp_path: Path) -> None:
    """A script creates the users that fake_users made, and they can sign in."""
    root = make_project(tmp_path / "app")
    with connect(root, identifier="alice", local=True):
        made = auth.fake_users(3, PASSWORD, seed="x", user_attributes={"locale": ["de", "fr"]})
        results = auth.create_users(made)
        assert [result.state for result in results] == ["created"] * 3
        auth.sign_in_user(made[2].username, PASSWORD)
        auth.sign_out()
    assert PASSWORD not in repr(made)
