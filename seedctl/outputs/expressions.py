"""Resolve the intrinsic functions in CloudFormation templates."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

from seedctl.errors import InvalidAmplifyOutputsError

NO_VALUE: Final = object()
"""The value of ``AWS::NoValue``: the property or item is not given."""

_SUBSTITUTED = re.compile(r"\$\{(!?)([^${}]+)\}")
# An expression with an attribute of a resource. A made-up value may lack parts of a real one.
_MADE_UP = re.compile(r'"(Ref|Fn::GetAtt)"')


class Expressions(ABC):
    """Resolves the functions in the values of one template. Subclasses know what they refer to."""

    def __init__(self, template: Mapping[str, Any], path: str) -> None:
        """*path* has the logical ids that lead from the root stack to this one."""
        self.template = template
        self.path = path
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self.reference,
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

    @abstractmethod
    def reference(self, name: str) -> Any:
        """Return the value of ``Ref`` of *name*."""

    @abstractmethod
    def attribute(self, logical_id: str, attribute: str) -> Any:
        """Return an attribute of the resource *logical_id*."""

    def text(self, value: Any) -> str:
        """Return the resolved *value* as CloudFormation writes it into a text."""
        resolved = self.resolve(value)
        if isinstance(resolved, bool):
            return "true" if resolved else "false"
        if isinstance(resolved, (str, int, float)):
            return str(resolved)
        raise self._refusal(value, "is not a text")

    def resolve(self, value: Any) -> Any:
        """Return *value* with each function in it replaced by its result.

        Raises InvalidAmplifyOutputsError for a function that seedctl does not know, or that
        CloudFormation would refuse.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._call(name, argument)
            if name.startswith("Fn::"):
                raise self._refusal(value, "is a function that seedctl does not know")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def condition(self, name: str) -> bool:
        """Whether the condition *name* of the template holds."""
        return self._holds(self.template["Conditions"][name])

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return self._functions[name](argument)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._refusal({name: argument}, "cannot be resolved") from error

    def _refusal(self, value: Any, why: str) -> InvalidAmplifyOutputsError:
        shown = json.dumps(value, ensure_ascii=False)
        return InvalidAmplifyOutputsError(
            f"In the template of {self.path or 'the root stack'}, {shown[:200]} {why}.",
            resolution="Use the outputs file of a deployed backend instead: --from outputs.",
        )

    def _get_att(self, argument: Any) -> Any:
        if isinstance(argument, str):
            logical_id, _, attribute = argument.partition(".")
        else:
            logical_id, attribute = argument[0], self.text(argument[1])
        return self.attribute(logical_id, attribute)

    def _join(self, argument: Any) -> str:
        separator, items = argument
        return str(separator).join(map(self.text, self._list(items)))

    def _list(self, value: Any) -> list[Any]:
        resolved = self.resolve(value)
        if isinstance(resolved, str) and _MADE_UP.search(json.dumps(value)):
            return [resolved]  # an attribute that is a list on AWS
        if not isinstance(resolved, list):
            raise self._refusal(value, "is not a list")
        return resolved

    def _select(self, argument: Any) -> Any:
        index = int(self.text(argument[0]))
        items = self._list(argument[1])
        if index >= len(items) and _MADE_UP.search(json.dumps(argument[1])):
            return f"made-up-part-{index}"  # such as a path that the real address has
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

    def _holds(self, value: Any) -> bool:
        """Whether *value*, as it may stand in a condition, is true."""
        if isinstance(value, dict) and "Condition" in value:
            return self.condition(value["Condition"])
        return self.text(value) == "true"

    def _if(self, argument: Any) -> Any:
        condition, if_true, if_false = argument
        return self.resolve(if_true if self.condition(condition) else if_false)

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
