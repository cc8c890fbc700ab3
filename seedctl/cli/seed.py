"""``seedctl seed``: run the seed script."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seedctl.cli.console import Console
from seedctl.cli.options import INTERRUPTED, Command, common_options, settings_of
from seedctl.errors import BulkError, FileAccessError, SeedctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from seedctl.aws import CallStatistics
    from seedctl.backend import Backend
    from seedctl.cli.run_report import ConsoleReport

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
    type=click.Path(),
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
    type=click.Path(),
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
    from pathlib import Path  # noqa: PLC0415

    from seedctl.cli.run_report import ConsoleReport  # noqa: PLC0415
    from seedctl.project import find_script  # noqa: PLC0415
    from seedctl.script import run_script, shadowed_modules  # noqa: PLC0415

    settings = settings_of(context)
    settings.mfa_command, settings.prompt = mfa_command, prompt
    console = Console(settings)
    report = ConsoleReport(console)
    with _Run(report, console, report_path) as run:
        script = find_script(settings.project, explicit=Path(script_path) if script_path else None)
        settings.script = script
        for name in shadowed_modules(script):
            console.warning(f"{name} has the name of a standard module, which is imported instead.")
        with settings.connect(report, target="outputs") as backend:
            backend.check_outputs()
            run.begins(backend)
            console.status(f"Running {settings.shown(script)} …")
            try:
                run_script(script, backend, context.meta[_ARGUMENTS])
            except SystemExit as ending:
                run.script_exit = _exit_code(ending)
    context.exit(run.show())


class _Run:
    """One run's end: its table and sums, its report file, its exit code."""

    def __init__(self, report: ConsoleReport, console: Console, path: str | None) -> None:
        """Raises FileAccessError where the report file at *path* cannot be written."""
        self.script_exit = 0
        self._report = report
        self._console = console
        self._file = None
        self._unwritten: FileAccessError | None = None
        self._calls: Callable[[], Mapping[str, CallStatistics]] | None = None
        self._connections = 0
        self._is_told = False
        if path is not None:
            from seedctl.cli.report_file import ReportFile  # noqa: PLC0415

            self._file = ReportFile(path)

    def __enter__(self) -> _Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell what a run that *error* ended had done until then."""
        from seedctl.backend import active_backends  # noqa: PLC0415

        self._report.display.close()
        if error is not None and self._calls is not None:
            if isinstance(error, KeyboardInterrupt):
                self._console.leave_echo()
            self._report.show()
            totals = self._report.totals()
            self._console.status(f"Stopped after {self._report.seconds:.1f} s: {totals}.")
            is_told = isinstance(error, BulkError)  # which says how to go on itself
            if isinstance(error, KeyboardInterrupt) or (self._report.failed and not is_told):
                self._go_on("run again. Users left unfinished by this run will be completed.")
        # What the script does to a backend that it connects itself is not heard here.
        is_alone = self._connections == active_backends.requests
        if error is None and not self.script_exit and is_alone and self._report.has_touched_nothing:
            self._is_told = True
            self._report.on_warning(
                f"The script ended after {self._report.seconds:.1f} s and touched nothing: no "
                "users, groups, secrets, records or files."
            )
        self._write(error)
        if error is not None and self._unwritten is not None:
            # What ended the run is what the user has to hear of at last.
            self._console.warning(self._unwritten.message)

    def begins(self, backend: Backend) -> None:
        """Count the calls of *backend* from now on, and watch what the script prints."""
        from seedctl.backend import active_backends  # noqa: PLC0415

        self._report.display.begin()
        self._connections = active_backends.requests
        self._calls = backend.statistics
        self._report.display.throttles = lambda: sum(
            each.throttled for each in backend.statistics().values()
        )

    def show(self) -> int:
        """Tell what a run did that went to its end, and return the exit code.

        Raises FileAccessError if the report file could not be written.
        """
        report, console = self._report, self._console
        report.show()
        totals = report.totals()
        summary = f"{report.seconds:.1f} s: {totals}"
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
        if self._unwritten is not None:
            raise self._unwritten
        return code

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
        if isinstance(error, KeyboardInterrupt):
            return INTERRUPTED
        if error is not None:
            return error.exit_code if isinstance(error, SeedctlError) else 1
        return self.script_exit or (1 if self._report.failed else 0)

    def _write(self, error: BaseException | None) -> None:
        if self._file is None:
            return
        statistics = self._calls() if self._calls is not None else {}
        calls = {name: asdict(each) for name, each in statistics.items()}
        try:
            self._file.finish(self._report, self._exit_code(error), error, calls)
        except FileAccessError as problem:
            self._unwritten = problem


def _exit_code(ending: SystemExit) -> int:
    """Return the code of a script's own ``sys.exit``, whose text goes to stderr as Python does."""
    if ending.code is None or isinstance(ending.code, int):
        return int(ending.code or 0) & 0xFF  # what a shell would see of it
    from seedctl.masking import mask  # noqa: PLC0415

    click.echo(mask(str(ending.code)), err=True)
    return 1
