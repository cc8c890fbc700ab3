"""Decide before the first write whether the backend may be written to.

A sandbox of this project may be written to. Any other backend needs its name, given with
``--allow-target`` or typed at a terminal. An outputs file must belong to the chosen backend.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from seedctl.errors import (
    OutputsMismatchError,
    SeedctlError,
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
        refusal = self.refusal(outputs, ownership)
        if refusal is not None:
            raise refusal
        warnings = []
        for step in self._steps(ownership):
            if step == "name chosen":
                self.require_name(self._chosen(ownership), "The target is", describe)
            elif step == "name owner":
                owner = ownership.backend or self.identifier
                self.require_name(owner, f"{outputs.path} belongs to", describe)
                warnings.append(
                    f"Secrets are those of the {_named(self.identifier)}, but {outputs.path} "
                    f"belongs to the {_named(owner)}."
                )
            else:
                warnings += self._confirm(outputs, ownership, describe)
        return warnings

    def refusal(self, outputs: AmplifyOutputs, ownership: Ownership) -> SeedctlError | None:
        """Return the error of every write to *outputs*, whatever is named; None if there is none."""
        steps = self._steps(ownership)
        if "refuse mismatch" in steps:
            return self._mismatch(outputs, ownership)
        return self._missing(ownership) if "refuse missing" in steps else None

    def _steps(self, ownership: Ownership) -> tuple[Step, ...]:
        is_own = is_own_sandbox(self.identifier, self.project)
        return STEPS[is_own and not ownership.is_deployed_elsewhere, ownership.owner]

    def _chosen(self, ownership: Ownership) -> BackendIdentifier:
        """Return the chosen backend, with the raw name of its branch if the stack's tags tell it."""
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
        what = f"{what} the {_named(backend)}"
        other = "which is not a sandbox of this project."
        name = backend.short_name
        if given is None and can_prompt():
            given = TerminalPrompter().ask_openly(
                f"{what} ({_facts(describe())}), {other}\nType {mask(name)} to write there"
            )
            if given in _names(backend):
                return
        wrong = "" if given is None else f" You named {mask(given)!r}."
        is_chosen = backend.stack_name == self.identifier.stack_name
        options = "" if is_chosen else f"{backend.options} "
        raise TargetNotAllowedError(
            f"{what}, {other} Nothing was written.{wrong}",
            resolution=f"If you mean it, add {options}--allow-target {mask(name)}, or "
            f"allow_target={mask(name)!r} to connect(). Else choose your sandbox, and write its "
            "outputs file with seedctl outputs.",
        )

    def _mismatch(self, outputs: AmplifyOutputs, ownership: Ownership) -> OutputsMismatchError:
        owner = ownership.backend
        facts = [f"it {ownership.difference}"] if ownership.difference else []
        if owner is not None and owner.stack_name != self.identifier.stack_name:
            pool = "its user pool" if outputs.auth is not None else "it"
            facts.append(f"{pool} belongs to the {_named(owner)}")
        options = (owner.options if owner is not None else "") or "--identifier"
        return OutputsMismatchError(
            f"{outputs.path} does not belong to the {_named(self.identifier)}: {'; '.join(facts)}.",
            resolution=f"Write the file with {self._outputs_command()}, or choose the backend it "
            f"belongs to with {options}.",
        )

    def _outputs_command(self) -> str:
        """Return the command that writes the outputs file of the chosen backend."""
        return f"seedctl outputs {self.identifier.options}".rstrip()

    def _missing(self, ownership: Ownership) -> StackDoesNotExistError:
        return StackDoesNotExistError(
            f"The {_named(self.identifier)} is not deployed in {ownership.region}: there is no stack "
            f"{self.identifier.stack_name}.",
            resolution="Deploy it with npx ampx sandbox, or name the right one with "
            "--identifier, --profile or --outputs.",
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
            f"{what}\nIt leads to {_facts(describe())}.\n"
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
