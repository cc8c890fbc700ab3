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

_GROUPS = "groups"


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
        if not grantee.startswith(_GROUPS):
            return False
        # [?] Several groups of one rule are written as one name with commas.
        names = grantee[len(_GROUPS) :]
        return self.group == names or self.group in names.split(",")


def role_of(identity_id: str, claims: Mapping[str, Any], groups: Sequence[UserGroup]) -> Role:
    """Return the role of a guest (no *claims*) or of a user, who may have that of a group."""
    if not claims:
        return Role(identity_id, frozenset({"guest"}))
    listed = claims.get("cognito:groups")
    member_of = set(listed) if isinstance(listed, list) else set()
    found = [group for group in groups if group.name in member_of]
    if found:
        lowest = min(_precedence(group) for group in found)
        first = [group.name for group in found if _precedence(group) == lowest]
        # Cognito prefers none of several groups of one precedence: the rule "authenticated" stays.
        if len(first) == 1:
            return Role(identity_id, group=first[0])
    return Role(identity_id, frozenset({"authenticated", "entityidentity"}))


def _precedence(group: UserGroup) -> float:
    return float("inf") if group.precedence is None else group.precedence


class PathRules:
    """The rules of one bucket; with none in them, nobody of the identity pool may do anything.

    That the outputs file has no such section, as in its old versions, is not that: then the rules
    are unknown, and only what a guest would write or delete is refused.
    """

    def __init__(self, paths: BucketPaths | None) -> None:
        """*paths* is None where the outputs file does not tell the rules."""
        self._are_known = paths is not None
        self._rules: BucketPaths = paths or {}

    def allows(self, role: Role, action: str, path: str) -> bool:
        """Whether *role* may do *action* at the key *path*; for LIST it is the listing's prefix."""
        if not self._are_known:
            # [?] What is deployed may allow more, or less.
            return action in (GET, LIST) or not role.is_granted("guest")
        granted = {
            pattern.replace(IDENTITY, role.identity_id): self._is_granted(grants, role, action)
            for pattern, grants in self._rules.items()
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

    def _is_granted(self, grants: Mapping[str, Sequence[str]], role: Role, action: str) -> bool:
        return any(
            action in actions for grantee, actions in grants.items() if role.is_granted(grantee)
        )


def _matches(pattern: str, path: str) -> bool:
    # IAM's wildcards, which pass over slashes too.
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, path, re.DOTALL) is not None


def _parent(pattern: str, patterns: Iterable[str]) -> str:
    """Return the nearest pattern that *pattern* is nested in, "" if there is none."""
    return max(
        (
            other
            for other in patterns
            if other != pattern and other.endswith("*") and pattern.startswith(other[:-1])
        ),
        key=len,
        default="",
    )
