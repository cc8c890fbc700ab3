"""Parse the GraphQL source of the models: defaults, validators and rules of fields.

An outputs file made from the project's source has it in ``custom.seedctl.model_schema``.
``model_introspection`` describes the same models without these parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs.models import Rule
from seedctl.outputs.validators import NUMBER_VALIDATORS, VALIDATORS, Validator, default_message

if TYPE_CHECKING:
    from pathlib import Path

    from graphql import (
        DirectiveNode,
        FieldDefinitionNode,
        Node,
        ObjectTypeDefinitionNode,
    )

_KEY_PATH = "custom.seedctl.model_schema"
_RESOLUTION = "Write the file again from the project's source with seedctl local init --force."
_TEXT_KEYS = {
    "provider": "provider",
    "groupsField": "groups_field",
    "groupClaim": "group_claim",
    "ownerField": "owner_field",
    "identityClaim": "identity_claim",
}
_LIST_KEYS = ("operations", "groups")
_NUMBERS = ("Int", "Float")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model as the source declares it."""

    name: str
    fields: tuple[str, ...]
    """The declared fields in order, without those that the API adds, such as an implied ``id``."""
    rules: tuple[Rule, ...]
    """The rules of the model; they apply to the fields without rules of their own."""
    field_rules: Mapping[str, tuple[Rule, ...]]
    """The rules of fields, by field."""
    defaults: Mapping[str, Any]
    """The default values by field, as JSON values. The value of an AWSJSON field is parsed."""
    validators: Mapping[str, tuple[Validator, ...]]
    """The validators by field, in the order in which the API applies them."""


ModelSources = Mapping[str, ModelSource]


def parse_model_schema(text: str, path: Path) -> ModelSources:
    """Return the models in *text*, a ``model-schema.graphql``, by name. This loads graphql-core.

    *path* is the outputs file that contains *text*; errors name it with the line in *text*. Types
    that are not models, and directives that the source repeats from the introspection, are ignored.

    Raises InvalidAmplifyOutputsError if *text* is not GraphQL, or no schema that could be deployed.
    """
    # graphql-core takes longer to load than the rest of most commands.
    from graphql import GraphQLSyntaxError, ObjectTypeDefinitionNode, parse  # noqa: PLC0415

    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        line, column = error.locations[0] if error.locations else (1, 1)
        raise _invalid(path, line, column, error.message) from error
    except RecursionError as error:
        raise _invalid(path, 1, 1, "the types are nested too deeply") from error
    return {
        definition.name.value: _model(definition, path)
        for definition in document.definitions
        if isinstance(definition, ObjectTypeDefinitionNode)
        and any(directive.name.value == "model" for directive in definition.directives or ())
    }


def _model(definition: ObjectTypeDefinitionNode, path: Path) -> ModelSource:
    name = definition.name.value
    field_rules: dict[str, tuple[Rule, ...]] = {}
    defaults: dict[str, Any] = {}
    validators: dict[str, tuple[Validator, ...]] = {}
    for field in definition.fields or ():
        own = field.name.value
        if directives := list(_directives(field, "auth", path)):
            field_rules[own] = tuple(rule for each in directives for rule in _rules(each))
        if directives := list(_directives(field, "validate", path)):
            validators[own] = tuple(_validator(name, field, each) for each in directives)
        for directive in _directives(field, "default", path):
            defaults[own] = _default(field, directive)
    return ModelSource(
        name=name,
        fields=tuple(field.name.value for field in definition.fields or ()),
        rules=tuple(
            rule for each in _directives(definition, "auth", path) for rule in _rules(each)
        ),
        field_rules=field_rules,
        defaults=defaults,
        validators=validators,
    )


