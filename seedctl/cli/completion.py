"""Shell completion of the names of secrets."""

from __future__ import annotations

import io
import threading
from contextlib import closing, redirect_stderr, suppress
from typing import TYPE_CHECKING

import click

from seedctl.cli.connection import connect, identifier_of, is_local, project_of
from seedctl.cli.options import settings_of
from seedctl.errors import SeedctlError
from seedctl.report import Report

if TYPE_CHECKING:
    from seedctl.cli.options import Settings

SECONDS = 3.0
"""How long the names may take: a person is waiting for the shell."""


def complete_secret_name(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the sandbox's secrets that begin with *incomplete*.

    If they cannot be read in time, the list is empty: a message would spoil the line that is being
    typed. Nothing is written, and nobody is asked for anything.
    """
    found: list[str] = []
    settings = settings_of(context)

    def read_names() -> None:
        with suppress(SeedctlError, click.UsageError):
            found.extend(_secret_names(settings))

    # The replacement is no terminal, so seedctl and botocore do not prompt either.
    with redirect_stderr(io.StringIO()):
        thread = threading.Thread(target=read_names, daemon=True)
        thread.start()
        thread.join(SECONDS)
    return sorted(name for name in found if name.startswith(incomplete))


def _secret_names(settings: Settings) -> list[str]:
    if is_local(settings):
        from seedctl.local.ssm import stored_names  # noqa: PLC0415 - slow to load

        project = project_of(settings)
        return stored_names(project.state_folder, identifier_of(settings).parameter_prefix)
    with closing(connect(settings, Report())) as backend:
        return backend.secrets.list()
