"""Recorded calls of the JavaScript client: ours send the same, except for listed deviations."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from graphql import parse, print_ast

from seedctl import errors
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.records import Page, Record
from tests.appsync.appsync import DATA, VECTORS, Stage, session
from tests.cases import case

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROWS = {row["id"]: row for row in VECTORS["vectors"]}
DEVIATIONS = {
    row["id"]
    for row in tomllib.loads((DATA / "deviations.toml").read_text(encoding="utf-8"))[
        "graphql_requests"
    ]
}
MATCHING = [row for name, row in ROWS.items() if name not in DEVIATIONS]

_SNAKE = {
    "authMode": "auth_mode",
    "authToken": "auth_token",
    "apiKey": "api_key",
    "nextToken": "next_token",
    "selectionSet": "selection_set",
    "sortDirection": "sort_direction",
}
_OPTIONS = {*_SNAKE, "filter", "headers", "limit"}


def _python(options: dict[str, Any]) -> dict[str, Any]:
    return {_SNAKE.get(name, name): value for name, value in options.items()}


def _stage(row: dict[str, Any]) -> Stage:
    stage = Stage(
        row["outputs"],
        identity=session(row["session"]),
        options=AuthOptions(**_python(row["client"])),
    )
    # After the recorded replies, the recorder's server gave this response.
    stage.answer(*row.get("server_replies", ()), *[{"data": None}] * 2)
    return stage


def _call(stage: Stage, call: dict[str, Any], **more: Any) -> Any:
    """Make a recorded *call* as a script in Python would."""
    arguments = call["args"]
    if call["kind"] == "graphql":
        options = {**arguments[0], **({"headers": arguments[1]} if len(arguments) > 1 else {})}
        document, variables = options.pop("query"), options.pop("variables", None)
        return stage.client.graphql(document, variables, **_python(options))
    first = arguments[0] if arguments else {}
    second = arguments[1] if len(arguments) > 1 else {}
    if call["kind"] == "model":
        operation = call["operation"]
        method = getattr(stage.models[call["model"]], operation)
        if operation == "list":
            second = {name: value for name, value in first.items() if name in _OPTIONS}
            first = {name: value for name, value in first.items() if name not in _OPTIONS}
        return method(first, **_python(second), **more)
    operations = stage.client.queries if call["kind"] == "query" else stage.client.mutations
    if "authMode" in first and len(arguments) == 1:
        first, second = {}, first
    return getattr(operations, call["name"])(first, **_python(second), **more)


def _as_javascript(value: Any) -> Any:
    if isinstance(value, Page):
        return {"data": [_plain(item) for item in value.items], "nextToken": value.next_token}
    return {"data": _plain(value)}


def _plain(value: Any) -> Any:
    return value.to_dict() if isinstance(value, Record) else value


def _expected_headers(headers: dict[str, str]) -> dict[str, str]:
    token = VECTORS["sessions"]["signedIn"]["access_token"]
    return {
        name: token if value == "<ACCESS_TOKEN>" else value
        for name, value in headers.items()
        if name != "host"  # which the connection adds
    }


def _check_requests(stage: Stage, row: dict[str, Any]) -> None:
    expected = row["expect"].get("requests", [])
    assert len(stage.requests) == row["expect"]["http_request_count"]
    for ours, theirs in zip(stage.requests, expected, strict=False):
        sent = {name: value for name, value in ours.headers.items() if name != "user-agent"}
        assert sent == _expected_headers(theirs["headers"])
        assert ours.url == theirs["url"]
        assert print_ast(parse(ours.query)) == print_ast(parse(theirs["query"]))
        assert ours.variables == theirs["variables"]
        if row["call"]["kind"] != "graphql":
            assert ours.query == theirs["query"]
        if "raw_body" in theirs:
            assert ours.body.decode() == theirs["raw_body"]


def test_a_recorded_call_sends_the_same() -> None:
    """The same requests with the same headers and signatures, and the same result or error."""
    for row in MATCHING:
        with case(row["id"]):
            _check_call(_stage(row), row)


def _check_call(stage: Stage, row: dict[str, Any]) -> None:
    expected = row["expect"]
    if "server_replies" not in row and "threw" not in expected:
        # A deviation: we raise, since AppSync never gives such a response.
        with pytest.raises(errors.InvalidResponseError):
            _call(stage, row["call"])
    elif "threw" in expected or "errors" in expected["returned"]:
        _check_error(stage, row)
    else:
        result = _call(stage, row["call"])
        if row["call"]["kind"] == "graphql":
            assert {"data": result} == expected["returned"]
        else:
            assert _as_javascript(result) == expected["returned"]
        if "lazy_fields" in expected:
            assert set(expected["lazy_fields"]) == set(result._loaders)
        if "then" in row:
            options = row["then"]["args"][0] if row["then"]["args"] else {}
            load = getattr(result, row["then"]["lazy"])
            if len(row["server_replies"]) < expected["http_request_count"]:
                with pytest.raises(errors.InvalidResponseError):
                    load(**_python(options))
                return
            loaded = load(**_python(options))
            assert _as_javascript(loaded) == expected["returned_then"]
            if "lazy_fields_then" in expected:
                assert set(expected["lazy_fields_then"]) == set(loaded._loaders)
    _check_requests(stage, row)


def _check_error(stage: Stage, row: dict[str, Any]) -> None:
    with pytest.raises(errors.SeedctlError) as caught:
        _call(stage, row["call"])
    theirs = row["expect"].get("threw") or row["expect"]["returned"]
    if "errors" in theirs:
        assert isinstance(caught.value, errors.GraphQLError)
        assert caught.value.errors == theirs["errors"]
        assert theirs["errors"][0]["message"] in caught.value.message
        data = caught.value.data
        if isinstance(data, Page):
            data = [_plain(item) for item in data.items]
        assert data == theirs["data"]
        return
    if theirs["name"] != "Error":
        assert caught.value.name == theirs["name"]
    assert theirs["message"].rstrip(".") in caught.value.message
    assert caught.value.resolution or "requires arguments" in caught.value.message


def test_each_deviation_is_a_recorded_call() -> None:
    """The list of deviations names only recorded calls."""
    assert set(ROWS) >= DEVIATIONS
    assert len(ROWS) == 77


@pytest.mark.parametrize(
    "name", ["todo-create-unknown-field-passthrough", "post-create-owner-in-input"]
)
def test_fields_that_the_api_would_refuse(name: str) -> None:
    """Unknown and undeclared fields raise before anything is sent, unless validate=False."""
    row = ROWS[name]
    assert name in DEVIATIONS
    stage = _stage(row)
    with pytest.raises(errors.InvalidInputError, match=r"bogus|owner"):
        _call(stage, row["call"])
    assert stage.requests == []
    stage.pool.replies.clear()
    _call(stage, row["call"], validate=False)
    _check_requests(stage, row)


def test_values_of_to_many_relations_are_refused() -> None:
    """A value that the JavaScript client drops is an error that says where the key belongs."""
    row = ROWS["post-create-hasmany-and-hasone-object"]
    assert row["id"] in DEVIATIONS
    stage = _stage(row)
    with pytest.raises(errors.InvalidInputError, match=r"Comment holds the foreign key \(postId\)"):
        _call(stage, row["call"])
    assert stage.requests == []


def test_a_401_keeps_appsyncs_text() -> None:
    """A 401 keeps AppSync's message about the credentials."""
    row = ROWS["todo-list-http-401"]
    assert row["id"] in DEVIATIONS
    stage = _stage(row)
    with pytest.raises(errors.UnauthorizedError, match="Valid authorization header") as caught:
        _call(stage, row["call"])
    assert (caught.value.auth_mode, caught.value.auth_mode_source) == ("userPool", "default")
    _check_requests(stage, row)


def test_a_network_failure() -> None:
    """A network failure raises after as many attempts as the JavaScript client makes."""
    row = ROWS["note-network-error"]
    assert row["id"] in DEVIATIONS
    stage = _stage(row)
    with pytest.raises(errors.EndpointUnreachableError, match="gave no answer"):
        _call(stage, row["call"])
    _check_requests(stage, row)


def test_the_clients_surface() -> None:
    """Each recorded model has the recorded operations, and no others."""
    for outputs, surface in VECTORS["client_surface"].items():
        stage = Stage(outputs)
        assert set(stage.models) == set(surface["models"])
        for model, operations in surface["models"].items():
            client = stage.models[model]
            indexes = set(client._model.indexes)
            enabled = {*("create", "get", "update", "delete", "list")} - client._model.disabled
            assert enabled | indexes == {
                name for name in operations if name and not name.startswith(("on", "observe"))
            }
        assert list(stage.client.queries) == surface["queries"]
        assert list(stage.client.mutations) == surface["mutations"]
        enums = {name: getattr(stage.client.enums, name).values() for name in stage.client.enums}
        assert enums == surface["enums"]
