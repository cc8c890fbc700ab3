"""Groups of the user pool: checks before a call, and adding a user to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from seedctl.errors import (
    CognitoError,
    InvalidParameterException,
    NoGroupError,
    NoGroupsError,
    UserNotFoundError,
)
from seedctl.masking import mask
from seedctl.nearest import did_you_mean
from seedctl.report import Event

if TYPE_CHECKING:
    from seedctl.cognito.pool import UserPool
    from seedctl.cognito.types import NewUser
    from seedctl.outputs import AuthSection
    from seedctl.report import Observer


def group_names(user: NewUser) -> tuple[str, ...]:
    """Return the groups of *user*. Raises InvalidParameterException unless they are several names."""
    groups = user.groups
    if isinstance(groups, str):
        raise InvalidParameterException(
            f"The groups of {mask(user.username)} are a single text.",
            resolution=f'Write groups=("{groups}",).',
        )
    if not isinstance(groups, Iterable):
        raise InvalidParameterException(
            f"The groups of {mask(user.username)} are a {type(groups).__name__}.",
            resolution='Write groups=("admin",), or leave them out.',
        )
    return tuple(groups)


def check_group(settings: AuthSection, group: str) -> None:
    """Raise NoGroupsError or NoGroupError if the outputs file does not list *group*."""
    groups = settings.groups
    if groups is None:
        return  # outputs files before version 1.3 list no groups: Cognito checks the name
    if not groups:
        raise NoGroupsError(
            "The user pool has no groups.",
            resolution=f'Add groups: ["{mask(group)}"] in amplify/auth/resource.ts and deploy.',
        )
    names = [known.name for known in groups]
    if group not in names:
        raise _no_group(group, names)


def add_to_group(pool: UserPool, username: str, group: str, observer: Observer) -> None:
    """Add the user to *group*. Raises NoGroupError and UserNotFoundError."""
    try:
        pool.add_to_group(username, group)
    except CognitoError as error:
        if error.code == "UserNotFoundException":
            raise UserNotFoundError(
                f"There is no user {mask(username)} to add to the group {mask(group)}.",
                resolution="Create the user first.",
            ) from error
        if error.code == "ResourceNotFoundException":
            raise _no_group(group) from error
        raise
    # "set", not "added": Cognito does not say whether the user was in the group before.
    observer.on_event(Event("group membership", username, "set", group))


def _no_group(group: str, names: list[str] | None = None) -> NoGroupError:
    known = f" It has {', '.join(names)}." if names else ""
    suggestion = did_you_mean(group, names or ())
    return NoGroupError(
        f"The user pool has no group {mask(group)}.{known}",
        resolution=f"{suggestion or 'Use one it has, or'} {'Otherwise ' * bool(suggestion)}add "
        f'"{mask(group)}" in amplify/auth/resource.ts and deploy.',
    )
