"""The users of a user pool as they are stored, with their groups and without passwords."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from seedctl.cognito.pool import UserPool


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A user of the user pool. Cognito gives nobody a password."""

    username: str
    """The pool's own name for the user: a UUID in pools with e-mail or phone login."""
    attributes: Mapping[str, str] = field(repr=False)
    """All attributes by Cognito's names, such as ``email`` and ``sub``."""
    groups: tuple[str, ...]
    status: str
    """Cognito's word, such as ``CONFIRMED``."""
    is_enabled: bool


def list_users(pool: UserPool) -> Iterator[StoredUser]:
    """Yield all users of *pool*, page after page. First the members of all groups are read."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for group in pool.read_pages("ListGroups", "Groups", "NextToken"):
        name = group["GroupName"]
        for member in pool.read_pages("ListUsersInGroup", "Users", "NextToken", GroupName=name):
            groups[member["Username"]].append(name)
    for user in pool.read_pages("ListUsers", "Users", "PaginationToken"):
        username = user["Username"]
        yield StoredUser(
            username,
            {each["Name"]: each.get("Value", "") for each in user.get("Attributes", [])},
            tuple(sorted(groups.get(username, ()))),
            user.get("UserStatus", "UNKNOWN"),
            user.get("Enabled", True),
        )
