"""The functions of CloudFormation templates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.errors import InvalidAmplifyOutputsError
from seedctl.outputs.templates import REF, Deployment, Resource, Stack

CHILD = {
    "Parameters": {"Given": {"Type": "String"}, "Names": {"Type": "CommaDelimitedList"}},
    "Resources": {"Inner": {"Type": "AWS::S3::Bucket", "Properties": {"Name": {"Ref": "Given"}}}},
    "Outputs": {
        "Same": {"Value": {"Ref": "Given"}},
        "Name": {"Value": {"Fn::Join": ["+", {"Ref": "Names"}]}},
        "Inner": {"Value": {"Fn::GetAtt": ["Inner", "Arn"]}},
    },
}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Text": {"Type": "String", "Default": "text"},
        "Many": {"Type": "List<String>", "Default": "a,b"},
        "Unset": {"Type": "String"},
    },
    "Mappings": {"Odd": ["x"], "Colours": {"us-east-1": {"main": "red", "list": ["x", "y"]}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "No"}, {"Fn::Equals": [1, "1"]}]},
    },
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Left": {"Type": "AWS::S3::Bucket", "Condition": "No"},
        "Child": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {
                "Parameters": {"Given": {"Ref": "Bucket"}, "Names": "p,q"},
                "TemplateURL": {"Fn::Join": ["", ["https://x/", "a" * 64, ".json"]]},
            },
        },
        "Foreign": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": "https://example.com/template.json"},
        },
    },
}


def _attribute_of(resource: Resource, attribute: str) -> str:
    return f"<{resource.path} {attribute}>"


def _stack(template: dict[str, Any] = TEMPLATE) -> Stack:
    nested = {"a" * 64: CHILD}
    return Stack(template, Deployment("my-stack", "us-east-1", _attribute_of, nested.get))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"Ref": "AWS::Region"}, "us-east-1", id="region"),
        pytest.param({"Ref": "AWS::AccountId"}, "000000000000", id="account"),
        pytest.param({"Ref": "AWS::StackName"}, "my-stack", id="stack name"),
        pytest.param({"Ref": "AWS::Partition"}, "aws", id="partition"),
        pytest.param({"Ref": "Text"}, "text", id="default"),
        pytest.param({"Ref": "Many"}, ["a", "b"], id="list parameter"),
        pytest.param({"Ref": "Unset"}, "local-Unset", id="parameter without a value"),
        pytest.param({"Ref": "Bucket"}, "</Bucket Ref>", id="resource"),
        pytest.param({"Fn::GetAtt": ["Bucket", "Arn"]}, "</Bucket Arn>", id="attribute"),
        pytest.param({"Fn::GetAtt": "Bucket.A.B"}, "</Bucket A.B>", id="attribute as text"),
        pytest.param({"Fn::GetAtt": ["Child", "Outputs.Same"]}, "</Bucket Ref>", id="parameter"),
        pytest.param({"Fn::GetAtt": ["Child", "Outputs.Name"]}, "p+q", id="list given as text"),
        pytest.param({"Fn::GetAtt": ["Child", "Outputs.Inner"]}, "</Child/Inner Arn>", id="nested"),
        pytest.param(
            {"Fn::GetAtt": ["Foreign", "Outputs.X"]}, "</Foreign Outputs.X>", id="foreign stack"
        ),
        pytest.param({"Fn::Join": ["-", ["a", 1, True, False]]}, "a-1-true-false", id="join"),
        pytest.param({"Fn::Join": ["", {"Ref": "Many"}]}, "ab", id="join a list parameter"),
        pytest.param({"Fn::Select": ["1", {"Ref": "Many"}]}, "b", id="select"),
        pytest.param(
            {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "Bucket"}]}]}, "made-up-part-2", id="part"
        ),
        pytest.param(
            {"Fn::Join": ["|", {"Fn::GetAtt": ["Bucket", "Names"]}]}, "</Bucket Names>", id="list attribute"
        ),
        pytest.param({"Fn::Split": [":", "a:b:"]}, ["a", "b", ""], id="split"),
        pytest.param({"Fn::Sub": "${Text}/${Bucket.Arn}/${!x}/$"}, "text/</Bucket Arn>/${x}/$", id="sub"),
        pytest.param({"Fn::Sub": ["${a}${AWS::Region}", {"a": {"Ref": "Text"}}]}, "textus-east-1", id="sub values"),
        pytest.param({"Fn::If": ["Yes", 1, 2]}, 1, id="if"),
        pytest.param({"Fn::If": ["Both", 1, 2]}, 2, id="and, not"),
        pytest.param({"Fn::If": ["Either", 1, 2]}, 1, id="or, equals"),
        pytest.param(
            {"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": [{"Ref": "AWS::NoValue"}]},
            {"b": []},
            id="no value",
        ),
        pytest.param({"Fn::FindInMap": ["Colours", {"Ref": "AWS::Region"}, "main"]}, "red", id="map"),
        pytest.param(
            {"Fn::FindInMap": ["Colours", "x", "y", {"DefaultValue": {"Ref": "Text"}}]},
            "text",
            id="map with default",
        ),
        pytest.param(
            {"Fn::FindInMap": ["Colours", "us-east-1", "main", {"DefaultValue": "x"}]},
            "red",
            id="map with a default that is not needed",
        ),
        pytest.param({"Fn::ImportValue": {"Ref": "Text"}}, "local-import-text", id="import"),
        pytest.param({"Condition": "x", "Fn::Join": 1}, {"Condition": "x", "Fn::Join": 1}, id="two keys"),
        pytest.param({"Ref": "Text", "x": 1}, {"Ref": "Text", "x": 1}, id="two keys, a function first"),
        pytest.param("${cognito-identity.amazonaws.com:sub}", "${cognito-identity.amazonaws.com:sub}", id="text"),
    ],
)  # fmt: skip
def test_functions(value: object, expected: object) -> None:
    """Each function stands for what CloudFormation would put in its place."""
    assert _stack().resolve(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"Fn::Cidr": ["10.0.0.0/16", 1]}, id="unknown function"),
        pytest.param({"Ref": "Nothing"}, id="unknown resource"),
        pytest.param({"Fn::GetAtt": ["Child", "Outputs.Nothing"]}, id="unknown output"),
        pytest.param({"Fn::Select": [2, ["a", "b"]]}, id="index too high"),
        pytest.param({"Fn::Select": [-1, ["a", "b"]]}, id="negative index"),
        pytest.param({"Fn::Select": ["x", ["a"]]}, id="index that is no number"),
        pytest.param({"Fn::Select": [0, "ab"]}, id="select from a text"),
        pytest.param({"Fn::Join": ["", ["a", ["b"]]]}, id="list in a join"),
        pytest.param({"Fn::Join": ["", ["a", {"Fn::Split": [",", "b,c"]}]]}, id="split in a join"),
        pytest.param({"Fn::Split": [","]}, id="split without a text"),
        pytest.param({"Fn::FindInMap": ["Colours", "x", "y"]}, id="unknown key"),
        pytest.param({"Fn::If": ["Nothing", 1, 2]}, id="unknown condition"),
        pytest.param({"Fn::Sub": "${Nothing}"}, id="unknown name in a sub"),
        pytest.param({"Fn::Sub": 7}, id="a number in a sub"),
        pytest.param({"Fn::FindInMap": ["Odd", "x", "y"]}, id="a map that is a list"),
    ],
)
def test_what_cannot_be_resolved_is_shown(value: object) -> None:
    """An error shows the expression and the template in which it stands."""
    with pytest.raises(
        InvalidAmplifyOutputsError, match=r"template of the root stack|of /Child"
    ) as e:
        _stack().text(value)
    assert e.value.resolution


def test_an_unknown_function_is_named() -> None:
    """A function that seedctl does not know is refused wherever it stands, not left in the value."""
    with pytest.raises(InvalidAmplifyOutputsError, match="does not know"):
        _stack().resolve({"a": [{"Fn::Cidr": ["10.0.0.0/16", 1]}]})


def test_a_list_may_be_given_for_a_list() -> None:
    """A nested stack gets a list parameter of its parent as a list."""
    child = Stack(CHILD, _stack()._deployment, "/Child", {"Names": lambda: ["p", "q,r"]})
    assert child.resolve({"Ref": "Names"}) == ["p", "q,r"]


def test_resources_are_those_that_would_be_created() -> None:
    """Resources of nested stacks are among them, and none whose condition is false."""
    paths = [resource.path for resource in _stack().resources()]
    assert paths == ["/Bucket", "/Child", "/Child/Inner", "/Foreign"]
    inner = next(r for r in _stack().resources() if r.path == "/Child/Inner")
    assert (inner.property("Name"), inner.property("Other")) == ("</Bucket Ref>", None)


def test_a_property_without_a_value_is_none() -> None:
    """AWS::NoValue in place of a whole property means that it is not given."""
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"Name": {"Ref": "AWS::NoValue"}}}
    stack = _stack({"Resources": {"B": bucket}})
    assert Resource(stack, "B", "AWS::S3::Bucket").property("Name") is None


WORDS = st.text("ab:/,", max_size=6)


@st.composite
def _nested(draw: st.DrawFn, depth: int = 3) -> tuple[object, str]:
    """Draw an expression of Join, Select, Split and references, and what it stands for."""
    kind = draw(
        st.sampled_from(("text", "ref", "join", "select", "split") if depth else ("text", "ref"))
    )
    if kind == "text":
        word = draw(WORDS)
        return word, word
    if kind == "ref":
        return draw(
            st.sampled_from(
                [({"Ref": "Bucket"}, f"</Bucket {REF}>"), ({"Ref": "AWS::Region"}, "us-east-1")]
            )
        )
    if kind == "split":
        value, text = draw(_nested(depth - 1))
        separator = draw(st.sampled_from(":/,"))
        parts = text.split(separator)
        index = draw(st.integers(0, len(parts) - 1))
        return {"Fn::Select": [index, {"Fn::Split": [separator, value]}]}, parts[index]
    items = draw(st.lists(_nested(depth - 1), min_size=1, max_size=4))
    values, texts = [value for value, _ in items], [text for _, text in items]
    if kind == "select":
        index = draw(st.integers(0, len(items) - 1))
        return {"Fn::Select": [str(index), values]}, texts[index]
    separator = draw(WORDS)
    return {"Fn::Join": [separator, values]}, separator.join(texts)


@settings(max_examples=50)
@given(_nested())
def test_nested_functions(case: tuple[object, str]) -> None:
    """However Join, Select and Split are nested, the text is the same as with Python's own."""
    value, expected = case
    assert _stack().text(value) == expected
