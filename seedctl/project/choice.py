"""The backend that the user chose: a sandbox, a Hosting branch, or a stack by its name."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from seedctl import errors
from seedctl.project.identifier import (
    BackendIdentifier,
    OtherStack,
    check_identifier_option,
    os_account_name,
)
from seedctl.project.root import Project, namespace_of

_APP_ID = re.compile(r"d[a-z0-9]{1,19}")
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")
_MAX_BRANCH = 255

FromAmpx = Literal["any", "deployed", "none"]
"""Which values of AMPLIFY_BACKEND_IDENTIFIER are used: "any"; "deployed": those of a deployed backend that
is not a sandbox; or "none"."""


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """The options that choose the backend; None if not given. ``seedctl.connect`` explains them."""

    identifier: str | BackendIdentifier | None = None
    app_id: str | None = None
    branch: str | None = None
    stack: str | None = None
    allow_target: str | None = None

    def check(self, *, is_local: bool) -> None:
        """Raise InvalidCommandInputError for a wrong value, or for options that exclude each other."""
        given = [
            option
            for option, value in (
                ("--identifier", self.identifier),
                ("--app-id", self.app_id),
                ("--branch", self.branch),
                ("--stack", self.stack),
            )
            if value is not None
        ]
        if given in (["--app-id"], ["--branch"]):
            other = "--branch" if given == ["--app-id"] else "--app-id"
            raise errors.InvalidCommandInputError(
                f"{given[0]} needs {other}.",
                resolution="Name a Hosting branch with both: --app-id ID --branch NAME.",
            )
        if len(given) > 1 and given != ["--app-id", "--branch"]:
            names = f"{', '.join(given[:-1])} and {given[-1]}"
            raise errors.InvalidCommandInputError(
                f"{names} exclude each other.",
                resolution="Name one backend: a sandbox with --identifier, a branch with --app-id "
                "and --branch, or any backend with --stack.",
            )
        if is_local and given and given != ["--identifier"]:
            raise errors.InvalidCommandInputError(
                f"--local (or SEEDCTL_LOCAL) and {given[0]} exclude each other.",
                resolution="Leave one of them out: the local sandbox is no deployed backend.",
            )
        for name in ("app_id", "branch", "stack"):
            value = getattr(self, name)
            if value is not None:
                check_choice_option(name, value)


def check_choice_option(name: str, value: str) -> None:
    """Raise InvalidCommandInputError if *value* cannot be an app_id, a branch or a stack."""
    rules = {
        "app_id": (
            _APP_ID.fullmatch(value),
            "an id such as d1a2b3c4d5e6f7; see the Amplify console",
        ),
        "branch": (0 < len(value) <= _MAX_BRANCH, f"a name of 1 to {_MAX_BRANCH} characters"),
        "stack": (
            _STACK.fullmatch(value),
            "the name of a stack, not its ARN: up to 128 letters, digits and dashes",
        ),
    }
    is_valid, rule = rules[name]
    if not is_valid:
        option = f"--{name.replace('_', '-')}"
        raise errors.InvalidCommandInputError(
            f"{option} is {value!r}, which is not valid.", resolution=f"Give {rule}."
        )


def chosen_identifier(
    choice: BackendChoice,
    project: Project,
    *,
    from_ampx: FromAmpx = "any",
) -> BackendIdentifier:
    """Return the chosen backend, else that of the environment, else the sandbox of the account.

    That of the environment is in AMPLIFY_BACKEND_IDENTIFIER, if *from_ampx* allows its value, or else
    in SEEDCTL_IDENTIFIER.
    """
    if isinstance(choice.identifier, BackendIdentifier):
        return choice.identifier
    if choice.identifier:
        return BackendIdentifier(namespace_of(project), check_identifier_option(choice.identifier))
    if choice.app_id and choice.branch:
        return BackendIdentifier(choice.app_id, choice.branch, "branch")
    if choice.stack:
        return identifier_of_stack(choice.stack, project)
    found = _from_ampx(from_ampx)
    if found is not None:
        return found
    name = os.environ.get("SEEDCTL_IDENTIFIER")
    if name:
        check_identifier_option(name, source="SEEDCTL_IDENTIFIER")
    return BackendIdentifier(namespace_of(project), name or os_account_name())


def is_own_sandbox(identifier: BackendIdentifier, project: Project) -> bool:
    """Whether *identifier* is a sandbox of *project*, as far as is known.

    If package.json cannot be read, any sandbox counts as one. An identifier with a hash has sanitised
    parts.
    """
    if identifier.type != "sandbox":
        return False
    namespace = _own_namespace(project)
    # By the names of the stacks, since an identifier from such a name has a namespace that was cut.
    return namespace is None or (
        replace(identifier, namespace=namespace).stack_name == identifier.stack_name
    )


def identifier_of_stack(stack_name: str, project: Project) -> BackendIdentifier:
    """Return the backend of a stack, from the parts of its name if Amplify made the name."""
    parsed = BackendIdentifier.from_stack_name(stack_name)
    if parsed is None or not parsed.hash or parsed.stack_name != stack_name:
        return OtherStack.of(stack_name)
    namespace = _own_namespace(project)
    if namespace is not None and is_own_sandbox(parsed, project):
        # The original name, since the path of shared secrets is made from it.
        return BackendIdentifier(namespace, parsed.name, parsed.type, parsed.hash)
    return parsed


def _own_namespace(project: Project) -> str | None:
    with suppress(errors.InvalidPackageJsonError):
        return namespace_of(project)
    return None


def _from_ampx(which: FromAmpx) -> BackendIdentifier | None:
    text = os.environ.get("AMPLIFY_BACKEND_IDENTIFIER")
    if not text or which == "none":
        return None
    if which == "any":
        return BackendIdentifier.from_json(text)
    with suppress(errors.SandboxIdentifierNotFoundError):
        found = BackendIdentifier.from_json(text)
        return found if found.type != "sandbox" else None
    return None
