"""The users of a pool, as an export lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl import connect
from seedctl.local.cognito import listing
from tests.running import make_project

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

USERS = 5


def test_all_pages_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All users come with their groups, also when users and members are on several pages."""
    monkeypatch.setattr(listing, "_PAGE", 2)  # Cognito lists 60 at a time
    with connect(make_project(tmp_path / "app"), local=True) as backend:
        pool = {"UserPoolId": backend.require_auth().user_pool_id}
        groups = ["FIRST", "SECOND"]

        def call(operation: str, **parameters: object) -> None:
            backend.aws.call("cognito-idp", operation, {**pool, **parameters})

        for group in groups:
            call("CreateGroup", GroupName=group)
        names = [f"user{number}@example.com" for number in range(USERS)]
        for name in names:
            call("AdminCreateUser", Username=name, MessageAction="SUPPRESS")
            call("AdminAddUserToGroup", Username=name, GroupName=groups[0])
        call("AdminAddUserToGroup", Username=names[1], GroupName=groups[1])
        call("AdminDisableUser", Username=names[2])
        users = {user.attributes["email"]: user for user in backend.auth.list_users()}
        assert sorted(users) == sorted(names)
        assert users[names[0]].groups == (groups[0],)
        assert users[names[1]].groups == tuple(groups)
        assert [name for name in names if not users[name].is_enabled] == [names[2]]
        assert users[names[0]].status == "FORCE_CHANGE_PASSWORD"
        assert users[names[0]].username != names[0]
        assert names[0] not in repr(users[names[0]])
