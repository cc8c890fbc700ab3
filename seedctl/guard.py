"""Decide before the first write whether the backend may be written to.

A sandbox of this project may be written to. Any other backend needs its name, given with
``--allow-target`` or typed at a terminal. An outputs file must belong to the chosen backend.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from seedctl.errors import (
    OutputsMismatchError,
    StackDoesNotExistError,
    TargetNotAllowedError,
)
from seedctl.masking import mask
from seedctl.outputs import AmplifyOutputs
from seedctl.owner import Owner, Ownership
from seedctl.project import BackendIdentifier, Project, is_own_sandbox
from seedctl.prompter import TerminalPrompter, can_prompt
from seedctl.report import Target

Step = Literal["name chosen", "name owner", "confirm", "refuse mismatch", "refuse missing"]
"""What is required before the first write: the name of the chosen backend, or of the owner of the outputs;
a confirmation of outputs that could not be checked. The others refuse the write."""

STEPS: Mapping[tuple[bool, Owner], tuple[Step, ...]] = {
    # By whether the chosen backend is a sandbox of this project, and by the owner of the outputs.
    (True, "chosen"): (),
    (True, "unknown"): ("confirm",),
    (True, "other"): ("name owner",),
    (True, "mismatch"): ("refuse mismatch",),
    (True, "missing"): ("refuse missing",),
    (False, "chosen"): ("name chosen",),
    (False, "unknown"): ("name chosen", "confirm"),
    (False, "other"): ("refuse mismatch",),
    (False, "mismatch"): ("refuse mismatch",),
    (False, "missing"): ("refuse missing",),
}

_FOLDER = "unchecked"
_OTHER = "which is not a sandbox of this project."


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides whether a run may write to the chosen backend."""

    project: Project
    identifier: BackendIdentifier
    allow_target: str | None

    def check(
        self,
        outputs: AmplifyOutputs | None,
        ownership: Ownership | None,
        describe: Callable[[], Target],
    ) -> list[str]:
        """Return warnings, or raise if the write is not allowed.

        *outputs* and their *ownership* are None for writes to Parameter Store. *describe* looks up
        the target, which is shown if the user has to type something. Raises TargetNotAllowedError,
        OutputsMismatchError, StackDoesNotExistError.
        """
        if outputs is None or ownership is None:
            if not is_own_sandbox(self.identifier, self.project):
                self.require_name(self.identifier, "The target is", describe)
            return []
        warnings = []
        needed = self.name_needed(outputs, ownership)
        if needed is not None:
            self.require_name(*needed, describe)
        steps = self._steps(ownership)
        if needed is not None and "name owner" in steps:
            warnings.append(
                f"Secrets are those of the {_named(self.identifier)}, but {outputs.path} "
                f"belongs to the {_named(needed[0])}."
            )
        if "confirm" in steps:
            warnings += self._confirm(outputs, ownership, describe)
        return warnings

    def name_needed(
        self, outputs: AmplifyOutputs, ownership: Ownership
    ) -> tuple[BackendIdentifier, str] | None:
        """Return the backend that must be named for a write to *outputs*, and what to say before its name.

        None if none must be named. Raises OutputsMismatchError or StackDoesNotExistError if every
        write is refused.
        """
        steps = self._steps(ownership)
        if "refuse mismatch" in steps:
            raise self._mismatch(outputs, ownership)
        if "refuse missing" in steps:
            raise self._missing(ownership)
        if "name owner" in steps:
            return ownership.backend or self.identifier, f"{outputs.path} belongs to"
        return (self._chosen(ownership), "The target is") if "name chosen" in steps else None

    def _steps(self, ownership: Ownership) -> tuple[Step, ...]:
        is_own = is_own_sandbox(self.identifier, self.project)
        return STEPS[is_own and not ownership.is_deployed_elsewhere, ownership.owner]

    def _chosen(self, ownership: Ownership) -> BackendIdentifier:
        """Return the chosen backend, with the full name of its branch if the stack's tags have it."""
        found = ownership.backend
        is_same = found is not None and found.stack_name == self.identifier.stack_name
        return found if found is not None and is_same else self.identifier

    def require_name(
        self, backend: BackendIdentifier, what: str, describe: Callable[[], Target]
    ) -> None:
        """Raise TargetNotAllowedError unless *backend* was named, or is named now.

        *what* is the beginning of the message, which goes on with the name of the backend.
        """
        given = self.allow_target
        if given in _names(backend):
            return
        if given is None and can_prompt():
            given = TerminalPrompter().ask_openly(
                f"{what} the {_named(backend)} ({_facts(describe())}), {_OTHER}\n"
                f"Type {mask(backend.short_name)} to write there"
            )
            if given in _names(backend):
                return
        wrong = "" if given is None else f" You named {mask(given)!r}."
        raise self.not_allowed(backend, what, f" Nothing was written.{wrong}")

    def not_allowed(
        self, backend: BackendIdentifier, what: str, end: str = ""
    ) -> TargetNotAllowedError:
        """Return the error of a write without the name of *backend*; *end* is the end of its message."""
        name = mask(backend.short_name)
        is_chosen = backend.stack_name == self.identifier.stack_name
        options = "" if is_chosen else f"{backend.options} "
        return TargetNotAllowedError(
            f"{what} the {_named(backend)}, {_OTHER}{end}",
            resolution=f"If you mean it, add {options}--allow-target {shlex.quote(name)}, or "
            f"allow_target={name!r} to connect(). Else choose your sandbox, and write its "
            "outputs file with seedctl outputs.",
        )

    def _mismatch(self, outputs: AmplifyOutputs, ownership: Ownership) -> OutputsMismatchError:
        owner = ownership.backend
        facts = [f"it {ownership.difference}"] if ownership.difference else []
        if owner is not None and owner.stack_name != self.identifier.stack_name:
            pool = "its user pool" if outputs.auth is not None else "it"
            facts.append(f"{pool} belongs to the {_named(owner)}")
        options = (owner.options if owner is not None else "") or "--identifier"
        choose = f", or choose the backend it belongs to with {options}"
        command = f"seedctl outputs {self.identifier.options}".rstrip()
        return OutputsMismatchError(
            f"{outputs.path} does not belong to the {_named(self.identifier)}: {'; '.join(facts)}.",
            resolution=f"Write the file with {command}{'' if ownership.is_mixed else choose}.",
        )

    def _missing(self, ownership: Ownership) -> StackDoesNotExistError:
        return StackDoesNotExistError(
            f"The {_named(self.identifier)} is not deployed in {ownership.region}: there is no stack "
            f"{self.identifier.stack_name}.",
            resolution="Deploy it, such as a sandbox with npx ampx sandbox; or name the right one with "
            "--identifier, --app-id and --branch, --stack, --profile or --outputs.",
        )

    def _confirm(
        self, outputs: AmplifyOutputs, ownership: Ownership, describe: Callable[[], Target]
    ) -> list[str]:
        """Ask once whether outputs that could not be checked are the right ones. Without a terminal, warn."""
        what = (
            f"{outputs.path} could not be checked to belong to the {_named(self.identifier)}: "
            f"{ownership.reason}."
        )
        marker = self.project.state_folder / _FOLDER / self._digest(outputs)
        if marker.exists():
            return []
        if not can_prompt():
            return [what]
        answer = TerminalPrompter().ask_openly(
            f"{what}\nIt leads to {_facts(replace(describe(), stage=''))}.\n"
            "Type yes to write there; for this file you are asked once"
        )
        if answer.lower() != "yes":
            raise TargetNotAllowedError(
                f"{what} Nothing was written.",
                resolution="Answer yes if the file is the right one, or choose the backend and the "
                "file with --identifier, --app-id and --branch, --stack or --outputs.",
            )
        try:
            marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.project.state_folder.chmod(0o700)
            marker.touch(mode=0o600)
        except OSError as error:
            return [f"The answer could not be stored in {marker.parent}: {error.strerror}."]
        return []

    def _digest(self, outputs: AmplifyOutputs) -> str:
        """Return a digest of the chosen backend and of the resources in *outputs*."""
        data, storage = outputs.data, outputs.storage
        buckets = (storage.default, *storage.buckets) if storage is not None else ()
        places = [
            self.identifier.stack_name,
            outputs.auth.user_pool_id if outputs.auth is not None else None,
            data.url if data is not None else None,
            *(each.bucket_name for each in buckets),
        ]
        return hashlib.sha256(json.dumps(places).encode()).hexdigest()


def _named(backend: BackendIdentifier) -> str:
    return f"{backend.kind} {mask(backend.title)}"


def _facts(target: Target) -> str:
    pool = f"user pool {target.user_pool}" if target.user_pool is not None else ""
    return ", ".join(filter(None, [target.stage, pool, f"account {target.account}"]))


def _names(backend: BackendIdentifier) -> set[str]:
    """Return the names by which *backend* may be allowed."""
    return {backend.stack_name, *([backend.name] if backend.type == "branch" else [])}
