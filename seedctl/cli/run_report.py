"""What a run does, shown on the console: as it happens, then a table, totals, how to continue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from seedctl.cli.console import Console
from seedctl.cli.error_display import show_on_github
from seedctl.cli.progress import ProgressDisplay
from seedctl.errors import BulkError
from seedctl.masking import mask
from seedctl.report import COUNTED, FAILED, Event, FailureGroup, Kind, Progress, Report, Target

_MAX_ROWS = 12  # further rows are only counted
_WORDS = {"existed": "already there"}
_HINTS = {
    "user": 'With if_exists="skip", existing users stay unchanged.',
    "record": "With key=, no record is created twice.",
}
_RUN_AGAIN = "run again. Users left unfinished by this run will be completed."
_ORDER = {kind: position for position, kind in enumerate(get_args(Kind))}


class ConsoleReport(Report):
    """A report that also prints what happens."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._shown: set[Event] = set()
        self._has_warned = False
        self.display = ProgressDisplay(console)

    def on_target(self, target: Target) -> None:
        super().on_target(target)
        with self.display.hidden():
            self._console.status(target.line())

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if not self._console.is_verbose or event.kind in COUNTED or event.state in FAILED:
            return  # one line for each of thousands of records would hide the other lines
        with self.display.hidden():
            if event not in self._shown:  # hidden() lets one thread in at a time
                self._shown.add(event)
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
        """Print what was created, read and signed in, users first; then what failed, and why.

        What --verbose has printed already is left out.
        """
        recorded = self.copy()
        done = [
            (event, count)
            for event, count in _counted(recorded)
            if event.state not in FAILED and event not in self._shown
        ]
        if done:
            self._console.table(_row(event, count) for event, count in done[:_MAX_ROWS])
        if len(done) > _MAX_ROWS:
            self._console.status(f"… and {_totals(done[_MAX_ROWS:])}")
        groups = list(recorded.failure_groups.values())[:_MAX_ROWS]
        for group in groups:
            self._console.status(_reason(group))
            if group.first.resolution:
                self._console.status(f"  Resolution: {group.first.resolution}")
        others = recorded.failed - sum(group.count for group in groups)
        if others:
            self._console.status(f"… and {others} more failed")

    def warn_of_nothing(self) -> None:
        """Warn that the script ended and touched nothing."""
        self._has_warned = True
        self.on_warning(
            f"The script ended after {self.seconds:.1f} s and touched nothing: no "
            "users, groups, secrets, records or files."
        )

    def show_interrupted(self, interruption: str) -> None:
        """Show a run that an *interruption*, such as "Interrupted (SIGTERM)", ended."""
        self.show()
        self._console.status(f"{interruption} after {self._line()}.")
        self._show_how_to_continue(_RUN_AGAIN)

    def show_stopped(self, error: BaseException) -> None:
        """Show a run that *error* ended."""
        self.show()
        self._console.status(f"Stopped after {self._line()}.")
        if self.failed and not isinstance(error, BulkError):  # its message says it
            self._show_how_to_continue(_RUN_AGAIN)

    def show_ended(self, script_exit: int | None, exit_code: int) -> None:
        """Show a run whose script came to its end, or called ``sys.exit`` with *script_exit*."""
        console = self._console
        self.show()
        if script_exit:
            console.status(f"The script ended with exit code {script_exit} after {self._line()}.")
        elif self.failed:
            console.failure(f"Seeded in {self._line()}.")
        elif not self._has_warned:
            console.success(f"Seeded in {self._line()}.")
        if self.failed:
            self._show_how_to_continue("fix the cause and run again.")
        if exit_code:
            first = (f"{event.name}: {event.detail}" for event, _ in self.failures[:1])
            end = f"The run ended with exit code {exit_code}: {self.totals()}."
            show_on_github(console, "Not all was seeded", "\n".join([end, *first]))

    def _line(self) -> str:
        return f"{self.seconds:.1f} s: {self.totals()}"

    def _show_how_to_continue(self, advice: str) -> None:
        """Print *advice*, with hints on arguments for what the run created or failed to create."""
        report = self.copy()
        seen = {(event.kind, event.state) for event in (*report.events, *report.records)}
        # If something existed already, the script uses the argument.
        hints = [
            hint
            for kind, hint in _HINTS.items()
            if seen & {(kind, "created"), (kind, "failed")} and (kind, "existed") not in seen
        ]
        self._console.status(" ".join([f"To go on: {advice}", *hints]))

    def totals(self) -> str:
        """Return the totals of the run, such as "2 users created, 1 secret read"."""
        nothing = "no users, groups, secrets, records or files touched"
        if self.target is not None:
            nothing = "no change was confirmed"
        return _totals(_counted(self.copy())) or nothing

    @property
    def has_touched_nothing(self) -> bool:
        """Whether nothing was written, and nothing else was reported."""
        recorded = self.copy()
        return self.target is None and not recorded.events and not recorded.records


def _counted(report: Report) -> list[tuple[Event, int]]:
    """Return each event with its count; records are counted by their model."""
    # The same success twice concerns one thing. Two failures are two, as in the report file.
    events = Counter(report.events).items()
    counted = {event: count if event.state in FAILED else 1 for event, count in events}
    counted.update(report.records)
    return sorted(counted.items(), key=lambda item: _ORDER[item[0].kind])


def _totals(events: Iterable[tuple[Event, int]]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for event, count in events:
        counts[event.kind, event.state] += count
    return ", ".join(
        f"{count} {kind}{'s' if count != 1 else ''} {_WORDS.get(state, state)}"
        for (kind, state), count in counts.items()
    )


def _reason(group: FailureGroup) -> str:
    """Return how many of *group* failed, why, and which was the first."""
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
