"""Recorded calls of the JavaScript client: ours send the same, except for listed deviations."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from graphql import parse, print_ast

from seedctl import errors
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.appsync.records import Page, Record
from tests.appsync.appsync import DATA, VECTORS, ClientHarness, session
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


def _harness(row: dict[str, Any]) -> ClientHarness:
    harness = ClientHarness(
        row["outputs"],
        identity=session(row["session"]),
        options=AuthOptions(**_python(row["client"])),
    )
    # After the recorded replies, the recorder's server gave this response.
    harness.answer(*row.get("server_replies", ()), *[{"data": None}] * 2)
    return harness


def _call(harness: ClientHarness, call: dict[str, Any], **more: Any) -> Any:
    """Make a recorded *call* as a script in Python would."""
    arguments = call["args"]
    if call["kind"] == "graphql":
        options = {**arguments[0], **({"headers": arguments[1]} if len(arguments) > 1 else {})}
        document, variables = options.pop("query"), options.pop("variables", None)
        return harness.client.graphql(document, variables, **_python(options))
    first = arguments[0] if arguments else {}
    second = arguments[1] if len(arguments) > 1 else {}
    if call["kind"] == "model":
        operation = call["operation"]
        method = getattr(harness.models[call["model"]], operation)
        if operation == "list":
            second = {name: value for name, value in first.items() if name in _OPTIONS}
            first = {name: value for name, value in first.items() if name not in _OPTIONS}
        return method(first, **_python(second), **more)
    operations = harness.client.queries if call["kind"] == "query" else harness.client.mutations
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


def _check_requests(harness: ClientHarness, row: dict[str, Any]) -> None:
    expected = row["expect"].get("requests", [])
    assert len(harness.requests) == row["expect"]["http_request_count"]
    for ours, theirs in zip(harness.requests, expected, strict=False):
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
            _check_call(_harness(row), row)


def _check_call(harness: ClientHarness, row: dict[str, Any]) -> None:
    expected = row["expect"]
    if "server_replies" not in row and "threw" not in expected:
        # A deviation: we raise, since AppSync never gives such a response.
        with pytest.raises(errors.InvalidResponseError):
            _call(harness, row["call"])
    elif "threw" in expected or "errors" in expected["returned"]:
        _check_error(harness, row)
    else:
        result = _call(harness, row["call"])
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
    _check_requests(harness, row)


def _check_error(harness: ClientHarness, row: dict[str, Any]) -> None:
    with pytest.raises(errors.SeedctlError) as caught:
        _call(harness, row["call"])
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
    harness = _harness(row)
    with pytest.raises(errors.InvalidInputError, match=r"bogus|owner"):
        _call(harness, row["call"])
    assert harness.requests == []
    harness.pool.replies.clear()
    _call(harness, row["call"], validate=False)
    _check_requests(harness, row)


def test_values_of_to_many_relations_are_refused() -> None:
    """A value that the JavaScript client drops is an error that says where the key belongs."""
    row = ROWS["post-create-hasmany-and-hasone-object"]
    assert row["id"] in DEVIATIONS
    harness = _harness(row)
    with pytest.raises(errors.InvalidInputError, match=r"Comment holds the foreign key \(postId\)"):
        _call(harness, row["call"])
    assert harness.requests == []


def test_a_401_keeps_appsyncs_text() -> None:
    """A 401 keeps AppSync's message about the credentials."""
    row = ROWS["todo-list-http-401"]
    assert row["id"] in DEVIATIONS
    harness = _harness(row)
    with pytest.raises(errors.UnauthorizedError, match="Valid authorization header") as caught:
        _call(harness, row["call"])
    assert (caught.value.auth_mode, caught.value.auth_mode_source) == ("userPool", "default")
    _check_requests(harness, row)


def test_a_network_failure() -> None:
    """A network failure raises after as many attempts as the JavaScript client makes."""
    row = ROWS["note-network-error"]
    assert row["id"] in DEVIATIONS
    harness = _harness(row)
    with pytest.raises(errors.EndpointUnreachableError, match="gave no answer"):
        _call(harness, row["call"])
    _check_requests(harness, row)


def test_the_clients_surface() -> None:
    """Each recorded model has the recorded operations, and no others."""
    for outputs, surface in VECTORS["client_surface"].items():
        harness = ClientHarness(outputs)
        assert set(harness.models) == set(surface["models"])
        for model, operations in surface["models"].items():
            client = harness.models[model]
            indexes = set(client._model.indexes)
            enabled = {*("create", "get", "update", "delete", "list")} - client._model.disabled
            assert enabled | indexes == {
                name for name in operations if name and not name.startswith(("on", "observe"))
            }
        assert list(harness.client.queries) == surface["queries"]
        assert list(harness.client.mutations) == surface["mutations"]
        enums = {
            name: getattr(harness.client.enums, name).values() for name in harness.client.enums
        }
        assert enums == surface["enums"]
