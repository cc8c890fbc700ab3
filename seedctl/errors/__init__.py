"""Every error that seedctl reports, with its exit code.

The tree, with exit codes; ``docs/errors.md`` says what triggers each error::

    SeedctlError (1)
    ├── SeedingFailedError                                  1  the script raised an exception
    ├── CognitoError, named after Cognito's own codes       1  Cognito refused the script's data
    │   ├── NotAuthorizedException, PasswordResetRequiredException, UserNotConfirmedException
    │   ├── InvalidPasswordException, InvalidParameterException
    │   └── ...
    ├── UsernameExistsError, UserExistsError, NoGroupError, NoGroupsError, UserNotFoundError
    ├── SignInException (CannotSignInWithMFAError), MFARequiredError, MFANotConfiguredError,
    │   MFAPreferenceNotAvailableError, NoMFAPreferenceSpecifiedError, MissingTOTPChallengeError
    ├── UserUnAuthenticatedException
    ├── GraphQLError, with AppSync's errors and the partial data      1
    │   ├── UnauthorizedError, ConditionalCheckFailedError
    │   └── InvalidArgumentsError, GraphQLValidationError, DynamoDBError
    ├── InvalidInputError, InvalidSelectionSetError, InvalidAuthModeError,
    │   UnknownModelError, UnknownOperationError, StaleSchemaFileError, DataFileError
    ├── StorageError, named after S3's own codes                      1
    │   └── AccessDenied, NoSuchKey, NotFound, PreconditionFailed
    ├── InvalidUploadSource, InvalidStoragePathInput, ... (nothing was sent)
    ├── NoValidAuthTokens, NoSignedUser, NoCredentials, NoAuthorizationHeader
    ├── InvalidCommandInputError, InvalidSecretNameError,
    │   InvalidSecretValueError                             2  a value is not allowed
    ├── set-up: project, outputs, script, region, keys      3
    └── AWSError: denied, throttled, unreachable, or a      4
        response of something else (InvalidResponseError, SRPError)

Where Amplify or Cognito has a name for a failure, the error has the same name, so that an ``except``
clause reads like the JavaScript ``error.name`` that it replaces.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from seedctl.errors.auth import *
from seedctl.errors.aws import *
from seedctl.errors.base import *
from seedctl.errors.data import *
from seedctl.errors.setup import *
from seedctl.errors.storage import *

if not TYPE_CHECKING:  # type checkers see the names through the stars
    __all__ = [
        name
        for name, value in sorted(vars().items(), key=lambda item: item[0])
        if isinstance(value, type) and issubclass(value, SeedctlError)
    ]

    def __getattr__(name: str) -> object:
        """Raise an error that suggests the nearest names. Their search is loaded only then."""
        nearest = importlib.import_module("seedctl.nearest")
        raise nearest.no_public_name(__name__, name, __all__, ())
