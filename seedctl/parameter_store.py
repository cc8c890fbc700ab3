"""Sandbox secrets in Parameter Store, under the same paths as ampx."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from seedctl import errors, masking
from seedctl.project import BackendIdentifier
from seedctl.report import Event, Observer

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_MAX_BYTES = 4096
_TO_UTF8 = (
    "Convert it to UTF-8: in PowerShell, run $OutputEncoding = [Text.UTF8Encoding]::new() before "
    "you pipe a value, or write a file with Set-Content -Encoding utf8. Encode binary values, for "
    "example as base64."
)
_ENCODE = "encode binary values, for example as base64."
_DELETE_BATCH = 10


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret with its value.

    Attributes:
        name: The name, without the path in Parameter Store.
        value: The decrypted value.
        version: 1 for the first value; it grows with each change.
        last_updated: When the value was stored, with its time zone.
    """

    name: str
    value: str = field(repr=False)
    version: int
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The result of storing a secret.

    Attributes:
        name: The name, without the path in Parameter Store.
        version: 1 means that the secret is new; it grows with each change.
    """

    name: str
    version: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Secrets:
    """The secrets of one sandbox. Nothing is cached: each call sends a request."""

    _aws: AWS
    _identifier: BackendIdentifier
    _observer: Observer
    _before_write: Callable[[], None]
    _missing_value: Callable[[str], str | None] | None = None
    """Returns the value to store for a secret that is read and was never set; None for no value."""

    def get(self, name: str) -> str:
        """Return the value of a secret.

        Args:
            name: The name: letters, digits, ``_``, ``.`` and ``-``.

        Raises:
            SSMParameterNotFoundError: The secret was never set.
            InvalidSecretNameError: *name* has other characters.
        """
        return self.read(name).value

    def read(self, name: str) -> Secret:
        """Return a secret with its version and the time of its last change.

        Args:
            name: The name: letters, digits, ``_``, ``.`` and ``-``.

        Raises:
            SSMParameterNotFoundError: The secret was never set.
            InvalidSecretNameError: *name* has other characters.
        """
        parameters = {"Name": self._path(name), "WithDecryption": True}
        fix = f"Set it with {self._command(f'set {name}')}."
        if self._missing_value is not None:  # the commands do not reach a sandbox of tests
            fix = f"Set it before with set_secret({name!r}, value)."
        try:
            parameter = self._call_for(name, "GetParameter", parameters, fix)["Parameter"]
        except errors.SSMParameterNotFoundError:
            value = self._missing_value(name) if self._missing_value is not None else None
            if value is None:
                raise
            self.set(name, value)
            parameter = self._call_for(name, "GetParameter", parameters, fix)["Parameter"]
        value = parameter.get("Value")
        if not value:
            raise errors.SecretError(
                f"The secret {name} has no value.",
                resolution=f"Set it again with {self._command(f'set {name}')}.",
            )
        masking.register(value)
        self._observer.on_event(Event("secret", name, "read"))
        return Secret(name, value, parameter["Version"], parameter["LastModifiedDate"])

    def set(self, name: str, value: str) -> StoredSecret:
        """Store a secret, replacing any existing value.

        Args:
            name: The name: letters, digits, ``_``, ``.`` and ``-``.
            value: Text of 1 to 4096 bytes in UTF-8, without NUL characters.

        Raises:
            InvalidSecretNameError: *name* has other characters.
            InvalidSecretValueError: *value* is empty, too long or not text.
        """
        path = self._path(name)
        check_value(name, value)
        masking.register(value)
        self._before_write()
        parameters = {
            "Name": path,
            "Value": value,
            "Type": "SecureString",
            "Description": "Amplify Secret",
            "Overwrite": True,
        }
        reply = self._aws.call("ssm", "PutParameter", parameters)
        self._observer.on_event(Event("secret", name, "set"))
        return StoredSecret(name, reply["Version"])

    def list(self) -> list[str]:
        """Return the names of all secrets, in the order of Parameter Store, without decrypting any."""
        names = []
        # Unlike ampx, without decryption: the caller then needs no permission to decrypt.
        parameters = {"Path": self._prefix(), "WithDecryption": False}
        while True:
            reply = self._aws.call("ssm", "GetParametersByPath", parameters)
            names += [entry["Name"].rpartition("/")[2] for entry in reply["Parameters"]]
            if not reply.get("NextToken"):
                return names
            parameters = {**parameters, "NextToken": reply["NextToken"]}

    def remove(self, name: str) -> None:
        """Delete a secret.

        Args:
            name: The name: letters, digits, ``_``, ``.`` and ``-``.

        Raises:
            SSMParameterNotFoundError: There is no such secret.
            InvalidSecretNameError: *name* has other characters.
        """
        path = self._path(name)
        self._before_write()
        fix = f"{self._command('list')} shows the existing ones."
        self._call_for(name, "DeleteParameter", {"Name": path}, fix)
        self._observer.on_event(Event("secret", name, "removed"))

    def remove_all(self) -> int:
        """Delete all secrets of the sandbox, and return how many there were.

        A secret that something else deletes at the same time counts as deleted.
        """
        names = self.list()
        if names:
            self._before_write()
        for start in range(0, len(names), _DELETE_BATCH):
            batch = names[start : start + _DELETE_BATCH]
            paths = [f"{self._prefix()}/{name}" for name in batch]
            reply = self._aws.call("ssm", "DeleteParameters", {"Names": paths})
            deleted = {*reply.get("DeletedParameters", ()), *reply.get("InvalidParameters", ())}
            for name, path in zip(batch, paths, strict=True):
                if path not in deleted:
                    detail = f": it does not mention {name}"
                    raise errors.InvalidResponseError.of("ssm", "DeleteParameters", detail)
                self._observer.on_event(Event("secret", name, "removed"))
        return len(names)

    def _path(self, name: str) -> str:
        return f"{self._prefix()}/{check_name(name)}"

    def _prefix(self) -> str:
        prefix = self._identifier.parameter_prefix
        if "//" in prefix:
            # ampx sends such a path, and Parameter Store refuses it.
            raise errors.BackendIdConversionFault(
                f"The namespace {self._identifier.namespace!r} has no ASCII letter or digit, "
                "so the backend's secrets have no path in Parameter Store.",
                resolution="Use a name with ASCII letters or digits in package.json.",
            )
        return prefix

    def _command(self, arguments: str) -> str:
        return secret_command(self._identifier, arguments, is_local=self._aws.is_local)

    def _call_for(
        self, name: str, operation: str, parameters: dict[str, Any], fix: str
    ) -> dict[str, Any]:
        """Make a call about one secret. Raises SSMParameterNotFoundError, with *fix*."""
        try:
            return self._aws.call("ssm", operation, parameters)
        except errors.AWSError as error:
            if error.code != "ParameterNotFound":
                raise
            raise errors.SSMParameterNotFoundError(
                f"There is no secret {name} in the {self._identifier.kind} "
                f"{self._identifier.title}.",
                code=error.code,
                service=error.service,
                operation=error.operation,
                request_id=error.request_id,
                resolution=fix,
            ) from error


def secret_command(identifier: BackendIdentifier, arguments: str, *, is_local: bool) -> str:
    """Return the command line of ``seedctl secret`` with *arguments* for a backend."""
    local = "--local" if is_local else ""
    return " ".join(filter(None, ["seedctl", local, identifier.options, "secret", arguments]))


def check_name(name: str) -> str:
    """Return *name* if it is valid, else raise InvalidSecretNameError.

    A slash would lead to another path, and a colon would select a version.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise errors.InvalidSecretNameError(
            f"{name!r} cannot be the name of a secret.",
            resolution="Use letters, digits, underscores, dots and dashes.",
        )
    return name


