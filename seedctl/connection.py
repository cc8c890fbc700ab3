"""From the options of ``connect`` to what a backend is built from; the environment gives defaults."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from seedctl import masking, process_state
from seedctl.aws.settings import AWSSettings
from seedctl.cognito.pool import APP_CLIENT_SECRET
from seedctl.embedded import EmbeddedSandboxes, InboxCodes, local_endpoint, local_from_environment
from seedctl.errors import InvalidCommandInputError
from seedctl.mfa_command import CommandCodes
from seedctl.outputs import OutputsSource
from seedctl.project import BackendIdentifier, chosen_identifier, find_project
from seedctl.project.quotas import chosen_quotas
from seedctl.prompter import CodeSource
from seedctl.report import Observer, PlainReport
from seedctl.target import TargetDetail, describe_target


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options of ``seedctl.connect``, which explains them, and those of ``seedctl.testing``."""

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
    state: str | Path | None = None
    origins: Sequence[str] = ()
    """The origins of web pages that may call an embedded local sandbox."""
    missing_secret: Callable[[str], str | None] | None = None
    """Returns the value to store for a secret that is read and was never set; None for no value."""
    on_password: Callable[[str, str], None] | None = None
    """Receives the name and the final password of each user that is created."""


class Connection:
    """What a backend is built from: the project, the chosen sandbox, and the way to reach it."""

    def __init__(self, options: ConnectionOptions) -> None:
        """Start an embedded local sandbox if one is needed."""
        from seedctl.aws.calls import AWS  # noqa: PLC0415 - botocore is slow

        _refuse_empty(options)
        explicit = Path(options.project_dir) if options.project_dir is not None else None
        self.project = find_project(Path(), explicit=explicit)
        is_local = local_from_environment() if options.local is None else options.local
        endpoint_url = options.endpoint_url
        if is_local and endpoint_url is not None:
            raise InvalidCommandInputError(
                "--local and --endpoint-url exclude each other.",
                resolution="Leave one of them out: --local brings its own endpoint.",
            )
        if options.state is not None and not is_local:
            raise InvalidCommandInputError(
                "state= is only for the local sandbox.",
                resolution="Pass local=True too, or leave it out.",
            )
        self.state_folder = (
            Path(options.state).absolute()
            if options.state is not None
            else self.project.state_folder
        )
        """Contains the journal, and the state of the local sandbox."""
        self.identifier = chosen_identifier(options.identifier, self.project)
        quotas = chosen_quotas(self.project)
        self.observer = options.observer or PlainReport()
        self._target: TargetDetail = options.target
        self._lock = threading.RLock()
        self.missing_secret = options.missing_secret
        self.on_password = options.on_password
        self.app_client_secret = options.app_client_secret
        if self.app_client_secret is None and not is_local:  # the local app client has none
            self.app_client_secret = os.environ.get(APP_CLIENT_SECRET) or None
        masking.register(self.app_client_secret)
        self.codes: CodeSource | None = None
        """Where one-time codes come from if a call has no callback; None for the terminal."""
        mfa_command = options.mfa_command or os.environ.get("SEEDCTL_MFA_COMMAND")
        if mfa_command:
            self.codes = CommandCodes(mfa_command)
        elif is_local and not options.prompt:
            self.codes = InboxCodes(self.state_folder, self.observer)
        file = Path(options.outputs) if options.outputs is not None else None
        self.outputs = OutputsSource(self.project, explicit=file, is_local=is_local)
        with ExitStack() as resources:
            if is_local:
                sandbox = local_endpoint(self.state_folder, self.outputs, options.origins)
                endpoint_url = resources.enter_context(sandbox)
            # Calls to a local sandbox inside this process need no quota.
            is_paced = endpoint_url not in process_state.instance(EmbeddedSandboxes)
            settings = AWSSettings(
                options.profile, options.region, endpoint_url, is_local, is_paced
            )
            self.aws = AWS(settings, fallback_region=self.outputs.region, quotas=quotas)
            self.resources = resources.pop_all()
            """To be closed together with the backend."""

    def announce_target(self) -> None:
        """Report what is about to be changed, once, before the first write.

        Raises as ``describe_target``.
        """
        with self._lock:
            if self._target != "none":
                outputs = self.outputs.if_any() if self._target == "outputs" else None
                target = describe_target(self.aws, self.project, self.identifier, outputs)
                self.observer.on_target(target)
                self._target = "none"


def _refuse_empty(options: ConnectionOptions) -> None:
    """Refuse an empty text, which usually comes from a variable that is not set."""
    names = ("project_dir", "identifier", "profile", "region", "endpoint_url", "outputs", "state")
    for name in names:
        if getattr(options, name) == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )
