"""Errors for the developer's AWS credentials: why botocore cannot get them, and how to fix it."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore import exceptions as boto

from seedctl.errors import InvalidCredentialError
from seedctl.installation import how_to_install
from seedctl.masking import mask_line

# For `aws login`, which botocore supports since 1.41.
_LOGIN_ERRORS = (boto.LoginError,) if hasattr(boto, "LoginError") else ()
_NEW_NEEDED = (
    boto.ConfigNotFound,
    boto.CredentialRetrievalError,
    boto.NoCredentialsError,
    boto.SSOError,
    boto.TokenRetrievalError,
    *_LOGIN_ERRORS,
)
_NO_CREDENTIALS = (
    *_NEW_NEEDED,
    boto.ConfigParseError,
    boto.InvalidConfigError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
)
NO_PROFILE = (
    "Name a configured profile with --profile or AWS_PROFILE, or sign in again (aws sso login, aws "
    "login, or new keys)."
)
_PROFILE_FILES = (
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)
_MAX_TEXT = 500


def credential_error(error: Exception, profile: str | None, renew: str) -> InvalidCredentialError:
    """Return the seedctl error for *error*, raised while botocore got the profile's credentials.

    *renew* is the sentence from ``how_to_renew``.
    """
    is_from_botocore = isinstance(error, boto.BotoCoreError | boto.ClientError)
    text = mask_line(error) if is_from_botocore else f"{type(error).__name__}: {mask_line(error)}"
    if isinstance(error, boto.NoCredentialsError | boto.ProfileNotFound):
        text += _unreadable_files()
    return InvalidCredentialError(
        f"No usable AWS credentials from {credential_source(profile)}: {text[:_MAX_TEXT]}",
        resolution=f"{_fix(error, renew)} With no AWS account, use --local.",
    )


def _fix(error: Exception, renew: str) -> str:
    if isinstance(error, boto.ProfileNotFound):
        return (
            "Name a configured profile with --profile or AWS_PROFILE (aws configure list-profiles)."
        )
    if isinstance(error, boto.MissingDependencyException):
        install = how_to_install("botocore[crt]")
        return f"Install it beside seedctl: {install}. Or use another profile."
    if isinstance(error, (*_NEW_NEEDED, boto.ClientError)):
        return renew
    # An error in the profile itself, for many of which botocore has no class of its own.
    return (
        "Correct the profile in the AWS configuration files (or the AWS_ variables), or name another "
        "with --profile."
    )


def how_to_renew(profile: str | None, config: Mapping[str, Any]) -> str:
    """Return what to do about credentials that are missing, expired or rejected.

    *profile* is the chosen profile; *config* has its settings, or those of the default profile.
    """
    if profile is None and os.environ.get("AWS_ACCESS_KEY_ID"):
        return (
            "The keys come from the environment: set new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_SESSION_TOKEN, or unset them and name a profile with --profile."
        )
    option = f" --profile {profile}" if profile else ""
    if "login_session" in config and not hasattr(boto, "LoginError"):
        return (
            "The installed botocore is too old for profiles of aws login. Update it: "
            f"{how_to_install('botocore[crt]>=1.41')}."
        )
    if "login_session" in config:
        return f"Sign in again with aws login{option}."
    if "sso_session" in config or "sso_start_url" in config:
        return f"Sign in again with aws sso login{option}."
    if "credential_process" in config:
        return (
            "Run the profile's credential_process by hand and read its output: "
            f"aws configure get credential_process{option} shows the command."
        )
    return NO_PROFILE


def credential_source(profile: str | None) -> str:
    return f'profile "{profile}"' if profile else "the default credential chain"


def is_credential_failure(error: Exception) -> bool:
    """Whether *error* says that there are no credentials, or was raised while botocore got them.

    botocore does not wrap all causes: a missing program or file, invalid JSON, an invalid URL.
    """
    return isinstance(error, _NO_CREDENTIALS) or is_raised_in("botocore.credentials", error)


def is_raised_in(module: str, error: Exception) -> bool:
    """Whether the traceback of *error* passes through *module*."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == module for frame, _ in frames)


def _unreadable_files() -> str:
    """Return a sentence about an unreadable profile file, which botocore silently ignores."""
    for variable, default in _PROFILE_FILES:
        path = Path(os.environ.get(variable) or default).expanduser()
        try:
            path.open("rb").close()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f". {path} cannot be read: {error.strerror}."
    return ""
