"""``seedctl seed``: run the seed script."""

from __future__ import annotations

import click

from seedctl.cli.options import Command, common_options, settings_of
from seedctl.cli.seed_run import SeedRun

_ARGUMENTS = "seedctl.script_arguments"


class _ScriptCommand(Command):
    """Passes the arguments after ``--`` to the script."""

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
@click.option("--prompt", is_flag=True, help="With --local: ask for one-time codes, as on AWS.")
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

    Arguments after -- are passed to the script.
    """
    settings = settings_of(context)
    settings.mfa_command, settings.prompt = mfa_command, prompt
    with SeedRun(settings, report_path) as run:
        run.run_script(script_path, context.meta[_ARGUMENTS])
    context.exit(run.exit_code)
