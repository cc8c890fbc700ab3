"""Groups of the user pool: those in the outputs file, and those that calls create or delete."""

from __future__ import annotations

from typing import Any

from seedctl.local.cognito.attributes import read_username
from seedctl.local.cognito.listing import PageRequest
from seedctl.local.cognito.pool import UserPool
from seedctl.local.cognito.service import UserPoolService
from seedctl.local.cognito.users import User
from seedctl.local.protocol import Call, ServiceError
from seedctl.local.store import View, to_json

_GROUPS = """
WITH deployed AS (
    SELECT json_extract(value, '$[0]') AS name, json_extract(value, '$[1]') AS precedence,
        NULL AS description, NULL AS role_arn, 0.0 AS created, 0.0 AS modified, 0 AS removed
    FROM json_each(:deployed)
), stored AS (
    SELECT name, precedence, description, role_arn, created, modified, removed
    FROM user_group WHERE pool = :pool
)
SELECT * FROM (
    SELECT * FROM stored
    UNION ALL SELECT * FROM deployed WHERE name NOT IN (SELECT name FROM stored)
) WHERE NOT removed
"""


class GroupRecords:
    """The groups of one pool, within one transaction.

    Groups of the outputs file are not stored, so a new precedence in the file takes effect. If a call
    deletes one, a row with ``removed`` is stored; without it, the group would reappear at once.
    """

    def __init__(self, view: View, pool: UserPool) -> None:
        self.view = view
        self._pool = pool

    def find(self, name: str) -> dict[str, Any] | None:
        return next(iter(self.select("AND name = :name", name=name)), None)

    def require(self, name: str) -> dict[str, Any]:
        group = self.find(name)
        if group is None:
            raise ServiceError("ResourceNotFoundException", "Group not found.")
        return group

    def put(self, group: dict[str, Any]) -> None:
        self.view.put("user_group", pool=self._pool.id, **group)

    def names_for_user(self, user: User) -> list[str]:
        """Return the names of the user's groups in the order of their precedence."""
        # The lowest number comes first, groups without a precedence last.
        order = "ORDER BY precedence IS NULL, precedence, name"
        return [group["name"] for group in self.select(f"{_OF_USER} {order}", user=user.username)]

    def select(self, condition: str, **values: object) -> list[dict[str, Any]]:
        """Return the groups that match *condition*, which is SQL appended to the query."""
        deployed = to_json([(group.name, group.precedence) for group in self._pool.groups])
        return list(
            self.view.rows(_GROUPS + condition, **values, pool=self._pool.id, deployed=deployed)
        )

    def change(self, change: str, group: str, username: str) -> None:
        """Run *change*, SQL that adds a user to a group or removes users from it."""
        self.view.execute(change, {"pool": self._pool.id, "group": group, "user": username})


_OF_USER = "AND name IN (SELECT group_name FROM membership WHERE pool = :pool AND username = :user)"
ADD = "INSERT OR IGNORE INTO membership VALUES (:pool, :group, :user)"
REMOVE = "DELETE FROM membership WHERE pool = :pool AND group_name = :group AND username = :user"
_EMPTY = "DELETE FROM membership WHERE pool = :pool AND group_name = :group"


def create_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call, "GroupName")
    now = service.clock()
    group = {
        "name": name,
        "precedence": call.optional_integer("Precedence", minimum=0, maximum=2**31 - 1),
        "description": call.optional_text("Description", minimum=0),
        "role_arn": call.optional_text("RoleArn", minimum=20),
        "created": now,
        "modified": now,
        "removed": False,
    }
    with service.store.transaction() as view:
        groups = GroupRecords(view, service.pool)
        if groups.find(name) is not None:
            raise ServiceError("GroupExistsException", "A group with the name already exists.")
        groups.put(group)
    return {"Group": _described(group, service)}


def delete_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call, "GroupName")
    with service.store.transaction() as view:
        groups = GroupRecords(view, service.pool)
        groups.put({**groups.require(name), "removed": True})
        # A new group of the same name must not inherit the members.
        groups.change(_EMPTY, name, "")
    return {}


def get_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call, "GroupName")
    with service.store.reading() as view:
        group = GroupRecords(view, service.pool).require(name)
    return {"Group": _described(group, service)}


def list_groups(
    service: UserPoolService, call: Call, condition: str = "", **values: object
) -> dict[str, Any]:
    """List the groups that match *condition*, SQL appended to the query, with its *values*."""
    page_request = PageRequest(service, call, "NextToken", "")
    (after,) = page_request.after("")
    query = f"{condition} AND name > :after ORDER BY name LIMIT :size"
    with service.store.reading() as view:
        groups = GroupRecords(view, service.pool).select(
            query, **values, after=after, size=page_request.size + 1
        )
    shown, token = page_request.cut(groups, lambda group: [group["name"]])
    return {"Groups": [_described(group, service) for group in shown], **token}


def admin_list_groups_for_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = call.text("Username", maximum=128)
    with service.reading_users() as users:
        user = users.require(name)
    return list_groups(service, call, _OF_USER, user=user.username)


def list_users_in_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    name = read_username(call, "GroupName")
    page_request = PageRequest(service, call, "NextToken", name)
    query = (
        "username IN (SELECT username FROM membership WHERE pool = ? AND group_name = ?"
        " AND username > ? ORDER BY username LIMIT ?)"
    )
    with service.reading_users() as users:
        GroupRecords(users.view, service.pool).require(name)
        values = (service.pool.id, name, *page_request.after(""), page_request.size + 1)
        members = users.page(query, values, "username", page_request.size + 1)
    shown, token = page_request.cut(members, lambda user: [user.username])
    return {"Users": [user.described() for user in shown], **token}


def change_membership(change: str, service: UserPoolService, call: Call) -> dict[str, Any]:
    """Run *change*, the SQL ADD or REMOVE, for the user and the group that *call* names."""
    username, name = call.text("Username", maximum=128), read_username(call, "GroupName")
    with service.changing_users() as users:
        user = users.require(username)
        groups = GroupRecords(users.view, service.pool)
        groups.require(name)
        groups.change(change, name, user.username)
    return {}


def _described(group: dict[str, Any], service: UserPoolService) -> dict[str, Any]:
    described = {
        "GroupName": group["name"],
        "UserPoolId": service.pool.id,
        "CreationDate": group["created"],
        "LastModifiedDate": group["modified"],
    }
    optional = {
        "Description": group["description"],
        "Precedence": group["precedence"],
        "RoleArn": group["role_arn"],
    }
    return {**described, **{key: value for key, value in optional.items() if value is not None}}
