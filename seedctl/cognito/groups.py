"""Groups of the user pool: which there are, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.errors import CognitoError, NoGroupError, NoGroupsError, UserNotFoundError
from seedctl.masking import mask
from seedctl.nearest import did_you_mean
from seedctl.report import Event

if TYPE_CHECKING:
    from seedctl.cognito.pool import UserPool
    from seedctl.outputs import AuthSection
    from seedctl.report import Observer


def check_group(settings: AuthSection, group: str) -> None:
    """Raise NoGroupsError or NoGroupError where the outputs say that *group* is not there."""
    groups = settings.groups
    if groups is None:
        return  # outputs before version 1.3 do not say: Cognito will
    if not groups:
        raise NoGroupsError(
            "The user pool has no groups.",
            resolution=f'Add groups: ["{mask(group)}"] in amplify/auth/resource.ts and deploy.',
        )
    names = [known.name for known in groups]
    if group not in names:
        raise _no_group(group, names)


def add_to_group(pool: UserPool, username: str, group: str, observer: Observer) -> None:
    """Add the user to a checked *group*. Raises NoGroupError and UserNotFoundError."""
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
    # "set", not "added": Cognito does not say whether the user was in it before.
    observer.on_event(Event("group membership", username, "set", group))


def _no_group(group: str, names: list[str] | None = None) -> NoGroupError:
    known = f" It has {', '.join(names)}." if names else ""
    meant = did_you_mean(group, names or ())
    return NoGroupError(
        f"The user pool has no group {mask(group)}.{known}",
        resolution=f"{meant or 'Use one it has, or'} {'Otherwise ' * bool(meant)}add "
        f'"{mask(group)}" in amplify/auth/resource.ts and deploy.',
    )
