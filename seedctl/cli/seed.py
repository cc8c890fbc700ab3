"""``seedctl seed``: the script, its summary on the console, its report, its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl import process_state
from seedctl.cli.connection import connect, display_path, project_of, types_command
from seedctl.cli.console import Console
from seedctl.cli.options import Command, Settings, common_options, settings_of
from seedctl.cli.run_report import ConsoleReport
from seedctl.cli.stop_signals import INTERRUPTED
from seedctl.current import ActiveBackends
from seedctl.errors import FileAccessError, SeedctlError
from seedctl.masking import mask
from seedctl.outputs import AmplifyOutputs
from seedctl.project import find_script
from seedctl.runner.report_file import ReportFile
from seedctl.runner.started import send_signal, started_children
from seedctl.schema_file.stored import SCHEMA_FILE, is_stale

if TYPE_CHECKING:
    from seedctl.backend import Backend


class _ScriptCommand(Command):
    """Passes the arguments after ``--`` to the script."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        settings_of(ctx).script_arguments = args[end + 1 :]
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- ARGS...]"]


@click.command(cls=_ScriptCommand)
@click.option(
    "--script",
    "script_path",
    type=click.Path(readable=False),
    metavar="PATH",
    help="Another script than amplify/seed/seed.py.",
)
@click.option(
    "--mfa-command",
    metavar="CMD",
    help="Run CMD for one-time codes; its first line is the code. Or SEEDCTL_MFA_COMMAND.",
)
@click.option("--prompt", is_flag=True, help="With --local: ask for one-time codes, as on AWS.")
@click.option(
    "--report",
    "report_path",
    type=click.Path(readable=False),
    metavar="FILE",
    help="Write what the run did to FILE, as JSON.",
)
@common_options
def seed(
    settings: Settings,
    script_path: str | None,
    mfa_command: str | None,
    prompt: bool,
    report_path: str | None,
) -> int:
    """Run amplify/seed/seed.py against the sandbox.

    Arguments after -- are passed to the script.
    """
    settings.mfa_command, settings.prompt = mfa_command, prompt
    with SeedRun(settings, report_path) as run:
        run.run_script(script_path, settings.script_arguments)
    return run.exit_code


class SeedRun:
    """A context manager: at its end the run is shown, and its report is written."""

    def __init__(self, settings: Settings, report_path: str | None) -> None:
        """Raises FileAccessError if the report cannot be written to *report_path*."""
        self.exit_code = 0
        self._signals = settings.signals
        self._console = Console(settings)
        self._report = ConsoleReport(self._console)
        self._file = ReportFile(report_path) if report_path is not None else None
        self._file_error: FileAccessError | None = None
        self._script_exit: int | None = None
        """The exit code that the script gave to ``sys.exit``."""
        self._backend: Backend | None = None
        """The backend of the script; None until the script begins."""
        self._connections = 0
        """How often this process had called connect() when the script began."""

    def __enter__(self) -> SeedRun:
        self._signals.at_sudden_end = self._write_at_sudden_end
        return self

    def run_script(self, path: str | None, arguments: Sequence[str]) -> None:
        """Run the script at *path*, by default amplify/seed/seed.py."""
        # Imported in the run, because it takes long and a signal meanwhile belongs in the report.
        from seedctl.runner import script as runner  # noqa: PLC0415

        settings, console = self._console.settings, self._console
        script = find_script(project_of(settings), explicit=Path(path) if path else None)
        settings.script = script
        for name in runner.shadowed_modules(script):
            console.warning(
                f"{name} has the name of a module that is loaded already and is imported instead."
            )
        with connect(settings, self._report, target="outputs") as backend:
            self._warn_of_stale_types(backend.check_outputs())
            self._report.display.begin()
            self._report.display.throttles = lambda: sum(
                each.throttled for each in backend.statistics().values()
            )
            self._backend = backend
            self._connections = _count_connections()
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

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Show what the run did, until *error* ended it if there is one, and write the report.

        Raises FileAccessError if the report could not be written, unless there is an *error*: then
        that one must be the last thing shown.
        """
        try:
            self._report.display.close()
            if error is not None:
                self._show(error)
            elif self._has_touched_nothing():
                self._report.warn_of_nothing()
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

    def _warn_of_stale_types(self, outputs: AmplifyOutputs | None) -> None:
        settings = self._console.settings
        path = project_of(settings).root / SCHEMA_FILE
        if outputs is not None and is_stale(path, outputs):
            self._console.warning(
                f"{SCHEMA_FILE} describes other models than {display_path(settings, outputs.path)}: "
                f"run {types_command(settings)}."
            )

    def _has_touched_nothing(self) -> bool:
        """Whether the script came to its end without using a backend.

        A backend that the script connects itself does not report to this run.
        """
        return (
            self._backend is not None
            and not self._script_exit
            and not self._was_interrupted(None)
            and self._connections == _count_connections()
            and self._report.has_touched_nothing
        )

    def _show(self, error: BaseException | None) -> None:
        if self._backend is None:
            return  # the script did not begin
        if self._was_interrupted(error):
            self._report.show_interrupted(str(self._signals))
        elif error is not None:
            self._report.show_stopped(error)
        else:
            self._report.show_ended(self._script_exit, self._exit_code(None))

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
            return error.exit_code if isinstance(error, (SeedctlError, click.UsageError)) else 1
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
        statistics = self._backend.statistics() if self._backend is not None else {}
        calls = {name: asdict(each) for name, each in statistics.items()}
        self._file.finish(self._report, exit_code, error, calls, signal)


def _count_connections() -> int:
    """Return how often this process has called connect()."""
    return process_state.instance(ActiveBackends).explicit_connections


def _script_exit_code(error: SystemExit) -> int:
    """Return the code of the script's ``sys.exit``; print a text given to it, as Python does."""
    if error.code is None or isinstance(error.code, int):
        return int(error.code or 0) & 0xFF  # a shell sees the lowest eight bits
    click.echo(mask(str(error.code)), err=True)
    return 1
