"""Lets one of seedctl's own errors pass."""

from seedctl import get_secret


def helper() -> str:
    return get_secret("never-set")


helper()
