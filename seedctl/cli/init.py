"""``seedctl init``: the first seed script of a project."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import display_path, outputs_source, project_of, warn_if_stale
from seedctl.cli.console import Console
from seedctl.cli.options import Command, Settings, options
from seedctl.errors import AmplifyOutputsNotFoundError, FileAccessError
from seedctl.project.gitignore import NAME, ignores_state, with_entry
from seedctl.project.root import SCRIPT, UnreadableFileError, is_there, read_text
from seedctl.runner.report_file import write_file
from seedctl.source.toolchain import find_backend

if TYPE_CHECKING:
    from seedctl.first_script.trial import FirstScript
    from seedctl.outputs import AmplifyOutputs


@click.command(cls=Command)
@options("project_dir", "outputs")
def init(settings: Settings) -> None:
    """Write a first amplify/seed/seed.py that fits this backend.

    The script creates a user, and a record and a file if the backend lets this user write them. Each
    step is first tried on a local sandbox in a temporary folder. Nothing is overwritten.
    """
    console = Console(settings)
    path = project_of(settings).root / SCRIPT
    if is_there(path):
        raise FileAccessError(
            f"{path} is there already.",
            resolution="seedctl doctor checks what it needs to run. To get a new one that fits the "
            "backend, move this one away first.",
        )
    outputs = _outputs(settings)
    # These modules load the local sandbox, which is slow.
    from seedctl.first_script import text, trial, users  # noqa: PLC0415

    script = trial.find_first_script(outputs) if outputs is not None else users_only()
    write_file(path, text.script_text(script))
    console.success(f"Wrote {SCRIPT.as_posix()}: {text.summary(script) or 'it is empty so far'}.")
    _ignore_state(settings, console)
    console.status("Next:")
    folder = f" -C {shlex.quote(settings.project_dir)}" if settings.project_dir else ""
    named = f" --outputs {shlex.quote(settings.outputs)}" if settings.outputs else ""
    named += folder
    if outputs is None:
        console.status(f"  seedctl local init{folder}")
    if script.user is not None:
        password = users.example_password(outputs)
        console.status(f"  seedctl secret set {text.PASSWORD_SECRET} --local{named}")
        console.status(f"    (asks for the user's password; choose one such as {password})")
    console.status(f"  seedctl seed --local{named}")
    console.status("Without --local, the same commands seed the sandbox that is deployed on AWS.")


def users_only() -> FirstScript:
    """Return the script for an unknown backend: one user, who signs in with an e-mail address."""
    from seedctl.first_script import trial, users  # noqa: PLC0415 - as above

    return trial.FirstScript(user=users.FirstUser("ann@example.com", {}))


def _outputs(settings: Settings) -> AmplifyOutputs | None:
    """Return the outputs that --local uses; None if there are none, and no source to make them from."""
    source = outputs_source(settings)
    outputs = source.if_any()
    entry = find_backend(project_of(settings))
    if outputs is None and entry is not None:
        raise AmplifyOutputsNotFoundError(
            f"There is no outputs file yet for the backend that {display_path(settings, entry)} "
            "defines.",
            resolution="Run seedctl local init first, which writes one for your own machine; or deploy "
            "the sandbox with npx ampx sandbox. Then run seedctl init again.",
        )
    warn_if_stale(settings, outputs)
    return outputs


def _ignore_state(settings: Settings, console: Console) -> None:
    """Have git ignore the folder of the local state."""
    root = project_of(settings).root
    if ignores_state(root):
        return
    path = root / NAME
    try:
        text = read_text(path)
    except FileNotFoundError:
        text = ""
    except UnreadableFileError as error:
        console.warning(f"{path} cannot be read: {error}. Add the line .amplify/ to it.")
        return
    write_file(path, with_entry(text))
    console.success(f"Added .amplify/ to {NAME}.")
