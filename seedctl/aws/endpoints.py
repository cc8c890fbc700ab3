"""What answers at an address: AWS itself, or an emulator."""

from __future__ import annotations

import ipaddress
from functools import cache
from urllib.parse import urlsplit


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


def is_aws(url: str) -> bool:
    """Whether *url* is in a domain of AWS's own, in any of its partitions, VPC endpoints included."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in _domains())


def is_emulator(overridden: str | None) -> bool:
    """Whether an emulator answers at *overridden*, a configured endpoint; None is AWS itself.

    Only for what the user put in AWS's place: an address in an outputs file may be a domain of the
    user's own that leads to AWS.
    """
    return overridden is not None and not is_aws(overridden)


@cache
def _domains() -> tuple[str, ...]:
    from botocore.loaders import Loader  # noqa: PLC0415 - slow, and only overridden endpoints need it

    partitions = Loader().load_data("partitions")["partitions"]
    names = ("dnsSuffix", "dualStackDnsSuffix")
    return tuple({each["outputs"][name] for each in partitions for name in names})
