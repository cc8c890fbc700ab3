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
    │   UnknownModelError, UnknownOperationError
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

from seedctl.errors.auth import CannotSignInWithMFAError as CannotSignInWithMFAError
from seedctl.errors.auth import CognitoError as CognitoError
from seedctl.errors.auth import InvalidParameterException as InvalidParameterException
from seedctl.errors.auth import InvalidPasswordException as InvalidPasswordException
from seedctl.errors.auth import MFANotConfiguredError as MFANotConfiguredError
from seedctl.errors.auth import MFAPreferenceNotAvailableError as MFAPreferenceNotAvailableError
from seedctl.errors.auth import MFARequiredError as MFARequiredError
from seedctl.errors.auth import MissingTOTPChallengeError as MissingTOTPChallengeError
from seedctl.errors.auth import NoGroupError as NoGroupError
from seedctl.errors.auth import NoGroupsError as NoGroupsError
from seedctl.errors.auth import NoMFAPreferenceSpecifiedError as NoMFAPreferenceSpecifiedError
from seedctl.errors.auth import NotAuthorizedException as NotAuthorizedException
from seedctl.errors.auth import PasswordResetRequiredException as PasswordResetRequiredException
from seedctl.errors.auth import SignInException as SignInException
from seedctl.errors.auth import UserExistsError as UserExistsError
from seedctl.errors.auth import UsernameExistsError as UsernameExistsError
from seedctl.errors.auth import UserNotConfirmedException as UserNotConfirmedException
from seedctl.errors.auth import UserNotFoundError as UserNotFoundError
from seedctl.errors.auth import UserUnAuthenticatedException as UserUnAuthenticatedException
from seedctl.errors.aws import AccessDeniedError as AccessDeniedError
from seedctl.errors.aws import AWSError as AWSError
from seedctl.errors.aws import EndpointUnreachableError as EndpointUnreachableError
from seedctl.errors.aws import InvalidResponseError as InvalidResponseError
from seedctl.errors.aws import LimitExceededError as LimitExceededError
from seedctl.errors.aws import NotAuthorizedError as NotAuthorizedError
from seedctl.errors.aws import SecretError as SecretError
from seedctl.errors.aws import ServiceFailedError as ServiceFailedError
from seedctl.errors.aws import SRPError as SRPError
from seedctl.errors.aws import SSMCredentialsError as SSMCredentialsError
from seedctl.errors.aws import SSMParameterNotFoundError as SSMParameterNotFoundError
from seedctl.errors.aws import ThrottledError as ThrottledError
from seedctl.errors.base import BulkError as BulkError
from seedctl.errors.base import SeedctlError as SeedctlError
from seedctl.errors.base import SeedingFailedError as SeedingFailedError
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
from seedctl.errors.setup import AmplifyOutputsNotFoundError as AmplifyOutputsNotFoundError
from seedctl.errors.setup import BackendIdConversionFault as BackendIdConversionFault
from seedctl.errors.setup import FileAccessError as FileAccessError
from seedctl.errors.setup import InvalidAmplifyOutputsError as InvalidAmplifyOutputsError
from seedctl.errors.setup import InvalidCommandInputError as InvalidCommandInputError
from seedctl.errors.setup import InvalidCredentialError as InvalidCredentialError
from seedctl.errors.setup import InvalidPackageJsonError as InvalidPackageJsonError
from seedctl.errors.setup import InvalidSecretNameError as InvalidSecretNameError
from seedctl.errors.setup import InvalidSecretValueError as InvalidSecretValueError
from seedctl.errors.setup import LocalSandboxError as LocalSandboxError
from seedctl.errors.setup import MFACodeUnavailableError as MFACodeUnavailableError
from seedctl.errors.setup import MissingAuthError as MissingAuthError
from seedctl.errors.setup import MissingRegionError as MissingRegionError
from seedctl.errors.setup import MixedEndpointsError as MixedEndpointsError
from seedctl.errors.setup import NoBackendError as NoBackendError
from seedctl.errors.setup import OutputsMismatchError as OutputsMismatchError
from seedctl.errors.setup import ProjectNotFoundError as ProjectNotFoundError
from seedctl.errors.setup import PromptUnavailableError as PromptUnavailableError
from seedctl.errors.setup import SandboxIdentifierNotFoundError as SandboxIdentifierNotFoundError
from seedctl.errors.setup import SeedScriptNotFoundError as SeedScriptNotFoundError
from seedctl.errors.setup import StackDoesNotExistError as StackDoesNotExistError
from seedctl.errors.storage import AccessDenied as AccessDenied
from seedctl.errors.storage import InvalidAWSAccountID as InvalidAWSAccountID
from seedctl.errors.storage import (
    InvalidCopyOperationStorageBucket as InvalidCopyOperationStorageBucket,
)
from seedctl.errors.storage import InvalidStorageBucket as InvalidStorageBucket
from seedctl.errors.storage import InvalidStorageOperationInput as InvalidStorageOperationInput
from seedctl.errors.storage import InvalidStoragePathInput as InvalidStoragePathInput
from seedctl.errors.storage import InvalidUploadSource as InvalidUploadSource
from seedctl.errors.storage import NoBucket as NoBucket
from seedctl.errors.storage import NoDestinationPath as NoDestinationPath
from seedctl.errors.storage import NoIdentityId as NoIdentityId
from seedctl.errors.storage import NoSourcePath as NoSourcePath
from seedctl.errors.storage import NoSuchKey as NoSuchKey
from seedctl.errors.storage import NotFound as NotFound
from seedctl.errors.storage import ObjectIsTooLarge as ObjectIsTooLarge
from seedctl.errors.storage import PreconditionFailed as PreconditionFailed
from seedctl.errors.storage import StorageError as StorageError
from seedctl.errors.storage import UrlExpirationMaxLimitExceed as UrlExpirationMaxLimitExceed
