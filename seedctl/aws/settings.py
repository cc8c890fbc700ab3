"""The AWS profile, region and endpoint that the user chose, and what an endpoint is."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from seedctl.errors import InvalidCommandInputError, MissingRegionError
from seedctl.outputs.sections import is_web_address


@dataclass(frozen=True, slots=True)
class AWSSettings:
    """The user's choices; None where the user made none."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    """The address for all calls instead of AWS, such as an emulator's."""
    is_local: bool = False
    """Whether the endpoint is the local sandbox: the user's profile and keys are never read."""
    is_paced: bool = True
    """Whether AWS's default quotas apply. They do not to a sandbox that this process serves."""
    timeout_seconds: float | None = None
    """How long connecting, and waiting for a response, may take in a call that is then tried only
    once. None for botocore's own limits and retries."""

    def __post_init__(self) -> None:
        if self.endpoint_url is not None:
            check_endpoint(self.endpoint_url, source="--endpoint-url")

    @property
    def profile_name(self) -> str | None:
        """The profile to use. Unlike in boto3, AWS_PROFILE precedes AWS_DEFAULT_PROFILE."""
        return (
            self.profile
            or os.environ.get("AWS_PROFILE")
            or os.environ.get("AWS_DEFAULT_PROFILE")
            or None
        )

    def environment(self) -> dict[str, str | None]:
        """Return the environment variables that configure other AWS clients like seedctl.

        None means that the variable must not be set.
        """
        # The variable of one service takes precedence over the general one.
        unset = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")]
        if self.is_local:
            region = self.chosen_region() or "us-east-1"
            return {
                **dict.fromkeys(unset),
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
                **_no_proxy_for_loopback(),
            }
        chosen: dict[str, str | None] = {}
        if self.profile:
            # In boto3, keys in the environment take precedence over the profile, and
            # AWS_DEFAULT_PROFILE over AWS_PROFILE.
            chosen.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")))
            chosen.update(AWS_SESSION_TOKEN=None, AWS_DEFAULT_PROFILE=None)
            chosen.update(AWS_ROLE_ARN=None, AWS_WEB_IDENTITY_TOKEN_FILE=None)
            chosen["AWS_PROFILE"] = self.profile
        if self.region:
            chosen.update(AWS_REGION=self.region, AWS_DEFAULT_REGION=self.region)
        if self.endpoint_url:
            chosen.update(dict.fromkeys(unset), AWS_ENDPOINT_URL=self.endpoint_url)
            chosen["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false"
        return chosen

    def chosen_region(self) -> str | None:
        """Return the region from options or environment. boto3 does not read AWS_REGION.

        Raises MissingRegionError if it is only white space.
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
    """Return *url* if it is an HTTP URL. Raises InvalidCommandInputError otherwise."""
    if not is_web_address(url):
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
    """Return *text* if it is one of boto3's modes. Raises InvalidCommandInputError otherwise."""
    if text and text not in {"legacy", "standard", "adaptive"}:
        raise InvalidCommandInputError(
            f"AWS_RETRY_MODE (or the profile's retry_mode) is {text!r}.",
            resolution="Use legacy, standard or adaptive.",
        )
    return text


def _no_proxy_for_loopback() -> dict[str, str]:
    """Return the variables by which calls to this machine bypass a proxy."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [given, "127.0.0.1,localhost,::1"]))
    return {"NO_PROXY": hosts, "no_proxy": hosts}


def is_loopback(url: str | None) -> bool:
    """Whether *url* is an address of this machine."""
    host = urlsplit(url).hostname if url else None
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_aws(url: str) -> bool:
    """Whether *url* is in one of AWS's own domains, in any partition, including VPC endpoints."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in _domains())


def is_emulator(overridden: str | None) -> bool:
    """Whether the configured endpoint *overridden* is an emulator; None means AWS itself.

    Not for URLs from an outputs file, which may be custom domains that lead to AWS.
    """
    return overridden is not None and not is_aws(overridden)


@cache
def _domains() -> tuple[str, ...]:
    from botocore.loaders import Loader  # noqa: PLC0415 - slow, and only overridden endpoints need it

    partitions = Loader().load_data("partitions")["partitions"]
    names = ("dnsSuffix", "dualStackDnsSuffix")
    return tuple({each["outputs"][name] for each in partitions for name in names})
