"""Fault injection: added latency, AWS's request quotas, failed calls and cut connections.

``FaultSettings`` holds the options; ``FaultInjector`` wraps the services and applies them.
A sandbox started without fault settings does not load this package.
"""

from __future__ import annotations

from seedctl.local.faults.injector import FaultInjector
from seedctl.local.faults.quotas import table
from seedctl.local.faults.settings import Faults, FaultSettings, Latency

__all__ = ["FaultInjector", "FaultSettings", "Faults", "Latency", "table"]
