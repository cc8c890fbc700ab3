"""The path rules of a bucket (``storage.buckets[].paths``): to whom they grant an action at a path.

Amplify deploys the rules as IAM policies of the identity pool's roles. The client explains denials
by them, and the local sandbox enforces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from seedctl.outputs.sections import BucketPaths

IDENTITY = "${cognito-identity.amazonaws.com:sub}"
"""In a pattern, the place of the caller's identity id."""


def is_granted(
    paths: BucketPaths, role: AbstractSet[str], action: str, path: str, identity_id: str
) -> bool:
    """Whether *paths* grant *action* at *path* to a caller.

    Args:
        paths: The rules of the bucket: for each pattern the actions of each grantee.
        role: The names of the caller's IAM role as a grantee, such as ``guest`` or ``groupsADMINS``.
        action: ``get``, ``list``, ``write`` or ``delete``.
        path: The key of the object; for ``list`` the prefix of the listing.
        identity_id: The caller's identity id; ``*`` for any.
    """
    granted = {
        pattern.replace(IDENTITY, identity_id): any(
            action in actions and role & _names(grantee) for grantee, actions in grants.items()
        )
        for pattern, grants in paths.items()
    }
    matching = [pattern for pattern in granted if matches(pattern, path)]
    if not any(granted[pattern] for pattern in matching):
        return False
    # A nested pattern that does not repeat the grant becomes a denial, which wins in IAM.
    return not any(
        granted.get(_parent(pattern, granted), False)
        for pattern in matching
        if not granted[pattern]
    )


def matches(pattern: str, path: str) -> bool:
    """Whether *pattern* covers *path*, with the wildcards of IAM, which match slashes too."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, path, re.DOTALL) is not None


def _names(grantee: str) -> set[str]:
    names = grantee.removeprefix("groups")
    # [?] Several groups of one rule are written as one name with commas.
    return {grantee} if names == grantee else {grantee, *(f"groups{n}" for n in names.split(","))}


def _parent(pattern: str, patterns: Iterable[str]) -> str:
    """Return the longest of *patterns* that *pattern* is nested in, "" if there is none."""
    parents = (
        other
        for other in patterns
        if other != pattern and other.endswith("*") and pattern.startswith(other[:-1])
    )
    return max(parents, key=len, default="")
