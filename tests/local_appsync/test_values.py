"""Values as DynamoDB stores them: JSON, numbers and names of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cases import case
from tests.local_appsync.builders import model, outputs

ROW = model("Row", {"json": "AWSJSON", "number": "Float", "text": "String"})
ODD = model(
    "Odd",
    dict.fromkeys(("source", "_source", "self", "args", "context"), "String") | {"info": "ID!"},
    key=("info", "self"),
    indexes={
        "oddBySource": ("source", "_source"),
        "oddByUnder": ("_source",),
        "oddByArgs": ("args",),
    },
)
CREATE = "mutation ($i: CreateRowInput!) { createRow(input: $i) { json number } }"
UPDATE = "mutation ($i: UpdateRowInput!) { updateRow(input: $i) { json number } }"
LARGE = "Number overflow. Attempting to store a number with magnitude larger than supported range"
SMALL = "Number underflow. Attempting to store a number with magnitude smaller than supported range"


@pytest.fixture
def api(start: Any) -> Any:
    return start(outputs(ROW, ODD))


@pytest.mark.parametrize(
    ("json", "wanted", "is_found"),
    [
        pytest.param('{"a":1}', {"eq": '{"a":1}'}, False, id="a map equals no text"),
        pytest.param('{"a":1}', {"ne": '{"a":1}'}, True, id="ne"),
        pytest.param('{"a":1}', {"contains": "a"}, False, id="contains does not look into a map"),
        pytest.param('["a"]', {"contains": "a"}, True, id="a list has members"),
        pytest.param('["ab"]', {"contains": "a"}, False, id="whole members"),
        pytest.param('{"a":1}', {"attributeType": "map"}, True, id="map"),
        pytest.param("[]", {"attributeType": "list"}, True, id="list"),
        pytest.param("1.5", {"attributeType": "number"}, True, id="number"),
        pytest.param("true", {"attributeType": "bool"}, True, id="bool"),
        pytest.param("null", {"attributeType": "_null"}, True, id="null"),
        pytest.param('{"a":1}', {"attributeType": "string"}, False, id="no string"),
        pytest.param('{"a":1,"b":[true,null]}', {"size": {"eq": 2}}, True, id="members of a map"),
        pytest.param("[1,2,3]", {"size": {"between": [2, 3]}}, True, id="members of a list"),
        pytest.param('"text"', {"beginsWith": "te"}, True, id="a text is text"),
        pytest.param('"text"', {"eq": "text"}, True, id="without quotes"),
        pytest.param("12", {"eq": "12"}, False, id="a number equals no text"),
    ],
)
def test_filters_of_json(api: Any, json: str, wanted: Any, is_found: bool) -> None:
    """AWSJSON is stored and filtered as the parsed value."""
    api.data(api.developer, CREATE, {"i": {"json": json}})
    document = "query ($f: ModelRowFilterInput) { listRows(filter: $f) { items { json } } }"
    items = api.data(api.developer, document, {"f": {"json": wanted}})["items"]
    assert items == ([{"json": None if json == "null" else json}] if is_found else [])


def test_update_of_json(api: Any) -> None:
    """An update replaces the value; conditions compare the stored form."""
    api.data(api.developer, CREATE, {"i": {"id": "r", "json": '{"b": 1, "a": [1.50, "ż"]}'}})
    document = (
        'mutation { updateRow(input: {id: "r", json: "[]"}, condition: {json: {attributeType: map}})'
        " { json } }"
    )
    assert api.data(api.developer, document) == {"json": "[]"}
    error = api.error(api.developer, document)
    assert error["errorType"] == "DynamoDB:ConditionalCheckFailedException"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"number": 1e126}, LARGE),
        ({"number": -1e126}, LARGE),
        ({"number": 9.9e-131}, SMALL),
        ({"number": -5e-324}, SMALL),
        ({"json": '{"a": [1, {"b": 1e200}]}'}, LARGE),
        ({"json": "[[1e-200]]"}, SMALL),
    ],
)
def test_range_of_numbers(api: Any, fields: Any, message: str) -> None:
    """DynamoDB rejects numbers beyond its range, at any depth, and names the value on update."""
    error = api.error(api.developer, CREATE, {"i": fields})
    assert error["message"].startswith(f"{message} (Service: DynamoDb")
    assert error["errorType"] == "DynamoDB:DynamoDbException"
    api.data(api.developer, CREATE, {"i": {"id": "r"}})
    (name,) = fields
    error = api.error(api.developer, UPDATE, {"i": {"id": "r", **fields}})
    assert error["message"].startswith(
        f"ExpressionAttributeValues contains invalid value: {message} for key :{name} (Service"
    )


def test_floats(api: Any) -> None:
    """Float accepts whole numbers too, and rounds those that no double represents exactly."""
    for given, stored in (
        (9.99e125, 9.99e125),
        (-1e-130, -1e-130),
        (0, 0.0),
        (2**53 + 1, float(2**53)),
        (1700000000123456789, 1.7000000001234568e18),
    ):
        with case(given, stored):
            assert api.data(api.developer, CREATE, {"i": {"number": given}})["number"] == stored
            literal = f"mutation {{ createRow(input: {{number: {given}}}) {{ number }} }}"
            assert api.data(api.developer, literal) == {"number": stored}


def test_invalid_floats(api: Any) -> None:
    """Float accepts only finite numbers."""
    for given in (
        True,
        "1",
        [1.5, 2],
        10**400,
        1e308 * 10,
    ):
        with case(given):
            error = api.error(api.developer, CREATE, {"i": {"number": given}})
            assert error["message"].startswith(
                "Variable 'i' has an invalid value. Expected type 'Float'"
            )


def test_names(api: Any) -> None:
    """Fields, keys and arguments may have names that resolvers use internally."""
    names = "info self source _source args context"
    fields = ", ".join(f'{name}: "{name}"' for name in names.split())
    item = {name: name for name in names.split()}
    made = api.data(api.developer, f"mutation {{ createOdd(input: {{{fields}}}) {{ {names} }} }}")
    assert made == item
    filters = ", ".join(f'{name}: {{eq: "{name}"}}' for name in ("source", "_source", "context"))
    get = f'{{ getOdd(info: "info", self: "self") {{ {names} }} }}'
    assert api.data(api.developer, get) == item
    for query in (
        'listOdds(info: "info", self: {beginsWith: "s"})',
        f"listOdds(filter: {{{filters}}})",
        'oddBySource(source: "source", _source: {eq: "_source"})',
        'oddByUnder(_source: "_source", filter: {source: {eq: "source"}})',
        'oddByArgs(args: "args")',
    ):
        found = api.data(api.developer, f"{{ {query} {{ items {{ {names} }} }} }}")
        assert found == {"items": [item]}
    key = 'info: "info", self: "self"'
    update = f"mutation {{ updateOdd(input: {{{key}, source: null}}) {{ source }} }}"
    assert api.data(api.developer, update) == {"source": None}
    delete = (
        f'mutation {{ deleteOdd(input: {{{key}}}, condition: {{_source: {{eq: "_source"}}}})'
        " { self } }"
    )
    assert api.data(api.developer, delete) == {"self": "self"}
