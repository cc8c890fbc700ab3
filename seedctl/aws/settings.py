"""Which profile, region and endpoint the user chose. Reads no files."""

from __future__ import annotations

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
    is_paced: bool = True
    """Whether AWS's default quotas hold at the endpoint; what this process serves has none."""

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

    def environment(self) -> dict[str, str | None]:
        """Return what other AWS clients of this process must find to do as seedctl does.

        None means: take the variable away.
        """
        # A service's own variable would beat the general one.
        gone = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")]
        if self.is_local:
            region = self.chosen_region() or "us-east-1"
            return {
                **dict.fromkeys(gone),
                "SEEDCTL_LOCAL": "1",
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_SESSION_TOKEN": None,
                "AWS_PROFILE": None,
                "AWS_DEFAULT_PROFILE": None,
                "AWS_ENDPOINT_URL": self.endpoint_url,
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **_reached_directly(),
            }
        chosen: dict[str, str | None] = {}
        if self.profile:
            # boto3 would prefer keys in the environment to the profile, and AWS_DEFAULT_PROFILE
            # to AWS_PROFILE.
            chosen.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))
            chosen.update(AWS_SESSION_TOKEN=None, AWS_DEFAULT_PROFILE=None)
            chosen.update(AWS_ROLE_ARN=None, AWS_WEB_IDENTITY_TOKEN_FILE=None)
            chosen["AWS_PROFILE"] = self.profile
        if self.region:
            chosen.update(AWS_REGION=self.region, AWS_DEFAULT_REGION=self.region)
        if self.endpoint_url:
            chosen.update(dict.fromkeys(gone), AWS_ENDPOINT_URL=self.endpoint_url)
            chosen["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false"
        return chosen

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


def check_max_attempts(text: str | None) -> int | None:
    """Return the number in *text*. Raises InvalidCommandInputError unless it is 1 or more."""
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise InvalidCommandInputError(
            f"AWS_MAX_ATTEMPTS (or the profile's max_attempts) is {text!r}.",
            resolution="Give a whole number of 1 or more.",
        )
    return int(text)


def check_retry_mode(text: str | None) -> str | None:
    """Return *text* if boto3 knows it. Raises InvalidCommandInputError otherwise."""
    if text and text not in {"legacy", "standard", "adaptive"}:
        raise InvalidCommandInputError(
            f"AWS_RETRY_MODE (or the profile's retry_mode) is {text!r}.",
            resolution="Use legacy, standard or adaptive.",
        )
    return text


def _reached_directly() -> dict[str, str]:
    """Return the variables that keep this machine's addresses from being asked of a proxy."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [given, "127.0.0.1,localhost,::1"]))
    return {"NO_PROXY": hosts, "no_proxy": hosts}
