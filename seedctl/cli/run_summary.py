"""What the console shows at the end of a run: a table, totals, and how to continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedctl.cli.error_display import show_on_github
from seedctl.errors import BulkError

if TYPE_CHECKING:
    from seedctl.cli.console import Console
    from seedctl.cli.run_report import ConsoleReport

_HINTS = {
    "user": 'With if_exists="skip", users that are there are left as they are.',
    "record": "With key=, no record is created twice.",
}
_RUN_AGAIN = "run again. Users left unfinished by this run will be completed."


class RunSummary:
    """Shows the end of the run that *report* recorded."""

    def __init__(self, console: Console, report: ConsoleReport) -> None:
        self._console = console
        self._report = report
        self._has_warned = False

    def warn_of_nothing(self) -> None:
        """Warn that the script ended and touched nothing."""
        self._has_warned = True
        self._report.on_warning(
            f"The script ended after {self._report.seconds:.1f} s and touched nothing: no "
            "users, groups, secrets, records or files."
        )

    def show_interrupted(self, interruption: str) -> None:
        """Show a run that an *interruption*, such as "Interrupted (SIGTERM)", ended."""
        self._report.show()
        self._console.status(f"{interruption} after {self._line()}.")
        self._show_how_to_continue(_RUN_AGAIN)

    def show_stopped(self, error: BaseException) -> None:
        """Show a run that *error* ended."""
        self._report.show()
        self._console.status(f"Stopped after {self._line()}.")
        if self._report.failed and not isinstance(error, BulkError):  # its message says it
            self._show_how_to_continue(_RUN_AGAIN)

    def show_ended(self, script_exit: int | None, exit_code: int) -> None:
        """Show a run whose script came to its end, or called ``sys.exit`` with *script_exit*."""
        report, console = self._report, self._console
        report.show()
        if script_exit:
            console.status(f"The script ended with exit code {script_exit} after {self._line()}.")
        elif report.failed:
            console.failure(f"Seeded in {self._line()}.")
        elif not self._has_warned:
            console.success(f"Seeded in {self._line()}.")
        if report.failed:
            self._show_how_to_continue("fix the cause and run again.")
        if exit_code:
            first = (f"{event.name}: {event.detail}" for event, _ in report.failures[:1])
            end = f"The run ended with exit code {exit_code}: {report.totals()}."
            show_on_github(console, "Not all was seeded", "\n".join([end, *first]))

    def _line(self) -> str:
        return f"{self._report.seconds:.1f} s: {self._report.totals()}"

    def _show_how_to_continue(self, advice: str) -> None:
        """Print *advice*, with hints on arguments for what the run created or failed to create."""
        report = self._report.copy()
        states: dict[str, set[str]] = {}
        for event in (*report.events, *report.records):
            states.setdefault(event.kind, set()).add(event.state)
        # If something existed already, the script uses the argument.
        hints = [
            hint
            for kind, hint in _HINTS.items()
            if states.get(kind, set()) & {"created", "failed"} and "existed" not in states[kind]
        ]
        self._console.status(" ".join([f"To go on: {advice}", *hints]))
