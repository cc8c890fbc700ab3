"""Explain why S3 denied a call, from the path rules in the outputs file.

This module enforces nothing. S3 enforces the IAM roles of the identity pool, which Amplify
generates from the same path rules; so the rules tell which one would have allowed the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from seedctl.masking import mask
from seedctl.outputs.path_rules import IDENTITY, is_granted, matches
from seedctl.outputs.sections import BucketPaths
from seedctl.s3.section import Bucket

Action = Literal["get", "list", "write", "delete"]

_RULES_FILE = "amplify/storage/resource.ts"
_VERBS = {"get": "Reading", "list": "Listing", "write": "Writing", "delete": "Deleting"}


def explain_denial(
    bucket: Bucket, path: str, action: Action, groups: tuple[str, ...] | None, identity_id: str
) -> str:
    """Return what to do after S3 denied *action* at *path* to a user in *groups*.

    *groups* is None for a guest.
    """
    if bucket.rules is None:
        return (
            f"The outputs file does not list the path rules of {bucket.display_name}; check {_RULES_FILE} for "
            f"one that allows {action} at {mask(path)!r}."
        )
    if action == "list" and not may(bucket, path, action, groups, identity_id):
        folders = _listable(bucket, path, groups, identity_id)
        if folders:
            asked = " or ".join(f"{mask(folder)!r}" for folder in folders)
            return (
                f"List {asked}, with the slash at the end: that is what the path rules of "
                f"{bucket.display_name} allow {_caller(groups)} to list."
            )
    who = _caller(groups)
    found = list(_allowing(bucket.rules, path, action))
    folder = f"{path}/"
    if not found and action == "list" and any(_allowing(bucket.rules, folder, action)):
        return explain_denial(bucket, folder, action, groups, identity_id)
    if not found:
        rules = "; ".join(_shown(pattern, roles) for pattern, roles in bucket.rules.items())
        return (
            f"No path rule of {bucket.display_name} allows anybody to {action} {mask(path)!r}. Its "
            f"rules: {rules or 'none'}. Add one for {who} in {_RULES_FILE} and deploy."
        )
    if may(bucket, path, action, groups, identity_id):
        return (
            f"The outputs file allows {who} to {action} {mask(path)!r}. So the object may not exist (S3 "
            "hides this from callers who may not list), the bucket may have another owner than "
            "expected, or the deployed rules differ from the file: deploy, and run again."
        )
    rules = "; ".join(f"{pattern} for {_role(role)}" for pattern, role in found)
    advice = f"{_VERBS[action]} {mask(path)!r} is allowed by {rules}. You were {who}."
    if groups and any(_is_for_user(pattern, role, path, identity_id) for pattern, role in found):
        # In Gen 2 the role of a group replaces the authenticated role.
        names = ", ".join(f'"{mask(group)}"' for group in groups)
        advice += f" A group's role replaces that of signed-in users: add allow.groups([{names}])."
    return advice


def may(
    bucket: Bucket, path: str, action: Action, groups: tuple[str, ...] | None, identity_id: str
) -> bool:
    """Whether the outputs file's rules allow this to the caller; without rules, they allow all."""
    if bucket.rules is None:
        return True
    # One of the user's groups gives the role, and the outputs file does not tell which.
    roles = [{f"groups{group}"} for group in groups or ()] or [{"authenticated", "entityidentity"}]
    if groups is None:
        roles = [{"guest"}]
    return any(is_granted(bucket.rules, role, action, path, identity_id) for role in roles)


def _listable(
    bucket: Bucket, path: str, groups: tuple[str, ...] | None, identity_id: str
) -> list[str]:
    """Return the folders whose path begins with *path* and that the caller may list."""
    folders = [
        pattern.removesuffix("*").replace(IDENTITY, identity_id)
        for pattern in bucket.rules or ()
        if pattern.endswith("/*")
    ]
    return [
        folder
        for folder in folders
        if folder.startswith(path) and may(bucket, folder, "list", groups, identity_id)
    ]


def _allowing(rules: BucketPaths, path: str, action: Action) -> Iterator[tuple[str, str]]:
    """Yield each pattern and grantee by which somebody may do this."""
    for pattern, grants in rules.items():
        # Any identity: another user's folder counts, since its owner would have been allowed.
        if matches(pattern.replace(IDENTITY, "*"), path):
            for grantee, actions in grants.items():
                if action in actions and is_granted(rules, {grantee}, action, path, "*"):
                    yield pattern, grantee


def _is_for_user(pattern: str, role: str, path: str, identity_id: str) -> bool:
    if role == "entityidentity":
        return matches(pattern.replace(IDENTITY, identity_id), path)
    return role == "authenticated"


def _caller(groups: tuple[str, ...] | None) -> str:
    if groups is None:
        return "a guest"
    if groups:
        return f"a user in the group{'s' if len(groups) > 1 else ''} {', '.join(map(mask, groups))}"
    return "a signed-in user without a group"


def _role(role: str) -> str:
    if role == "entityidentity":
        return "the user whose identity id is in the path"
    if role.startswith("groups"):
        return f"the group {role.removeprefix('groups')}"
    return {"guest": "guests", "authenticated": "signed-in users"}.get(role, role)


def _shown(pattern: str, roles: Mapping[str, tuple[str, ...]]) -> str:
    parts = (f"{_role(role)} {'+'.join(actions)}" for role, actions in roles.items())
    return f"{pattern} ({', '.join(parts)})"
