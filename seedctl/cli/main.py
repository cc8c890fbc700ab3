"""The ``seedctl`` command: its group, and the one place where errors become exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from seedctl import __version__
from seedctl.cli.console import Console
from seedctl.cli.local import local
from seedctl.cli.local_server import outputs, status, stop
from seedctl.cli.local_start import start
from seedctl.cli.options import INTERRUPTED, Group, Settings, common_options
from seedctl.cli.policy import generate_policy
from seedctl.cli.secret import secret
from seedctl.cli.seed import seed
from seedctl.errors import SeedctlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
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
    settings = Settings()
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
        # Click turns Ctrl-C into Abort; both mean the same. Only at its prompts, whose Abort has
        # no cause, does it leave the line of the question to us.
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
    from seedctl.hooks import masked_excepthook  # noqa: PLC0415 - logging is slow to import

    masked_excepthook(kind, error, trace)
