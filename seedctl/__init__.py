"""Seed AWS Amplify Gen 2 sandboxes from Python.

The names below are what a ``seed.py`` imports. They load on first use, so that importing
seedctl itself does no I/O and pulls in none of the heavy libraries.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # type checkers go by the name; typing itself takes a while to load
if TYPE_CHECKING:
    from seedctl import auth as auth
    from seedctl import data as data
    from seedctl import storage as storage
    from seedctl.auth.session import UserSession as UserSession
    from seedctl.auth.totp import Authenticator as Authenticator
    from seedctl.auth.types import AuthOutputs as AuthOutputs
    from seedctl.auth.types import AuthSession as AuthSession
    from seedctl.auth.types import AuthSignUp as AuthSignUp
    from seedctl.auth.types import AuthUser as AuthUser
    from seedctl.auth.types import ChallengeResponse as ChallengeResponse
    from seedctl.auth.types import CurrentUser as CurrentUser
    from seedctl.auth.types import NewUser as NewUser
    from seedctl.auth.types import StandardUserAttributes as StandardUserAttributes
    from seedctl.auth.types import TOTPSetup as TOTPSetup
    from seedctl.auth.types import UserResult as UserResult
    from seedctl.backend import Backend as Backend
    from seedctl.connection import connect as connect
    from seedctl.connection import current_backend as current_backend
    from seedctl.data.bulk import RowResult as RowResult
    from seedctl.data.client import DataClient as DataClient
    from seedctl.data.records import Page as Page
    from seedctl.data.records import Record as Record
    from seedctl.errors import *  # noqa: F403
    from seedctl.functions import add_to_user_group as add_to_user_group
    from seedctl.functions import create_and_sign_up_user as create_and_sign_up_user
    from seedctl.functions import create_users as create_users
    from seedctl.functions import fetch_auth_session as fetch_auth_session
    from seedctl.functions import generate_client as generate_client
    from seedctl.functions import get_current_user as get_current_user
    from seedctl.functions import get_secret as get_secret
    from seedctl.functions import set_secret as set_secret
    from seedctl.functions import sign_in_user as sign_in_user
    from seedctl.functions import sign_out as sign_out
    from seedctl.storage.client import Storage as Storage
    from seedctl.storage.many import FileResult as FileResult
    from seedctl.storage.many import NewFile as NewFile
    from seedctl.storage.results import CopiedObject as CopiedObject
    from seedctl.storage.results import DownloadedObject as DownloadedObject
    from seedctl.storage.results import ObjectProperties as ObjectProperties
    from seedctl.storage.results import RemovedObject as RemovedObject
    from seedctl.storage.results import StorageItem as StorageItem
    from seedctl.storage.results import StoragePage as StoragePage
    from seedctl.storage.results import StorageUrl as StorageUrl
    from seedctl.storage.results import TransferProgress as TransferProgress
    from seedctl.storage.results import UploadedObject as UploadedObject
    from seedctl.storage.section import BucketInfo as BucketInfo

__version__ = "0.1.0"

_ROOMS = {
    "seedctl": ("auth", "data", "storage"),
    "seedctl.auth.session": ("UserSession",),
    "seedctl.auth.totp": ("Authenticator",),
    "seedctl.auth.types": (
        "AuthOutputs",
        "AuthSession",
        "AuthSignUp",
        "AuthUser",
        "ChallengeResponse",
        "CurrentUser",
        "NewUser",
        "StandardUserAttributes",
        "TOTPSetup",
        "UserResult",
    ),
    "seedctl.backend": ("Backend",),
    "seedctl.connection": ("connect", "current_backend"),
    "seedctl.data.bulk": ("RowResult",),
    "seedctl.data.client": ("DataClient",),
    "seedctl.data.records": ("Page", "Record"),
    "seedctl.errors": (
        "AWSError",
        "AccessDenied",
        "AccessDeniedError",
        "AmplifyOutputsNotFoundError",
        "BackendIdConversionFault",
        "BulkError",
        "CannotSignInWithMFAError",
        "CognitoError",
        "ConditionalCheckFailedError",
        "DynamoDBError",
        "EndpointUnreachableError",
        "FileAccessError",
        "GraphQLError",
        "GraphQLValidationError",
        "InvalidAWSAccountID",
        "InvalidAmplifyOutputsError",
        "InvalidArgumentsError",
        "InvalidAuthModeError",
        "InvalidCommandInputError",
        "InvalidCopyOperationStorageBucket",
        "InvalidCredentialError",
        "InvalidInputError",
        "InvalidPackageJsonError",
        "InvalidParameterException",
        "InvalidPasswordException",
        "InvalidResponseError",
        "InvalidSecretNameError",
        "InvalidSecretValueError",
        "InvalidSelectionSetError",
        "InvalidStorageBucket",
        "InvalidStorageOperationInput",
        "InvalidStoragePathInput",
        "InvalidUploadSource",
        "LimitExceededError",
        "LocalSandboxError",
        "MFACodeUnavailableError",
        "MFANotConfiguredError",
        "MFAPreferenceNotAvailableError",
        "MFARequiredError",
        "MissingAuthError",
        "MissingRegionError",
        "MissingTOTPChallengeError",
        "MixedEndpointsError",
        "NoApiKey",
        "NoAuthorizationHeader",
        "NoBackendError",
        "NoBucket",
        "NoCredentials",
        "NoDestinationPath",
        "NoEndpoint",
        "NoGroupError",
        "NoGroupsError",
        "NoIdentityId",
        "NoMFAPreferenceSpecifiedError",
        "NoSignedUser",
        "NoSourcePath",
        "NoSuchKey",
        "NoValidAuthTokens",
        "NotAuthorizedError",
        "NotAuthorizedException",
        "NotFound",
        "ObjectIsTooLarge",
        "OutputsMismatchError",
        "PasswordResetRequiredException",
        "PreconditionFailed",
        "ProjectNotFoundError",
        "PromptUnavailableError",
        "SRPError",
        "SSMCredentialsError",
        "SSMParameterNotFoundError",
        "SandboxIdentifierNotFoundError",
        "SecretError",
        "SeedScriptNotFoundError",
        "SeedctlError",
        "SeedingFailedError",
        "ServiceFailedError",
        "SignInException",
        "StackDoesNotExistError",
        "StorageError",
        "ThrottledError",
        "UnauthorizedError",
        "UnknownModelError",
        "UnknownOperationError",
        "UrlExpirationMaxLimitExceed",
        "UserExistsError",
        "UserNotConfirmedException",
        "UserNotFoundError",
        "UserUnAuthenticatedException",
        "UsernameExistsError",
    ),
    "seedctl.storage.client": ("Storage",),
    "seedctl.storage.many": ("FileResult", "NewFile"),
    "seedctl.storage.section": ("BucketInfo",),
    "seedctl.storage.results": (
        "CopiedObject",
        "DownloadedObject",
        "ObjectProperties",
        "RemovedObject",
        "StorageItem",
        "StoragePage",
        "StorageUrl",
        "TransferProgress",
        "UploadedObject",
    ),
    "seedctl.functions": (
        "add_to_user_group",
        "create_and_sign_up_user",
        "create_users",
        "fetch_auth_session",
        "generate_client",
        "get_current_user",
        "get_secret",
        "set_secret",
        "sign_in_user",
        "sign_out",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = sorted(_ROOM_OF)  # noqa: PLE0605 - one list of names, above


def __getattr__(name: str) -> object:
    room = _ROOM_OF.get(name)
    if room is None:
        nearest = importlib.import_module("seedctl.nearest")
        inner = [
            f"{room}.{each}"
            for room in _ROOMS[__name__]
            for each in importlib.import_module(f"{__name__}.{room}").__all__
        ]
        raise nearest.no_such_name(__name__, name, [*_ROOM_OF, *inner])
    if room == __name__:
        return importlib.import_module(f"{room}.{name}")
    return getattr(importlib.import_module(room), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOM_OF})
