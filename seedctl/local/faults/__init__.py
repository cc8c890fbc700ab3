"""A sandbox that is slow, has AWS's quotas, fails and loses connections, on purpose.

``Conditions`` says how; ``ConditionedAnswers`` stands before the services and does it. A
sandbox that is started without conditions loads nothing of this.
"""

from __future__ import annotations

from seedctl.local.faults.answers import ConditionedAnswers
from seedctl.local.faults.quotas import table
from seedctl.local.faults.settings import Conditions, Faults, Latency

__all__ = ["ConditionedAnswers", "Conditions", "Faults", "Latency", "table"]
