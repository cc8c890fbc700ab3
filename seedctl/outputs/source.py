"""The outputs file of one backend, which is found and read when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from seedctl.errors import AmplifyOutputsNotFoundError, MissingAuthError
from seedctl.outputs.document import load_outputs
from seedctl.project import find_outputs

if TYPE_CHECKING:
    from pathlib import Path

    from seedctl.outputs.document import AmplifyOutputs, AuthSection
    from seedctl.project import Project


class OutputsSource:
    """Finds and reads the outputs file, once."""

    def __init__(self, project: Project, *, explicit: Path | None, is_local: bool) -> None:
        """*explicit* is the file that the user named; None means the project's own.

        *is_local* is whether it is for the local sandbox, which may use a file of its own.
        """
        self._project = project
        self._explicit = explicit
        self._is_local = is_local

    @cached_property
    def outputs(self) -> AmplifyOutputs:
        """The outputs file. Raises AmplifyOutputsNotFoundError, InvalidAmplifyOutputsError."""
        return load_outputs(
            find_outputs(self._project, explicit=self._explicit, local=self._is_local)
        )

    def if_any(self) -> AmplifyOutputs | None:
        """Return the outputs file, or None if the project has none and the user named none.

        Secrets work without one. Raises AmplifyOutputsNotFoundError if the file that the user named
        does not exist, and InvalidAmplifyOutputsError.
        """
        try:
            return self.outputs
        except AmplifyOutputsNotFoundError:
            if self._explicit is not None:
                raise
            return None

    @property
    def auth(self) -> AuthSection | None:
        """The auth section; None if the backend has no auth resource."""
        return self.outputs.auth

    def require_auth(self) -> AuthSection:
        """Return the auth section. Raises MissingAuthError if there is none."""
        if self.outputs.auth is None:
            raise MissingAuthError(
                f"{self.outputs.path} has no auth section: this backend has no auth resource.",
                resolution="Add one in amplify/auth/resource.ts, deploy, and run again.",
            )
        return self.outputs.auth

    def region(self) -> str | None:
        """Return the user pool's region, the last resort for calls without a configured region."""
        if self._is_local:
            return "us-east-1"
        auth = self.outputs.auth
        return auth.user_pool_region if auth is not None else None
