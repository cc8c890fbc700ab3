"""Errors about users: Cognito refused a call, or seedctl did before it was sent. Exit code 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from datetime import datetime


class UsernameExistsError(SeedctlError):
    """The user pool already has a user with this name."""


class UserExistsError(SeedctlError):
    """The user to sign in does *not* exist. The misleading name comes from Amplify."""


class UserNotFoundError(SeedctlError):
    """The user to add to a group does not exist."""


class NoGroupError(SeedctlError):
    """The user pool has no group with this name, but others."""


class NoGroupsError(SeedctlError):
    """The user pool has no groups."""


class UserUnAuthenticatedException(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """The call needs a signed-in user, and nobody is signed in."""


class SignInException(SeedctlError):  # noqa: N818 - the JavaScript client's name
    """Cognito asked for a challenge that nothing can answer, so nobody is signed in."""


class CannotSignInWithMFAError(SignInException):
    """The MFA flow cannot answer the challenge that Cognito sent."""


class MFANotConfiguredError(SeedctlError):
    """The MFA flow was used with a user pool in which MFA is off."""


class MFAPreferenceNotAvailableError(SeedctlError):
    """The pool does not offer the chosen MFA method, or the user lacks what the method needs."""


class NoMFAPreferenceSpecifiedError(SeedctlError):
    """Several MFA methods are possible, and none was chosen."""


class MissingTOTPChallengeError(SeedctlError):
    """TOTP must be set up, and no callback was given that returns the first code."""


class MFARequiredError(SeedctlError):
    """The user pool requires MFA, which the password flow cannot do."""


class CognitoError(SeedctlError):
    """Cognito refused the data in a call; ``code`` is Cognito's own error code."""

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
    """A wrong password, a disabled user or an expired challenge: Cognito does not say which."""


class PasswordResetRequiredException(CognitoError):  # noqa: N818 - Cognito's name
    """An administrator has reset the password."""


class UserNotConfirmedException(CognitoError):  # noqa: N818 - Cognito's name
    """The user has signed up but is not confirmed yet."""


class InvalidPasswordException(CognitoError):  # noqa: N818 - Cognito's name
    """The password does not meet the pool's policy."""


class InvalidParameterException(CognitoError):  # noqa: N818 - Cognito's name
    """The pool does not allow this user name or attribute."""
