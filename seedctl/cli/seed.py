"""``seedctl seed``: run the seed script."""

from __future__ import annotations

import click

from seedctl.cli.console import Console
from seedctl.cli.options import common_options, settings_of

_ARGUMENTS = "seedctl.script_arguments"


class _ScriptCommand(click.Command):
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
@common_options
@click.pass_context
def seed(
    context: click.Context, script_path: str | None, mfa_command: str | None, prompt: bool
) -> None:
    """Run amplify/seed/seed.py against the sandbox.

    What stands after -- becomes the script's own arguments.
    """
    from pathlib import Path  # noqa: PLC0415

    from seedctl.backend import connect_only_on_request  # noqa: PLC0415
    from seedctl.cli.run_report import ConsoleReport  # noqa: PLC0415
    from seedctl.project import find_script  # noqa: PLC0415
    from seedctl.script import run_script, shadowed_modules  # noqa: PLC0415

    settings = settings_of(context)
    settings.mfa_command, settings.prompt = mfa_command, prompt
    console = Console(settings)
    report = ConsoleReport(console)
    script = find_script(settings.project, explicit=Path(script_path) if script_path else None)
    settings.script = script
    for name in shadowed_modules(script):
        console.warning(f"{name} has the name of a standard module, which is imported instead.")
    exit_code = 0
    connect_only_on_request()
    try:
        with settings.connect(report, target="outputs") as backend:
            backend.check_outputs()
            console.status(f"Running {settings.shown(script)} …")
            try:
                run_script(script, backend, context.meta[_ARGUMENTS])
            except SystemExit as ending:
                exit_code = _exit_code(ending)
    except BaseException:
        report.show()
        console.status(f"Stopped after {report.seconds:.1f} s: {report.totals()}.")
        raise
    report.show()
    if exit_code:
        console.status(f"The script ended with exit code {exit_code}.")
    else:
        console.success(f"Seeded in {report.seconds:.1f} s: {report.totals()}.")
    context.exit(exit_code)


def _exit_code(ending: SystemExit) -> int:
    """Return the code of a script's own ``sys.exit``, whose text goes to stderr as Python does."""
    if ending.code is None or isinstance(ending.code, int):
        return int(ending.code or 0) & 0xFF  # what a shell would see of it
    from seedctl.masking import mask  # noqa: PLC0415

    click.echo(mask(str(ending.code)), err=True)
    return 1
