"""Errors about wrong usage (exit code 2) and about the user's set-up (exit code 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from pathlib import Path


class _SetUpError(SeedctlError):
    """The base of the errors about the user's set-up."""

    exit_code = 3


class InvalidCommandInputError(SeedctlError):
    """An option or argument has a value that is not allowed."""

    exit_code = 2


class InvalidSecretNameError(SeedctlError):
    """The name of a secret would mean something else to Parameter Store."""

    exit_code = 2


class InvalidSecretValueError(SeedctlError):
    """Parameter Store cannot store the secret's value: it is empty, or larger than 4 KB."""

    exit_code = 2


class ProjectNotFoundError(_SetUpError):
    """There is no Amplify project in this folder or above it."""


class InvalidPackageJsonError(_SetUpError):
    """``package.json`` does not exist, cannot be read or has no usable ``name``."""


class SandboxIdentifierNotFoundError(_SetUpError):
    """There is no identifier of the sandbox: none was given, and there is no default."""


class BackendIdConversionFault(_SetUpError):  # noqa: N818 - Amplify's name
    """The backend identifier cannot be converted to a parameter path."""


class AmplifyOutputsNotFoundError(_SetUpError):
    """There is no ``amplify_outputs.json``, or only the stub from before the first deployment."""


class InvalidAmplifyOutputsError(_SetUpError):
    """The outputs file is not what Amplify writes; the message names the file and the key."""


class MissingAuthError(_SetUpError):
    """The call needs an auth resource, and the backend has none."""


class OutputsMismatchError(_SetUpError):
    """The outputs file does not belong to the chosen backend."""


class StackDoesNotExistError(_SetUpError):
    """The chosen backend is not deployed."""


class NonAmplifyStackError(_SetUpError):
    """The stack is not the root stack of an Amplify backend."""


class DeploymentInProgressError(_SetUpError):
    """The chosen backend is just being deployed or deleted."""


class DeploymentFailedError(_SetUpError):
    """The last deployment of the chosen backend failed, and left it incomplete."""


class ModelIntrospectionNotFoundError(_SetUpError):
    """A deployed backend has data, but not the model introspection that belongs into the outputs file."""


class TargetNotAllowedError(_SetUpError):
    """The target is no sandbox of this project, and nobody has allowed writing to it by its name."""


class SeedScriptNotFoundError(_SetUpError):
    """The seed script does not exist."""


class InvalidCredentialError(_SetUpError):
    """The AWS credentials are missing, expired or not valid."""


class MissingRegionError(InvalidCredentialError):
    """There is no AWS region in the options, environment, profile or outputs file."""


class MixedEndpointsError(_SetUpError):
    """Some calls would go to this machine and others to the real AWS."""


class NoBackendError(_SetUpError):
    """The call needs a backend, and none is connected."""


class PromptUnavailableError(_SetUpError):
    """The user must type something, and there is no terminal."""


class MFACodeUnavailableError(_SetUpError):
    """Cognito asks for a code, and nothing can supply it: no callback, command or terminal."""


class LocalSandboxError(_SetUpError):
    """The local sandbox cannot start, or its state cannot be used.

    The sandbox's server sends it to clients in a response header, and they raise it again.
    """

    header: ClassVar = "x-seedctl-local-sandbox-error"

    def to_header(self) -> tuple[str, str]:
        """Return the header's name and value."""
        import json  # noqa: PLC0415 - only where something went wrong

        return self.header, json.dumps([self.message, self.resolution])

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> LocalSandboxError | None:
        """Return the error in a response's *headers*, or None if there is none."""
        text = headers.get(cls.header)
        if text is None:
            return None
        import json  # noqa: PLC0415 - as above

        message, resolution = json.loads(text)
        return cls(message, resolution=resolution)


class FileAccessError(_SetUpError):
    """A file of the user cannot be read or written."""


class NodeNotFoundError(_SetUpError):
    """The backend's source needs Node.js, and there is none that Amplify's packages support."""


class AmplifyPackagesNotFoundError(_SetUpError):
    """The Amplify packages that the backend's source needs are not installed in the project."""


class BackendSourceError(_SetUpError):
    """The project's own source, ``amplify/backend.ts``, cannot be loaded and synthesized."""

    def __init__(
        self,
        message: str,
        *,
        resolution: str | None = None,
        place: tuple[Path, int | None] | None = None,
        output: str = "",
    ) -> None:
        """*place* is the file and line in the project; *output* is what its code printed."""
        super().__init__(message, resolution=resolution)
        self.place = place
        self.output = output
