"""Wrong usage (exit code 2), and what the caller has to set up first (exit code 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from seedctl.errors.base import SeedctlError

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidCommandInputError(SeedctlError):
    """An option or argument has a value that cannot be right."""

    exit_code = 2


class InvalidSecretNameError(SeedctlError):
    """A secret name that Parameter Store would read as something else."""

    exit_code = 2


class InvalidSecretValueError(SeedctlError):
    """A secret's value that Parameter Store cannot keep: empty, or over 4 KB."""

    exit_code = 2


class ProjectNotFoundError(SeedctlError):
    """No Amplify project here or above."""

    exit_code = 3


class InvalidPackageJsonError(SeedctlError):
    """``package.json`` is missing, unreadable or has no usable ``name``."""

    exit_code = 3


class SandboxIdentifierNotFoundError(SeedctlError):
    """The sandbox cannot be told: no identifier given and none to be derived."""

    exit_code = 3


class BackendIdConversionFault(SeedctlError):  # noqa: N818 - Amplify's name
    """A backend identifier from which no parameter path can be made."""

    exit_code = 3


class AmplifyOutputsNotFoundError(SeedctlError):
    """No ``amplify_outputs.json``, or only the stub written before the first deployment."""

    exit_code = 3


class InvalidAmplifyOutputsError(SeedctlError):
    """The outputs file is not what Amplify writes; the message gives file and key path."""

    exit_code = 3


class MissingAuthError(SeedctlError):
    """The backend has no auth resource, and the call needs one."""

    exit_code = 3


class OutputsMismatchError(SeedctlError):
    """The outputs file describes another sandbox than the one chosen."""

    exit_code = 3


class StackDoesNotExistError(SeedctlError):
    """The chosen sandbox is not deployed."""

    exit_code = 3


class SeedScriptNotFoundError(SeedctlError):
    """The seed script is not where it should be."""

    exit_code = 3


class InvalidCredentialError(SeedctlError):
    """AWS credentials are missing, expired or not valid."""

    exit_code = 3


class MissingRegionError(InvalidCredentialError):
    """No AWS region in options, environment, profile or outputs."""


class MixedEndpointsError(SeedctlError):
    """Part of the run would reach this machine and part the real AWS."""

    exit_code = 3


class NoBackendError(SeedctlError):
    """A call needs a backend, and none is connected."""

    exit_code = 3


class PromptUnavailableError(SeedctlError):
    """Something has to be typed, and there is no terminal to type it on."""

    exit_code = 3


class MFACodeUnavailableError(SeedctlError):
    """Cognito waits for a code, and there is nobody and nothing to ask."""

    exit_code = 3


class LocalSandboxError(SeedctlError):
    """The local sandbox cannot start, or its state cannot be used.

    The sandbox's server tells it to clients in a header of its answer, and they raise it again.
    """

    exit_code = 3
    header: ClassVar = "x-seedctl-local-sandbox-error"

    def to_header(self) -> tuple[str, str]:
        """Return the header's name and value."""
        import json  # noqa: PLC0415 - only where something went wrong

        return self.header, json.dumps([self.message, self.resolution])

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> LocalSandboxError | None:
        """Return the error in an answer's *headers*, None where there is none."""
        text = headers.get(cls.header)
        if text is None:
            return None
        import json  # noqa: PLC0415 - as above

        message, resolution = json.loads(text)
        return cls(message, resolution=resolution)


class FileAccessError(SeedctlError):
    """A file of the user's could not be read or written."""

    exit_code = 3
