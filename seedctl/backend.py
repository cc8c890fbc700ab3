"""A connected backend: where everything is put together, and how to get one."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seedctl import masking
from seedctl.appsync.client_factory import Data, DataClientFactory
from seedctl.cognito.identity import IdentityPool
from seedctl.cognito.journal import Journal
from seedctl.cognito.pool import UserPool
from seedctl.cognito.refusals import APP_CLIENT_SECRET
from seedctl.current import ActiveBackends
from seedctl.embedded import InboxCodes, is_served_here, local_endpoint, local_from_environment
from seedctl.errors import InvalidCommandInputError, NoBackendError, ProjectNotFoundError
from seedctl.masked_output import masked_excepthook
from seedctl.outputs import OutputsSource
from seedctl.parameter_store import Secrets
from seedctl.project import chosen_identifier, find_project
from seedctl.prompter import CommandCodes
from seedctl.report import PlainReport
from seedctl.s3.client_factory import StorageFactory
from seedctl.target import TargetNotice
from seedctl.users.auth import Auth
from seedctl.users.session import SessionServices
from seedctl.users.signed_in import AmbientAuth, AmbientIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import TracebackType

    from seedctl.aws.calls import AWS, Caller
    from seedctl.aws.pacing import CallStatistics
    from seedctl.outputs import AmplifyOutputs, AuthSection
    from seedctl.project import BackendIdentifier, Project
    from seedctl.prompter import CodeSource
    from seedctl.report import Observer
    from seedctl.s3.client import Storage
    from seedctl.target import TargetDetail

__all__ = ["Backend", "connect", "current_backend"]


class Backend:
    """One sandbox, connected. Thread-safe; leaving its ``with`` block closes it."""

    def __init__(
        self,
        *,
        project: Project,
        identifier: BackendIdentifier,
        aws: AWS,
        outputs: OutputsSource,
        observer: Observer,
        app_client_secret: str | None = None,
        target: TargetDetail = "outputs",
        codes: CodeSource | None = None,
        resources: ExitStack | None = None,
    ) -> None:
        """*resources* are closed with the backend.

        The observer hears what is about to be changed before the first write; *target* says how
        much is looked up for that.
        """
        self.project = project
        self.identifier = identifier
        self._aws = aws
        self._outputs = outputs
        self._resources = resources or ExitStack()
        self._blocks: list[AbstractContextManager[Backend]] = []
        before_write = TargetNotice(aws, project, identifier, outputs, observer, detail=target)
        identity_pool = IdentityPool(aws, outputs)
        clients = DataClientFactory(aws, outputs, observer, before_write)
        self._resources.callback(clients.close)
        self._storage_factory = StorageFactory(aws, outputs, observer, before_write)
        self.secrets = Secrets(aws, identifier, observer, before_write)
        self.auth = Auth(
            UserPool(aws, outputs, client_secret=app_client_secret),
            Journal(project.state_folder, observer.on_warning),
            observer,
            before_write,
            services=SessionServices(identity_pool, clients, self._storage_factory),
            codes=codes,
        )
        self.ambient_auth = AmbientAuth(self.auth, identity_pool)
        self._signed_in = AmbientIdentity(self.ambient_auth, identity_pool)
        self.data = Data(clients, self._signed_in)

    def __enter__(self) -> Backend:
        """Make this the backend that the module-level functions act on, for the block."""
        self._blocks.append(self.activate())
        self._blocks[-1].__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        finally:
            self._blocks.pop().__exit__(None, None, None)

    @property
    def outputs(self) -> AmplifyOutputs:
        """The outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return self._outputs.outputs

    @property
    def storage(self) -> Storage:
        """The buckets, as whoever is signed in."""
        return self._storage_factory.storage_for(self._signed_in)

    def check_outputs(self) -> None:
        """Raise for an outputs file that is broken, or was named and is not there."""
        self._outputs.if_any()

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
        return self._outputs.require_auth()

    def describe(self) -> str:
        """Return how messages name this backend."""
        where = "the local sandbox" if self._aws.is_local else "the sandbox"
        return (
            f"{where} {self.identifier.name} of {self.identifier.namespace} ({self.project.root})"
        )

    @contextmanager
    def activate(self) -> Iterator[Backend]:
        """Make functions act on this backend for the block, which does not close it at its end."""
        with active_backends.block(self):
            yield self

    def close(self) -> None:
        """Sign out whoever is still signed in, and let go of what the backend holds."""
        with self._resources:
            self.auth.close()


active_backends: ActiveBackends[Backend] = ActiveBackends()


def current_backend() -> Backend:
    """Return the backend whose ``with`` block this call is in, such as the running script's.

    In a script started as plain ``python amplify/seed/seed.py``, the first call connects, by the
    rules of the command line, and the process's end closes. Raises NoBackendError where there is no
    script to tell the project from, and outside of every block in a process that has connected a
    backend itself: it would be another one than the process has named.
    """
    return active_backends.current(_connect_for_script)


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

    Makes no AWS call. Inside of ``with connect(...) as backend:`` the module-level functions act on
    that backend. From this call on, the process never connects to another one by itself: a
    function that is called outside of every block raises NoBackendError.

    With *local* (or SEEDCTL_LOCAL=1) an embedded local sandbox serves everything until the backend
    is closed. *identifier* defaults to AMPLIFY_BACKEND_IDENTIFIER, then SEEDCTL_IDENTIFIER, then the
    name of the operating system's account. An option that is an empty text is refused, since it
    comes from a variable that was never set: InvalidCommandInputError.

    *app_client_secret* (or SEEDCTL_APP_CLIENT_SECRET, but for the local sandbox) is that of an app
    client that has one, which Amplify's own never have.

    One-time codes that no callback gives come from *mfa_command* (or SEEDCTL_MFA_COMMAND), in the
    local sandbox from its outbox unless *prompt* is set, else from whoever sits at the terminal.
    """
    # First, whatever comes of the rest: a failed connect(local=True) must not lead to the real AWS.
    active_backends.connected_on_request()
    given = {
        "project_dir": project_dir,
        "identifier": identifier,
        "profile": profile,
        "region": region,
        "endpoint_url": endpoint_url,
        "outputs": outputs,
    }
    for name, value in given.items():
        if value == "":
            raise InvalidCommandInputError(
                f"{name} is empty.", resolution="Give it a value, or leave it out."
            )
    return _connect(
        find_project(Path(), explicit=Path(project_dir) if project_dir is not None else None),
        identifier=identifier,
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        outputs_path=Path(outputs) if outputs is not None else None,
        is_local=local_from_environment() if local is None else local,
        app_client_secret=app_client_secret,
        mfa_command=mfa_command,
        prompt=prompt,
        observer=observer,
        target=target,
    )


def _connect(
    project: Project,
    *,
    is_local: bool,
    identifier: str | BackendIdentifier | None = None,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    outputs_path: Path | None = None,
    app_client_secret: str | None = None,
    mfa_command: str | None = None,
    prompt: bool = False,
    observer: Observer | None = None,
    target: TargetDetail = "outputs",
) -> Backend:
    from seedctl.aws.calls import AWS  # noqa: PLC0415 - botocore is slow
    from seedctl.aws.quotas import chosen_quotas  # noqa: PLC0415 - botocore is slow
    from seedctl.aws.settings import AWSSettings  # noqa: PLC0415 - botocore is slow

    if is_local and endpoint_url is not None:
        raise InvalidCommandInputError(
            "--local and --endpoint-url exclude each other.",
            resolution="Leave one of them out: --local brings its own endpoint.",
        )
    chosen = chosen_identifier(identifier, project)
    quotas = chosen_quotas(project)
    observer = observer or PlainReport()
    mfa_command = mfa_command or os.environ.get("SEEDCTL_MFA_COMMAND")
    if app_client_secret is None and not is_local:  # the sandbox's app client has none
        app_client_secret = os.environ.get(APP_CLIENT_SECRET) or None
    masking.register(app_client_secret)
    codes: CodeSource | None = None
    if mfa_command:
        codes = CommandCodes(mfa_command)
    elif is_local and not prompt:
        codes = InboxCodes(project.state_folder, observer)
    with ExitStack() as resources:
        source = OutputsSource(project, explicit=outputs_path, is_local=is_local)
        if is_local:
            endpoint_url = resources.enter_context(local_endpoint(project, source))
        settings = AWSSettings(
            profile, region, endpoint_url, is_local, is_paced=not is_served_here(endpoint_url)
        )
        settings = AWSSettings(
            profile, region, endpoint_url, is_local, is_paced=not is_served_here(endpoint_url)
        )
        aws = AWS(settings, fallback_region=source.region, quotas=quotas)
        return Backend(
            project=project,
            identifier=chosen,
            aws=aws,
            outputs=source,
            observer=observer,
            app_client_secret=app_client_secret,
            target=target,
            codes=codes,
            resources=resources.pop_all(),
        )


def _connect_for_script() -> Backend:
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is None:
        raise NoBackendError(
            "No backend is connected.",
            resolution="Run the script with seedctl seed or python, or write "
            "with seedctl.connect(...) as backend: around the call.",
        )
    sys.excepthook = masked_excepthook
    try:
        project = find_project(Path(script).absolute().parent)
    except ProjectNotFoundError:  # the script may be a link into a project
        project = find_project(Path(script).resolve().parent)
    backend = _connect(project, is_local=local_from_environment())
    atexit.register(backend.close)
    return backend
