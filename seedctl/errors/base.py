"""The base of every error, and the errors that are not about one service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class SeedctlError(Exception):
    """The base class. *message* says what happened and where, *resolution* what to do about it."""

    exit_code: ClassVar[int] = 1

    service_code: str = ""
    """The error code or the HTTP status with which a service refused the call."""
    service_message: str = ""
    """The service's own message, masked; empty if *message* includes it or there is none."""

    def __init__(self, message: str, *, resolution: str | None = None) -> None:
        """Make an error, as a script may do to end a run.

        Args:
            message: What happened and where.
            resolution: What to do about it. None shows no resolution.
        """
        super().__init__(message)
        self.message = message
        self.resolution = resolution

    @property
    def name(self) -> str:
        """The name that the user sees, as in ``[name] message``."""
        return type(self).__name__


class SeedingFailedError(SeedctlError):
    """The seed script raised an exception, which is the cause, or ended ``run_seed`` by ``sys.exit``."""


class BulkError(SeedctlError):
    """Some items of a bulk call failed. The others are done; the results say which ones failed."""

    def __init__(
        self, message: str, *, results: Sequence[Any] = (), resolution: str | None = None
    ) -> None:
        """*results* has one result for each item, in the order of the call."""
        super().__init__(message, resolution=resolution)
        self.results = list(results)
