"""Every failure seedctl reports, and the exit code that goes with each.

The tree, with exit codes; ``docs/errors.md`` lists the triggers::

    SeedctlError (1)
    ├── SeedingFailedError                                  1  the script is at fault
    ├── CognitoError, named after Cognito's own codes       1  the script's data is at fault
    │   ├── NotAuthorizedException, PasswordResetRequiredException, UserNotConfirmedException
    │   ├── InvalidPasswordException, InvalidParameterException
    │   └── ...
    ├── UsernameExistsError, UserExistsError, NoGroupError, NoGroupsError, UserNotFoundError
    ├── SignInException (CannotSignInWithMFAError), MFARequiredError, MFANotConfiguredError,
    │   MFAPreferenceNotAvailableError, NoMFAPreferenceSpecifiedError, MissingTOTPChallengeError
    ├── UserUnAuthenticatedException, SRPError
    ├── GraphQLError, with AppSync's errors and the partial data      1
    │   ├── UnauthorizedError, ConditionalCheckFailedError
    │   └── InvalidArgumentsError, GraphQLValidationError, DynamoDBError
    ├── InvalidInputError, InvalidSelectionSetError, InvalidAuthModeError,
    │   UnknownModelError, UnknownOperationError
    ├── NoValidAuthTokens, NoSignedUser, NoCredentials, NoAuthorizationHeader
    ├── BulkError: some of many failed, with the results of all      1
    ├── InvalidCommandInputError, InvalidSecretNameError,
    │   InvalidSecretValueError                             2  a refused value
    ├── set-up: project, outputs, script, region, keys      3
    └── AWSError and what is denied, throttled, away        4

Names follow Amplify's and Cognito's wherever those tools have one for the same failure, so that a
ported ``except`` clause reads like the JavaScript ``error.name`` it replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.errors.base import SeedctlError as SeedctlError
from seedctl.errors.bulk import BulkError as BulkError
from seedctl.errors.data import ConditionalCheckFailedError as ConditionalCheckFailedError
from seedctl.errors.data import DynamoDBError as DynamoDBError
from seedctl.errors.data import GraphQLError as GraphQLError
from seedctl.errors.data import GraphQLValidationError as GraphQLValidationError
from seedctl.errors.data import InvalidArgumentsError as InvalidArgumentsError
from seedctl.errors.data import InvalidAuthModeError as InvalidAuthModeError
from seedctl.errors.data import InvalidInputError as InvalidInputError
from seedctl.errors.data import InvalidSelectionSetError as InvalidSelectionSetError
from seedctl.errors.data import NoApiKey as NoApiKey
from seedctl.errors.data import NoAuthorizationHeader as NoAuthorizationHeader
from seedctl.errors.data import NoCredentials as NoCredentials
from seedctl.errors.data import NoEndpoint as NoEndpoint
from seedctl.errors.data import NoSignedUser as NoSignedUser
from seedctl.errors.data import NoValidAuthTokens as NoValidAuthTokens
from seedctl.errors.data import UnauthorizedError as UnauthorizedError
from seedctl.errors.data import UnknownModelError as UnknownModelError
from seedctl.errors.data import UnknownOperationError as UnknownOperationError

if TYPE_CHECKING:
    from datetime import datetime


# --- 1: the script or its data --------------------------------------------------------------


class SeedingFailedError(SeedctlError):
    """The seed script raised; its exception is the cause."""


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


class SRPError(SeedctlError):
    """The password exchange got a value from the service that no honest server sends."""


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


# --- 2: wrong usage ---------------------------------------------------------------------------


class InvalidCommandInputError(SeedctlError):
    """An option or argument has a value that cannot be right."""

    exit_code = 2


class InvalidSecretNameError(SeedctlError):
    """A secret name that Parameter Store would read as something else."""

    exit_code = 2


class InvalidSecretValueError(SeedctlError):
    """A secret's value that Parameter Store cannot keep: empty, or over 4 KB."""

    exit_code = 2


# --- 3: the caller's set-up --------------------------------------------------------------------


class ProjectNotFoundError(SeedctlError):
    """No Amplify project here or above."""

    exit_code = 3


class InvalidPackageJsonError(SeedctlError):
    """``package.json`` is missing, unreadable or has no usable ``name``."""

    exit_code = 3


class SandboxIdentifierNotFoundError(SeedctlError):
    """The sandbox cannot be told: no identifier given and none to be derived."""

    exit_code = 3


class BackendIdConversionFault(SeedctlError):  # noqa: N818 - Amplify's name
    """A backend identifier from which no parameter path can be made."""

    exit_code = 3


class AmplifyOutputsNotFoundError(SeedctlError):
    """No ``amplify_outputs.json``, or only the stub written before the first deployment."""

    exit_code = 3


class InvalidAmplifyOutputsError(SeedctlError):
    """The outputs file is not what Amplify writes; the message gives file and key path."""

    exit_code = 3


class MissingAuthError(SeedctlError):
    """The backend has no auth resource, and the call needs one."""

    exit_code = 3


class OutputsMismatchError(SeedctlError):
    """The outputs file describes another sandbox than the one chosen."""

    exit_code = 3


class StackDoesNotExistError(SeedctlError):
    """The chosen sandbox is not deployed."""

    exit_code = 3


class SeedScriptNotFoundError(SeedctlError):
    """The seed script is not where it should be."""

    exit_code = 3


class InvalidCredentialError(SeedctlError):
    """AWS credentials are missing, expired or not valid."""

    exit_code = 3


class MissingRegionError(InvalidCredentialError):
    """No AWS region in options, environment, profile or outputs."""


class MixedEndpointsError(SeedctlError):
    """Part of the run would reach this machine and part the real AWS."""

    exit_code = 3


class NoBackendError(SeedctlError):
    """A call needs a backend, and none is connected."""

    exit_code = 3


class PromptUnavailableError(SeedctlError):
    """Something has to be typed, and there is no terminal to type it on."""

    exit_code = 3


class MFACodeUnavailableError(SeedctlError):
    """Cognito waits for a code, and there is nobody and nothing to ask."""

    exit_code = 3


class LocalSandboxError(SeedctlError):
    """The local sandbox cannot start, or its state cannot be used."""

    exit_code = 3


class FileAccessError(SeedctlError):
    """A file of the user's could not be read or written."""

    exit_code = 3


# --- 4: AWS -------------------------------------------------------------------------------------


class AWSError(SeedctlError):
    """AWS refused or failed a call in a way no other class names."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        service: str = "",
        operation: str = "",
        code: str = "",
        request_id: str = "",
        resolution: str | None = None,
    ) -> None:
        super().__init__(message, resolution=resolution)
        self.service = service
        self.operation = operation
        self.code = code
        self.request_id = request_id


class AccessDeniedError(AWSError):
    """The caller's IAM permissions do not cover the call."""


class NotAuthorizedError(AccessDeniedError):
    """The caller may not create users or add them to groups."""


class SSMCredentialsError(AccessDeniedError):
    """The caller may not use the sandbox's secrets."""


class ThrottledError(AWSError):
    """AWS went on refusing the call for its rate."""


class LimitExceededError(AWSError):
    """A limit of the account or the day is reached; waiting a moment does not help."""


class ServiceFailedError(AWSError):
    """AWS answered that it failed itself (5xx); the work may be done or not."""


class EndpointUnreachableError(AWSError):
    """No answer came: no route, no name, refused, cut or timed out."""


class SSMParameterNotFoundError(AWSError):
    """No secret of this name in this sandbox."""


class SecretError(AWSError):
    """A secret that cannot be used as it is."""
