"""How botocore is set up: its session, and what S3's clients have of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from seedctl.aws.credential_failures import credential_error
from seedctl.aws.credential_sources import watch_credential_sources
from seedctl.aws.renewal import NO_PROFILE

if TYPE_CHECKING:
    from seedctl.aws.settings import AWSSettings


def s3_config(*, is_emulator: bool, accelerate: bool) -> Config:
    return Config(
        signature_version="s3v4",  # presigned addresses would be of version 2 in old regions
        # Headers and hashes as the JavaScript client sends them: the default would be another
        # content-encoding, aws-chunked, with a checksum behind the body.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            # "auto" would presign for the global host outside us-east-1.
            "addressing_style": "path" if is_emulator else "virtual",
            "us_east_1_regional_endpoint": "regional",
            "payload_signing_enabled": True,
            "use_accelerate_endpoint": accelerate and not is_emulator,
        },
    )


def new_session(settings: AWSSettings) -> botocore.session.Session:
    """Return a session of the chosen profile, whose files are read here.

    Raises InvalidCredentialError for files that cannot be used and for an unknown profile.
    """
    # The environment names no profile to botocore: settings.profile_name has the last word. A
    # profile given this way also beats access keys in the environment, as in the Node chain.
    nowhere: dict[str, Any] = {"profile": (None, None, None, None)}
    if settings.is_local:
        nowhere["config_file"] = (None, None, os.devnull, None)
        nowhere["credentials_file"] = (None, None, os.devnull, None)
    session = botocore.session.Session(session_vars=nowhere)
    profile = None if settings.is_local else settings.profile_name
    if profile:
        session.set_config_variable("profile", profile)
    try:
        session.get_scoped_config()
    except BotoCoreError as error:
        raise credential_error(error, profile, NO_PROFILE) from error
    watch_credential_sources(session, profile or "default")
    return session
