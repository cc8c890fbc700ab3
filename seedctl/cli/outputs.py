"""``seedctl outputs``: the outputs file of a deployed backend."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl import process_state
from seedctl.aws.settings import AWSSettings
from seedctl.cli.connection import (
    display_path,
    identifier_of,
    is_local,
    outputs_source,
    project_of,
)
from seedctl.cli.console import Console, print_data
from seedctl.cli.main import ProcessEnd
from seedctl.cli.options import Command, Settings, options
from seedctl.errors import SeedctlError
from seedctl.outputs.from_stack import OUTPUTS_VERSIONS, document_text
from seedctl.project.root import OUTPUTS_NAME, UnreadableFileError, read_text
from seedctl.runner.report_file import write_file

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

_STDOUT = "-"


@click.command(cls=Command)
@click.option(
    "--out",
    metavar="FILE",
    help="The file to write; - prints it.  [default: amplify_outputs.json of the project]",
)
@click.option(
    "--outputs-version",
    type=click.Choice(OUTPUTS_VERSIONS),
    default="1.4",
    show_default=True,
    help="The version of the file.",
)
@options(
    *("identifier", "app_id", "branch", "stack"),
    *("profile", "region", "endpoint_url", "project_dir"),
)
def outputs(settings: Settings, out: str | None, outputs_version: str) -> None:
    """Write the amplify_outputs.json of a deployed backend.

    It is the file that npx ampx generate outputs writes, made from the deployed stack without Node.
    """
    process_state.instance(ProcessEnd).is_quick = True
    _check(settings, out)
    console = Console(settings)
    with _no_garbage_collection():
        text = _read(console, outputs_version)
    if out == _STDOUT:
        print_data(text)
    else:
        _write(console, Path(out) if out else project_of(settings).root / OUTPUTS_NAME, text)


def _check(settings: Settings, out: str | None) -> None:
    if is_local(settings):
        raise click.UsageError(
            "seedctl outputs reads a deployed backend. For the local sandbox (--local or "
            "SEEDCTL_LOCAL), use seedctl local outputs."
        )
    if out == "":  # from a variable that is not set
        raise click.UsageError("--out is empty: give it a value or leave it out.")


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Run the block without the collector, which would take a tenth of the processor time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(console: Console, version: str) -> str:
    """Return the text of the outputs file of the chosen backend, in *version*."""
    from seedctl import deployed  # noqa: PLC0415 - botocore is slow

    settings = console.settings
    stack_name = identifier_of(settings).stack_name
    with closing(_aws(settings)) as aws:
        stack = deployed.read_stack(aws, stack_name)
        if stack.is_rolled_back:
            console.warning(
                f"The last deployment of {stack.name} failed and was rolled back: these are the "
                "outputs of the one before."
            )
        return document_text(deployed.deployed_outputs(aws, stack, version=version))


def _aws(settings: Settings) -> AWS:
    from seedctl.aws.calls import AWS  # noqa: PLC0415 - botocore is slow

    def file_region() -> str | None:
        """Return the region of the file to replace, which may be missing or unusable."""
        with suppress(SeedctlError):
            return outputs_source(settings, local=False).region()
        return None

    aws_settings = AWSSettings(settings.profile, settings.region, settings.endpoint_url)
    return AWS(aws_settings, fallback_region=file_region)


def _write(console: Console, path: Path, text: str) -> None:
    shown = display_path(console.settings, path)
    if _has_content(path, text):
        console.success(f"{shown} is up to date.")
        return
    write_file(path, text)
    console.success(f"Wrote {shown}.")


def _has_content(path: Path, text: str) -> bool:
    if not path.is_file():  # a pipe must not be read
        return False
    try:
        return read_text(path) == text
    except (FileNotFoundError, UnreadableFileError):
        return False  # writing it will raise the reason, if there is one
