"""What a run did, said on the console: as it happens, and as a table at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from seedctl.report import Report

if TYPE_CHECKING:
    from seedctl.cli.console import Console
    from seedctl.report import Event, Target

_ROWS = 12  # a table is for reading: of more rows than this, the rest is counted
_WORDS = {"existed": "already there"}


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
        """Show the table of what was created, read and signed in."""
        events = list(dict.fromkeys(self.events))
        if not events:
            return
        self._console.table(_row(event) for event in events[:_ROWS])
        if len(events) > _ROWS:
            rest = Counter((event.state, event.kind) for event in events[_ROWS:])
            more = ", ".join(f"{count} {kind} {state}" for (state, kind), count in rest.items())
            self._console.status(f"… and {more}")

    def totals(self) -> str:
        """Return the sums of the run in words, such as "2 users created, 1 secret read"."""
        counts = Counter((event.kind, event.state) for event in dict.fromkeys(self.events))
        parts = [
            f"{count} {kind}{'s' if count != 1 else ''} {_WORDS.get(state, state)}"
            for (kind, state), count in counts.items()
        ]
        return ", ".join(parts) or "nothing to do"


def _row(event: Event) -> tuple[str, str, str, str]:
    detail = f"→ {event.detail}" if event.kind == "group member" else event.detail
    return event.state, event.kind, event.name, detail
