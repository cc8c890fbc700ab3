"""AWS as the rest of seedctl sees it: one :class:`AWS` that makes calls and raises seedctl errors.

Credentials, regions, endpoints, retries and botocore's exceptions are this room's business alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS, Caller
    from seedctl.aws.settings import AWSSettings, is_loopback

__all__ = ["AWS", "AWSSettings", "Caller", "is_loopback"]


def __getattr__(name: str) -> object:
    # botocore takes longer to import than all of seedctl, and many commands never need it.
    if name in {"AWS", "Caller"}:
        from seedctl.aws import calls  # noqa: PLC0415

        return getattr(calls, name)
    if name in {"AWSSettings", "is_loopback"}:
        from seedctl.aws import settings  # noqa: PLC0415

        return getattr(settings, name)
    raise AttributeError(name)
