"""``seedctl types``: the types of the backend's models, as a Python file."""

from __future__ import annotations

from pathlib import Path

import click

from seedctl.cli.connection import (
    display_path,
    is_local,
    outputs_source,
    project_of,
    types_command,
)
from seedctl.cli.console import Console
from seedctl.cli.options import Command, Settings, options
from seedctl.runner.report_file import write_file
from seedctl.schema_file.stored import SCHEMA_FILE, check_file, require_own_file
from seedctl.schema_file.text import file_text


@click.command(cls=Command)
@click.option(
    "--out",
    type=click.Path(readable=False),
    metavar="FILE",
    help="Write FILE in place of amplify/seed/schema.py.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; fail with exit code 1 if the file is not up to date.",
)
@click.option("--force", is_flag=True, help="Replace a file that seedctl types did not write.")
@options("project_dir", "outputs", "local")
def types(settings: Settings, out: str | None, check: bool, force: bool) -> None:
    """Write amplify/seed/schema.py: the types of the models.

    With data.generate_client(Schema), editors and type checkers know the models. Run it again after
    the models have changed.
    """
    if check and force:
        raise click.UsageError("--check and --force exclude each other.")
    text = file_text(outputs_source(settings, local=is_local(settings)).outputs)
    path = project_of(settings).root / SCHEMA_FILE if out is None else Path(out).absolute()
    console = Console(settings)
    if check:
        check_file(path, text, types_command(settings, out))
        console.success(f"{display_path(settings, path)} is up to date.")
        return
    if not force:
        require_own_file(path)
    write_file(path, text)
    console.success(f"Wrote {display_path(settings, path)}.")
