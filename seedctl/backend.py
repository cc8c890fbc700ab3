"""A connected backend: the object door to everything, and the one that functions act on."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl.auth.ambient import AmbientAuth
from seedctl.auth.identity import AmbientIdentity, IdentityPool, SessionIdentity
from seedctl.auth.journal import Journal
from seedctl.auth.pool import UserPool
from seedctl.auth.users import Auth
from seedctl.data.door import Data
from seedctl.embedded import InboxCodes, is_served_here, local_endpoint
from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    InvalidCommandInputError,
    MissingAuthError,
    NoBackendError,
    ProjectNotFoundError,
)
from seedctl.hooks import masked_excepthook
from seedctl.project import (
    BackendIdentifier,
    chosen_identifier,
    find_outputs,
    find_project,
    load_outputs,
)
from seedctl.prompter import CommandCodes
from seedctl.report import PlainReport
from seedctl.secrets import Secrets
from seedctl.storage.door import Files
from seedctl.target import TargetDetail, describe_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from seedctl.auth.session import UserSession
    from seedctl.aws import AWS, Caller, CallStatistics
    from seedctl.data.client import DataClient
    from seedctl.project import AmplifyOutputs, AuthSection, Project
    from seedctl.prompter import CodeSource
    from seedctl.report import Observer
    from seedctl.storage.client import Storage


class Backend:
    """One sandbox, connected. Thread-safe; leaving its ``with`` block closes it."""

    def __init__(
        self,
        *,
        project: Project,
        identifier: BackendIdentifier,
        aws: AWS,
        outputs_path: Path | None,
        observer: Observer,
        app_client_secret: str | None = None,
        target: TargetDetail = "outputs",
        codes: CodeSource | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        """*resources* are closed with the backend; *outputs_path* None means the usual place.

        The observer hears what is about to be changed before the first write. *target* says how
        much is looked up for that: "outputs" checks whether the outputs file belongs to the
        sandbox, "account" only asks whose account it is, "none" tells nothing.
        """
        self.project = project
        self.identifier = identifier
        self._aws = aws
        self._outputs_path = outputs_path
        self._observer = observer
        self._app_client_secret = app_client_secret
        self._resources = resources or ExitStack()
        self._lock = threading.RLock()
        self._target: TargetDetail = target
        self.secrets = Secrets(aws, identifier, observer, self._before_write)
        journal = Journal(project.state_folder, observer.on_warning)
        self.auth = Auth(
            self._user_pool, journal, observer, self._before_write, rooms=self, codes=codes
        )
        self.ambient_auth = AmbientAuth(self.auth, self._identity_pool_of_outputs)
        self._whoever = AmbientIdentity(self.ambient_auth, self._identity_pool_of_outputs)
        self.data = Data(aws, lambda: self.outputs, self._whoever, observer, self._before_write)
        self._resources.callback(self.data.close)
        self._files = Files(
            lambda: self._aws.s3, lambda: self.outputs, observer, self._before_write
        )

    def __enter__(self) -> Backend:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @cached_property
    def outputs(self) -> AmplifyOutputs:
        """The outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return load_outputs(
            find_outputs(self.project, explicit=self._outputs_path, local=self._aws.is_local)
        )

    @cached_property
    def storage(self) -> Storage:
        """The buckets, as whoever is signed in."""
        return self._files.storage_for(self._whoever)

    def check_outputs(self) -> None:
        """Raise for an outputs file that is broken, or was named and is not there.

        No file at all is fine until something needs it: secrets do not.
        """
        try:
            _ = self.outputs
        except AmplifyOutputsNotFoundError:
            if self._outputs_path is not None:
                raise

    def environment(self) -> dict[str, str | None]:
        """Return the variables by which other programs and clients mean this same backend.

        None means: take the variable away.
        """
        identifier = {"AMPLIFY_BACKEND_IDENTIFIER": self.identifier.to_json()}
        return {**self._aws.environment(), **identifier}

    def statistics(self) -> dict[str, CallStatistics]:
        """Return how many calls were made so far, by operation, AppSync's and S3's too."""
        return self._aws.statistics()

    @property
    def aws(self) -> Caller:
        return self._aws

    def require_auth(self) -> AuthSection:
        """Return the outputs' auth section. Raises MissingAuthError when there is none."""
        if self.outputs.auth is None:
            raise MissingAuthError(
                f"{self.outputs.path} has no auth section: this backend has no auth resource.",
                resolution="Add one in amplify/auth/resource.ts, deploy, and run again.",
            )
        return self.outputs.auth

    @contextmanager
    def activate(self) -> Iterator[Backend]:
        """Make this the backend that the module-level functions act on, for the block."""
        with _current.lock:
            previous, _current.backend = _current.backend, self
        try:
            yield self
        finally:
            with _current.lock:
                _current.backend = previous

    def close(self) -> None:
        """Sign out whoever is still signed in, and let go of what the backend holds."""
        with self._resources:
            self.auth.close()

    def identity_for(self, session: UserSession) -> SessionIdentity:
        return SessionIdentity(session, self._identity_pool_of_outputs)

    def data_for(self, session: UserSession) -> DataClient:
        return self.data.client_for(session.identity)

    def storage_for(self, session: UserSession) -> Storage:
        return self._files.storage_for(session.identity)

    def _identity_pool_of_outputs(self) -> IdentityPool:
        return self._identity_pool

    @cached_property
    def _identity_pool(self) -> IdentityPool:
        return IdentityPool(self._aws, self.outputs.auth)

    def _user_pool(self) -> UserPool:
        return self._pool

    @cached_property
    def _pool(self) -> UserPool:
        return UserPool(self._aws, self.require_auth(), client_secret=self._app_client_secret)

    def _before_write(self) -> None:
        with self._lock:
            if self._target != "none":
                load = (lambda: self.outputs) if self._target == "outputs" else None
                target = describe_target(self._aws, self.project, self.identifier, load)
                self._observer.on_target(target)
                self._target = "none"


