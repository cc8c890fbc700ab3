"""Which deployed backend an outputs file belongs to, as far as CloudFormation tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seedctl.errors import AWSError, EndpointUnreachableError
from seedctl.outputs import AmplifyOutputs
from seedctl.outputs.resources import resources_of_file, resources_of_stack
from seedctl.project import (
    BackendIdentifier,
    Project,
    identifier_of_stack,
    is_own_sandbox,
)

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

Owner = Literal["chosen", "other", "mismatch", "missing", "unknown"]
"""Whom the resources in the outputs file belong to: the "chosen" backend; one "other" backend, which is
no sandbox of this project; "mismatch": another sandbox of this project, or several backends; "missing":
nobody knows, and the chosen backend is not deployed; "unknown": nobody knows."""

_ChosenStack = Literal["same", "differs", "silent", "missing", "unreadable"]
"""What the chosen stack tells: it has the "same" resources as the file, or it "differs"; it is "silent"
about any; it is "missing"; it is "unreadable"."""
_RootStack = Literal["chosen", "own", "other", "unknown"]
"""The stack that owns the user pool: the "chosen" one, that of an "own" other sandbox, or any "other"."""

OWNERS: Mapping[tuple[_ChosenStack, _RootStack], Owner] = {
    ("same", "chosen"): "chosen",
    ("same", "own"): "chosen",  # a sandbox may share the pool of another one (referenceAuth)
    ("same", "other"): "other",  # the same, but what is written there is not for this project alone
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
    ("unreadable", "chosen"): "unknown",  # of the API and the buckets nothing is known
    ("unreadable", "own"): "mismatch",
    ("unreadable", "other"): "other",
    ("unreadable", "unknown"): "unknown",
}


_MOST_PAGES = 50  # of stacks; CloudFormation sends 100 in each


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whom the resources in an outputs file belong to."""

    owner: Owner
    region: str | None = None
    """Where the stacks are."""
    backend: BackendIdentifier | None = None
    """The owner, if it is another backend than the chosen one."""
    difference: str = ""
    """For a "mismatch": the first resource that differs, as the end of a sentence about the file."""
    reason: str = ""
    """For "unknown": why nobody knows, as a sentence without its full stop."""
    is_deployed_elsewhere: bool = False
    """Whether the tags of the chosen stack say that it is no sandbox, whatever its name says."""


@dataclass(frozen=True, slots=True)
class _Stack:
    name: str
    outputs: Mapping[str, str]
    tags: Mapping[str, str]
    root_id: str | None
    """The id of the stack in which this one is nested, if it is."""

    @classmethod
    def of(cls, described: Mapping[str, Any], name: str = "") -> _Stack:
        """Return one of the stacks that DescribeStacks has *described*."""
        outputs = {
            each["OutputKey"]: each.get("OutputValue") for each in described.get("Outputs", [])
        }
        tags = {each["Key"]: each["Value"] for each in described.get("Tags", [])}
        return cls(described.get("StackName", name), outputs, tags, described.get("RootId"))

    @property
    def resources(self) -> dict[str, set[str]]:
        """The ids in the stack's outputs, by what they are; empty if it names none."""
        return resources_of_stack(self.outputs)

    @property
    def is_sandbox(self) -> bool:
        return self.tags.get("amplify:deployment-type", "sandbox") == "sandbox"

    def identifier(self, project: Project) -> BackendIdentifier:
        """Return the backend of the stack, by its raw names if the tags have them."""
        app, branch = (self.tags.get(f"amplify:{key}") for key in ("app-id", "branch-name"))
        if app and branch:
            found = BackendIdentifier(app, branch, "branch")
            if found.stack_name == self.name:
                return found
        return identifier_of_stack(self.name, project)


