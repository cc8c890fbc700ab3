"""Seed AWS Amplify Gen 2 sandboxes from Python.

The names below are what a ``seed.py`` imports. They load on first use, so that importing
seedctl itself does no I/O and pulls in none of the heavy libraries.
"""

from __future__ import annotations

__version__ = "0.1.0"
