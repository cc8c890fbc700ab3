"""One run of the seed script: the script, its summary on the console, its report, its exit code."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import connect, display_path, project_of
from seedctl.cli.console import Console
from seedctl.cli.run_report import ConsoleReport
from seedctl.cli.run_summary import RunSummary
from seedctl.cli.stop_signals import INTERRUPTED
from seedctl.errors import FileAccessError, SeedctlError
from seedctl.masking import mask
from seedctl.project import find_script
from seedctl.runner.report_file import ReportFile
from seedctl.runner.started import send_signal, started_children

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from seedctl.aws.pacing import CallStatistics
    from seedctl.backend import Backend
    from seedctl.cli.options import Settings


class SeedRun:
    """A context manager: at its end the run is shown, and its report is written."""

    def __init__(self, settings: Settings, report_path: str | None) -> None:
        """Raises FileAccessError if the report cannot be written to *report_path*."""
        self.exit_code = 0
        self._settings = settings
        self._signals = settings.signals
        self._console = Console(settings)
        self._report = ConsoleReport(self._console)
        self._summary = RunSummary(self._console, self._report)
        self._file = ReportFile(report_path) if report_path is not None else None
        self._file_error: FileAccessError | None = None
        self._script_exit: int | None = None
        """The exit code that the script gave to ``sys.exit``."""
        self._is_unused: Callable[[], bool] = lambda: False
        """Whether the script used no backend; False until the script begins."""
        self._statistics: Callable[[], Mapping[str, CallStatistics]] | None = None
        """Returns the counts of the AWS calls; None until the script begins."""

    def __enter__(self) -> SeedRun:
        self._signals.at_sudden_end = self._write_at_sudden_end
        return self

    def run_script(self, path: str | None, arguments: Sequence[str]) -> None:
        """Run the script at *path*, by default amplify/seed/seed.py."""
        # Imported in the run, because it takes long and a signal meanwhile belongs in the report.
        from seedctl.runner import script as runner  # noqa: PLC0415

        settings, console = self._settings, self._console
        script = find_script(project_of(settings), explicit=Path(path) if path else None)
        settings.script = script
        for name in runner.shadowed_modules(script):
            console.warning(f"{name} has the name of a standard module, which is imported instead.")
        with connect(settings, self._report, target="outputs") as backend:
            backend.check_outputs()
            self._begin(backend)
            console.status(f"Running {display_path(settings, script)} …")
            try:
                with (
                    started_children() as children,
                    self._signals.script_end.script_runs(
                        lambda number: send_signal(number, children())
                    ),
                ):
                    runner.run_script(script, backend, arguments)
            except SystemExit as error:
                self._script_exit = _script_exit_code(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show what the run did, until *error* ended it if there is one, and write the report.

        Raises FileAccessError if the report could not be written, unless there is an *error*: then
        that one must be the last thing shown.
        """
        try:
            self._report.display.close()
            if error is not None:
                self._show(error)
            elif not self._script_exit and not self._was_interrupted(None) and self._is_unused():
                self._summary.warn_of_nothing()
        finally:
            try:
                self._finish(error)
            except KeyboardInterrupt as interrupt:  # it arrived while the report was written
                self._finish(interrupt)
                raise
        if error is None:
            self._show(None)
        if self._file_error is not None:
            if error is None and self._signals.number is None:
                raise self._file_error
            self._console.warning(self._file_error.message)

    def _begin(self, backend: Backend) -> None:
        """Count the calls of *backend* from now on, and watch what the script prints."""
        from seedctl.backend import active_backends  # noqa: PLC0415 - it takes 100 ms

        self._report.display.begin()
        self._report.display.throttles = lambda: sum(
            each.throttled for each in backend.statistics().values()
        )
        self._statistics = backend.statistics
        # A backend that the script connects itself does not report to this run.
        before = active_backends().explicit_connections
        self._is_unused = lambda: (
            before == active_backends().explicit_connections and self._report.has_touched_nothing
        )

    def _show(self, error: BaseException | None) -> None:
        if self._statistics is None:
            return  # the script did not begin
        if self._was_interrupted(error):
            self._summary.show_interrupted(str(self._signals))
        elif error is not None:
            self._summary.show_stopped(error)
        else:
            self._summary.show_ended(self._script_exit, self._exit_code(None))

    def _was_interrupted(self, error: BaseException | None) -> bool:
        """Whether an interrupt ended the script.

        A script that catches the interrupt of a signal counts as interrupted: what it was doing may
        be incomplete. A script that called ``sys.exit`` does not.
        """
        if error is None and self._script_exit is not None:
            return False
        return isinstance(error, KeyboardInterrupt) or self._signals.number is not None

    def _exit_code(self, error: BaseException | None) -> int:
        if self._was_interrupted(error):
            return self._signals.exit_code(INTERRUPTED)
        if error is not None:
            return error.exit_code if isinstance(error, SeedctlError) else 1
        return self._script_exit or (1 if self._report.failed else 0)

    def _finish(self, error: BaseException | None) -> None:
        """Write the report. The exit code in it is final, whatever happens afterwards."""
        self.exit_code = self._exit_code(error)
        try:
            self._write(error, self.exit_code)
        except FileAccessError as problem:
            self._file_error = problem
            if error is None and self._signals.number is None:
                self.exit_code = problem.exit_code
        self._signals.settle(self.exit_code)

    def _write_at_sudden_end(self) -> None:
        with suppress(FileAccessError):
            self._write(KeyboardInterrupt(), self._signals.exit_code(INTERRUPTED))

    def _write(self, error: BaseException | None, exit_code: int) -> None:
        """Write the report if --report was given. Raises FileAccessError."""
        if self._file is None:
            return
        signal = None
        if self._was_interrupted(error):
            error, signal = error or KeyboardInterrupt(), self._signals.name
        statistics = self._statistics() if self._statistics is not None else {}
        calls = {name: asdict(each) for name, each in statistics.items()}
        self._file.finish(self._report, exit_code, error, calls, signal)


def _script_exit_code(error: SystemExit) -> int:
    """Return the code of the script's ``sys.exit``; print a text given to it, as Python does."""
    if error.code is None or isinstance(error.code, int):
        return int(error.code or 0) & 0xFF  # a shell sees the lowest eight bits
    click.echo(mask(str(error.code)), err=True)
    return 1
