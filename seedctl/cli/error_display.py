"""How the error that ended a command is shown: message, place, causes and resolution.

GitHub gets a workflow command too: it shows the error at the run, or at its line of the script.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import click

from seedctl import interruption
from seedctl.causes import causes
from seedctl.cli.console import Console, is_terminal
from seedctl.cli.options import Settings
from seedctl.errors import BackendSourceError, SeedctlError, SeedingFailedError
from seedctl.masked_output import mask_trace
from seedctl.masking import mask, mask_message
from seedctl.runner.script_trace import location, script_trace


def show_end(settings: Settings, error: BaseException) -> None:
    """Show the error, the wrong usage or the interrupt that ended the command."""
    if isinstance(error, SeedctlError):
        _show_error(settings, error)
    elif isinstance(error, click.ClickException):  # Click has printed the message
        show_on_github(Console(settings), "Usage", error.format_message())
    else:
        # Only the Abort of a Click prompt has no cause. Then the cursor is behind an echoed ^C.
        if error.__cause__ is None and is_terminal():
            click.echo(err=True)
        click.echo("Interrupted.", err=True)


def _show_error(settings: Settings, error: SeedctlError) -> None:
    """Show what happened, where in the seed script, why, and what the user can do."""
    console = Console(settings)
    is_script_error = isinstance(error, SeedingFailedError)
    source = error.__cause__ if is_script_error else error
    place: tuple[Path, int | None] | None = None
    if source is not None and settings.script is not None:
        place = location(source, settings.script)
    if isinstance(error, BackendSourceError):
        place = error.place
        if error.output:
            console.print_masked(mask(error.output))
    # After a signal the traceback would only show where the script was.
    if is_script_error and source is not None and not interruption.is_requested():
        console.print_masked(mask_trace(script_trace(source)).rstrip())
    console.message(f"[{error.name}] {error.message}", style="bold red")
    if place is not None:
        line = f", line {place[1]}" if place[1] is not None else ""
        console.message(f"  at {_display_path(place[0])}{line}")
    for depth, cause in enumerate(causes(error), start=1):
        console.message(f"{'  ' * depth}∟ Caused by: {cause}")
    if error.resolution:
        console.message(f"Resolution: {error.resolution}", style="cyan")
    if settings.debug:
        trace = mask_trace("".join(traceback.format_exception(error)))
        console.print_masked(trace.rstrip(), style="dim")
    show_on_github(console, error.name, _text_for_github(error), place)


def show_on_github(
    console: Console, title: str, text: str, place: tuple[Path, int | None] | None = None
) -> None:
    """Show to GitHub that a run failed, at *place* in the script if that is known."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        where = f"file={_property(_display_path(place[0]))}," if place else ""
        where += f"line={place[1]}," if place and place[1] is not None else ""
        properties = mask_message(f"{where}title={_property(title)}")
        console.print_masked(f"::error {properties}::{_escaped(mask_message(text))}")


def _text_for_github(error: SeedctlError) -> str:
    text = error.message
    if isinstance(error, SeedingFailedError) and error.__cause__ is not None:
        text += f" {type(error.__cause__).__name__}: {mask(str(error.__cause__))}"
    else:
        text = "\n".join([text, *map(str, causes(error, with_foreign=False))])
    return f"{text}\n{error.resolution}" if error.resolution else text


def _display_path(path: Path) -> str:
    """Return *path* relative to GitHub's workspace or the working directory, if it is inside."""
    try:
        base = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    except FileNotFoundError:  # the working directory was removed
        return str(path)
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
