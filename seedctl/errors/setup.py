"""Errors about wrong usage (exit code 2) and about the user's set-up (exit code 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidCommandInputError(SeedctlError):
    """An option or argument has a value that is not allowed."""

    exit_code = 2


class InvalidSecretNameError(SeedctlError):
    """The name of a secret would mean something else to Parameter Store."""

    exit_code = 2


class InvalidSecretValueError(SeedctlError):
    """Parameter Store cannot store the secret's value: it is empty, or larger than 4 KB."""

    exit_code = 2


class ProjectNotFoundError(SeedctlError):
    """There is no Amplify project in this folder or above it."""

    exit_code = 3


class InvalidPackageJsonError(SeedctlError):
    """``package.json`` does not exist, cannot be read or has no usable ``name``."""

    exit_code = 3


class SandboxIdentifierNotFoundError(SeedctlError):
    """There is no identifier of the sandbox: none was given, and there is no default."""

    exit_code = 3


class BackendIdConversionFault(SeedctlError):  # noqa: N818 - Amplify's name
    """The backend identifier cannot be converted to a parameter path."""

    exit_code = 3


class AmplifyOutputsNotFoundError(SeedctlError):
    """There is no ``amplify_outputs.json``, or only the stub from before the first deployment."""

    exit_code = 3


class InvalidAmplifyOutputsError(SeedctlError):
    """The outputs file is not what Amplify writes; the message names the file and the key."""

    exit_code = 3


class MissingAuthError(SeedctlError):
    """The call needs an auth resource, and the backend has none."""

    exit_code = 3


class OutputsMismatchError(SeedctlError):
    """The outputs file describes another sandbox than the chosen one."""

    exit_code = 3


class StackDoesNotExistError(SeedctlError):
    """The chosen sandbox is not deployed."""

    exit_code = 3


class SeedScriptNotFoundError(SeedctlError):
    """The seed script does not exist."""

    exit_code = 3


class InvalidCredentialError(SeedctlError):
    """The AWS credentials are missing, expired or not valid."""

    exit_code = 3


class MissingRegionError(InvalidCredentialError):
    """There is no AWS region in the options, environment, profile or outputs file."""


class MixedEndpointsError(SeedctlError):
    """Some calls would go to this machine and others to the real AWS."""

    exit_code = 3


class NoBackendError(SeedctlError):
    """The call needs a backend, and none is connected."""

    exit_code = 3


class PromptUnavailableError(SeedctlError):
    """The user must type something, and there is no terminal."""

    exit_code = 3


class MFACodeUnavailableError(SeedctlError):
    """Cognito asks for a code, and nothing can supply it: no callback, command or terminal."""

    exit_code = 3


class LocalSandboxError(SeedctlError):
    """The local sandbox cannot start, or its state cannot be used.

    The sandbox's server sends it to clients in a response header, and they raise it again.
    """

    exit_code = 3
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


class FileAccessError(SeedctlError):
    """A file of the user cannot be read or written."""

    exit_code = 3
