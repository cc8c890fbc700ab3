"""Configure botocore: its session, and the settings of its clients."""

from __future__ import annotations

import os
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from seedctl.aws.credential_failures import NO_PROFILE, credential_error
from seedctl.aws.credential_sources import watch_credential_sources
from seedctl.aws.settings import AWSSettings, check_retry_mode, is_emulator, is_loopback
from seedctl.version import __version__

_MAX_CONNECTIONS = 64  # the highest concurrency of bulk calls


def client_config(
    service: str,
    endpoint: str | None,
    retry_mode: str | None,
    *,
    once: bool,
    accelerate: bool,
    timeout_seconds: float | None = None,
) -> Config:
    """Return the configuration of a client of *service* at *endpoint*.

    *retry_mode* is the user's own, from the environment or the profile; with *once* nothing is
    retried. *timeout_seconds* limits connecting and reading, each; None for botocore's own limits.
    Raises InvalidCommandInputError for a retry mode that botocore does not know.
    """
    retries: dict[str, Any] = {}
    # A mode set here would override the environment and the profile.
    if not check_retry_mode(retry_mode):
        retries["mode"] = "standard"
    if once:
        retries["total_max_attempts"] = 1
    limits: dict[str, Any] = {}
    if timeout_seconds is not None:
        limits = {"connect_timeout": timeout_seconds, "read_timeout": timeout_seconds}
    config = Config(
        **limits,
        retries=retries or None,
        user_agent_extra=f"seedctl/{__version__}",
        max_pool_connections=_MAX_CONNECTIONS,
        # A proxy cannot reach this machine's loopback addresses.
        proxies={} if is_loopback(endpoint) else None,
    )
    return config.merge(_s3_config(endpoint, accelerate=accelerate)) if service == "s3" else config


def _s3_config(endpoint: str | None, *, accelerate: bool) -> Config:
    is_emulated = is_emulator(endpoint)
    return Config(
        signature_version="s3v4",  # by default, URLs in old regions are presigned with version 2
        # Send headers and hashes like the JavaScript client. By default botocore would store the
        # content encoding aws-chunked and append a checksum to the body.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={
            # "auto" would presign URLs of the global host for regions other than us-east-1.
            "addressing_style": "path" if is_emulated else "virtual",
            "us_east_1_regional_endpoint": "regional",
            "payload_signing_enabled": True,
            "use_accelerate_endpoint": accelerate and not is_emulated,
        },
    )


def new_session(settings: AWSSettings) -> botocore.session.Session:
    """Return a session for the chosen profile, after reading the AWS configuration files.

    Raises InvalidCredentialError for unusable files and for an unknown profile.
    """
    # botocore must not read the profile from the environment: settings.profile_name already has.
    # A profile set on the session also takes precedence over access keys in the environment, as in
    # the Node credential chain.
    sources: dict[str, Any] = {"profile": (None, None, None, None)}
    if settings.is_local:
        sources["config_file"] = (None, None, os.devnull, None)
        sources["credentials_file"] = (None, None, os.devnull, None)
    session = botocore.session.Session(session_vars=sources)
    profile = None if settings.is_local else settings.profile_name
    if profile:
        session.set_config_variable("profile", profile)
    try:
        session.get_scoped_config()
    except BotoCoreError as error:
        raise credential_error(error, profile, NO_PROFILE) from error
    watch_credential_sources(session, profile or "default")
    return session
