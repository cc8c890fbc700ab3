"""The backend identifier and the names made from it: CloudFormation stack, parameter paths.

The rules are exactly those of ampx, since each tool must find the secrets that the other one stored.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from seedctl import errors

if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
    import getpass
else:
    import pwd

_TYPES = ("sandbox", "branch", "standalone")
_OPTION_PATTERN = re.compile(r"[a-zA-Z0-9-]{1,15}")
_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class BackendIdentifier:
    """One backend.

    Attributes:
        namespace: The ``name`` in package.json, the id of a Hosting app, or the name of a standalone
            backend.
        name: The name of the sandbox or branch; "backend" of a standalone backend.
        type: "sandbox", "branch" or "standalone".
        hash: The ten digits at the end of the stack's name; None to compute them.
    """

    namespace: str
    name: str
    type: str = "sandbox"
    hash: str | None = None

    @property
    def stack_name(self) -> str:
        """The CloudFormation stack, at most 127 characters long."""
        digest = self.hash
        if digest is None:
            # No separator, as in ampx: ("ab", "c") and ("a", "bc") have the same digest.
            source = _utf8(self.namespace) + _utf8(self.name)
            digest = hashlib.sha512(source).hexdigest()[:10]
        name = _sanitise(self.name)[:50]
        # What ampx leaves after "amplify", four dashes, a ten-digit hash, and one character more.
        longest = 128 - len("amplify") - len(self.type) - len(name) - 4 - 10 - 1
        namespace = _sanitise(self.namespace)[:longest]
        return f"amplify-{namespace}-{name}-{self.type}-{digest}"

    @property
    def kind(self) -> str:
        """What it is, in words: "sandbox", "branch", "standalone backend" or "stack"."""
        return "standalone backend" if self.type == "standalone" else self.type

    @property
    def title(self) -> str:
        """Its name for messages, after its ``kind``."""
        if self.type == "branch":
            return f"{self.name} of app {self.namespace}"
        return self.namespace if self.type == "standalone" else f"{self.name} of {self.namespace}"

    @property
    def short_name(self) -> str:
        """The name to type for it: a branch's own name, or else the stack's."""
        return self.name if self.type == "branch" and self.hash is None else self.stack_name

    @property
    def options(self) -> str:
        """The options that select this backend, ready for a shell; "" if none are needed."""
        if self.hash is None and self.type == "sandbox":
            if self.name == _default_name():
                return ""
            if _OPTION_PATTERN.fullmatch(self.name):
                return f"--identifier {self.name}"
        if self.hash is None and self.type == "branch":
            return f"--app-id {shlex.quote(self.namespace)} --branch {shlex.quote(self.name)}"
        return f"--stack {self.stack_name}"

    @classmethod
    def from_stack_name(cls, stack_name: str) -> BackendIdentifier | None:
        """Return the identifier with its sanitised parts, or None if Amplify did not make the name.

        Args:
            stack_name: The name of a CloudFormation stack.
        """
        parts = stack_name.split("-")
        if len(parts) != 5 or parts[0] != "amplify" or parts[3] not in _TYPES:
            return None
        return cls(namespace=parts[1], name=parts[2], type=parts[3], hash=parts[4])

    @property
    def parameter_prefix(self) -> str:
        """The path in Parameter Store below which all secrets of this backend are, without a final slash.

        Raises BackendIdConversionFault if the stack name cannot be parsed back into its parts.
        """
        return f"/amplify/{self._path_parts()}"

    def parameter_path(self, secret_name: str) -> str:
        """Return the path of a secret of this backend.

        Args:
            secret_name: The secret's own name.
        """
        return f"{self.parameter_prefix}/{secret_name}"

    @property
    def shared_prefix(self) -> str:
        """The path of secrets that all backends of an app share; its namespace is not sanitised."""
        return f"/amplify/shared/{self.namespace}"

    def shared_parameter_path(self, secret_name: str) -> str:
        """Return the path of a secret that all backends of the app share.

        Args:
            secret_name: The secret's own name.
        """
        return f"{self.shared_prefix}/{secret_name}"

    def resource_reference_path(self, reference: str) -> str:
        """Return the path where Amplify stores which resource a name refers to.

        Args:
            reference: The name of the reference.
        """
        return f"/amplify/resource_reference/{self._path_parts()}/{reference}"

    def _path_parts(self) -> str:
        parsed = self.from_stack_name(self.stack_name)
        if parsed is None or not parsed.hash:
            raise errors.BackendIdConversionFault(
                f"The backend identifier {self.to_json()} cannot be made into a parameter path.",
                resolution="Use a backend of type sandbox, branch or standalone, and leave the "
                "hash out or give one without a dash.",
            )
        return f"{parsed.namespace}/{parsed.name}-{parsed.type}-{parsed.hash}"

    def to_json(self) -> str:
        """The text that ampx puts into AMPLIFY_BACKEND_IDENTIFIER."""
        fields = {"namespace": self.namespace, "name": self.name, "type": self.type}
        if self.hash is not None:
            fields["hash"] = self.hash
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        # As JSON.stringify does: an environment variable cannot hold half of a surrogate pair.
        return _SURROGATE.sub(lambda half: f"\\u{ord(half.group()):04x}", text)

    @classmethod
    def from_json(cls, text: str) -> BackendIdentifier:
        """Parse the value of AMPLIFY_BACKEND_IDENTIFIER.

        Args:
            text: A JSON object with the fields namespace, name, type, and optionally hash.

        Raises:
            SandboxIdentifierNotFoundError: *text* is something else.
        """
        try:
            value: Any = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        fields = ("namespace", "name", "type")
        if not isinstance(value, dict) or not all(isinstance(value.get(f), str) for f in fields):
            raise errors.SandboxIdentifierNotFoundError(
                "AMPLIFY_BACKEND_IDENTIFIER does not hold a backend identifier.",
                resolution='Unset it, or set it to JSON such as {"namespace":"my-app",'
                '"name":"alice","type":"sandbox"}.',
            )
        digest = value.get("hash") if isinstance(value.get("hash"), str) else None
        return cls(value["namespace"], value["name"], value["type"], digest)


@dataclass(frozen=True, slots=True)
class OtherStack(BackendIdentifier):
    """A stack whose name Amplify did not make, as *name*. It has no paths in Parameter Store."""

    @classmethod
    def of(cls, stack_name: str) -> OtherStack:
        return cls(namespace="", name=stack_name, type="stack")

    @property
    def stack_name(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return self.name

    @property
    def shared_prefix(self) -> str:
        return self._path_parts()

    def _path_parts(self) -> str:
        raise errors.BackendIdConversionFault(
            f"The stack {self.name} has no secrets: Amplify did not make its name, and the paths of "
            "secrets in Parameter Store are made from the parts of such a name.",
            resolution="Name the backend with --identifier, with --app-id and --branch, or by a "
            "stack name such as amplify-myapp-alice-sandbox-617b6b058d.",
        )


def check_identifier_option(text: str, *, source: str = "--identifier") -> str:
    """Return *text* if ampx allows it as a sandbox name.

    *source* is the option or variable that errors name. Raises InvalidCommandInputError.
    """
    if not _OPTION_PATTERN.fullmatch(text):
        raise errors.InvalidCommandInputError(
            f"{source} is {text!r}, which cannot be a sandbox identifier.", resolution=_advice(text)
        )
    return text


def _advice(text: str) -> str:
    """Return what to do instead of naming a sandbox *text*, which may be an account's name."""
    chosen = re.sub(r"[^a-zA-Z0-9-]", "", text)[:15] or "dev1"
    rule = (
        f"Use 1 to 15 letters, digits and dashes, such as --identifier {chosen} or "
        f"SEEDCTL_IDENTIFIER={chosen}, and give npx ampx sandbox the same."
    )
    try:
        is_own_account = text == os_account_name()
    except errors.SandboxIdentifierNotFoundError:
        is_own_account = False
    if is_own_account:
        return f"Leave it out: without it, the sandbox of your account {text} is used. Or: {rule}"
    return (
        f"{rule} If ampx has named the sandbox after an account, leave the identifier out and run "
        "as that account."
    )


def os_account_name() -> str:
    """Return the name of the account that the process runs as: the default name of the sandbox.

    It comes from the effective uid, as in ampx, since ``USER`` and ``LOGNAME`` may be wrong. Raises
    SandboxIdentifierNotFoundError for a uid without a name, which is common in containers.
    """
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise errors.SandboxIdentifierNotFoundError(
            f"The process runs as user id {os.geteuid()}, which has no account name to name the "
            "sandbox after.",
            resolution="Name the sandbox with --identifier or SEEDCTL_IDENTIFIER.",
        ) from None


def _default_name() -> str | None:
    """Return the name of the sandbox that commands use without options; None if there is none."""
    with suppress(errors.SandboxIdentifierNotFoundError):
        return os.environ.get("SEEDCTL_IDENTIFIER") or os_account_name()
    return None


def _sanitise(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text)


def _utf8(text: str) -> bytes:
    # JSON may hold half of a surrogate pair; JavaScript encodes it as U+FFFD.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
