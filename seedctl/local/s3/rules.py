"""Which IAM role a caller has, and what the bucket's path rules allow that role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seedctl.outputs import UserGroup
from seedctl.outputs.path_rules import is_granted
from seedctl.outputs.sections import BucketPaths

GET, LIST, WRITE, DELETE = "get", "list", "write", "delete"


@dataclass(frozen=True, slots=True)
class Role:
    """The IAM role that the identity pool gives to one of its identities."""

    identity_id: str
    names: frozenset[str]
    """Its names as a grantee of path rules, such as ``guest`` or ``groupsADMINS``."""


def role_of(identity_id: str, claims: Mapping[str, Any], groups: Sequence[UserGroup]) -> Role:
    """Return the role of a guest (no *claims*) or of a user, who may have that of a group."""
    if not claims:
        return Role(identity_id, frozenset({"guest"}))
    listed = claims.get("cognito:groups")
    member_of = set(listed) if isinstance(listed, list) else set()
    found = [group for group in groups if group.name in member_of]
    lowest = min(map(_precedence, found), default=None)
    first = [group.name for group in found if _precedence(group) == lowest]
    # If several groups share the lowest precedence, Cognito assigns none of their roles: the user
    # has the role of authenticated users.
    if len(first) == 1:
        return Role(identity_id, frozenset({f"groups{first[0]}"}))
    return Role(identity_id, frozenset({"authenticated", "entityidentity"}))


def _precedence(group: UserGroup) -> float:
    return float("inf") if group.precedence is None else group.precedence


def allows(paths: BucketPaths | None, role: Role, action: str, path: str) -> bool:
    """Whether *role* may do *action* at the key *path*; for LIST *path* is the prefix.

    *paths* are the rules of the bucket; empty rules allow nothing. None means that the outputs
    file, of an old version, does not list the rules: then only writing and deleting as a guest is
    refused.
    """
    if paths is None:
        # [?] The deployed rules may allow more or less.
        return action in (GET, LIST) or "guest" not in role.names
    return is_granted(paths, role.names, action, path, role.identity_id)
