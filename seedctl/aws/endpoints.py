"""Tell AWS endpoints from emulators and from this machine."""

from __future__ import annotations

import ipaddress
from functools import cache
from urllib.parse import urlsplit


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
