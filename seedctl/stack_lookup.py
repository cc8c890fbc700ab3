"""Look up stacks in CloudFormation: their outputs and tags, and which root stack has a resource.

A look-up that fails is not an error; the result is then unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from seedctl.errors import AWSError, EndpointUnreachableError
from seedctl.outputs.resources import resources_of_stack
from seedctl.project import BackendIdentifier, Project, identifier_of_stack

if TYPE_CHECKING:
    from seedctl.aws.calls import AWS

_MOST_PAGES = 50  # of stacks; CloudFormation sends 100 in each


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A deployed stack."""

    name: str
    outputs: Mapping[str, str]
    tags: Mapping[str, str]
    root_id: str | None
    """The id of the stack in which this one is nested, if it is."""

    @classmethod
    def of(cls, described: Mapping[str, Any], name: str = "") -> DeployedStack:
        """Return the stack that an entry of DescribeStacks has *described*."""
        outputs = {
            each["OutputKey"]: each.get("OutputValue") for each in described.get("Outputs", [])
        }
        tags = {each["Key"]: each["Value"] for each in described.get("Tags", [])}
        return cls(described.get("StackName", name), outputs, tags, described.get("RootId"))

    @property
    def resources(self) -> dict[str, set[str]]:
        """The ids in the stack's outputs, by the kind of resource; empty if the outputs name no resource."""
        return resources_of_stack(self.outputs)

    @property
    def is_sandbox(self) -> bool:
        return self.tags.get("amplify:deployment-type", "sandbox") == "sandbox"

    def identifier(self, project: Project) -> BackendIdentifier:
        """Return the backend of the stack, with the original names if the tags contain them."""
        app, branch = (self.tags.get(f"amplify:{key}") for key in ("app-id", "branch-name"))
        if app and branch:
            found = BackendIdentifier(app, branch, "branch")
            if found.stack_name == self.name:
                return found
        return identifier_of_stack(self.name, project)


@dataclass(slots=True)
class StackLookup:
    """Looks up stacks for one check, in one region."""

    aws: AWS
    region: str | None
    reason: str = field(default="", init=False)
    """Why the first failed call failed; empty if none failed."""
    _by_id: dict[str, DeployedStack] = field(default_factory=dict, init=False)
    _is_unreachable: bool = field(default=False, init=False)

    def describe(self, name: str) -> DeployedStack | Literal["missing", "unreadable"]:
        """Return the stack with this name or id, or why there is none."""
        if name in self._by_id:
            return self._by_id[name]
        reply = self._call("DescribeStacks", StackName=name)
        if reply is None:
            return "missing"
        if not reply.get("Stacks"):
            return "unreadable"
        stack = reply["Stacks"][0]
        found = self._by_id[stack.get("StackId", name)] = DeployedStack.of(stack, name)
        return found

    def root_of(self, resource: str | None) -> DeployedStack | None:
        """Return the root stack that *resource* is in, by its physical id."""
        if resource is None:
            return None
        found = self._call("DescribeStackResources", PhysicalResourceId=resource) or {}
        for each in found.get("StackResources") or []:
            stack = self.describe(each.get("StackId") or each["StackName"])
            if isinstance(stack, DeployedStack) and stack.root_id:
                stack = self.describe(stack.root_id)
            return stack if isinstance(stack, DeployedStack) else None
        return None

    def naming(self, kind: str, value: str) -> DeployedStack | None:
        """Return the root stack whose outputs name *value*, which is a *kind* such as "user pool".

        It is for emulators, most of which cannot find the stack of a resource.
        """
        parameters: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = self._call("DescribeStacks", **parameters) or {}
            for each in page.get("Stacks") or []:
                stack = DeployedStack.of(each)
                if stack.root_id is None and value in stack.resources.get(kind, ()):
                    return stack
            if not page.get("NextToken"):
                break
            parameters = {"NextToken": page["NextToken"]}
        return None

    def _call(self, operation: str, **parameters: str) -> dict[str, Any] | None:
        """Return the response, {} if the call failed, or None if there is no such stack or resource."""
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
