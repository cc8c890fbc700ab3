"""What goes wrong when many things are done at once, and some of them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from collections.abc import Sequence


class BulkError(SeedctlError):
    """Some of many failed; the others are done, and the results say which are which."""

    def __init__(
        self, message: str, *, results: Sequence[Any] = (), resolution: str | None = None
    ) -> None:
        """*results* has one for each that was given, in the order they were given in."""
        super().__init__(message, resolution=resolution)
        self.results = list(results)
