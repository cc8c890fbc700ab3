"""A connected backend: the object door to everything, and the one that functions act on."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from seedctl.auth.ambient import AmbientAuth
from seedctl.auth.identity import AmbientIdentity, IdentityPool, SessionIdentity
from seedctl.auth.journal import Journal
from seedctl.auth.pool import UserPool
from seedctl.auth.users import Auth
from seedctl.current import ActiveBackends
from seedctl.data.door import Data
from seedctl.errors import (
    AmplifyOutputsNotFoundError,
    MissingAuthError,
)
from seedctl.project import (
    BackendIdentifier,
    find_outputs,
    load_outputs,
)
from seedctl.secrets import Secrets
from seedctl.storage.door import Files
from seedctl.target import TargetDetail, describe_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path
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
        self._blocks: list[AbstractContextManager[Backend]] = []
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


active_backends: ActiveBackends[Backend] = ActiveBackends()
