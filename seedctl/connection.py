"""From the options of ``connect`` to what a backend is built from; the environment gives defaults."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl import masking
from seedctl.aws.settings import AWSSettings
from seedctl.cognito.pool import APP_CLIENT_SECRET
from seedctl.embedded import InboxCodes, is_embedded, local_endpoint, local_from_environment
from seedctl.errors import InvalidCommandInputError
from seedctl.mfa_command import CommandCodes
from seedctl.outputs import OutputsSource
from seedctl.project import chosen_identifier, find_project
from seedctl.project.quotas import chosen_quotas
from seedctl.report import PlainReport

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS
    from seedctl.project import BackendIdentifier, Project
    from seedctl.prompter import CodeSource
    from seedctl.report import Observer
    from seedctl.target import TargetDetail


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options of ``seedctl.connect``, which explains them."""

    project_dir: str | Path | None = None
    identifier: str | BackendIdentifier | None = None
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    outputs: str | Path | None = None
    local: bool | None = None
    app_client_secret: str | None = None
    mfa_command: str | None = None
    prompt: bool = False
    observer: Observer | None = None
    target: TargetDetail = "outputs"


@dataclass(frozen=True, slots=True)
class Connection:
    """What a backend is built from."""

    project: Project
    identifier: BackendIdentifier
    aws: AWS
    outputs: OutputsSource
    observer: Observer
    app_client_secret: str | None
    codes: CodeSource | None
    """Where one-time codes come from if a call has no callback; None for the terminal."""
    target: TargetDetail
    resources: ExitStack
    """To be closed together with the backend."""


def open_connection(options: ConnectionOptions) -> Connection:
    """Find the project, choose the sandbox, and start an embedded local sandbox if one is needed."""
    from seedctl.aws.calls import AWS  # noqa: PLC0415 - botocore is slow

    _refuse_empty(options)
    explicit = Path(options.project_dir) if options.project_dir is not None else None
    project = find_project(Path(), explicit=explicit)
    is_local = local_from_environment() if options.local is None else options.local
    endpoint_url = options.endpoint_url
    if is_local and endpoint_url is not None:
        raise InvalidCommandInputError(
            "--local and --endpoint-url exclude each other.",
            resolution="Leave one of them out: --local brings its own endpoint.",
        )
    identifier = chosen_identifier(options.identifier, project)
    quotas = chosen_quotas(project)
    observer = options.observer or PlainReport()
    app_client_secret = options.app_client_secret
    if app_client_secret is None and not is_local:  # the local sandbox's app client has none
        app_client_secret = os.environ.get(APP_CLIENT_SECRET) or None
    masking.register(app_client_secret)
    codes: CodeSource | None = None
    mfa_command = options.mfa_command or os.environ.get("SEEDCTL_MFA_COMMAND")
    if mfa_command:
        codes = CommandCodes(mfa_command)
    elif is_local and not options.prompt:
        codes = InboxCodes(project.state_folder, observer)
    file = Path(options.outputs) if options.outputs is not None else None
    outputs = OutputsSource(project, explicit=file, is_local=is_local)
    with ExitStack() as resources:
        if is_local:
            endpoint_url = resources.enter_context(local_endpoint(project, outputs))
        is_paced = not is_embedded(endpoint_url)
        settings = AWSSettings(options.profile, options.region, endpoint_url, is_local, is_paced)
        aws = AWS(settings, fallback_region=outputs.region, quotas=quotas)
        return Connection(
            project,
            identifier,
            aws,
            outputs,
            observer,
            app_client_secret,
            codes,
            options.target,
            resources.pop_all(),
        )


def _refuse_empty(options: ConnectionOptions) -> None:
    """Refuse an empty text, which usually comes from a variable that is not set."""
    for name in ("project_dir", "identifier", "profile", "region", "endpoint_url", "outputs"):
        if getattr(options, name) == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )
