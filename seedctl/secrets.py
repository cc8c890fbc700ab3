"""What a script calls on secrets: one statement each, over the current backend."""

from __future__ import annotations

from seedctl.backend import current_backend

__all__ = ["get_secret", "set_secret"]


def get_secret(name: str) -> str:
    """Return the value of the sandbox secret *name*.

    Raises SSMParameterNotFoundError when it was never set.
    """
    return current_backend().secrets.get(name)


def set_secret(name: str, value: str) -> str:
    """Store a sandbox secret and return its name."""
    return current_backend().secrets.set(name, value).name
