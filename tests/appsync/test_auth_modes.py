"""How requests authenticate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors, masking
from seedctl.appsync.auth_modes import AuthOptions
from tests.appsync.appsync import ClientHarness, FakeIdentity, session

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_mode_is_named_with_its_source(harness_of: Callable[..., ClientHarness]) -> None:
    """An error says which auth mode was used, and where it was chosen."""
    nobody = FakeIdentity()
    default = harness_of(identity=nobody)
    client = harness_of(identity=nobody, options=AuthOptions("oidc"))
    with pytest.raises(errors.NoValidAuthTokens, match="auth mode userPool, the API's default"):
        default.models.Todo.list()
    with pytest.raises(errors.NoValidAuthTokens, match="auth mode oidc, from the client"):
        client.models.Todo.list()
    with pytest.raises(errors.NoCredentials, match="auth mode iam, from the call") as caught:
        client.models.Todo.list(auth_mode="iam")
    assert "Sign in first" in (caught.value.resolution or "")


def test_the_default_mode_is_that_of_the_api(harness_of: Callable[..., ClientHarness]) -> None:
    """Without an auth mode of the call or the client, the API's default authorization type decides."""
    authorizer = harness_of().authorizer
    for type_, mode in (
        ("AMAZON_COGNITO_USER_POOLS", "userPool"),
        ("API_KEY", "apiKey"),
        ("AWS_IAM", "iam"),
        ("AWS_LAMBDA", "lambda"),
        ("OPENID_CONNECT", "oidc"),
        ("SOMETHING_NEW", "iam"),
        (None, "iam"),
    ):
        data = replace(authorizer.data, default_authorization_type=type_)
        found = replace(authorizer, data=data)
        assert str(found.resolve(AuthOptions())) == f"auth mode {mode}, the API's default"
        client = replace(found, client=AuthOptions("none"))
        assert client.resolve(AuthOptions()).mode == "none"
        assert client.resolve(AuthOptions("oidc")).mode == "oidc"


def test_an_unknown_mode_is_refused(harness_of: Callable[..., ClientHarness]) -> None:
    """An unknown auth mode raises; the JavaScript client would send no credentials at all."""
    wrong: Any = "userpool"
    with pytest.raises(errors.InvalidAuthModeError, match="no auth mode 'userpool'") as caught:
        harness_of().models.Todo.list(auth_mode=wrong)
    assert "userPool" in (caught.value.resolution or "")
    with pytest.raises(errors.InvalidAuthModeError):
        AuthOptions(wrong)
    headers: Any = "x: y"
    with pytest.raises(errors.InvalidInputError, match="not a mapping"):
        AuthOptions(headers=headers)


def test_the_caller_signs_with_its_own_keys(harness_of: Callable[..., ClientHarness]) -> None:
    """A request signed with the developer's credentials needs no signed-in user."""
    harness = harness_of(identity=FakeIdentity(), options=AuthOptions("iam"), signs_as_caller=True)
    harness.models.Todo.create({"content": "x"})
    headers = harness.requests[0].headers
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEVELOPER/20250115/")
    assert "x-amz-security-token" not in headers
    api = harness.client._api
    api.data = replace(api.data, aws_region="eu-west-1")
    harness.models.Todo.create({"content": "x"})
    assert "/20250115/eu-west-1/appsync/" in harness.requests[1].headers["authorization"]


def test_a_request_with_its_own_credentials_is_not_signed(
    harness_of: Callable[..., ClientHarness],
) -> None:
    """An Authorization header or API key of the call replaces the signature or the token."""
    harness = harness_of(identity=FakeIdentity())
    harness.models.Todo.list(auth_mode="iam", headers={"Authorization": "mine"})
    assert harness.requests[-1].headers["authorization"] == "mine"
    harness.models.Todo.list(auth_mode="iam", headers={"X-Api-Key": "da2-x"})
    assert "authorization" not in harness.requests[-1].headers
    harness.models.Todo.list(auth_mode="userPool", auth_token="jwt")
    assert harness.requests[-1].headers["authorization"] == "jwt"
    blog = harness_of("blog_apikey.json")
    blog.models.Post.list(headers={"X-Api-Key": "da2-x"})
    assert blog.requests[-1].headers["x-api-key"] == "da2-x"


def test_what_a_call_gives_replaces_what_the_client_has(
    harness_of: Callable[..., ClientHarness],
) -> None:
    """The token of a call replaces that of the client; its headers replace all of the client's."""
    client = AuthOptions("lambda", "of the client", headers={"x-one": "1", "x-two": "2"})
    harness = harness_of(options=client)
    harness.models.Todo.list(auth_token="of the call", headers={"X-One": "3"})
    headers = harness.requests[-1].headers
    assert (headers["authorization"], headers["x-one"]) == ("of the call", "3")
    assert "x-two" not in headers
    harness.models.Todo.list()
    assert harness.requests[-1].headers["x-two"] == "2"


def test_a_failure_of_the_local_sandbox_is_not_a_missing_sign_in(
    harness_of: Callable[..., ClientHarness],
) -> None:
    """It is raised as it is: signing in again would not help."""
    harness = harness_of(identity=FakeIdentity(error=errors.LocalSandboxError("no state")))
    with pytest.raises(errors.LocalSandboxError, match="no state"):
        harness.models.Todo.list()


def test_a_key_given_to_the_client_wins(harness_of: Callable[..., ClientHarness]) -> None:
    """The API key of the outputs file can be replaced, for a client or for one raw document."""
    harness = harness_of("blog_apikey.json", options=AuthOptions(api_key="da2-client"))
    harness.models.Post.list()
    assert harness.requests[-1].headers["x-api-key"] == "da2-client"
    harness.client.graphql("{ x }", api_key="da2-call")
    assert harness.requests[-1].headers["x-api-key"] == "da2-call"


def test_tokens_given_are_never_shown(harness_of: Callable[..., ClientHarness]) -> None:
    """A token or key given to the client is masked from then on, and appears in no repr."""
    options = AuthOptions("lambda", "lambda-token-1", "da2-own-key", {"x-a": "lambda-token-3"})
    harness = harness_of(options=options)
    harness.models.Todo.list(auth_mode="lambda", auth_token="lambda-token-2")
    assert masking.mask("lambda-token-1 lambda-token-2 da2-own-key") == "*** *** ***"
    assert repr(options) == "AuthOptions(auth_mode='lambda')"
    assert "secret" not in repr(session("guest").keys).lower().replace("secret_access_key", "")


def test_a_failed_refresh_keeps_its_cause(harness_of: Callable[..., ClientHarness]) -> None:
    """NoSignedUser says why the tokens could not be refreshed."""
    harness = harness_of(identity=session("expired"))
    with pytest.raises(errors.NoSignedUser, match="Refresh Token has expired") as caught:
        harness.models.Todo.list()
    assert isinstance(caught.value.__cause__, errors.UserUnAuthenticatedException)
