"""From the options of ``connect`` to what a backend is built from; the environment gives defaults.

That is also where a backend meets the local sandbox: its address, and the codes that it sends.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl import masking, process_state
from seedctl.aws.quotas import chosen_quotas
from seedctl.aws.settings import AWSSettings
from seedctl.cognito.refusals import APP_CLIENT_SECRET
from seedctl.errors import InvalidCommandInputError, MFACodeUnavailableError
from seedctl.mfa_command import CommandCodes
from seedctl.outputs import OutputsSource
from seedctl.project import chosen_identifier, find_project
from seedctl.prompter import TerminalCodes
from seedctl.report import PlainReport
from seedctl.target import describe_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seedctl.project import BackendIdentifier, Project
    from seedctl.prompter import CodeRequest, CodeSource
    from seedctl.report import Observer
    from seedctl.target import TargetDetail


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options of :func:`seedctl.connect`, which explains them."""

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
        self.identifier = chosen_identifier(options.identifier, self.project)
        quotas = chosen_quotas(self.project)
        self.observer = options.observer or PlainReport()
        self._target: TargetDetail = options.target
        self._lock = threading.RLock()
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
            self.codes = InboxCodes(self.project.state_folder, self.observer)
        file = Path(options.outputs) if options.outputs is not None else None
        self.outputs = OutputsSource(self.project, explicit=file, is_local=is_local)
        with ExitStack() as resources:
            if is_local:
                sandbox = local_endpoint(self.project, self.outputs)
                endpoint_url = resources.enter_context(sandbox)
            # Calls to a local sandbox inside this process need no quota.
            is_paced = endpoint_url not in process_state.instance(_EmbeddedURLs)
            settings = AWSSettings(
                options.profile, options.region, endpoint_url, is_local, is_paced
            )
            self.aws = AWS(settings, fallback_region=self.outputs.region, quotas=quotas)
            self.resources = resources.pop_all()
            """To be closed together with the backend."""

    def announce_target(self) -> None:
        """Report what is about to be changed, once, before the first write.

        Raises as :func:`describe_target`.
        """
        with self._lock:
            if self._target != "none":
                outputs = self.outputs.if_any() if self._target == "outputs" else None
                target = describe_target(self.aws, self.project, self.identifier, outputs)
                self.observer.on_target(target)
                self._target = "none"


def _refuse_empty(options: ConnectionOptions) -> None:
    """Refuse an empty text, which usually comes from a variable that is not set."""
    for name in ("project_dir", "identifier", "profile", "region", "endpoint_url", "outputs"):
        if getattr(options, name) == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )


def local_from_environment() -> bool:
    """Whether SEEDCTL_LOCAL selects the local sandbox.

    Raises InvalidCommandInputError for any word but those for yes and no: to treat another word as
    no would write to the real AWS.
    """
    value = os.environ.get("SEEDCTL_LOCAL", "")
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise InvalidCommandInputError(
        f"SEEDCTL_LOCAL is {value!r}.",
        resolution="Set it to 1 for the local sandbox, to 0 for AWS, or unset it.",
    )


@contextmanager
def local_endpoint(project: Project, source: OutputsSource) -> Iterator[str]:
    """Yield the URL of the project's running local sandbox, or start one for the block."""
    from seedctl.local import LocalSandbox  # noqa: PLC0415 - only --local needs a server
    from seedctl.local.running import check_deployed, find_server  # noqa: PLC0415

    outputs = source.if_any()  # secrets work without an outputs file
    running = find_server(project.state_folder)
    if running is not None:
        check_deployed(running, outputs)
        yield running.url
        return
    with LocalSandbox.start(state_folder=project.state_folder, outputs=outputs) as sandbox:
        embedded = process_state.instance(_EmbeddedURLs)
        embedded.add(sandbox.url)
        try:
            yield sandbox.url
        finally:
            embedded.discard(sandbox.url)


class _EmbeddedURLs(set[str]):
    """The URLs of the local sandboxes that run inside this process."""


class InboxCodes:
    """Reads e-mail and SMS codes from the local outbox, and asks for other codes on the terminal."""

    can_repeat = True  # a person may have mistyped a TOTP code, or a newer message may have arrived

    def __init__(self, state_folder: Path, observer: Observer) -> None:
        self._state_folder = state_folder
        self._observer = observer

    def code(self, request: CodeRequest) -> str:
        if request.method not in {"EMAIL", "SMS"}:
            return TerminalCodes().code(request)
        from seedctl.local.inbox import MFA, read_inbox  # noqa: PLC0415 - only --local needs it

        for message in read_inbox(self._state_folder):
            # Allow one second: the outbox and the sign-in may round the time differently.
            is_new = message.sent_at >= request.since - 1
            is_asked_for = (message.purpose, message.method) == (MFA, request.method)
            if message.is_for(request.username) and is_new and is_asked_for:
                self._observer.on_note(
                    f"{request.method} code for {masking.mask(request.username)}: read from the local "
                    "outbox."
                )
                return message.code
        raise MFACodeUnavailableError(
            f"The local outbox holds no {request.method} code for {masking.mask(request.username)}.",
            resolution="Another run may have cleared it: run again.",
        )
