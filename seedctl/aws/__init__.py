"""AWS as the rest of seedctl sees it: one :class:`AWS` that makes calls and raises seedctl errors.

Credentials, regions, endpoints, retries and botocore's exceptions are this room's business alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS, Caller
    from seedctl.aws.clocks import clock_advice, is_about_time, seconds_ahead
    from seedctl.aws.credentials import Credentials, Identity, IdentityCredentials
    from seedctl.aws.denials import explain_denial
    from seedctl.aws.endpoints import is_aws, is_loopback
    from seedctl.aws.foreign import failed_proxy, is_from_proxy, not_the_services, summary
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
    "clock_advice",
    "explain_denial",
    "failed_proxy",
    "is_about_time",
    "is_aws",
    "is_from_proxy",
    "is_loopback",
    "not_the_services",
    "redacted_logs",
    "seconds_ahead",
    "signed_headers",
    "summary",
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
    "clock_advice": "clocks",
    "explain_denial": "denials",
    "failed_proxy": "foreign",
    "is_about_time": "clocks",
    "is_aws": "endpoints",
    "is_from_proxy": "foreign",
    "is_loopback": "endpoints",
    "not_the_services": "foreign",
    "redacted_logs": "logs",
    "seconds_ahead": "clocks",
    "signed_headers": "signing",
    "summary": "foreign",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(name)