class _Directive:
    """One directive with its arguments; errors name its place."""

    def __init__(self, node: DirectiveNode, path: Path) -> None:
        from graphql import value_from_ast_untyped  # noqa: PLC0415 - loaded by the caller

        self._node = node
        self._path = path
        self.arguments: dict[str, Any] = {
            argument.name.value: value_from_ast_untyped(argument.value)
            for argument in node.arguments or ()
        }

    def text(self, name: str) -> str:
        value = self.arguments.get(name)
        if not isinstance(value, str):
            self.fail(f"{name} is {json.dumps(value)}; expected text")
        return value

    def fail(self, problem: str) -> NoReturn:
        line, column = _place(self._node)
        raise _invalid(self._path, line, column, f"@{self._node.name.value}: {problem}")


def _directives(
    node: ObjectTypeDefinitionNode | FieldDefinitionNode, name: str, path: Path
) -> Iterator[_Directive]:
    return (_Directive(each, path) for each in node.directives or () if each.name.value == name)


def _rules(directive: _Directive) -> Iterator[Rule]:
    rules = directive.arguments.get("rules")
    for rule in rules if isinstance(rules, list) else [rules]:
        if not isinstance(rule, dict) or not isinstance(rule.get("allow"), str):
            directive.fail('expected rules such as [{allow: owner, ownerField: "owner"}]')
        for key in _TEXT_KEYS:
            if not isinstance(rule.get(key), str | None):
                directive.fail(f"{key} is {json.dumps(rule[key])}; expected text")
        for key in _LIST_KEYS:
            values = rule.get(key)
            if values is not None and not (
                isinstance(values, list) and all(isinstance(value, str) for value in values)
            ):
                directive.fail(f"{key} is {json.dumps(values)}; expected a list of texts")
        lists = {key: tuple(rule[key]) if rule.get(key) else None for key in _LIST_KEYS}
        yield Rule(
            allow=rule["allow"],
            operations=lists["operations"],
            groups=lists["groups"],
            **{name: rule.get(key) for key, name in _TEXT_KEYS.items()},
        )


def _validator(model: str, field: FieldDefinitionNode, directive: _Directive) -> Validator:
    kind, value = directive.text("type"), directive.text("value")
    if kind not in VALIDATORS:
        directive.fail(f"type is {kind}; expected one of {', '.join(VALIDATORS)}")
    types = _NUMBERS if kind in NUMBER_VALIDATORS else ("String",)
    if _type_name(field) not in types:
        directive.fail(f"{kind} is for fields of type {' or '.join(types)}")
    message = directive.arguments.get("errorMessage")
    if message is not None:
        message = directive.text("errorMessage")
    try:
        # An empty message counts as none.
        default = default_message(model, field.name.value, kind, value)
        return Validator(kind, value, message or default)
    except ValueError:
        directive.fail(f"value is {json.dumps(value)}; expected a number")


def _default(field: FieldDefinitionNode, directive: _Directive) -> Any:
    type_ = _type_name(field)
    if type_ is None:
        directive.fail("a list has no default")
    text = directive.text("value")
    if type_ not in _PARSERS:
        return text  # the other scalars and enums are texts
    try:
        return _PARSERS[type_](text)
    except ValueError:
        directive.fail(f"{json.dumps(text)} is not a valid {type_}")


def _number(text: str) -> int | float:
    """Return *text* as the literal of a number, which an Int field may store with a fraction."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "Int": _number,
    "Float": _number,
    "AWSTimestamp": _number,
    "Boolean": _boolean,
    "AWSJSON": partial(json.loads, parse_constant=_no_constant),
}


def _type_name(field: FieldDefinitionNode) -> str | None:
    """Return the type of one value of *field*; None for a list."""
    from graphql import NamedTypeNode, NonNullTypeNode  # noqa: PLC0415 - loaded by the caller

    type_ = field.type.type if isinstance(field.type, NonNullTypeNode) else field.type
    return type_.name.value if isinstance(type_, NamedTypeNode) else None


def _place(node: Node) -> tuple[int, int]:
    token = node.loc.start_token if node.loc is not None else None
    return (token.line, token.column) if token is not None else (1, 1)


def _invalid(path: Path, line: int, column: int, problem: str) -> InvalidAmplifyOutputsError:
    return InvalidAmplifyOutputsError(
        f"{path}: {_KEY_PATH}, line {line}, column {column}: {problem}.", resolution=_RESOLUTION
    )