class _Current:
    """Process-wide on purpose: threads of a pool must find the backend of the script."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.backend: Backend | None = None
        self.may_connect = True


_current = _Current()


def current_backend() -> Backend:
    """Return the backend of the running script.

    In a script started as plain ``python amplify/seed/seed.py``, the first call connects, by the
    rules of the command line, and the process's end closes. Raises NoBackendError where there is no
    script to tell the project from.
    """
    with _current.lock:
        if _current.backend is None:
            _current.backend = _connect_for_script()
        return _current.backend


def connect_only_on_request() -> None:
    """Never connect at a first use in this process: it is a command line, and no seed script.

    A thread that outlives the script would otherwise reach the real AWS after a --local run.
    """
    _current.may_connect = False


def connect(
    project_dir: str | Path | None = None,
    *,
    identifier: str | BackendIdentifier | None = None,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    outputs: str | Path | None = None,
    local: bool | None = None,
    app_client_secret: str | None = None,
    mfa_command: str | None = None,
    prompt: bool = False,
    observer: Observer | None = None,
    target: TargetDetail = "outputs",
) -> Backend:
    """Connect to a sandbox of the project in *project_dir*, or in or above the working directory.

    Makes no AWS call. With *local* (or SEEDCTL_LOCAL=1) an embedded local sandbox serves everything
    until the backend is closed. *identifier* defaults to AMPLIFY_BACKEND_IDENTIFIER, then
    SEEDCTL_IDENTIFIER, then the name of the operating system's account.

    One-time codes that no callback gives come from *mfa_command* (or SEEDCTL_MFA_COMMAND), in the
    local sandbox from its outbox unless *prompt* is set, else from whoever sits at the terminal.
    """
    from seedctl.aws import AWS, AWSSettings, chosen_quotas  # noqa: PLC0415 - botocore is slow

    is_local = local_from_environment() if local is None else local
    if is_local and endpoint_url is not None:
        raise InvalidCommandInputError(
            "--local and --endpoint-url exclude each other.",
            resolution="Leave one of them out: --local brings its own endpoint.",
        )
    explicit = Path(project_dir) if project_dir is not None else None
    project = find_project(Path(), explicit=explicit)
    chosen = chosen_identifier(identifier, project)
    outputs_path = Path(outputs) if outputs is not None else None
    quotas = chosen_quotas(project)
    observer = observer or PlainReport()
    mfa_command = mfa_command or os.environ.get("SEEDCTL_MFA_COMMAND")
    codes: CodeSource | None = None
    if mfa_command:
        codes = CommandCodes(mfa_command)
    elif is_local and not prompt:
        codes = InboxCodes(project.state_folder, observer)
    with ExitStack() as resources:
        if is_local:
            endpoint_url = resources.enter_context(local_endpoint(project, outputs_path))
        settings = AWSSettings(
            profile, region, endpoint_url, is_local, is_paced=not is_served_here(endpoint_url)
        )
        backend: Backend

        def fallback_region() -> str | None:
            if is_local:
                return "us-east-1"
            auth = backend.outputs.auth
            return auth.user_pool_region if auth is not None else None

        backend = Backend(
            project=project,
            identifier=chosen,
            aws=AWS(settings, fallback_region=fallback_region, quotas=quotas),
            outputs_path=outputs_path,
            observer=observer,
            app_client_secret=app_client_secret,
            target=target,
            codes=codes,
            resources=resources.pop_all(),
        )
    return backend


def local_from_environment() -> bool:
    """Whether SEEDCTL_LOCAL asks for the local sandbox."""
    return os.environ.get("SEEDCTL_LOCAL", "").lower() in {"1", "true", "yes", "on"}


def _connect_for_script() -> Backend:
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None or not _current.may_connect:
        raise NoBackendError(
            "No backend is connected.",
            resolution="Run the script with seedctl seed or python, or connect one with "
            "seedctl.connect(...) and its activate().",
        )
    sys.excepthook = masked_excepthook
    try:
        project = find_project(Path(script).absolute().parent)
    except ProjectNotFoundError:  # the script may be a link into a project
        project = find_project(Path(script).resolve().parent)
    backend = connect(project.root)
    atexit.register(backend.close)
    return backend
