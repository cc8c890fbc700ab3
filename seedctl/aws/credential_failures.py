"""What keeps botocore from finding the developer's credentials, and what to do about it."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from botocore import exceptions as boto

from seedctl.errors import InvalidCredentialError
from seedctl.installation import how_to_install

# Of `aws login`, which botocore knows since 1.41.
_LOGIN_ERRORS = (boto.LoginError,) if hasattr(boto, "LoginError") else ()
NO_CREDENTIALS = (
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.CredentialRetrievalError,
    boto.InvalidConfigError,
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.SSOError,
    boto.TokenRetrievalError,
    *_LOGIN_ERRORS,
)
# What to do about credentials, by what went wrong; the first that fits counts. None: what the source
# of the profile's credentials wants.
_FIXES: tuple[tuple[tuple[type[Exception], ...], str | None], ...] = (
    (
        (boto.ProfileNotFound,),
        "Name a configured profile with --profile or AWS_PROFILE (aws configure list-profiles).",
    ),
    (
        (boto.MissingDependencyException,),
        f"Install it beside seedctl: {how_to_install('botocore[crt]')}. Or use another profile.",
    ),
    (
        (
            boto.SSOError,
            boto.TokenRetrievalError,
            *_LOGIN_ERRORS,
            boto.CredentialRetrievalError,
            boto.NoCredentialsError,
            boto.ConfigNotFound,
            boto.ClientError,
        ),
        None,
    ),
    # What is wrong with the profile itself, which botocore has no class for in many cases.
    (
        (Exception,),
        (
            "Correct the profile in the AWS configuration files (or the AWS_ variables), or name another "
            "with --profile."
        ),
    ),
)
_PROFILE_FILES = (
    ("AWS_CONFIG_FILE", "~/.aws/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
)
_LONGEST = 500


def credential_error(error: Exception, profile: str | None, renew: str) -> InvalidCredentialError:
    """Return the error for *error*, which kept botocore from finding the profile's credentials.

    *renew* says how they are had anew.
    """
    is_botocores = isinstance(error, boto.BotoCoreError | boto.ClientError)
    said = one_line(error) if is_botocores else f"{type(error).__name__}: {one_line(error)}"
    fix = next(fix for kinds, fix in _FIXES if isinstance(error, kinds)) or renew
    if isinstance(error, boto.NoCredentialsError | boto.ProfileNotFound):
        said += _unreadable_files()
    return InvalidCredentialError(
        f"No usable AWS credentials from {whose_credentials(profile)}: {said[:_LONGEST]}",
        resolution=f"{fix} With no AWS account, use --local.",
    )


def whose_credentials(profile: str | None) -> str:
    return f'profile "{profile}"' if profile else "the default credential chain"


def is_of_credentials(error: Exception) -> bool:
    """Whether *error*, of whatever class, came up while botocore was getting credentials.

    It has no class for all that can go wrong then: a program or file that is missing, what is no
    JSON, a web address that is none.
    """
    return is_raised_in("botocore.credentials", error)


def is_raised_in(module: str, error: Exception) -> bool:
    """Whether *error* went through *module* of botocore."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == module for frame, _ in frames)


def _unreadable_files() -> str:
    """Return the sentence on a file of profiles that cannot be read, which botocore passes over."""
    for variable, default in _PROFILE_FILES:
        path = Path(os.environ.get(variable) or default).expanduser()
        try:
            path.open("rb").close()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f". {path} cannot be read: {error.strerror}."
    return ""


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())
