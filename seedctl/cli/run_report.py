"""What a run did, said on the console: as it happens, and as a table at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from seedctl.cli.progress import ProgressDisplay
from seedctl.masking import mask
from seedctl.report import COUNTED, FAILED, Kind, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seedctl.cli.console import Console
    from seedctl.report import Event, Progress, Target

_ROWS = 12  # a table is for reading: of more rows than this, the rest is counted
_WORDS = {"existed": "already there"}
_ORDER = {kind: position for position, kind in enumerate(get_args(Kind))}


class ConsoleReport(Report):
    """A report that also says on the console what happens."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.display = ProgressDisplay(console)

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        with self.display.hidden():
            self._console.status(target.line())

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if event.kind in COUNTED or event.state == "unfinished":
            return  # a line for each of thousands would hide all others; a user goes on
        if self._console.is_verbose:
            with self.display.hidden():
                self._console.detail("  ".join(part for part in _row(event) if part))

    def on_note(self, text: str) -> None:
        super().on_note(text)
        with self.display.hidden():
            self._console.status(text)

    def on_warning(self, text: str) -> None:
        super().on_warning(text)
        with self.display.hidden():
            self._console.warning(text)

    def on_progress(self, progress: Progress) -> None:
        super().on_progress(progress)
        self.display.show(progress)

    def show(self) -> None:
        """Show what was created, read and signed in, users first; then what failed, and why."""
        heard = self.copy()
        done = [each for each in _counted(heard) if each[0].state not in FAILED]
        if done:
            self._console.table(_row(event, count) for event, count in done[:_ROWS])
        if len(done) > _ROWS:
            self._console.status(f"… and {_sums(done[_ROWS:])}")
        failures = [event for event, _ in heard.failures[:_ROWS]]
        if failures:
            self._console.table(_row(each) for each in failures)
        if heard.failed > len(failures):
            self._console.status(f"… and {heard.failed - len(failures)} more failed")

    def totals(self) -> str:
        """Return the sums of the run in words, such as "2 users created, 1 secret read"."""
        if self.target is not None:
            return _sums(_counted(self.copy())) or "no change was confirmed"
        return _sums(_counted(self.copy())) or "no users, groups, secrets, records or files touched"

    @property
    def has_touched_nothing(self) -> bool:
        """Whether no write was begun and nothing else was told."""
        heard = self.copy()
        return self.target is None and not heard.events and not heard.records


def _counted(report: Report) -> list[tuple[Event, int]]:
    """Return each thing once, but what failed, and records by their model, with how many."""
    # What succeeds twice is one thing. What fails twice has failed twice, as the report says too.
    heard = Counter(report.events).items()
    counted = {event: count if event.state in FAILED else 1 for event, count in heard}
    counted.update(report.records)
    return sorted(counted.items(), key=lambda item: _ORDER[item[0].kind])


def _sums(events: Iterable[tuple[Event, int]]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for event, count in events:
        counts[event.kind, event.state] += count
    return ", ".join(
        f"{count} {kind}{'s' if count != 1 else ''} {_WORDS.get(state, state)}"
        for (kind, state), count in counts.items()
    )


def _row(event: Event, count: int = 1) -> tuple[str, str, str, str]:
    if event.state == "failed":
        detail = event.detail  # a message, whose values were masked when it was composed
    elif event.kind in COUNTED:
        detail = f"{count} {event.kind}{'s' if count != 1 else ''}"
    else:
        detail = f"{'→ ' if event.kind == 'group membership' else ''}{mask(event.detail)}"
    return event.kind, mask(event.name), _WORDS.get(event.state, event.state), detail
