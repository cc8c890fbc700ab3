"""Cognito user pools: one pool with one app client, as the outputs file describes them.

``operations`` is the table of calls; ``service`` holds what all of them share. Passwords are proven
by SRP and stored as salt and verifier only.
"""

from __future__ import annotations

from seedctl.local.cognito.operations import Cognito

__all__ = ["Cognito"]
