"""How botocore is set up: its session, and what S3's clients have of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

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
    # The environment names no profile to botocore: settings.profile_name has the last word. A
    # profile given this way also beats access keys in the environment, as in the Node chain.
    nowhere: dict[str, Any] = {"profile": (None, None, None, None)}
    if settings.is_local:
        nowhere["config_file"] = (None, None, os.devnull, None)
        nowhere["credentials_file"] = (None, None, os.devnull, None)
    session = botocore.session.Session(session_vars=nowhere)
    if settings.profile_name and not settings.is_local:
        session.set_config_variable("profile", settings.profile_name)
    return session
