"""The base of every error."""

from __future__ import annotations

from typing import ClassVar


class SeedctlError(Exception):
    """What happened and where, as the message; what to do, as the *resolution*."""

    exit_code: ClassVar[int] = 1

    service_code: str = ""
    """The name, or the HTTP status, under which a service refused the call."""
    service_message: str = ""
    """What the service said about it, masked; empty where *message* has it, or nothing was said."""

    def __init__(self, message: str, *, resolution: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.resolution = resolution

    @property
    def name(self) -> str:
        """The name shown to the user, ``[name] message``."""
        return type(self).__name__


class SeedingFailedError(SeedctlError):
    """The seed script raised; its exception is the cause."""
