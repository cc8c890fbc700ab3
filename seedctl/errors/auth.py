"""What goes wrong with users: Cognito's refusals, and calls that never reach it. Exit code 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from datetime import datetime


class UsernameExistsError(SeedctlError):
    """A user of this name is already in the user pool."""


class UserExistsError(SeedctlError):
    """The user to sign in does *not* exist; the misleading name is Amplify's."""


class UserNotFoundError(SeedctlError):
    """The user to add to a group does not exist."""


class NoGroupError(SeedctlError):
    """The user pool has groups, but not this one."""


class NoGroupsError(SeedctlError):
    """The user pool has no groups at all."""


class UserUnAuthenticatedException(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """Nobody is signed in, and the call needs somebody."""


class SignInException(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """A sign-in stopped at a challenge that nothing here answers; nobody is signed in."""


class CannotSignInWithMFAError(SignInException):
    """The MFA flow met a challenge that it has no answer to."""


class MFANotConfiguredError(SeedctlError):
    """The MFA flow on a user pool that has MFA off."""


class MFAPreferenceNotAvailableError(SeedctlError):
    """The chosen MFA method is not offered, or the user lacks what it needs."""


class NoMFAPreferenceSpecifiedError(SeedctlError):
    """Several MFA methods would do, and none was chosen."""


class MissingTOTPChallengeError(SeedctlError):
    """TOTP is to be set up, and nobody makes the first code."""


class MFARequiredError(SeedctlError):
    """The user pool requires MFA, which the password flow cannot satisfy."""


class CognitoError(SeedctlError):
    """A refusal by Cognito that is about the data sent; ``code`` is Cognito's own name for it."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        resolution: str | None = None,
        server_time: datetime | None = None,
    ) -> None:
        super().__init__(message, resolution=resolution)
        self.code = code or type(self).__name__
        self.server_time = server_time

    @property
    def name(self) -> str:
        return self.code


class NotAuthorizedException(CognitoError):  # noqa: N818 - Cognito's name
    """Wrong password, disabled user, expired challenge: Cognito does not tell them apart."""


class PasswordResetRequiredException(CognitoError):  # noqa: N818 - Cognito's name
    """An administrator has reset the password."""


class UserNotConfirmedException(CognitoError):  # noqa: N818 - Cognito's name
    """The user signed up without being confirmed yet."""


class InvalidPasswordException(CognitoError):  # noqa: N818 - Cognito's name
    """The password does not meet the pool's policy."""


class InvalidParameterException(CognitoError):  # noqa: N818 - Cognito's name
    """A user name or attribute does not fit the pool."""
