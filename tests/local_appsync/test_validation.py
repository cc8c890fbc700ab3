"""Errors before any resolver runs: scalars, variables, literals, selections."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from tests.cases import case

CREATE = "mutation ($input: CreateScalarsInput!) { createScalars(input: $input) { %s } }"
TODO = "mutation ($input: CreateTodoInput!) { createTodo(input: $input) { id } }"

GOOD: dict[str, list[Any]] = {
    "aString": ["", "x"],
    "aInt": [0, -(2**31), 2**31 - 1],
    "aFloat": [0, 1.5],
    "aBool": [True],
    "aDate": [
        "-0044-02-29",
        "0000-01-01Z",
        "2025-01-31",
        "2025-01-31Z",
        "2025-01-31+07:00",
        "2025-01-31-07:00:30",
    ],
    "aTime": ["12:30", "12:30:24", "12:30:24.5", "12:30:24.123456789Z", "12:30:24+01:00"],
    "aDateTime": [
        "-0044-03-15T00:00Z",
        "2025-01-01T00:00Z",
        "2025-01-01T00:00:00.000Z",
        "2025-01-01T00:00:00-07:00",
    ],
    "aTimestamp": [0, 1736942400, 1736942400000, -31557014167219200, 31556889864403199],
    "aEmail": ["a@b.c"],
    "aPhone": ["+4915112345678", "+44 20 7946 0958", "555-123-4567", "5551234567"],
    "aUrl": ["https://a.b/c?d=e#f", "mailto:a@b.c", "http://localhost"],
    "aIp": ["127.0.0.1", "10.0.0.0/8", "::1", "fe80::/10"],
    "aIds": [["a"]],
    "reqArr": [[1], []],
    "jsons": [["1"]],
}
BAD: dict[str, list[Any]] = {
    "aString": [1, ["a", "b"]],
    "aInt": ["1", 1.5, 2**31, True],
    "aFloat": ["1.5", 10**400],
    "aBool": ["true", 1],
    "aDate": ["2025-02-30", "-0001-02-29", "--044-03-15", "25-01-01", "2025-01-01T00:00Z", ""],
    "aTime": ["24:00", "12", "12:30.5", "12:30:24.1234567890"],
    "aDateTime": ["2025-01-01T00:00:00", "2025-01-01T00:00:00+0000", "2025-01-01", "x"],
    "aTimestamp": [-31557014167219201, 31556889864403200, "1736942400", 1.5, True],
    "aEmail": ["a", "a b@c", "@", ""],
    "aPhone": ["123", "+", "x", ""],
    "aUrl": ["a.b/c", "https://a.b//c", "https:", ""],
    "aIp": ["1.2.3", "1.2.3.4/33", "x", ""],
    "aJson": [{"k": "v"}, "{", "NaN", "1e400", '"\\ud800"', ""],
    "aIds": [[{}]],
    "jsons": [[{"k": "v"}]],
}


def test_accepted(store: Any) -> None:
    """A value that a scalar accepts is returned unchanged."""
    for name, values in GOOD.items():
        with case(name):
            for value in values:
                document = CREATE % name
                assert store.data(
                    store.developer, document, {"input": {"arrReq": [], name: value}}
                ) == {name: value}


def test_not_accepted(store: Any) -> None:
    """A value that a scalar does not accept is rejected, and the message names the variable."""
    for name, values in BAD.items():
        with case(name):
            for value in values:
                answer = store.execute(
                    store.developer, CREATE % name, {"input": {"arrReq": [], name: value}}
                )
                assert answer["data"] is None, value
                (error,) = answer["errors"]
                assert error["message"].startswith("Variable 'input' has an invalid value."), value
                assert error["path"] is None
                place = {"line": 1, "column": 11, "sourceName": None}
                assert error["locations"] == [place]
                assert "errorType" not in error


@pytest.mark.parametrize(
    ("given", "read"),
    [('{ "b": 1, "a": [ 1.0 ] }', '{"b":1,"a":[1.0]}'), ("null", None), ('"x"', '"x"')],
)
def test_json(store: Any, given: str, read: str | None) -> None:
    """AWSJSON is parsed and printed again, without white space."""
    item = store.data(store.developer, CREATE % "aJson", {"input": {"arrReq": [], "aJson": given}})
    assert item == {"aJson": read}


def test_json_object(store: Any) -> None:
    """The message for an object as AWSJSON shows it as Java prints it."""
    error = store.error(store.developer, CREATE % "id", {"input": {"aJson": {"k": "v"}}})
    assert error["message"] == (
        "Variable 'input' has an invalid value. Unable to parse {k=v} as valid JSON."
    )


def test_messages(todo: Any) -> None:
    """Error messages are those of AppSync."""
    for case_name, document, variables, message in (
        (
            "missing variable",
            TODO,
            {},
            "Variable 'input' has coerced Null value for NonNull type 'CreateTodoInput!'",
        ),
        (
            "wrong kind",
            TODO,
            {"input": {"id": ["a"]}},
            "Variable 'input' has an invalid value. Expected type 'ID' but was 'ArrayList'.",
        ),
        (
            "no object",
            TODO,
            {"input": "x"},
            "Variable 'input' has an invalid value. Expected type 'Map' but was 'String'.",
        ),
        (
            "wrong literal",
            "mutation { createTodo(input: {content: 1}) { id } }",
            {},
            (
                "Validation error of type WrongType: argument 'input' with value '{content: 1}' is "
                "not a valid 'String' @ 'createTodo'"
            ),
        ),
        (
            "literal without required field",
            "mutation { updateTodo(input: {}) { id } }",
            {},
            (
                "Validation error of type WrongType: argument 'input' with value '{}' is missing "
                "required fields '[id]' @ 'updateTodo'"
            ),
        ),
        (
            "nested selection",
            "{ listTodos { items { nope } } }",
            {},
            (
                "Validation error of type FieldUndefined: Field 'nope' in type 'Todo' is undefined "
                "@ 'listTodos/items/nope'"
            ),
        ),
    ):
        with case(case_name):
            found = todo.error(todo.developer, document, variables)["message"]
            # Some versions of graphql-core print literals with these blanks, others without.
            assert re.sub(r"(?<=\{) +| +(?=\})", "", found) == message


def test_required_field(store: Any) -> None:
    """A required field that is missing is reported by the variable's name and the field's type."""
    document = "mutation ($x: CreateCustomerInput!) { createCustomer(input: $x) { email } }"
    for given in ({}, {"email": None}):
        error = store.error(store.developer, document, {"x": given})
        assert error["message"] == (
            "Variable 'x' has coerced Null value for NonNull type 'AWSEmail!'"
        )


def test_enum(blog: Any) -> None:
    """A value that is not in the enum is rejected."""
    document = "mutation ($i: CreatePostInput!) { createPost(input: $i) { id } }"
    variables = {"i": {"title": "t", "labels": [], "status": "LOST"}}
    assert (
        "Invalid input for Enum 'PostStatus'"
        in blog.error(blog.key, document, variables)["message"]
    )


def test_stored_under_another_type(start: Any, store: Any) -> None:
    """A stored value that no longer fits its field is an error there; the rest is returned."""
    store.data(store.developer, CREATE % "id", {"input": {"id": "s", "arrReq": [], "aString": "x"}})
    document = copy.deepcopy(store.outputs.document)
    fields = document["data"]["model_introspection"]["models"]["Scalars"]["fields"]
    fields["aString"]["type"] = "AWSDateTime"
    api = start(document)
    answer = api.execute(api.developer, "{ listScalars { items { id aString } } }")
    assert answer["data"] == {"listScalars": {"items": [{"id": "s", "aString": None}]}}
    assert answer["errors"][0]["message"] == (
        "Can't serialize value (/listScalars/items[0]/aString) : Unable to serialize a value as a "
        "valid AWSDateTime."
    )
