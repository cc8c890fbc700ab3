"""A sandbox that is slow, has AWS's quotas, fails and loses connections, on purpose.

:class:`Conditions` says how; :class:`ConditionedAnswers` stands before the services and does it. A
sandbox that is started without conditions loads nothing of this.
"""

from __future__ import annotations

from seedctl.local.conditions.answers import STATISTICS_PATH, ConditionedAnswers
from seedctl.local.conditions.quotas import DEFAULT_QUOTAS
from seedctl.local.conditions.settings import Conditions, Faults, Latency
from seedctl.local.conditions.statistics import table

__all__ = [
    "DEFAULT_QUOTAS",
    "STATISTICS_PATH",
    "ConditionedAnswers",
    "Conditions",
    "Faults",
    "Latency",
    "table",
]
