"""AWS as the rest of seedctl sees it: one :class:`AWS` that makes calls and raises seedctl errors.

Credentials, regions, endpoints, retries and botocore's exceptions are this room's business alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS, Caller
    from seedctl.aws.credentials import Credentials, Identity, IdentityCredentials
    from seedctl.aws.endpoints import is_aws, is_loopback
    from seedctl.aws.logs import redacted_logs
    from seedctl.aws.objects import S3
    from seedctl.aws.pacing import CallStatistics
    from seedctl.aws.quotas import chosen_quotas
    from seedctl.aws.settings import AWSSettings
    from seedctl.aws.signing import signed_headers

__all__ = [
    "AWS",
    "S3",
    "AWSSettings",
    "CallStatistics",
    "Caller",
    "Credentials",
    "Identity",
    "IdentityCredentials",
    "chosen_quotas",
    "is_aws",
    "is_loopback",
    "redacted_logs",
    "signed_headers",
]

# botocore takes longer to import than all of seedctl, and many commands never need it.
_MODULES = {
    "AWS": "calls",
    "AWSSettings": "settings",
    "CallStatistics": "pacing",
    "Caller": "calls",
    "Credentials": "credentials",
    "Identity": "credentials",
    "IdentityCredentials": "credentials",
    "S3": "objects",
    "chosen_quotas": "quotas",
    "is_aws": "endpoints",
    "is_loopback": "endpoints",
    "redacted_logs": "logs",
    "signed_headers": "signing",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(name)