def find_owner(
    aws: AWS, project: Project, identifier: BackendIdentifier, outputs: AmplifyOutputs
) -> Ownership:
    """Return whom the resources in *outputs* belong to, if *identifier* is the chosen backend.

    A look-up that fails is no error: then less is known.
    """
    resources = resources_of_file(outputs)
    stacks = _Stacks(aws, _region(outputs))
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
    root = stacks.root_of(outputs)
    if root is None and resources and from_chosen not in {"same", "unreadable"}:
        root = stacks.naming(*resources[0])
    from_root: _RootStack = "unknown"
    backend = None
    if root is not None:
        backend = root.identifier(project)
        is_own = root.is_sandbox and is_own_sandbox(backend, project)
        from_root = "chosen" if root.name == name else "own" if is_own else "other"
    owner = OWNERS.get((from_chosen, from_root), "unknown")
    if owner == "other" and from_chosen != "same" and root is not None and root.resources:
        # The pool of one backend and the API of another?
        differs_from_root = _difference(resources, root)
        owner = "mismatch" if differs_from_root else owner
        difference = differs_from_root or difference
    reason = stacks.reason or f"the stack {name} names no resources"
    if owner == "missing" and aws.is_emulator:  # emulators seldom have the stack
        owner, reason = "unknown", f"there is no stack {name}"
    is_elsewhere = isinstance(chosen, _Stack) and not chosen.is_sandbox
    return Ownership(
        owner,
        stacks.region,
        backend,
        difference,
        reason,
        is_deployed_elsewhere=is_elsewhere,
    )


@dataclass(slots=True)
class _Stacks:
    """The look-ups of one check."""

    aws: AWS
    region: str | None
    reason: str = field(default="", init=False)
    """Why the first call that failed has failed."""
    _by_id: dict[str, _Stack] = field(default_factory=dict, init=False)
    _is_unreachable: bool = field(default=False, init=False)

    def describe(self, name: str) -> _Stack | Literal["missing", "unreadable"]:
        if name in self._by_id:
            return self._by_id[name]
        reply = self._call("DescribeStacks", StackName=name)
        if reply is None:
            return "missing"
        if not reply.get("Stacks"):
            return "unreadable"
        stack = reply["Stacks"][0]
        found = self._by_id[stack.get("StackId", name)] = _Stack.of(stack, name)
        return found

    def root_of(self, outputs: AmplifyOutputs) -> _Stack | None:
        """Return the root stack that the user pool is in, or without one the default bucket."""
        if outputs.auth is not None:
            resource = outputs.auth.user_pool_id
        elif outputs.storage is not None:
            resource = outputs.storage.default.bucket_name
        else:
            return None
        found = self._call("DescribeStackResources", PhysicalResourceId=resource) or {}
        for each in found.get("StackResources") or []:
            stack = self.describe(each.get("StackId") or each["StackName"])
            if isinstance(stack, _Stack) and stack.root_id:
                stack = self.describe(stack.root_id)
            return stack if isinstance(stack, _Stack) else None
        return None

    def naming(self, kind: str, value: str) -> _Stack | None:
        """Return the root stack whose outputs name the resource *value*, such as a "user pool".

        For where CloudFormation does not tell the stack of a resource: emulators seldom do.
        """
        parameters: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self._call("DescribeStacks", **parameters) or {}
            for each in page.get("Stacks") or []:
                stack = _Stack.of(each)
                if stack.root_id is None and value in stack.resources.get(kind, ()):
                    return stack
            if not page.get("NextToken"):
                break
            parameters = {"NextToken": page["NextToken"]}
        return None

    def _call(self, operation: str, **parameters: str) -> dict[str, Any] | None:
        """Return the reply, {} if there is none, or None if there is no such stack or resource."""
        if self._is_unreachable:
            return {}
        try:
            return self.aws.call(
                "cloudformation", operation, parameters, region=self.region, once=True
            )
        except AWSError as error:
            if error.code == "ValidationError" and "does not exist" in error.message:
                return None
            self._is_unreachable = isinstance(error, EndpointUnreachableError)
            self.reason = self.reason or error.message.removesuffix(".")
            return {}


def _difference(resources: list[tuple[str, str]], stack: _Stack) -> str:
    """Return the first of *resources* that *stack* does not have, in words; "" if it has all."""
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
