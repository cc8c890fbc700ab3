"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from seedctl.errors import SeedctlError

Status = Literal["ok", "note", "problem", "skipped"]
"""How a check ended: a "note" is worth knowing and does not prevent seeding, a "problem" prevents it,
"skipped" means that the check depends on one that failed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    text: str
    fix: str | None = None
    """What to do about it; None if nothing has to be done."""
    status: Status = "ok"


def note(text: str, fix: str) -> Finding:
    """Return a finding that does not prevent seeding."""
    return Finding(text, fix, "note")


def problem(text: str, fix: str | None) -> Finding:
    """Return a finding that prevents seeding."""
    return Finding(text, fix, "problem")


def failure(error: SeedctlError, status: Status = "problem") -> Finding:
    """Return the finding for the *error* of a check: its message, and its resolution as the fix."""
    return Finding(error.message, error.resolution, status)
