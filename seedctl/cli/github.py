"""Workflow commands that make GitHub show an error at the run, or at its line of the script."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.causes import causes
from seedctl.errors import SeedingFailedError
from seedctl.masking import mask, mask_message

if TYPE_CHECKING:
    from seedctl.cli.console import Console
    from seedctl.errors import SeedctlError


def show_error(console: Console, error: SeedctlError, place: tuple[Path, int] | None) -> None:
    """Show *error* to GitHub, at *place* in the script if that is known."""
    properties = f"title={_property(error.name)}"
    if place is not None:
        properties = f"file={_property(display_path(place[0]))},line={place[1]},{properties}"
    text = error.message
    if isinstance(error, SeedingFailedError) and error.__cause__ is not None:
        text += f" {type(error.__cause__).__name__}: {mask(str(error.__cause__))}"
    else:
        text = "\n".join([text, *map(str, causes(error, with_foreign=False))])
    if error.resolution:
        text += f"\n{error.resolution}"
    _print(console, properties, text)


def show_failure(console: Console, title: str, message: str) -> None:
    """Show to GitHub that a run failed in which no error was raised."""
    _print(console, f"title={_property(title)}", message)


def display_path(path: Path) -> str:
    """Return *path* relative to GitHub's workspace or the working directory, if it is inside."""
    try:
        base = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    except FileNotFoundError:  # the working directory was removed
        return str(path)
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _print(console: Console, properties: str, text: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        line = f"::error {mask_message(properties)}::{_escaped(mask_message(text))}"
        console.print_masked(line)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
