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
    from seedctl.report import Event, FailureGroup, Progress, Target

_ROWS = 12  # a table is for reading: of more rows than this, the rest is counted
_WORDS = {"existed": "already there"}
_ORDER = {kind: position for position, kind in enumerate(get_args(Kind))}


class ConsoleReport(Report):
    """A report that also says on the console what happens."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._told: set[Event] = set()
        self.display = ProgressDisplay(console)

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        with self.display.hidden():
            self._console.status(target.line())

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if not self._console.is_verbose or event.kind in COUNTED or event.state in FAILED:
            return  # a line for each of thousands would hide all others
        with self.display.hidden():
            if event not in self._told:  # threads come here one after the other
                self._told.add(event)
                self._console.table([_row(event)])

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
        """Show what was created, read and signed in, users first; then what failed, and why.

        With --verbose most has been told as it was done.
        """
        heard = self.copy()
        done = [
            (event, count)
            for event, count in _counted(heard)
            if event.state not in FAILED and event not in self._told
        ]
        if done:
            self._console.table(_row(event, count) for event, count in done[:_ROWS])
        if len(done) > _ROWS:
            self._console.status(f"… and {_sums(done[_ROWS:])}")
        groups = list(heard.failure_groups.values())[:_ROWS]
        for group in groups:
            self._console.status(_reason(group))
            if group.first.resolution:
                self._console.status(f"  Resolution: {group.first.resolution}")
        left = heard.failed - sum(group.count for group in groups)
        if left:
            self._console.status(f"… and {left} more failed")

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


def _reason(group: FailureGroup) -> str:
    """Return why all of *group* failed, how many they are, and which is the first."""
    event, count = group.first, group.count
    what = f"{event.kind}{'s' if count != 1 else ''}"
    if event.kind in COUNTED:
        what = f"{mask(event.name)} {what}"
    which = event.row or mask(event.name)
    return f"{count} {what} {event.state}: {event.reason} ({'first: ' * (count > 1)}{which})"


def _row(event: Event, count: int = 1) -> tuple[str, str, str, str]:
    if event.kind in COUNTED:
        detail = f"{count} {event.kind}{'s' if count != 1 else ''}"
    else:
        detail = f"{'→ ' if event.kind == 'group membership' else ''}{mask(event.detail)}"
    return event.kind, mask(event.name), _WORDS.get(event.state, event.state), detail
