"""Find which deployed backend an outputs file belongs to, by asking CloudFormation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seedctl.outputs import AmplifyOutputs
from seedctl.outputs.resources import resources_of_file
from seedctl.project import BackendIdentifier, Project, is_own_sandbox
from seedctl.stack_lookup import DeployedStack, StackLookup

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

Owner = Literal["chosen", "other", "mismatch", "missing", "unknown"]
"""Which backend the resources in the outputs file belong to. "chosen": the chosen backend; "other": one
other backend, which is not a sandbox of this project; "mismatch": another sandbox of this project, or
several backends; "missing": unknown, and the chosen backend is not deployed; "unknown"."""

_ChosenStack = Literal["same", "differs", "silent", "missing", "unreadable"]
"""The outputs of the chosen stack, compared with the file: they have the "same" resources; a resource
"differs"; they are "silent", without any resource; the stack is "missing" or "unreadable"."""
_RootStack = Literal["chosen", "own", "other", "unknown"]
"""The stack that owns the user pool: the "chosen" one, another sandbox of this project ("own"), any
"other" stack, or "unknown"."""

OWNERS: Mapping[tuple[_ChosenStack, _RootStack], Owner] = {
    ("same", "chosen"): "chosen",
    ("same", "own"): "chosen",  # a sandbox may share the pool of another one (referenceAuth)
    ("same", "other"): "other",  # the chosen sandbox shares the pool of another backend
    ("same", "unknown"): "chosen",
    ("differs", "chosen"): "mismatch",
    ("differs", "own"): "mismatch",
    ("differs", "other"): "other",
    ("differs", "unknown"): "mismatch",
    ("silent", "chosen"): "chosen",
    ("silent", "own"): "mismatch",
    ("silent", "other"): "other",
    ("silent", "unknown"): "unknown",
    ("missing", "own"): "mismatch",
    ("missing", "other"): "other",
    ("missing", "unknown"): "missing",
    ("unreadable", "chosen"): "unknown",  # nothing is known about the API and the buckets
    ("unreadable", "own"): "mismatch",
    ("unreadable", "other"): "other",
    ("unreadable", "unknown"): "unknown",
}


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which backend the resources in an outputs file belong to."""

    owner: Owner
    region: str | None = None
    """The region of the stacks."""
    backend: BackendIdentifier | None = None
    """The backend of the stack that owns the user pool, if that is known."""
    difference: str = ""
    """For a "mismatch": the first resource that differs, as the end of a sentence about the file."""
    is_mixed: bool = False
    """Whether the stack that owns the user pool has not all of the resources in the file either."""
    reason: str = ""
    """For "unknown": the reason, as a sentence without its full stop."""
    is_deployed_elsewhere: bool = False
    """Whether the tags of the chosen stack say that it is not a sandbox, whatever its name says."""


def find_owner(
    aws: AWS, project: Project, identifier: BackendIdentifier, outputs: AmplifyOutputs
) -> Ownership:
    """Return which backend the resources in *outputs* belong to; *identifier* is the chosen one.

    A look-up that fails is not an error; the owner is then unknown.
    """
    resources = resources_of_file(outputs)
    stacks = StackLookup(aws, _region(outputs))
    name = identifier.stack_name
    chosen = stacks.describe(name)
    difference = ""
    from_chosen: _ChosenStack
    if isinstance(chosen, str):
        from_chosen = chosen
    elif not chosen.resources:
        from_chosen = "silent"
    else:
        difference = _difference(resources, chosen)
        from_chosen = "differs" if difference else "same"
    root = stacks.root_of(_physical_id(outputs))
    if root is None and resources and from_chosen not in {"same", "unreadable"}:
        root = stacks.naming(*resources[0])
    from_root: _RootStack = "unknown"
    backend = None
    if root is not None:
        has_raw_names = root.name == name and identifier.hash is None
        backend = identifier if has_raw_names else root.identifier(project)
        is_own = root.is_sandbox and is_own_sandbox(backend, project)
        from_root = "chosen" if root.name == name else "own" if is_own else "other"
    owner = OWNERS.get((from_chosen, from_root), "unknown")
    differs_from_root = ""
    if from_chosen != "same" and root is not None and root.resources:
        differs_from_root = _difference(resources, root)
    if owner == "other" and differs_from_root:  # the pool of one backend and the API of another
        owner, difference = "mismatch", differs_from_root
    reason = stacks.reason or f"the stack {name} names no resources"
    if owner == "missing" and aws.is_emulator:  # emulators seldom have the stack
        owner, reason = "unknown", f"there is no stack {name}"
    is_elsewhere = isinstance(chosen, DeployedStack) and not chosen.is_sandbox
    return Ownership(
        owner,
        stacks.region,
        backend,
        difference,
        bool(differs_from_root),
        reason,
        is_deployed_elsewhere=is_elsewhere,
    )


def find_bucket_owner(
    aws: AWS, project: Project, identifier: BackendIdentifier, bucket: str, region: str | None
) -> Ownership:
    """Return which backend a *bucket* that the outputs file does not list belongs to.

    It is "chosen" also for other sandboxes of this project, and "unknown" if no stack has the bucket,
    then without a reason.
    """
    stacks = StackLookup(aws, region)
    root = stacks.root_of(bucket) or stacks.naming("bucket", bucket)
    if root is None:
        return Ownership("unknown", region, reason=stacks.reason)
    backend = root.identifier(project)
    is_own = root.is_sandbox and is_own_sandbox(backend, project)
    if is_own or root.name == identifier.stack_name:
        return Ownership("chosen", region)
    return Ownership("other", region, backend)


def _physical_id(outputs: AmplifyOutputs) -> str | None:
    """Return the user pool, or without one the default bucket. An API's URL does not contain its id."""
    if outputs.auth is not None:
        return outputs.auth.user_pool_id
    return outputs.storage.default.bucket_name if outputs.storage is not None else None


def _difference(resources: list[tuple[str, str]], stack: DeployedStack) -> str:
    """Describe the first of *resources* that *stack* does not have; "" if it has all."""
    for kind, value in resources:
        own = stack.resources.get(kind, set())
        if value not in own:
            has = " and ".join(sorted(own)) or "none"
            return f"names the {kind} {value}, but the stack {stack.name} has {has}"
    return ""


def _region(outputs: AmplifyOutputs) -> str | None:
    if outputs.auth is not None:
        return outputs.auth.user_pool_region
    if outputs.data is not None:
        return outputs.data.aws_region
    return outputs.storage.default.aws_region if outputs.storage is not None else None
