"""What a check found, and the failure of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from seedctl.errors import SeedctlError

Status = Literal["ok", "note", "problem", "skipped"]
"""How a check ended: "note" is worth knowing and stops no seed, "problem" is in the way of a seed,
"skipped" means that the check depends on one that failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    text: str
    fix: str | None = None
    """What to do about it; None if nothing has to be done."""
    status: Status = "ok"


def note(text: str, fix: str) -> Finding:
    """Return a finding that stops no seed."""
    return Finding(text, fix, "note")


def problem(text: str, fix: str | None) -> Finding:
    """Return a finding that is in the way of a seed."""
    return Finding(text, fix, "problem")


def failure(error: SeedctlError, status: Status = "problem") -> Finding:
    """Return the finding for the *error* of a check: its message, and its resolution as the fix."""
    return Finding(error.message, error.resolution, status)
