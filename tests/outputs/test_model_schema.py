"""The source of the models: what is read from it, and what is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs import load_outputs, parse_outputs
from seedctl.outputs.model_schema import ModelSource, parse_model_schema
from seedctl.outputs.models import Rule

_FILE = Path("amplify/seed/local_outputs.json")


def _parse(text: str) -> ModelSource:
    (found,) = parse_model_schema(text, _FILE).values()
    return found


def _rule(allow: str, **given: Any) -> Rule:
    names = Rule.__slots__[1:]
    return Rule(allow, **{**dict.fromkeys(names), **given})


def test_model() -> None:
    """Rules, rules of fields, defaults and validators are read, in the order of the source."""
    found = _parse("""
        enum Mood { CALM }
        type Box { wide: Int! @unknown(x: [1]) }
        type Query { ping: String @function(name: "p") }
        type Report @model(subscriptions: null) @auth(rules: [{allow: owner, operations: [read, update]},
          {allow: groups, provider: oidc, groups: ["A", "B"], groupClaim: "roles"}]) {
          title: String! @index(queryField: null) @default(value: "x") @validate(type: minLength, value: "2")
            @validate(type: matches, value: "^\\\\d$", errorMessage: "no")
          note: String @auth(rules: [{allow: owner, ownerField: "by", identityClaim: "sub"},
            {allow: groups, groupsField: "team"}])
          sizes: [Box]
        }
    """)
    assert found.name == "Report"
    assert found.fields == ("title", "note", "sizes")
    assert found.rules == (
        _rule("owner", operations=("read", "update")),
        _rule("groups", provider="oidc", groups=("A", "B"), group_claim="roles"),
    )
    assert found.field_rules == {
        "note": (
            _rule("owner", owner_field="by", identity_claim="sub"),
            _rule("groups", groups_field="team"),
        )
    }
    assert found.defaults == {"title": "x"}
    assert [(each.kind, each.value, each.message) for each in found.validators["title"]] == [
        ("minLength", "2", "Field title of type Report must have a minimum length of 2"),
        ("matches", r"^\d$", "no"),
    ]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        pytest.param("String", "5", "5"),
        pytest.param("ID!", "5", "5"),
        pytest.param("Mood", "CALM", "CALM"),
        pytest.param("AWSDate", "2020-01-01", "2020-01-01"),
        pytest.param("Int", "-5", -5),
        pytest.param("Int!", "5.5", 5.5, id="Int with a fraction"),
        pytest.param("Float", "1.5", 1.5),
        pytest.param("AWSTimestamp", "0", 0),
        pytest.param("Boolean", "TRUE", True),
        pytest.param("Boolean", "false", False),
        pytest.param("AWSJSON", '{\\"a\\": null}', {"a": None}),
        pytest.param("AWSJSON", "null", None, id="null"),
    ],
)
def test_defaults(type_: str, text: str, value: Any) -> None:
    """A default is a value of the field's type; AWSJSON is parsed, as it is stored."""
    found = _parse(f'type T @model {{ f: {type_} @default(value: "{text}") }}').defaults
    assert found == {"f": value}
    assert type(found["f"]) is type(value)


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        pytest.param("a: String b", "Syntax Error: Expected ':', found '}'"),
        pytest.param("a: Int @default", "line 2, column 8: @default: value is null; expected text"),
        pytest.param("a: Int @default(value: 5)", "@default: value is 5; expected text", id="int"),
        pytest.param('a: Int @default(value: "x")', '@default: "x" is not a valid Int'),
        pytest.param('a: Boolean @default(value: "1")', '@default: "1" is not a valid Boolean'),
        pytest.param('a: AWSJSON @default(value: "NaN")', '"NaN" is not a valid AWSJSON'),
        pytest.param(
            'a: Int @validate(type: near, value: "1")',
            "@validate: type is near; expected one of gt",
        ),
        pytest.param('a: Int @validate(type: gt, value: "x")', 'value is "x"; expected a number'),
        pytest.param(
            'a: Int @validate(type: gt, value: "1", errorMessage: 5)', "errorMessage is 5; expected"
        ),
        pytest.param(
            'a: String @validate(type: gt, value: "1")', "gt is for fields of type Int or Fl"
        ),
        pytest.param(
            'a: Int @validate(type: matches, value: "1")', "matches is for fields of type S"
        ),
        pytest.param('a: [Int] @validate(type: gt, value: "1")', "gt is for fields of", id="list"),
        pytest.param('a: [Int!]! @default(value: "1")', "a list has no default"),
        pytest.param("a: Int @auth", "@auth: expected rules such as"),
        pytest.param("a: Int @auth(rules: [owner])", "@auth: expected rules such as", id="name"),
        pytest.param("a: Int @auth(rules: [{allow: 1}])", "@auth: expected rules such as"),
        pytest.param("a: Int @auth(rules: [{allow: owner, ownerField: 1}])", "ownerField is 1"),
        pytest.param('a: Int @auth(rules: [{allow: groups, groups: "A"}])', 'groups is "A"'),
        pytest.param("a: Int @auth(rules: [{allow: owner, operations: [1]}])", "operations is [1]"),
    ],
)
def test_errors(field: str, problem: str) -> None:
    """An error names the file, the place in the source and what was expected there."""
    with pytest.raises(InvalidAmplifyOutputsError) as caught:
        parse_model_schema(f"type T @model {{\n{field}\n}}", _FILE)
    assert caught.value.message.startswith(f"{_FILE}: custom.seedctl.model_schema, line ")
    assert problem in caught.value.message
    assert "seedctl local init --force" in str(caught.value.resolution)


def test_deep_source() -> None:
    """A source that is nested without end is refused, and does not end the process."""
    with pytest.raises(InvalidAmplifyOutputsError, match="nested too deeply"):
        parse_model_schema("type T @model { a: " + "[" * 100_000, _FILE)


def test_outputs_without_source() -> None:
    """An outputs file without the source has no such models; with it, they are read when asked for."""
    document = load_outputs(
        Path(__file__).parent.parent / "data" / "outputs" / "todo_userpool.json"
    ).document
    assert parse_outputs(document, _FILE).model_sources() == {}
    details = {"format": 1, "model_schema": "type Todo @model { content: String }"}
    found = parse_outputs({**document, "custom": {"seedctl": details}}, _FILE).model_sources()
    assert found["Todo"].fields == ("content",)


def test_loading_is_late() -> None:
    """Importing the module does not load graphql-core, so that the client may use validators."""
    code = "import sys, seedctl.outputs.model_schema; sys.exit('graphql' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
