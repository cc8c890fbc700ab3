"""Groups: those of the outputs file, and those that calls add or remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.local.cognito.attributes import is_username
from seedctl.local.cognito.listing import shown_page
from seedctl.local.protocol import Call, ServiceError

if TYPE_CHECKING:
    from seedctl.local.cognito.pool import UserPool
    from seedctl.local.cognito.service import UserPoolService
    from seedctl.local.cognito.users import User
    from seedctl.local.store import View

_NO_PRECEDENCE = 2**31


class GroupRecords:
    """The groups of one pool, within one transaction.

    A deployed group is not stored, so that an outputs file with another precedence changes it; one
    that a call removed leaves a mark instead, for it would otherwise be back at once.
    """

    def __init__(self, view: View, pool: UserPool) -> None:
        self.view = view
        self._pool = pool
        self._kind = f"group {pool.id}"

    def find(self, name: str) -> dict[str, Any] | None:
        stored = self.view.get(self._kind, name)
        if stored is not None:
            return None if stored["removed"] else stored
        return next((group for group in self._deployed() if group["name"] == name), None)

    def require(self, name: str) -> dict[str, Any]:
        group = self.find(name)
        if group is None:
            raise ServiceError("ResourceNotFoundException", "Group not found.")
        return group

    def all(self) -> list[dict[str, Any]]:
        stored = {group["name"]: group for group in self.view.scan(self._kind)}
        merged = {**{group["name"]: group for group in self._deployed()}, **stored}
        return [merged[name] for name in sorted(merged) if not merged[name]["removed"]]

    def put(self, group: dict[str, Any]) -> None:
        self.view.put(self._kind, group["name"], group)

    def of_user(self, user: User) -> list[dict[str, Any]]:
        """Return the user's groups, the one that takes precedence first."""
        groups = [group for name in user.groups if (group := self.find(name)) is not None]
        return sorted(groups, key=_rank)

    def names_of(self, user: User) -> list[str]:
        return [group["name"] for group in self.of_user(user)]

    def _deployed(self) -> list[dict[str, Any]]:
        return [
            new_group(group.name, precedence=group.precedence, now=0.0)
            for group in self._pool.groups
        ]


def new_group(name: str, *, precedence: int | None, now: float) -> dict[str, Any]:
    return {
        "name": name,
        "precedence": precedence,
        "description": None,
        "role_arn": None,
        "created": now,
        "modified": now,
        "removed": False,
    }


def create_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = _group_name(call)
    group = new_group(
        name,
        precedence=call.optional_integer("Precedence", minimum=0, maximum=2**31 - 1),
        now=service.clock(),
    )
    group["description"] = call.optional_text("Description", minimum=0)
    group["role_arn"] = call.optional_text("RoleArn", minimum=20)
    with service.store.transaction() as view:
        groups = GroupRecords(view, service.pool)
        if groups.find(name) is not None:
            raise ServiceError("GroupExistsException", "A group with the name already exists.")
        groups.put(group)
    return {"Group": _described(group, service)}


def delete_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = _group_name(call)
    with service.changing_users() as users:
        groups = GroupRecords(users.view, service.pool)
        groups.put({**groups.require(name), "removed": True})
        # A group made anew under this name must not have the old one's members.
        for user in users.all():
            if name in user.groups:
                user.groups.remove(name)
                users.save(user)
    return {}


def get_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = _group_name(call)
    with service.store.reading() as view:
        group = GroupRecords(view, service.pool).require(name)
    return {"Group": _described(group, service)}


def list_groups(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    with service.store.reading() as view:
        groups = GroupRecords(view, service.pool).all()
    return _page_of_groups(service, call, groups)


def admin_list_groups_for_user(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = call.text("Username", maximum=128)
    with service.reading_users() as users:
        user = users.require(name)
        groups = GroupRecords(users.view, service.pool).of_user(user)
    return _page_of_groups(service, call, sorted(groups, key=lambda group: str(group["name"])))


def list_users_in_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    name = _group_name(call)
    with service.reading_users() as users:
        GroupRecords(users.view, service.pool).require(name)
        members = sorted(
            (user for user in users.all() if name in user.groups), key=lambda user: user.username
        )
    shown, token = shown_page(
        service, call, members, lambda user: [user.username], next_page_key="NextToken", scope=name
    )
    return {"Users": [user.described() for user in shown], **token}


def admin_add_user_to_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    username, name = call.text("Username", maximum=128), _group_name(call)
    with service.changing_users() as users:
        user = users.require(username)
        GroupRecords(users.view, service.pool).require(name)
        if name not in user.groups:
            user.groups.append(name)
            users.save(user)
    return {}


def admin_remove_user_from_group(service: UserPoolService, call: Call) -> dict[str, Any]:
    service.check_pool(call)
    username, name = call.text("Username", maximum=128), _group_name(call)
    with service.changing_users() as users:
        user = users.require(username)
        GroupRecords(users.view, service.pool).require(name)
        if name in user.groups:
            user.groups.remove(name)
            users.save(user)
    return {}


def _page_of_groups(
    service: UserPoolService, call: Call, groups: list[dict[str, Any]]
) -> dict[str, Any]:
    shown, token = shown_page(
        service, call, groups, lambda group: [group["name"]], next_page_key="NextToken", scope=""
    )
    return {"Groups": [_described(group, service) for group in shown], **token}


def _group_name(call: Call) -> str:
    name = call.text("GroupName", maximum=128)
    if not is_username(name):
        call.fail("GroupName may hold no blanks and no control characters.")
    return name


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


def _rank(group: dict[str, Any]) -> tuple[int, str]:
    # The lower number takes precedence; none at all comes last.
    precedence = group["precedence"]
    return _NO_PRECEDENCE if precedence is None else precedence, group["name"]
