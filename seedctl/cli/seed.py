"""``seedctl seed``: run the seed script."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seedctl.cli.console import Console
from seedctl.cli.options import Command, common_options, settings_of
from seedctl.cli.stop_signals import INTERRUPTED
from seedctl.errors import BulkError, FileAccessError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from seedctl.aws.pacing import CallStatistics
    from seedctl.backend import Backend
    from seedctl.cli.run_report import ConsoleReport
    from seedctl.cli.stop_signals import StopSignals

_ARGUMENTS = "seedctl.script_arguments"
_REPEATABLE = {
    "user": 'With if_exists="skip", users that are there are left as they are.',
    "record": "With key=, no record is created twice.",
}


class _ScriptCommand(Command):
    """Leaves what stands after ``--`` to the script, and refuses stray words before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_ARGUMENTS] = args[end + 1 :]
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
@click.option(
    "--prompt", is_flag=True, help="With --local: ask for codes as AWS would have you do."
)
@click.option(
    "--report",
    "report_path",
    type=click.Path(readable=False),
    metavar="FILE",
    help="Write what the run did to FILE, as JSON.",
)
@common_options
@click.pass_context
def seed(
    context: click.Context,
    script_path: str | None,
    mfa_command: str | None,
    prompt: bool,
    report_path: str | None,
) -> None:
    """Run amplify/seed/seed.py against the sandbox.

    What stands after -- becomes the script's own arguments.
    """
    from seedctl.cli.run_report import ConsoleReport  # noqa: PLC0415

    settings = settings_of(context)
    settings.mfa_command, settings.prompt = mfa_command, prompt
    console = Console(settings)
    report = ConsoleReport(console)
    # Before what takes time to load: a signal meanwhile is reported, too.
    with _Run(report, console, settings.signals, report_path) as run:
        from pathlib import Path  # noqa: PLC0415

        from seedctl.project import find_script  # noqa: PLC0415
        from seedctl.runner.script import run_script, shadowed_modules  # noqa: PLC0415

        script = find_script(settings.project, explicit=Path(script_path) if script_path else None)
        settings.script = script
        for name in shadowed_modules(script):
            console.warning(f"{name} has the name of a standard module, which is imported instead.")
        with settings.connect(report, target="outputs") as backend:
            backend.check_outputs()
            run.begins(backend)
            console.status(f"Running {settings.shown(script)} …")
            try:
                with settings.signals.script_runs():
                    run_script(script, backend, context.meta[_ARGUMENTS])
            except SystemExit as ending:
                run.script_exit = _exit_code(ending)
    context.exit(run.exit_code)


