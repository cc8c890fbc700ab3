"""CloudFormation templates: their resources, and the values that their functions stand for.

What only AWS knows, such as the id of a user pool, is asked of a function that makes it up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from seedctl.errors import InvalidAmplifyOutputsError

REF = "Ref"
"""The attribute of a resource that ``Ref`` returns."""

ACCOUNT = "000000000000"
"""The made-up AWS account, which the local sandbox has too."""

_NO_VALUE = object()
_STACK = "AWS::CloudFormation::Stack"
_TEMPLATE_HASH = re.compile(r"[0-9a-f]{64}")
_SUBSTITUTED = re.compile(r"\$\{(!?)([^${}]+)\}")
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
        return None if value is _NO_VALUE else value


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


class Stack:
    """A stack, as its *template* would be deployed."""

    def __init__(
        self,
        template: Mapping[str, Any],
        deployment: Deployment,
        path: str = "",
        parameters: Mapping[str, Callable[[], Any]] | None = None,
    ) -> None:
        """*parameters* has functions that return the values of the template's parameters."""
        self.template = template
        self.path = path
        self._deployment = deployment
        self._parameters = dict(parameters or {})
        self._nested: dict[str, Stack | None] = {}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": self._equals,
            "Fn::And": lambda values: all(map(self._holds, values)),
            "Fn::Or": lambda values: any(map(self._holds, values)),
            "Fn::Not": lambda values: not self._holds(values[0]),
            "Fn::ImportValue": lambda value: f"local-import-{self.text(value)}",
        }

    def resources(self) -> Iterator[Resource]:
        """Yield each resource of this stack and of those nested in it whose condition holds."""
        for logical_id, body in self.template.get("Resources", {}).items():
            if "Condition" in body and not self._condition(body["Condition"]):
                continue
            yield Resource(self, logical_id, body["Type"])
            nested = self._nested_stack(logical_id) if body["Type"] == _STACK else None
            if nested is not None:
                yield from nested.resources()

    def output(self, name: str) -> str:
        """Return the value of the output *name*."""
        return self.text(self.template["Outputs"][name]["Value"])

    def text(self, value: Any) -> str:
        """Return the resolved *value* as CloudFormation writes it into a text."""
        resolved = self.resolve(value)
        if isinstance(resolved, bool):
            return "true" if resolved else "false"
        if isinstance(resolved, (str, int, float)):
            return str(resolved)
        raise self._refusal(value, "is not a text")

    def resolve(self, value: Any) -> Any:
        """Return *value* with each function in it replaced by what it stands for.

        Raises InvalidAmplifyOutputsError for a function that seedctl does not know, or that
        CloudFormation would refuse.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._call(name, argument)
            if name.startswith("Fn::"):
                raise self._refusal(value, "is a function that seedctl does not know")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return self._functions[name](argument)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._refusal({name: argument}, "cannot be resolved") from error

    def _refusal(self, value: Any, why: str) -> InvalidAmplifyOutputsError:
        shown = json.dumps(value, ensure_ascii=False)
        return InvalidAmplifyOutputsError(
            f"In the template of {self.path or 'the root stack'}, {shown[:200]} {why}.",
            resolution="Take the local sandbox from the outputs file of a deployed backend instead.",
        )

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": self._deployment.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self._deployment.stack_name,
            "AWS::StackId": f"arn:aws:cloudformation:{self._deployment.region}:{ACCOUNT}:stack/"
            f"{self._deployment.stack_name}/00000000-0000-4000-8000-000000000000",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.template.get("Parameters", {}):
            return self._parameter(name)
        return self._attribute(name, REF)

    def _parameter(self, name: str) -> Any:
        declared = self.template["Parameters"][name]
        given = self._parameters.get(name)
        value = declared.get("Default", f"local-{name}") if given is None else given()
        is_list = declared.get("Type", "").startswith(_LIST_TYPES)
        return str(value).split(",") if is_list and not isinstance(value, list) else value

    def _attribute(self, logical_id: str, attribute: str) -> Any:
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

    def _get_att(self, argument: Any) -> Any:
        if isinstance(argument, str):
            logical_id, _, attribute = argument.partition(".")
        else:
            logical_id, attribute = argument[0], self.text(argument[1])
        return self._attribute(logical_id, attribute)

    def _join(self, argument: Any) -> str:
        separator, items = argument
        return str(separator).join(map(self.text, self._list(items)))

    def _list(self, value: Any) -> list[Any]:
        resolved = self.resolve(value)
        if not isinstance(resolved, list):
            raise self._refusal(value, "is not a list")
        return resolved

    def _select(self, argument: Any) -> Any:
        index = int(self.text(argument[0]))
        items = self._list(argument[1])
        if index < 0:
            raise IndexError(index)
        return items[index]

    def _split(self, argument: Any) -> list[str]:
        separator, value = argument
        return self.text(value).split(separator)

    def _sub(self, argument: Any) -> str:
        text, values = (argument, {}) if isinstance(argument, str) else argument

        def replacement(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return self.text(values[name])
            return self.text({"Fn::GetAtt": name} if "." in name else {"Ref": name})

        return _SUBSTITUTED.sub(replacement, text)

    def _condition(self, name: str) -> bool:
        return self._holds(self.template["Conditions"][name])

    def _holds(self, value: Any) -> bool:
        """Whether *value*, as it may stand in a condition, is true."""
        if isinstance(value, dict) and "Condition" in value:
            return self._condition(value["Condition"])
        return self.text(value) == "true"

    def _if(self, argument: Any) -> Any:
        condition, if_true, if_false = argument
        return self.resolve(if_true if self._condition(condition) else if_false)

    def _equals(self, argument: Any) -> bool:
        left, right = argument
        return self.text(left) == self.text(right)

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second, *options = argument
        mapping = self.template.get("Mappings", {}).get(self.text(name), {})
        row = mapping.get(self.text(first), {})
        key = self.text(second)
        if key not in row and options:
            return self.resolve(options[0]["DefaultValue"])
        return row[key]
