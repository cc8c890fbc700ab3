"""How AWS credentials are had, or had anew, which depends on where they come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from botocore import exceptions

from seedctl.installation import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_PROFILE = (
    "Name a configured profile with --profile or AWS_PROFILE, or sign in again (aws sso login, aws "
    "login, or new keys)."
)


def how_to_renew(profile: str | None, config: Mapping[str, Any]) -> str:
    """Return what to do about credentials that are missing, expired or not accepted.

    *profile* is the one that was chosen, *config* holds its settings or the default profile's.
    """
    if profile is None and os.environ.get("AWS_ACCESS_KEY_ID"):
        return (
            "The keys come from the environment: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_SESSION_TOKEN anew, or unset them and name a profile with --profile."
        )
    option = f" --profile {profile}" if profile else ""
    if "login_session" in config and not hasattr(exceptions, "LoginError"):
        return (
            "The botocore beside seedctl is too old for profiles of aws login. Update it: "
            f"{how_to_install('botocore[crt]>=1.41')}."
        )
    if "login_session" in config:
        return f"Sign in again with aws login{option}."
    if "sso_session" in config or "sso_start_url" in config:
        return f"Sign in again with aws sso login{option}."
    if "credential_process" in config:
        return (
            "Run the profile's credential_process by hand, and see what it says: "
            f"aws configure get credential_process{option} shows it."
        )
    return NO_PROFILE
