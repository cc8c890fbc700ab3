"""The project, the sandbox and the backend that the common options select."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seedctl.cli.console import Console
from seedctl.cli.options import Settings
from seedctl.embedded import local_from_environment
from seedctl.outputs import OutputsSource
from seedctl.project import (
    BackendChoice,
    BackendIdentifier,
    Project,
    chosen_identifier,
    find_project,
)
from seedctl.source.digests import stale_warning

if TYPE_CHECKING:
    from seedctl.backend import Backend
    from seedctl.outputs import AmplifyOutputs
    from seedctl.report import Observer
    from seedctl.target import TargetDetail


def is_local(settings: Settings) -> bool:
    """Whether --local or SEEDCTL_LOCAL selects the local sandbox."""
    return local_from_environment() if settings.local is None else settings.local


def refuse_contradictions(settings: Settings) -> None:
    """Raise UsageError or InvalidCommandInputError if options exclude each other."""
    if is_local(settings) and settings.endpoint_url is not None:
        raise click.UsageError("--local (or SEEDCTL_LOCAL) and --endpoint-url exclude each other.")
    _choice(settings).check(is_local=is_local(settings))


def project_of(settings: Settings) -> Project:
    """Return the project: --project-dir, or found from the working directory upwards.

    Raises ProjectNotFoundError.
    """
    refuse_contradictions(settings)
    if settings.project is None:
        explicit = Path(settings.project_dir) if settings.project_dir else None
        settings.project = find_project(Path(), explicit=explicit)
    return settings.project


def identifier_of(settings: Settings) -> BackendIdentifier:
    """Return the backend that the options and the environment select.

    Raises InvalidCommandInputError for options that exclude each other, and ProjectNotFoundError.
    """
    project = project_of(settings)
    # As in ampx, the command line leaves out a sandbox of the variable. A deployed backend counts:
    # nobody must believe that a command has acted on it when it has acted on the account's sandbox.
    return chosen_identifier(
        _choice(settings), project, from_ampx="none" if is_local(settings) else "deployed"
    )


def display_path(settings: Settings, path: Path) -> str:
    """Return *path* relative to the project's root if it is inside."""
    root = project_of(settings).root
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def connect(settings: Settings, observer: Observer, *, target: TargetDetail = "none") -> Backend:
    """Connect to the backend that the options select."""
    project = project_of(settings)
    from seedctl.backend import connect as connect_backend  # noqa: PLC0415 - it takes 100 ms

    return connect_backend(
        project.root,
        identifier=identifier_of(settings),
        allow_target=settings.allow_target,
        profile=settings.profile,
        region=settings.region,
        endpoint_url=settings.endpoint_url,
        outputs=settings.outputs,
        local=is_local(settings),
        mfa_command=settings.mfa_command,
        prompt=settings.prompt,
        observer=observer,
        target=target,
    )


def outputs_source(
    settings: Settings, *, local: bool = True, other: str | None = None
) -> OutputsSource:
    """Return the source of the outputs: --outputs, else *other*, else the project's own file.

    With *local*, local_outputs.json is an outputs file too.
    """
    explicit = settings.outputs or other
    path = Path(explicit) if explicit else None
    return OutputsSource(project_of(settings), explicit=path, is_local=local)


def warn_if_stale(settings: Settings, outputs: AmplifyOutputs | None) -> None:
    """Warn if *outputs* were made from source files that have changed since."""
    text = stale_warning(project_of(settings).root, outputs)
    if text is not None:
        Console(settings).warning(text)


def types_command(settings: Settings, out: str | None = None) -> str:
    """Return the command that writes the file for the backend of *settings*, to *out* if given."""
    words = ["seedctl", "types"]
    for option, value in (
        ("-C", settings.project_dir),
        ("--outputs", settings.outputs),
        ("--out", out),
    ):
        words += [option, value] if value is not None else []
    return shlex.join([*words, *(["--local"] if settings.local else [])])


def _choice(settings: Settings) -> BackendChoice:
    names = ("identifier", "app_id", "branch", "stack", "allow_target")
    return BackendChoice(**{name: getattr(settings, name) for name in names})
