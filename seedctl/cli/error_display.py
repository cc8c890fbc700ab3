"""How the error that ended a command is shown: message, place, causes and resolution."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import click

from seedctl import interruption
from seedctl.causes import causes
from seedctl.cli import github
from seedctl.cli.console import Console, is_terminal
from seedctl.errors import SeedctlError, SeedingFailedError
from seedctl.masked_output import mask_trace
from seedctl.runner.traces import location, script_trace

if TYPE_CHECKING:
    from seedctl.cli.options import Settings


def show_end(settings: Settings, error: BaseException) -> None:
    """Show the error, the wrong usage or the interrupt that ended the command."""
    if isinstance(error, SeedctlError):
        show_error(settings, error)
    elif isinstance(error, click.ClickException):  # Click has printed the message
        github.show_failure(Console(settings), "Usage", error.format_message())
    else:
        # Only the Abort of a Click prompt has no cause. Then the cursor is behind an echoed ^C.
        if error.__cause__ is None and is_terminal():
            click.echo(err=True)
        click.echo("Interrupted.", err=True)


def show_error(settings: Settings, error: SeedctlError) -> None:
    """Show what happened, where in the seed script, why, and what the user can do."""
    console = Console(settings)
    is_script_error = isinstance(error, SeedingFailedError)
    source = error.__cause__ if is_script_error else error
    place = None
    if source is not None and settings.script is not None:
        place = location(source, settings.script)
    # After a signal the traceback would only show where the script was.
    if is_script_error and source is not None and not interruption.is_requested():
        console.print_masked(mask_trace(script_trace(source)).rstrip())
    console.message(f"[{error.name}] {error.message}", style="bold red")
    if place is not None:
        console.message(f"  at {github.display_path(place[0])}, line {place[1]}")
    for depth, cause in enumerate(causes(error), start=1):
        console.message(f"{'  ' * depth}∟ Caused by: {cause}")
    if error.resolution:
        console.message(f"Resolution: {error.resolution}", style="cyan")
    if settings.debug:
        trace = mask_trace("".join(traceback.format_exception(error)))
        console.print_masked(trace.rstrip(), style="dim")
    github.show_error(console, error, place)
