"""Which profile, region and endpoint the user chose. Reads no files."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from seedctl.errors import InvalidCommandInputError, MissingRegionError


@dataclass(frozen=True, slots=True)
class AWSSettings:
    """The user's choices; None where there was none."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    """Where every call goes instead of AWS, as for an emulator."""
    is_local: bool = False
    """The endpoint is the local sandbox: the user's own profile and keys are never looked at."""

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            check_endpoint(self.endpoint_url, source="--endpoint-url")

    @property
    def profile_name(self) -> str | None:
        """The profile to use. boto3 alone would prefer AWS_DEFAULT_PROFILE over AWS_PROFILE."""
        return (
            self.profile
            or os.environ.get("AWS_PROFILE")
            or os.environ.get("AWS_DEFAULT_PROFILE")
            or None
        )

    def chosen_region(self) -> str | None:
        """Return the region of options and environment; boto3 alone does not read AWS_REGION.

        Raises MissingRegionError for one that is only white space.
        """
        sources = (
            ("--region", self.region),
            ("AWS_REGION", os.environ.get("AWS_REGION")),
            ("AWS_DEFAULT_REGION", os.environ.get("AWS_DEFAULT_REGION")),
        )
        for source, region in sources:
            if region:
                return checked_region(region, source=source)
        return None


def checked_region(region: str, *, source: str) -> str:
    if not region.strip():
        raise MissingRegionError(
            f"The AWS region from {source} is blank.",
            resolution="Give a region such as us-east-1 with --region or AWS_REGION.",
        )
    return region


def check_endpoint(url: str, *, source: str) -> str:
    """Return *url* if calls can be sent there. Raises InvalidCommandInputError otherwise."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise InvalidCommandInputError(
            f"{source} is {url!r}, which is not an http or https address.",
            resolution="Give an address such as http://127.0.0.1:5000.",
        )
    return url


def is_loopback(url: str | None) -> bool:
    """Whether *url* names this machine."""
    host = urlsplit(url).hostname if url else None
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
