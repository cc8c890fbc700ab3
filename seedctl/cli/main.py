"""The ``seedctl`` command: its group, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import click

from seedctl.cli.console import Console
from seedctl.cli.local import local
from seedctl.cli.local_server import outputs, status, stop
from seedctl.cli.local_start import start
from seedctl.cli.options import Group, Settings, common_options
from seedctl.cli.policy import generate_policy
from seedctl.cli.secret import secret
from seedctl.cli.seed import seed
from seedctl.cli.stop_signals import INTERRUPTED
from seedctl.errors import SeedctlError
from seedctl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


class _Group(Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as ending:
            # As Click does, but without the line break that it prints: the terminal may be gone.
            raise click.Abort from ending


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seedctl")
@common_options
def cli() -> None:
    """Seed an AWS Amplify Gen 2 sandbox from Python: users, records and files.

    Write amplify/seed/seed.py, then run seedctl seed; with --local it needs no AWS account.
    """


cli.add_command(seed)
cli.add_command(generate_policy)
cli.add_command(secret)
cli.add_command(local)
for command in (start, stop, status, outputs):
    local.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    sys.excepthook = _excepthook
    before, threading.excepthook = threading.excepthook, _thread_excepthook
    settings = Settings()
    try:
        return settings.signals.run(lambda: _run(arguments, settings))
    finally:
        threading.excepthook = before


def _run(arguments: Sequence[str] | None, settings: Settings) -> int:
    try:
        result = cli.main(arguments, prog_name="seedctl", standalone_mode=False, obj=settings)
    except SeedctlError as error:
        Console(settings).error(error, script=settings.script)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        Console(settings).annotate("Usage", error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as ending:
        # Of a signal the user was told when it came. The others are a script's own, and the end of
        # input: only at Click's prompts, whose Abort has no cause, has it left the line to us.
        if settings.signals.number is None:
            if ending.__cause__ is None:
                Console(settings).leave_echo()
            click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has stopped, as `head` does; the interpreter must not flush again.
        sys.stdout = None
        return 1
    return result if isinstance(result, int) else 0


def _excepthook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    # What arrives here is a bug of seedctl; even then nothing secret may be shown.
    from seedctl.masked_output import masked_excepthook  # noqa: PLC0415 - logging is slow to import

    masked_excepthook(kind, error, trace)


def _thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    # Of a thread that a script has left behind.
    from seedctl.masked_output import masked_thread_excepthook  # noqa: PLC0415

    masked_thread_excepthook(arguments)
