"""Which callers are accepted, and the errors for all others."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from seedctl.local.appsync.callers import API_KEY, IAM, IDENTITY_POOL, USER_POOL, Caller, Callers
from seedctl.local.appsync.errors import RefusedCallError
from seedctl.local.identity_pool import Principal
from seedctl.outputs.sections import DataOutputs
from tests.cases import case

LIST = "{ listTodos { items { id } } }"
REFUSED = "You are not authorized to make this call."
NO_HEADER = "Valid authorization header not provided."


def _refusal(api: Any, headers: dict[str, str], query: str = LIST) -> str:
    status, lowered, document = api.send(headers, query)
    assert status == 401
    assert lowered["x-amzn-errortype"] == "UnauthorizedException"
    (error,) = document["errors"]
    assert error["errorType"] == "UnauthorizedException"
    return str(error["message"])


@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_user_tokens(ruled: Any, kind: str) -> None:
    """Access tokens and id tokens are accepted, and identify the same user."""
    tokens = ruled.sign_in("ann@example.com")
    create = "mutation { createNote(input: {}) { owner } }"
    own = ruled.data({"Authorization": tokens["AccessToken"]}, create)
    assert ruled.data({"Authorization": tokens[kind]}, create) == own


def test_expired(todo: Any) -> None:
    """A token is valid for an hour."""
    ann = todo.user("ann@example.com")
    todo.clock.advance(3601)
    assert _refusal(todo, ann) == "Token has expired."


def _revoke(api: Any, tokens: Any) -> None:
    api.cognito(
        "RevokeToken",
        Token=tokens["RefreshToken"],
        ClientId=api.outputs.auth.user_pool_client_id,
    )


def _disable(api: Any, _tokens: Any) -> None:
    pool = api.outputs.auth.user_pool_id
    api.cognito("AdminDisableUser", UserPoolId=pool, Username="ann@example.com")


def _delete(api: Any, _tokens: Any) -> None:
    pool = api.outputs.auth.user_pool_id
    api.cognito("AdminDeleteUser", UserPoolId=pool, Username="ann@example.com")


@pytest.mark.parametrize("end", [_revoke, _disable, _delete])
@pytest.mark.parametrize("kind", ["AccessToken", "IdToken"])
def test_token_after_sign_out(todo: Any, end: Any, kind: str) -> None:
    """AppSync checks only signature and expiry: a revoked token is accepted until it expires."""
    tokens = todo.sign_in("ann@example.com")
    end(todo, tokens)
    ann = {"Authorization": tokens[kind]}
    assert todo.data(ann, LIST) == {"items": []}
    todo.clock.advance(3601)
    assert _refusal(todo, ann) == "Token has expired."


def test_refused(todo: Any) -> None:
    """An unknown caller is rejected with status 401, before the request is parsed."""
    for case_name, headers, message in (
        ("nothing", {}, NO_HEADER),
        ("no JWT", {"Authorization": "nonsense"}, "Unable to parse JWT token."),
        ("of nobody", {"Authorization": "e30.e30.e30"}, NO_HEADER),
        ("mode not enabled", {"x-api-key": "da2-x"}, REFUSED),
        ("no credential", {"Authorization": "AWS4-HMAC-SHA256 x"}, REFUSED),
    ):
        with case(case_name):
            assert _refusal(todo, headers) == message


def test_foreign_pool(todo: Any, start: Any) -> None:
    """A token of another user pool is rejected."""
    other = copy.deepcopy(todo.outputs.document)
    other["auth"]["user_pool_id"] = "us-east-1_Another00"
    foreign = start(other).user("ann@example.com")
    assert _refusal(todo, foreign) == NO_HEADER


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"x-api-key": "é"}])
def test_api_key(blog: Any, headers: dict[str, str]) -> None:
    """If an API key is the default, a wrong key and a missing one give the same error."""
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    assert _refusal(blog, encoded, "{ listPosts { items { id } } }") == REFUSED


_JWT = "e30.e30.e30"


def _identify(modes: tuple[str, ...], headers: dict[str, str]) -> Caller | str:
    """Return the caller with *headers* of an API with *modes*, the default first, or the refusal."""
    data = DataOutputs("", "", modes[0], modes[1:], "da2-key", None)
    holders = {
        name: Principal(name, "id", claims, 0.0, "", "")
        for name, claims in (("ASIAGUEST", {}), ("ASIAUSER", {"sub": "ann"}))
    }
    callers = Callers(
        data, read_token={_JWT: {"sub": "ann"}}.__getitem__, find_principal=holders.get
    )
    try:
        return callers.identify(headers)
    except RefusedCallError as error:
        return str(error)


def _signed_by(key: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/appsync/aws4_request, Signature=0"


def test_modes() -> None:
    """Each mode has its own header, and only modes of the API are accepted; IAM always is."""
    key, pool, iam = "API_KEY", "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
    ann = {"sub": "ann"}
    for modes, headers, expected in (
        ((key,), {"x-api-key": "da2-key"}, Caller(API_KEY)),
        ((pool, key), {"x-api-key": "da2-key"}, Caller(API_KEY)),
        ((pool,), {"x-api-key": "da2-key"}, REFUSED),
        ((key,), {"x-api-key": "da2-"}, REFUSED),
        ((key,), {"x-api-key": ""}, REFUSED),
        ((pool,), {"authorization": _JWT}, Caller(USER_POOL, ann)),
        ((key, pool), {"authorization": f"Bearer {_JWT}"}, Caller(USER_POOL, ann)),
        ((key,), {"authorization": _JWT}, REFUSED),
        ((iam,), {"authorization": _JWT}, REFUSED),
        ((pool,), {"authorization": _signed_by("local")}, Caller(IAM)),
        ((iam,), {"authorization": _signed_by("local2")}, REFUSED),
        ((iam,), {"authorization": _signed_by("ASIAGUEST")}, Caller(IDENTITY_POOL, {}, True)),
        ((pool,), {"authorization": _signed_by("ASIAUSER")}, Caller(IDENTITY_POOL, ann, False)),
        ((iam,), {"authorization": _signed_by("ASIAOTHER")}, REFUSED),
        ((pool,), {}, NO_HEADER),
        ((key,), {}, REFUSED),
    ):
        with case(modes, headers):
            found = _identify(modes, headers)
            assert found == expected
            assert "ann" not in repr(found)  # claims may be personal data


def test_unknown_access_key(todo: Any) -> None:
    """An access key id is rejected unless the sandbox issued it."""
    assert _refusal(todo, todo.signed("AKIDEXAMPLE")) == REFUSED
    assert todo.data(todo.developer, LIST) == {"items": []}


def test_lambda_authorizer(ruled: Any) -> None:
    """The error says that a Lambda authorizer is not available."""
    message = _refusal(ruled, {"Authorization": "custom"}, "{ listLambdaThings { nextToken } }")
    assert message.startswith("The Lambda authorizer is not available locally")


def test_malformed(todo: Any) -> None:
    """A malformed request is rejected with status 400."""
    for body, message in (
        (b"", "Request body is empty."),
        (b"{", "Unable to parse GraphQL query."),
        (b"[]", "Unable to parse GraphQL query."),
        (b'{"query": 1}', "Unable to parse GraphQL query."),
        (b'{"query": "{"}', "Unable to parse GraphQL query."),
        (b'{"query": "{ x }", "variables": []}', "Unable to parse GraphQL query."),
        (b'{"query": "\\ud800"}', "Unable to parse GraphQL query."),
        (json.dumps({"query": "{a" * 5000}).encode(), "Unable to parse GraphQL query."),
    ):
        with case(body, message):
            status, headers, document = todo.post("/graphql", body, todo.developer)
            assert status == 400
            assert headers["x-amzn-errortype"] == "MalformedHttpRequestException"
            assert document == {
                "errors": [{"errorType": "MalformedHttpRequestException", "message": message}]
            }


def test_operation_name(todo: Any) -> None:
    """Of several operations, the named one is executed; without a name it is an error."""
    query = "query A { a: listTodos { nextToken } } query B { b: listTodos { nextToken } }"
    body = json.dumps({"query": query, "operationName": "B"}).encode()
    status, _, document = todo.post("/graphql", body, todo.developer)
    assert (status, list(document["data"])) == (200, ["b"])
    assert todo.send(todo.developer, query)[0] == 400


def test_without_introspection(start: Any, todo: Any) -> None:
    """Without model introspection the API is not served, and the error says why."""
    document = copy.deepcopy(todo.outputs.document)
    del document["data"]["model_introspection"]
    api = start(document)
    status, _, answer = api.send(api.developer, LIST)
    assert status == 400
    assert "no model_introspection" in answer["errors"][0]["message"]


def test_without_data(start: Any) -> None:
    """Without a data section there is no API: the request is for an unknown operation."""
    api = start("storage_only_multi_bucket.json")
    status, _, body = api.connection.send("POST", "/graphql", b"{}", {})
    assert (status, b"<Code>InvalidAction</Code>" in body) == (400, True)
