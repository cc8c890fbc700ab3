"""The file ``amplify/seed/schema.py`` of ``seedctl types``: its text, and whether it is up to date."""

from __future__ import annotations
