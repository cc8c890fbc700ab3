"""Unusual outputs files: what Amplify omits has defaults, mistakes are rejected when reading."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import InvalidAmplifyOutputsError, LocalSandboxError
from seedctl.outputs import parse_outputs
from tests.changes import changed, places
from tests.local_appsync.conftest import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.local_appsync.conftest import API

SLIPS: tuple[Any, ...] = (None, 5, "", "a}b", [], {}, [["x"]], True)
EXAMPLES = ("corners.json", "store_userpool.json", "auth_rules.json")
CREATE_TASK = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { %s } }"


@cache
def _text(name: str) -> str:
    return (DATA / "outputs" / name).read_text(encoding="utf-8")


def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_text(name))
    return document


@pytest.fixture
def corners(start: Callable[..., API]) -> API:
    return start("corners.json")


def test_an_index_without_a_query_keeps_its_rules(corners: API) -> None:
    """An index without a query still needs all parts of its sort key."""
    document = _document("corners.json")["data"]["model_introspection"]["models"]["Task"]
    assert document["attributes"][2]["properties"]["queryField"] is None
    given = {"input": {"title": "x", "due": "2026-11-28", "updatedAt": "now"}}
    made = corners.data(corners.developer, CREATE_TASK % "id updatedAt", given)
    assert made["updatedAt"] == "now"
    given["input"]["status"] = "open"
    error = corners.error(corners.developer, CREATE_TASK % "id", given)
    assert "'tasksByDueAndStatusAndRank'" in error["message"]
    found = corners.data(corners.developer, '{ listTaskByDue(due: "2026-11-28") { items { id } } }')
    assert found == {"items": [{"id": made["id"]}]}
    unknown = corners.error(corners.developer, '{ tasksByStatus(status: "open") { nextToken } }')
    assert "tasksByStatus" in unknown["message"]


def test_only_a_time_is_filled_in(corners: API) -> None:
    """A createdAt of another type than a date or text is an ordinary field."""
    made = corners.data(corners.developer, CREATE_TASK % "createdAt updatedAt", {"input": {}})
    assert made == {"createdAt": None, "updatedAt": "2026-09-21T14:13:20.250Z"}


def test_a_field_may_have_any_name(corners: API) -> None:
    """Arguments have the names of the key fields, whatever these are."""
    query = '{ listCounters(source: "s", info: {eq: 1}) { items { total } } }'
    create = 'mutation { createCounter(input: {source: "s", info: 1, total: 2}) { info } }'
    assert corners.data(corners.developer, create) == {"info": 1}
    assert corners.data(corners.developer, query) == {"items": [{"total": 2.0}]}
    get = '{ getCounter(source: "s", info: 1) { total } }'
    assert corners.data(corners.developer, get) == {"total": 2.0}
    by_index = "{ listCounterByInfo(info: 1) { items { source } } }"
    assert corners.data(corners.developer, by_index) == {"items": [{"source": "s"}]}


def test_a_rule_without_operations_is_for_all(start: Callable[..., API]) -> None:
    """A rule without a list of operations allows all of them; an empty list allows none."""
    document = _document("corners.json")
    document["auth"]["mfa_configuration"] = "OFF"
    document["data"]["api_key"] = "da2-corners"
    api = start(document)
    update = 'mutation { updateCounter(input: {source: "s", info: 1}) { info } }'
    error = api.error(api.user("ann@example.com"), update)
    assert error["errorType"] == "DynamoDB:ConditionalCheckFailedException"
    assert api.error(api.key, update)["errorType"] == "Unauthorized"


def test_auth_types_that_are_not_listed_are_served(
    start: Callable[..., API],
) -> None:
    """Without authorization_types an API key is accepted."""
    document = _document("blog_apikey.json")
    del document["data"]["authorization_types"]
    document["data"]["default_authorization_type"] = "AMAZON_COGNITO_USER_POOLS"
    api = start(document)
    assert api.data(api.key, "{ listPosts { nextToken } }") == {"nextToken": None}


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        pytest.param("nonModels", "ModelSizeInput", "ModelSizeInput", id="a name of the API's own"),
        pytest.param("inputs", "Endless", "Endless", id="an input that never ends"),
    ],
)
def test_invalid_schema_is_reported(
    kind: str, name: str, reason: str, start: Callable[..., API]
) -> None:
    """Mistakes that only the whole schema shows are reported at the first request."""
    document = _document("corners.json")
    within = {"input": name} if kind == "inputs" else "String"
    field = {"name": "x", "isArray": False, "isRequired": True, "type": within}
    key = "attributes" if kind == "inputs" else "fields"
    schema = document["data"]["model_introspection"]
    schema[kind][name] = {"name": name, key: {"x": field}}
    schema["queries"]["summary"]["arguments"]["x"] = {**field, "isRequired": False}
    if kind == "nonModels":
        schema["queries"]["summary"]["type"] = {"nonModel": name}
    api = start(document)
    status, headers, _ = api.send(api.developer, "{ x }")
    assert status == 507
    error = LocalSandboxError.from_headers(headers)
    assert error is not None
    assert "The data section of the outputs file gives no valid GraphQL schema" in error.message
    assert reason in error.message
    assert "npx ampx" in (error.resolution or "")


def _odd(seed: int, count: int) -> list[tuple[str, Any, Any]]:
    chance = random.Random(seed)
    every = [
        (name, place, slip)
        for name in EXAMPLES
        for place in places(_document(name))
        for slip in SLIPS
    ]
    return chance.sample(every, count)


def _id(row: tuple[str, Any, Any]) -> str:
    name, place, slip = row
    return f"{name.partition('.')[0]}:{'.'.join(map(str, place[-4:]))}={json.dumps(slip)}"


@pytest.mark.parametrize(
    ("name", "place", "slip"), [pytest.param(*row, id=_id(row)) for row in _odd(20261128, 100)]
)
def test_a_changed_file_is_served_or_refused(
    name: str, place: Any, slip: Any, start: Callable[..., API], tmp_path: Path
) -> None:
    """With any value at any place, the file is either rejected when it is read, or served."""
    path = tmp_path / "amplify_outputs.json"
    document = changed(_document(name), place, copy.deepcopy(slip))
    try:
        outputs = parse_outputs(document, path)
    except InvalidAmplifyOutputsError as error:
        assert error.message.startswith(f"{path}: ")  # noqa: PT017 - either outcome is right
        return
    if outputs.data is None or outputs.data.schema is None:
        return
    api = start(outputs)
    status, _, answer = api.send(api.developer, "{ __schema { queryType { name } } }")
    assert status in (200, 401), answer
    for model in outputs.data.schema.models.values():
        if "create" not in model.disabled:
            verb = f"create{model.name[0].upper()}{model.name[1:]}"
            query = f"mutation {{ {verb}(input: {{}}) {{ __typename }} }}"
            status, _, answer = api.send(api.developer, query)
            assert status == 200, answer


def test_invalid_source_is_reported(start: Callable[..., API]) -> None:
    """A mistake in the source of the models names the file and the line, at the first request."""
    document = _document("todo_userpool.json")
    source = 'type Todo @model {\n  content: Int @default(value: "x")\n}'
    document["custom"] = {"seedctl": {"format": 1, "model_schema": source}}
    api = start(document)
    status, headers, _ = api.send(api.developer, "{ x }")
    assert status == 507
    error = LocalSandboxError.from_headers(headers)
    assert error is not None
    assert error.message == (
        "amplify_outputs.json: custom.seedctl.model_schema, line 2, column 16: "
        '@default: "x" is not a valid Int.'
    )
    assert "seedctl local init" in (error.resolution or "")


def test_source_is_enforced(start: Callable[..., API]) -> None:
    """The server applies the source that its outputs file has."""
    document = _document("todo_userpool.json")
    source = 'type Todo @model { content: String @validate(type: maxLength, value: "2") }'
    document["custom"] = {"seedctl": {"format": 1, "model_schema": source}}
    api = start(document)
    create = 'mutation { createTodo(input: {content: "abc"}) { id } }'
    assert api.error(api.developer, create)["message"].endswith("have a maximum length of 2")
