"""What a run did, said on the console: as it happens, and as a table at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from seedctl.report import Kind, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedctl.cli.console import Console
    from seedctl.report import Event, Target

_ROWS = 12  # a table is for reading: of more rows than this, the rest is counted
_WORDS = {"existed": "already there"}
_ORDER = {kind: position for position, kind in enumerate(get_args(Kind))}


class ConsoleReport(Report):
    """A report that also says on the console what happens."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        self._console.status(target.line())

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        self._console.detail("  ".join(part for part in _row(event) if part))

    def on_note(self, text: str) -> None:
        super().on_note(text)
        self._console.status(text)

    def on_warning(self, text: str) -> None:
        super().on_warning(text)
        self._console.warning(text)

    def show(self) -> None:
        """Show the table of what was created, read and signed in: users first."""
        events = self._distinct()
        if events:
            self._console.table(_row(event) for event in events[:_ROWS])
        if len(events) > _ROWS:
            self._console.status(f"… and {_sums(events[_ROWS:])}")

    def totals(self) -> str:
        """Return the sums of the run in words, such as "2 users created, 1 secret read"."""
        return _sums(self._distinct()) or "no users, groups or secrets touched"

    def _distinct(self) -> list[Event]:
        return sorted(dict.fromkeys(self.events), key=lambda event: _ORDER[event.kind])


def _sums(events: Iterable[Event]) -> str:
    counts = Counter((event.kind, event.state) for event in events)
    return ", ".join(
        f"{count} {kind}{'s' if count != 1 else ''} {_WORDS.get(state, state)}"
        for (kind, state), count in counts.items()
    )


def _row(event: Event) -> tuple[str, str, str, str]:
    detail = f"→ {event.detail}" if event.kind == "group membership" else event.detail
    return event.kind, event.name, _WORDS.get(event.state, event.state), detail
