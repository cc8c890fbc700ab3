"""From the options of ``connect`` to what a backend is built from; the environment gives defaults."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

from seedctl import masking, process_state
from seedctl.aws.settings import AWSSettings
from seedctl.cognito.pool import APP_CLIENT_SECRET
from seedctl.embedded import EmbeddedSandboxes, InboxCodes, local_endpoint, local_from_environment
from seedctl.errors import (
    InvalidCommandInputError,
    OutputsMismatchError,
    SeedctlError,
    StackDoesNotExistError,
    TargetNotAllowedError,
)
from seedctl.guard import Guard
from seedctl.mfa_command import CommandCodes
from seedctl.outputs import AmplifyOutputs, OutputsSource
from seedctl.owner import find_bucket_owner, find_owner
from seedctl.project import BackendChoice, Project, chosen_identifier, find_project
from seedctl.project.quotas import chosen_quotas
from seedctl.prompter import CodeSource
from seedctl.report import Observer, PlainReport, Target
from seedctl.source.digests import stale_warning
from seedctl.target import TargetDetail, describe_target

STATE = "SEEDCTL_STATE"
"""The variable with the folder of the local sandbox's state; seedctl sets it for other programs."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The options of ``seedctl.connect``, which explains them, and those of ``seedctl.testing``."""

    project_dir: str | Path | None = None
    choice: BackendChoice = field(default_factory=BackendChoice)
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
        _refuse_contradictions(options, is_local=is_local)
        self.state_folder = _state_folder(options, self.project, is_local=is_local)
        """Contains the journal, and the state of the local sandbox."""
        self.identifier = chosen_identifier(options.choice, self.project)
        quotas = chosen_quotas(self.project)
        self.observer = options.observer or PlainReport()
        self._detail: TargetDetail = options.target
        self._guard = Guard(self.project, self.identifier, options.choice.allow_target)
        self._admitted: set[bool] = set()
        """Which kinds of writes the guard has let pass: those of ``before_write`` are True."""
        self._buckets: set[str] = set()
        """The buckets beyond the outputs file that the guard has let pass."""
        self._refusals: dict[str | None, SeedctlError] = {}
        """What was refused, by bucket; of the backend itself by None."""
        self._lock = threading.RLock()
        self.missing_secret = options.missing_secret
        self.on_password = options.on_password
        self.app_client_secret = options.app_client_secret
        if self.app_client_secret is None and not is_local:  # the local app client has none
            self.app_client_secret = os.environ.get(APP_CLIENT_SECRET) or None
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
                stale = stale_warning(self.project.root, self.outputs.if_any())
                if stale is not None:
                    self.observer.on_warning(stale)
            # Calls to a local sandbox inside this process need no quota.
            is_paced = endpoint_url not in process_state.instance(EmbeddedSandboxes)
            settings = AWSSettings(
                options.profile, options.region, endpoint_url, is_local, is_paced
            )
            self.aws = AWS(
                settings,
                fallback_region=self.outputs.region,
                quotas=quotas,
                before_write=self._before_call,
            )
            resources.callback(self.aws.close)
            self.resources = resources.pop_all()
            """To be closed together with the backend."""

    def before_write(self, bucket: str | None = None, region: str | None = None) -> None:
        """Report what is about to be changed, and have the guard check it, once.

        *bucket* is one that the outputs file does not list, in *region*: it is checked as well.
        Raises TargetNotAllowedError, OutputsMismatchError or StackDoesNotExistError if the backend,
        or what the outputs file leads to, may not be written to; then also for every later write.
        """
        self._admit(uses_outputs=True)
        if bucket is None or bucket in self._buckets or self.aws.is_local:
            return
        with self._refused_alike(bucket):
            self._check_bucket(bucket, region)
            self._buckets.add(bucket)

    def before_secret(self) -> None:
        """Do the same before a write to Parameter Store, which needs no outputs file."""
        self._admit(uses_outputs=self._detail == "outputs" and not self._admitted)

    def _before_call(self, service: str) -> None:
        """Do the same before a write through ``backend.aws``; all others have done it already."""
        if service == "ssm":
            self.before_secret()
        else:
            self.before_write()

    def _admit(self, *, uses_outputs: bool) -> None:
        if uses_outputs in self._admitted:
            return
        with self._refused_alike():
            if uses_outputs not in self._admitted:
                outputs = self.outputs.if_any() if uses_outputs else None
                self._check_target(outputs)
                # A script may write the file later.
                self._admitted |= {False, outputs is not None}

    @contextmanager
    def _refused_alike(self, bucket: str | None = None) -> Iterator[None]:
        """Let one thread check at a time. After a refusal, raise it again and do not ask again."""
        with self._lock:
            before = self._refusals.get(bucket)
            if before is not None:
                raise type(before)(before.message, resolution=before.resolution)
            try:
                yield
            except (TargetNotAllowedError, OutputsMismatchError, StackDoesNotExistError) as error:
                self._refusals[bucket] = error
                raise

    def _check_bucket(self, bucket: str, region: str | None) -> None:
        ownership = find_bucket_owner(self.aws, self.project, self.identifier, bucket, region)
        if ownership.backend is not None:
            self._guard.require_name(
                ownership.backend,
                f"The bucket {masking.mask(bucket)} belongs to",
                lambda: describe_target(self.aws, self.project, self.identifier, None, ownership),
            )
        elif ownership.reason:
            self.observer.on_warning(
                f"The owner of the bucket {masking.mask(bucket)} could not be looked up: {ownership.reason}."
            )

    def _check_target(self, outputs: AmplifyOutputs | None) -> None:
        is_local = self.aws.is_local
        ownership = None
        if outputs is not None and not is_local:
            ownership = find_owner(self.aws, self.project, self.identifier, outputs)

        @cache
        def describe() -> Target:
            return describe_target(self.aws, self.project, self.identifier, outputs, ownership)

        warnings: list[str] = []
        if not is_local:
            warnings = self._guard.check(outputs, ownership, describe)
        if self._detail != "none" and not self._admitted:
            self.observer.on_target(describe())
        for each in warnings:
            self.observer.on_warning(each)


def _state_folder(options: ConnectionOptions, project: Project, *, is_local: bool) -> Path:
    state = options.state
    if state is None and is_local:
        state = os.environ.get(STATE) or None
    return Path(state).absolute() if state is not None else project.state_folder


def _refuse_contradictions(options: ConnectionOptions, *, is_local: bool) -> None:
    options.choice.check(is_local=is_local)
    if is_local and options.endpoint_url is not None:
        raise InvalidCommandInputError(
            "--local and --endpoint-url exclude each other.",
            resolution="Leave one of them out: --local brings its own endpoint.",
        )
    if options.state is not None and not is_local:
        raise InvalidCommandInputError(
            "state= is only for the local sandbox.",
            resolution="Pass local=True too, or leave it out.",
        )


def _refuse_empty(options: ConnectionOptions) -> None:
    """Refuse an empty text, which usually comes from a variable that is not set."""
    own = ("project_dir", "profile", "region", "endpoint_url", "outputs", "state")
    given = {name: getattr(options, name) for name in own}
    given |= {each.name: getattr(options.choice, each.name) for each in fields(options.choice)}
    for name, value in given.items():
        if value == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )
