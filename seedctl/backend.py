"""``Backend``, where the parts of one connected backend are put together, and how to get one."""

from __future__ import annotations

import atexit
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedctl import process_state
from seedctl.appsync.client_factory import Data, DataClientFactory
from seedctl.cognito.identity import IdentityPool
from seedctl.cognito.journal import Journal
from seedctl.cognito.pool import UserPool
from seedctl.connection import STATE, Connection, ConnectionOptions
from seedctl.current import ActiveBackends
from seedctl.embedded import restore_state, save_state
from seedctl.errors import InvalidCommandInputError, NoBackendError, ProjectNotFoundError
from seedctl.masked_output import masked_excepthook
from seedctl.outputs import AmplifyOutputs, AuthSection
from seedctl.parameter_store import Secrets
from seedctl.project import BackendChoice, BackendIdentifier, OtherStack, find_project
from seedctl.report import Observer
from seedctl.s3.client_factory import StorageFactory
from seedctl.target import TargetDetail
from seedctl.users.auth import Auth
from seedctl.users.session import SessionServices
from seedctl.users.signed_in import AmbientAuth, AmbientIdentity

if TYPE_CHECKING:
    from seedctl.aws.pacing import CallStatistics
    from seedctl.s3.client import Storage

__all__ = ["Backend", "connect", "current_backend"]


class Backend:
    """A connected backend: the users, secrets, data and files of one sandbox, branch or stack.

    Get one with ``connect`` or ``current_backend``. Use it in a ``with`` block: at the end,
    every open session is signed out and an embedded local sandbox stops. Thread-safe.

    Attributes:
        auth: Users: create them, sign them in, add them to groups.
        secrets: The secrets of the backend.
        aws: Makes AWS calls with the developer's own credentials.
        data: Makes clients for the records.
        project: The Amplify project on disk.
        state_folder: Contains the state of the local sandbox, and notes about unfinished users.
        identifier: Which backend this is.
        ambient_auth: The current user of the module-level functions.
    """

    def __init__(self, connection: Connection) -> None:
        """For ``connect``, which opens the *connection*; the backend closes it."""
        project, observer = connection.project, connection.observer
        aws, outputs = connection.aws, connection.outputs
        self.project = project
        self.state_folder = connection.state_folder
        self.identifier = connection.identifier
        self.aws = aws
        self._outputs = outputs
        self._resources = connection.resources
        self._blocks: list[AbstractContextManager[None]] = []
        before_write = connection.before_write
        self._identity_pool = identity_pool = IdentityPool(aws, outputs)
        clients = DataClientFactory(aws, outputs, observer, before_write)
        self._resources.callback(clients.close)
        self._storage_factory = StorageFactory(aws, outputs, observer, before_write)
        self.secrets = Secrets(
            aws,
            self.identifier,
            observer,
            connection.before_secret,
            connection.missing_secret,
        )
        self._journal = Journal(self.state_folder, observer.on_warning)
        self.auth = Auth(
            UserPool(aws, outputs, client_secret=connection.app_client_secret),
            self._journal,
            observer,
            before_write,
            services=SessionServices(identity_pool, clients, self._storage_factory),
            codes=connection.codes,
            on_password=connection.on_password,
        )
        self.ambient_auth = AmbientAuth(self.auth, identity_pool)
        self._signed_in = AmbientIdentity(self.ambient_auth, identity_pool)
        self.data = Data(clients, self._signed_in)

    def __enter__(self) -> Backend:
        """Make the module-level functions act on this backend, until the end of the block."""
        self._blocks.append(self.activate())
        self._blocks[-1].__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        finally:
            self._blocks.pop().__exit__(None, None, None)

    @property
    def outputs(self) -> AmplifyOutputs:
        """The parsed outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return self._outputs.outputs

    @property
    def storage(self) -> Storage:
        """The files in the buckets, with the permissions of the current user, or of a guest."""
        return self._storage_factory.storage_for(self._signed_in)

    def check_outputs(self) -> AmplifyOutputs | None:
        """Return the outputs file, or None if the project has none and the user named none.

        Raises if it is invalid, or if it was named explicitly and does not exist.
        """
        return self._outputs.if_any()

    def environment(self) -> dict[str, str | None]:
        """Return the environment variables with which other programs use this same backend.

        Returns:
            The values by name. None means that the variable must not be set.
        """
        # Other tools could not make anything of the identifier of a stack that Amplify did not name.
        has_name = not isinstance(self.identifier, OtherStack)
        identifier = self.identifier.to_json() if has_name else None
        has_own_state = self.state_folder != self.project.state_folder
        return {
            **self.aws.environment(),
            "AMPLIFY_BACKEND_IDENTIFIER": identifier,
            STATE: str(self.state_folder) if has_own_state else None,
        }

    def statistics(self) -> dict[str, CallStatistics]:
        """Return the number of calls so far by operation, those to AppSync and S3 included."""
        return self.aws.statistics()

    def require_auth(self) -> AuthSection:
        """Return the auth section of the outputs file. Raises MissingAuthError if it has none."""
        return self._outputs.require_auth()

    def front_end_outputs(self) -> dict[str, Any]:
        """Return the outputs file for a front end that uses the same local sandbox.

        Its ``data.url`` is the API of the local sandbox; everything else is as in the outputs file.

        Raises:
            InvalidCommandInputError: The backend is not a local sandbox.
        """
        return self.outputs.served_at(self._local_url())

    def save_state(self, name: str) -> None:
        """Save the state of the local sandbox as a snapshot; replace an older one with this name.

        Args:
            name: The name: letters, digits, ``-``, ``_`` and ``.``.

        Raises:
            InvalidCommandInputError: The backend is not a local sandbox, or *name* cannot be a name.
            LocalSandboxError: The snapshot cannot be written.
        """
        save_state(self._local_url(), self.state_folder, self._outputs, name)

    def restore_state(self, name: str) -> None:
        """End every open session, and replace the state of the local sandbox by a snapshot.

        Args:
            name: The name that was given to ``save_state``.

        Raises:
            InvalidCommandInputError: The backend is not a local sandbox, or *name* cannot be a name.
            LocalSandboxError: There is no such snapshot, or the state is in use by another process.
        """
        url = self._local_url()
        restore_state(url, self.state_folder, self._outputs, name)
        self.auth.drop_sessions()
        self._identity_pool.forget_guest()
        # A project's own folder also has notes about users on AWS.
        if self.state_folder != self.project.state_folder:
            self._journal.clear_all()

    def sign_out_all(self) -> None:
        """Sign out every open session, and drop the cached identity of guests."""
        self.auth.close()
        self._identity_pool.forget_guest()

    def _local_url(self) -> str:
        url = self.aws.endpoint_url
        if url is None or not self.aws.is_local:
            raise InvalidCommandInputError(
                f"This needs a local sandbox, and {self.describe()} is none.",
                resolution="Connect with local=True.",
            )
        return url

    def describe(self) -> str:
        """Return the name of this backend for messages."""
        where = "the local" if self.aws.is_local else "the"
        return f"{where} {self.identifier.kind} {self.identifier.title} ({self.project.root})"

    def activate(self) -> AbstractContextManager[None]:
        """Make the module-level functions act on this backend in the block; do not close it after."""
        return active_backends().block(self)

    def close(self) -> None:
        """Sign out every open session, close connections and stop an embedded local sandbox."""
        with self._resources:
            self.auth.close()


def active_backends() -> ActiveBackends[Backend]:
    """Return the backends whose blocks are open in this process."""
    return process_state.instance(ActiveBackends)


def current_backend() -> Backend:
    """Return the backend that the module-level functions act on.

    That is the backend of the ``with`` block around this call, such as the running script's. In a
    script that was started as ``python amplify/seed/seed.py``, the first call connects by the rules
    of the command line, and the backend is closed when the process ends.

    Raises:
        NoBackendError: There is no script that shows which project to use; or the call is outside
            of every block although this process has called ``connect`` itself, since an
            automatic connection could reach another backend than that one.
    """
    return active_backends().current(_connect_for_script)


def connect(
    project_dir: str | Path | None = None,
    *,
    identifier: str | BackendIdentifier | None = None,
    app_id: str | None = None,
    branch: str | None = None,
    stack: str | None = None,
    allow_target: str | None = None,
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
    state: str | Path | None = None,
) -> Backend:
    """Connect to a backend of an Amplify project. This makes no AWS call.

    Inside ``with connect(...) as backend:`` the module-level functions act on that backend. Outside
    of every such block they raise NoBackendError from now on: this process connects explicitly.

    Args:
        project_dir: The project's folder. Default: the nearest one at or above the working directory.
        identifier: The sandbox's name. Default: AMPLIFY_BACKEND_IDENTIFIER, then SEEDCTL_IDENTIFIER,
            then the name of the operating system's account.
        app_id: The id of an Amplify app, with *branch*: the backend of a Hosting branch.
        branch: The branch as git names it, with *app_id*.
        stack: The backend with this CloudFormation stack. If Amplify did not make the stack's name,
            it has no secrets.
        allow_target: Allows writing to this branch or stack, although it is not a sandbox of this
            project. Without it such a write is refused, or the name must be typed at a terminal.
        profile: The AWS profile. Default: AWS_PROFILE.
        region: The region of the secrets. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's,
            then the outputs file's. Everything else uses the regions in the outputs file.
        endpoint_url: An emulator that gets every AWS call instead of AWS.
        outputs: The outputs file. Default: the project's ``amplify_outputs.json``.
        local: Use the running local sandbox, or else one in this process. Default: SEEDCTL_LOCAL.
        app_client_secret: The secret of an app client that has one. Default: SEEDCTL_APP_CLIENT_SECRET.
        mfa_command: Prints the one-time codes that no callback gives. Default: SEEDCTL_MFA_COMMAND.
        prompt: Ask for one-time codes on the terminal even if the local sandbox's inbox has them.
        observer: Receives the run's events. Default: the target and warnings go to stderr.
        target: What to look up and show before the first write: "outputs", "account" or "none". The
            check whether the backend may be written to does not depend on it.
        state: The folder of the local sandbox's state. Default: SEEDCTL_STATE, then
            ``.amplify/seedctl`` in the project.

    Raises:
        InvalidCommandInputError: An option is wrong, or empty as if from a variable that is not set.
        ProjectNotFoundError: There is no Amplify project.
    """
    # First, even if the rest fails: after a failed connect(local=True), nothing may reach real AWS.
    active_backends().count_explicit_connection()
    options = ConnectionOptions(
        project_dir=project_dir,
        choice=BackendChoice(identifier, app_id, branch, stack, allow_target),
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        outputs=outputs,
        local=local,
        app_client_secret=app_client_secret,
        mfa_command=mfa_command,
        prompt=prompt,
        observer=observer,
        target=target,
        state=state,
    )
    return Backend(Connection(options))


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
    except ProjectNotFoundError:  # the script may be a symbolic link into a project
        project = find_project(Path(script).resolve().parent)
    backend = Backend(Connection(ConnectionOptions(project_dir=project.root)))
    atexit.register(backend.close)
    return backend
