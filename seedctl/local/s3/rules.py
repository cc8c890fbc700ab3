"""Who may do what at which path: the reading of ``storage.buckets[].paths``, and nothing else.

Pure, so that it can be compared with IAM's: an action is allowed where a pattern grants it to the
caller's role, unless a pattern nested in that one matches too and does not repeat the grant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seedctl.outputs import UserGroup
    from seedctl.outputs.sections import BucketPaths

GET, LIST, WRITE, DELETE = "get", "list", "write", "delete"
IDENTITY = "${cognito-identity.amazonaws.com:sub}"


@dataclass(frozen=True, slots=True)
class Role:
    """The IAM role that the identity pool gives to one of its identities."""

    identity_id: str
    grantees: frozenset[str] = frozenset()
    """What the outputs call this role where they grant something."""
    group: str | None = None

    def is_granted(self, grantee: str) -> bool:
        if self.group is None:
            return grantee in self.grantees
        # [?] Several groups of one rule are written as one name with commas.
        names = grantee.removeprefix("groups")
        return names != grantee and self.group in (names, *names.split(","))


def role_of(identity_id: str, claims: Mapping[str, Any], groups: Sequence[UserGroup]) -> Role:
    """Return the role of a guest (no *claims*) or of a user, who may have that of a group."""
    if not claims:
        return Role(identity_id, frozenset({"guest"}))
    listed = claims.get("cognito:groups")
    member_of = set(listed) if isinstance(listed, list) else set()
    found = [group for group in groups if group.name in member_of]
    lowest = min(map(_precedence, found), default=None)
    first = [group.name for group in found if _precedence(group) == lowest]
    # Cognito prefers none of several groups of one precedence: the rule "authenticated" stays.
    if len(first) == 1:
        return Role(identity_id, group=first[0])
    return Role(identity_id, frozenset({"authenticated", "entityidentity"}))


def _precedence(group: UserGroup) -> float:
    return float("inf") if group.precedence is None else group.precedence


def allows(paths: BucketPaths | None, role: Role, action: str, path: str) -> bool:
    """Whether *role* may do *action* at the key *path*; for LIST it is the listing's prefix.

    *paths* are the rules of the bucket; with none in them, nobody of the identity pool may do
    anything. None is not that: the outputs file has no such section, as in its old versions, so
    that the rules are unknown, and only what a guest would write or delete is refused.
    """
    if paths is None:
        # [?] What is deployed may allow more, or less.
        return action in (GET, LIST) or not role.is_granted("guest")
    granted = {
        pattern.replace(IDENTITY, role.identity_id): any(
            action in actions for grantee, actions in grants.items() if role.is_granted(grantee)
        )
        for pattern, grants in paths.items()
    }
    matching = [pattern for pattern in granted if _matches(pattern, path)]
    if not any(granted[pattern] for pattern in matching):
        return False
    # In IAM a denial wins over whatever allows.
    return not any(
        granted.get(_parent(pattern, granted), False)
        for pattern in matching
        if not granted[pattern]
    )


def _matches(pattern: str, path: str) -> bool:
    # IAM's wildcards, which pass over slashes too.
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, path, re.DOTALL) is not None


def _parent(pattern: str, patterns: Iterable[str]) -> str:
    """Return the nearest pattern that *pattern* is nested in, "" if there is none."""
    nesting = (
        other
        for other in patterns
        if other != pattern and other.endswith("*") and pattern.startswith(other[:-1])
    )
    return max(nesting, key=len, default="")
