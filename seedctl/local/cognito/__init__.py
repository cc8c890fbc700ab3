"""Cognito user pools: one pool with one app client, as the outputs file describes them.

``operations`` is the table of calls; ``service`` holds what their handlers share. Clients prove
passwords by SRP, and the pool stores only a salt and a verifier.
"""

from __future__ import annotations

from seedctl.local.cognito.operations import Cognito

__all__ = ["Cognito"]