class _Run:
    """One run's end: its table and sums, its report file, its exit code."""

    def __init__(
        self, report: ConsoleReport, console: Console, signals: StopSignals, path: str | None
    ) -> None:
        """Raises FileAccessError where the report file at *path* cannot be written."""
        self.script_exit: int | None = None
        self.exit_code = 0
        self._report = report
        self._console = console
        self._signals = signals
        self._file = None
        self._unwritten: FileAccessError | None = None
        self._calls: Callable[[], Mapping[str, CallStatistics]] | None = None
        self._connections = 0
        self._is_told = False
        """Whether a warning has told that nothing was touched."""
        if path is not None:
            from seedctl.runner.report_file import ReportFile  # noqa: PLC0415

            self._file = ReportFile(path)

    def __enter__(self) -> _Run:
        self._signals.at_sudden_end = self._write_at_once
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell what the run did, or had done until *error* ended it.

        Raises FileAccessError if the report file could not be written, unless there is an *error*:
        what ended the run is what the user has to hear of at last.
        """
        try:
            self._report.display.close()
            if error is not None:
                self._show(error)
            else:
                self._warn_of_nothing()
        finally:
            try:
                self._settle(error)
            except KeyboardInterrupt as interrupt:  # while the report was written: it says so
                self._settle(interrupt)
                raise
        if error is None:
            self._show(None)
        if self._unwritten is not None:
            if error is None and self._signals.number is None:
                raise self._unwritten
            self._console.warning(self._unwritten.message)

    def begins(self, backend: Backend) -> None:
        """Count the calls of *backend* from now on, and watch what the script prints."""
        from seedctl.backend import active_backends  # noqa: PLC0415

        self._report.display.begin()
        self._connections = active_backends().explicit_connections
        self._calls = backend.statistics
        self._report.display.throttles = lambda: sum(
            each.throttled for each in backend.statistics().values()
        )

    def _warn_of_nothing(self) -> None:
        from seedctl.backend import active_backends  # noqa: PLC0415

        # What the script does to a backend that it connects itself is not heard here.
        is_alone = self._connections == active_backends().explicit_connections
        is_ended = not self.script_exit and not self._was_interrupted(None)
        if is_ended and is_alone and self._report.has_touched_nothing:
            self._is_told = True
            self._report.on_warning(
                f"The script ended after {self._report.seconds:.1f} s and touched nothing: no "
                "users, groups, secrets, records or files."
            )

    def _was_interrupted(self, error: BaseException | None) -> bool:
        """Whether *error* is an interrupt or came of one; a script's own ``sys.exit`` is neither.

        So is one that the script has caught: what it was doing then may be missing.
        """
        if error is None and self.script_exit is not None:
            return False
        return isinstance(error, KeyboardInterrupt) or self._signals.number is not None

    def _show(self, error: BaseException | None) -> None:
        """Show what the run did, in a table and in sums, and how to go on where it is not whole."""
        if self._calls is None:
            return  # nothing ran
        report, console = self._report, self._console
        report.show()
        totals = report.totals()
        summary = f"{report.seconds:.1f} s: {totals}"
        if self._was_interrupted(error):
            console.status(f"{self._signals} after {summary}.")
            self._go_on("run again. Users left unfinished by this run will be completed.")
            return
        if error is not None:
            console.status(f"Stopped after {summary}.")
            if report.failed and not isinstance(error, BulkError):  # which says it itself
                self._go_on("run again. Users left unfinished by this run will be completed.")
            return
        if self.script_exit:
            console.status(f"The script ended with exit code {self.script_exit} after {summary}.")
        elif report.failed:
            console.failure(f"Seeded in {summary}.")
        elif not self._is_told:
            console.success(f"Seeded in {summary}.")
        if report.failed:
            self._go_on("fix the cause and run again.")
        code = self._exit_code(None)
        if code:
            first = (f"{event.name}: {event.detail}" for event, _ in report.failures[:1])
            ending = f"The run ended with exit code {code}: {totals}."
            console.annotate("Not all was seeded", "\n".join([ending, *first]))

    def _go_on(self, what: str) -> None:
        """Say how, with the arguments that matter for what the run has made or failed to make."""
        heard = self._report.copy()
        states: dict[str, set[str]] = {}
        for event in (*heard.events, *heard.records):
            states.setdefault(event.kind, set()).add(event.state)
        # Where something was there already, the script has the argument.
        hints = [
            hint
            for kind, hint in _REPEATABLE.items()
            if states.get(kind, set()) & {"created", "failed"} and "existed" not in states[kind]
        ]
        self._console.status(" ".join([f"To go on: {what}", *hints]))

    def _exit_code(self, error: BaseException | None) -> int:
        if self._was_interrupted(error):
            return self._signals.exit_code(INTERRUPTED)
        if error is not None:
            return error.exit_code if isinstance(error, SeedctlError) else 1
        return self.script_exit or (1 if self._report.failed else 0)

    def _settle(self, error: BaseException | None) -> None:
        """Write the report, after which the exit code is what stands in it, whatever comes."""
        self.exit_code = self._exit_code(error)
        try:
            self._write(error, self.exit_code)
        except FileAccessError as problem:
            self._unwritten = problem
            if error is None and self._signals.number is None:
                self.exit_code = problem.exit_code
        self._signals.settle(self.exit_code)

    def _write_at_once(self) -> None:
        with suppress(FileAccessError):
            self._write(KeyboardInterrupt(), self._signals.exit_code(INTERRUPTED))

    def _write(self, error: BaseException | None, exit_code: int) -> None:
        """Write the report file, if there is to be one. Raises FileAccessError."""
        if self._file is None:
            return
        signal = None
        if self._was_interrupted(error):
            error, signal = error or KeyboardInterrupt(), self._signals.name
        statistics = self._calls() if self._calls is not None else {}
        calls = {name: asdict(each) for name, each in statistics.items()}
        self._file.finish(self._report, exit_code, error, calls, signal)


def _exit_code(ending: SystemExit) -> int:
    """Return the code of a script's own ``sys.exit``, whose text goes to stderr as Python does."""
    if ending.code is None or isinstance(ending.code, int):
        return int(ending.code or 0) & 0xFF  # what a shell would see of it
    from seedctl.masking import mask  # noqa: PLC0415

    click.echo(mask(str(ending.code)), err=True)
    return 1