def decode(raw: bytes, source: str) -> str:
    """Decode *raw* from UTF-8, and remove a byte order mark. *source* names it in messages.

    Raises InvalidSecretValueError for UTF-16, which Windows tools write, and for binary data.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = "\0"  # leads to the error below
    if "\0" in text:
        is_utf16 = b"\0" in raw or raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
        why = "looks like UTF-16, or has NUL characters" if is_utf16 else "is not UTF-8 text"
        raise errors.InvalidSecretValueError(f"{source} {why}.", resolution=_TO_UTF8)
    return text.lstrip("\ufeff")


def check_value(name: str, value: str) -> str:
    """Return *value* if it can be stored, else raise InvalidSecretValueError.

    It must be text of 1 to 4096 bytes in UTF-8 without a NUL character.
    """
    wrong = _find_fault(value)
    if wrong is not None:
        fault, resolution = wrong
        raise errors.InvalidSecretValueError(
            f"The value of the secret {name} {fault}.", resolution=resolution
        )
    return value


def _find_fault(value: object) -> tuple[str, str] | None:
    """Return why *value* cannot be stored and what to do, or None if it can be."""
    if not isinstance(value, str) or not value:
        fault = "is empty" if value == "" else "is not text"
        return fault, "Give text of at least one character."
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "is not valid Unicode text", f"Give text; {_ENCODE}"
    if "\0" in value:
        return "contains a NUL character", f"Remove it; {_ENCODE}"
    if size > _MAX_BYTES:
        return (
            f"has {size} bytes; Parameter Store allows {_MAX_BYTES}",
            "Split it, or store it elsewhere and only its location as the secret.",
        )
    return None
