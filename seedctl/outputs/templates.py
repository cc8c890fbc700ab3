"""CloudFormation templates: their stacks, parameters, resources and outputs.

For values that only AWS knows, such as the id of a user pool, a function returns made-up ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from seedctl.outputs.expressions import NO_VALUE, Expressions
from seedctl.outputs.local_ids import ACCOUNT

REF = "Ref"
"""The attribute of a resource that ``Ref`` returns."""

_STACK = "AWS::CloudFormation::Stack"
_TEMPLATE_HASH = re.compile(r"[0-9a-f]{64}")
_LIST_TYPES = ("CommaDelimitedList", "List<")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template, whose properties are not resolved yet."""

    stack: Stack = field(repr=False)
    logical_id: str
    type: str

    @property
    def path(self) -> str:
        """The logical ids from the root stack to this resource, each after a slash."""
        return f"{self.stack.path}/{self.logical_id}"

    def property(self, name: str) -> Any:
        """Return the resolved property *name*; None if the template does not give it."""
        properties = self.stack.template["Resources"][self.logical_id].get("Properties", {})
        value = self.stack.resolve(properties.get(name))
        return None if value is NO_VALUE else value


AttributeOf: TypeAlias = Callable[[Resource, str], str]
"""Returns what AWS would for an attribute of a resource; for *REF*, its physical id."""

NestedTemplate: TypeAlias = Callable[[str], "Mapping[str, Any] | None"]
"""Returns the template with that SHA-256, which its address contains; None if there is none."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What all stacks of one backend have in common."""

    stack_name: str
    region: str
    attribute_of: AttributeOf
    nested_template: NestedTemplate


class Stack(Expressions):
    """A stack, as its *template* would be deployed."""

    def __init__(
        self,
        template: Mapping[str, Any],
        deployment: Deployment,
        path: str = "",
        parameters: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """*parameters* has functions that return the values of the template's parameters."""
        super().__init__(template, path)
        self._deployment = deployment
        self._parameters = dict(parameters or {})
        self._nested: dict[str, Stack | None] = {}

    def resources(self) -> Iterator[Resource]:
        """Yield each resource of this stack and of those nested in it whose condition holds."""
        for logical_id, body in self.template.get("Resources", {}).items():
            if "Condition" in body and not self.condition(body["Condition"]):
                continue
            yield Resource(self, logical_id, body["Type"])
            nested = self._nested_stack(logical_id) if body["Type"] == _STACK else None
            if nested is not None:
                yield from nested.resources()

    def output(self, name: str) -> str:
        """Return the value of the output *name*."""
        return self.text(self.template["Outputs"][name]["Value"])

    def reference(self, name: str) -> Any:
        """Return what ``Ref`` of *name* stands for: a parameter, or a resource's id."""
        pseudo = {
            "AWS::Region": self._deployment.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self._deployment.stack_name,
            "AWS::StackId": f"arn:aws:cloudformation:{self._deployment.region}:{ACCOUNT}:stack/"
            f"{self._deployment.stack_name}/00000000-0000-4000-8000-000000000000",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.template.get("Parameters", {}):
            return self._parameter(name)
        return self.attribute(name, REF)

    def _parameter(self, name: str) -> Any:
        declared = self.template["Parameters"][name]
        given = self._parameters.get(name)
        value = declared.get("Default", f"local-{name}") if given is None else given()
        is_list = declared.get("Type", "").startswith(_LIST_TYPES)
        return str(value).split(",") if is_list and not isinstance(value, list) else value

    def attribute(self, logical_id: str, attribute: str) -> Any:
        """Return an attribute of the resource *logical_id*, which may be a nested stack."""
        type_ = self.template["Resources"][logical_id]["Type"]
        if type_ == _STACK and attribute.startswith("Outputs."):
            nested = self._nested_stack(logical_id)
            if nested is not None:
                return nested.output(attribute.removeprefix("Outputs."))
        return self._deployment.attribute_of(Resource(self, logical_id, type_), attribute)

    def _nested_stack(self, logical_id: str) -> Stack | None:
        """Return the stack of that resource; None if its template is not part of the backend."""
        if logical_id not in self._nested:
            properties = self.template["Resources"][logical_id].get("Properties", {})
            match = _TEMPLATE_HASH.search(json.dumps(properties.get("TemplateURL")))
            template = None if match is None else self._deployment.nested_template(match[0])
            given = properties.get("Parameters", {})
            parameters = {name: partial(self.resolve, value) for name, value in given.items()}
            path = f"{self.path}/{logical_id}"
            self._nested[logical_id] = (
                None if template is None else Stack(template, self._deployment, path, parameters)
            )
        return self._nested[logical_id]
