"""The ``seedctl`` command: its groups, and the one place where an error becomes an exit code.

Each command is stated here by its name, its module in this package and its line in the group's
help. The module is imported when the command is used: ``seedctl --help`` and completion stay fast.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from seedctl.cli.options import LazyGroup, Settings, common_options, options
from seedctl.cli.stop_signals import INTERRUPTED
from seedctl.errors import SeedctlError
from seedctl.version import __version__


class ProcessEnd:
    """How the process ends after the command: the instance of ``seedctl.process_state``."""

    is_quick = False
    """Whether it ends without freeing its memory. Not after a script, which may have left files open."""


class _MainGroup(LazyGroup):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            # Click does the same, but prints a line break first, which fails on a closed terminal.
            raise click.Abort from error


@click.group(
    cls=_MainGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    lazy_commands={
        "init": ("init", "Write a first amplify/seed/seed.py that fits this backend."),
        "seed": ("seed", "Run amplify/seed/seed.py against the sandbox."),
        "generate-policy": ("secret", "Print the IAM policy that seeding needs."),
        "secret": ("secret", "Set, get, list and remove the sandbox's secrets."),
        "outputs": ("outputs", "Write the amplify_outputs.json of a deployed backend."),
        "types": ("types_command", "Write amplify/seed/schema.py: the types of the models."),
        "data": ("data", "Export and import the records of the models."),
        "doctor": ("doctor", "Check everything that seeding needs, and show the fixes."),
    },
)
@click.version_option(__version__, prog_name="seedctl")
@common_options
def cli(_: Settings) -> None:
    """Seed an AWS Amplify Gen 2 sandbox from Python: users, records and files.

    Begin with seedctl init, then run seedctl seed; with --local it needs no AWS account.
    """


@cli.group(
    cls=LazyGroup,
    short_help="Run and manage the local sandbox, which --local uses.",
    lazy_commands={
        "init": ("local_init", "Write amplify/seed/local_outputs.json."),
        "start": ("local_start", "Start the local sandbox as a server that stays up."),
        "stop": ("local", "Stop the project's local sandbox, if it is running."),
        "status": ("local", "Show whether the project's local sandbox is running, and where."),
        "outputs": ("local", "Print the amplify_outputs.json of the running local sandbox."),
        "inbox": ("local", "Print the e-mail and SMS codes that the local sandbox has sent."),
        "reset": ("local", "Delete all that the project's local sandbox stores."),
        "save": ("local_snapshots", "Save the state of the local sandbox as the snapshot NAME."),
        "load": (
            "local_snapshots",
            "Replace the state of the local sandbox with the snapshot NAME.",
        ),
        "snapshots": (
            "local_snapshots",
            "List the snapshots of the local sandbox, or delete some.",
        ),
    },
)
@options("identifier", "region", "project_dir", "outputs", "verbose")
def local(_: Settings) -> None:
    """Run and manage the local sandbox, which --local uses."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    # For a bug of seedctl, and for threads that a script leaves running: secrets are masked there too.
    sys.excepthook = partial(_call_masked_hook, "masked_excepthook")
    before = threading.excepthook
    threading.excepthook = partial(_call_masked_hook, "masked_thread_excepthook")
    settings = Settings()
    try:
        return settings.signals.run(lambda: _run(arguments, settings))
    finally:
        threading.excepthook = before


def _run(arguments: Sequence[str] | None, settings: Settings) -> int:
    try:
        result = cli.main(arguments, prog_name="seedctl", standalone_mode=False, obj=settings)
    except BrokenPipeError:
        # The reader of our output has closed its end, as `head` does. Without stdout the
        # interpreter does not flush again at exit.
        sys.stdout = None
        return 1
    except click.ClickException as error:
        error.show()
        if "GITHUB_ACTIONS" in os.environ:
            _show(error, settings)
        return error.exit_code
    except SeedctlError as error:
        _show(error, settings)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        # A signal was reported when it arrived. Otherwise the script raised KeyboardInterrupt
        # itself, or input ended.
        if settings.signals.number is None:
            _show(error, settings)
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _show(error: BaseException, settings: Settings) -> None:
    from seedctl.cli import error_display  # noqa: PLC0415 - it needs logging and json

    error_display.show_end(settings, error)


def _call_masked_hook(name: str, *arguments: object) -> None:
    from seedctl import masked_output  # noqa: PLC0415 - it needs logging

    getattr(masked_output, name)(*arguments)
