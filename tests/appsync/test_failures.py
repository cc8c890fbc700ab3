"""Errors for AppSync's refusals, and for responses that are not from AppSync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from urllib3.exceptions import ProxyError

from seedctl import errors, masking
from seedctl.appsync.auth_modes import AuthOptions
from seedctl.masking import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.appsync.appsync import ClientHarness

PAGE = b"<html><head><title>Corp Gateway</title></head>hidden-word</html>"
DENIED = (
    "User: arn:aws:iam::123456789012:user/a is not authorized to perform: appsync:GraphQL on "
    "resource: arn:aws:appsync:x with an explicit deny in a service control policy"
)
LATE = (
    "Signature expired: 20250101T000000Z is now earlier than 20250101T012000Z "
    "(20250101T012500Z - 5 min.)"
)


def _error(harness: ClientHarness, *replies: Any) -> errors.SeedctlError:
    harness.answer(*replies)
    with pytest.raises(errors.SeedctlError) as caught:
        harness.models["Todo"].create({"content": "a"})
    return caught.value


def _refusal(status: int, error_type: str, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"errors": [{"errorType": error_type, "message": message}]}}


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (200, {}, PAGE, 'HTTP status 200 (OK) with a page titled "Corp Gateway"'),
        (403, {}, PAGE, 'HTTP status 403 (Forbidden) with a page titled "Corp Gateway"'),
        (403, {}, b"Go away", 'HTTP status 403 (Forbidden) with the text "Go away"'),
        (
            302,
            {"Location": "https://login.example/?t=1"},
            b"",
            "HTTP status 302 (Found) to login.example",
        ),
        (407, {}, b"", "HTTP status 407 (Proxy Authentication Required)"),
    ],
)
def test_a_response_that_is_not_from_appsync(
    todo: ClientHarness, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    """The error names the status and title of a proxy's page, and nothing else of it."""
    error = _error(todo, {"status": status, "headers": headers, "body": body})
    assert type(error) is errors.InvalidResponseError
    assert error.service_message == said
    assert "hidden-word" not in f"{error.message}{error.service_message}"
    assert "proxy" in (error.resolution or "").lower()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": [1]},
        {"data": {"createTodo": {"id": "1"}}, "errors": {}},
        {"data": {}, "errors": 5},
    ],
)
def test_json_that_is_not_a_result(todo: ClientHarness, body: dict[str, Any]) -> None:
    """JSON that has neither data nor a list of errors is not taken for AppSync's response."""
    error = _error(todo, {"status": 200, "body": body})
    assert type(error) is errors.InvalidResponseError
    assert "it has no" not in error.message  # as that of a result without the field would say


def test_a_failure_without_a_type(todo: ClientHarness) -> None:
    """An error type of null is no code; the operation is named all the same."""
    body = {"errors": [{"errorType": None, "message": "x"}]}
    error = _error(todo, *[{"status": 503, "body": body}] * 3)
    assert isinstance(error, errors.ServiceFailedError)
    assert (error.code, error.operation) == ("", "createTodo")


def test_no_part_of_a_secret_is_left(todo: ClientHarness) -> None:
    """A secret is masked before a long message is cut in it."""
    register("a-long-secret")
    error = _error(todo, *[_refusal(503, "Failed", "x" * 478 + " a-long-secret")] * 3)
    assert type(error) is errors.ServiceFailedError
    assert error.code == "Failed"
    assert "a-l" not in error.message


def test_a_page_with_a_server_error(todo: ClientHarness) -> None:
    """A page with status 503 may come from AppSync: it is a service failure with its title."""
    error = _error(todo, *[{"status": 503, "body": PAGE}] * 3)
    assert type(error) is errors.ServiceFailedError
    assert 'a page titled "Corp Gateway"' in error.message


def test_a_failure_of_the_local_sandbox(todo: ClientHarness) -> None:
    """What the sandbox says in a header is raised as it is, with its resolution."""
    name, value = errors.LocalSandboxError("no state", resolution="Reset it.").to_header()
    error = _error(todo, {"status": 500, "headers": {name: value}, "body": {}})
    assert type(error) is errors.LocalSandboxError
    assert (error.message, error.resolution) == ("no state", "Reset it.")


def test_a_throttled_request_without_its_status(todo: ClientHarness) -> None:
    """AppSync names throttling in a header too; a long message is cut."""
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal"}
    reply = {"status": 400, "headers": headers, "body": {"message": "slow " * 1000}}
    error = _error(todo, *[reply] * 3)
    assert type(error) is errors.ThrottledError
    assert len(todo.requests) == 3
    assert "slow slow" in error.message
    assert len(error.message) < 600


def test_a_secret_in_a_refusal(todo: ClientHarness) -> None:
    """The service's own words are masked too."""
    masking.register("pl4nted-word")
    error = _error(todo, _refusal(403, "WAFForbiddenException", "no pl4nted-word here"))
    assert error.service_message == "no *** here"


def test_a_web_acl_refuses(todo: ClientHarness) -> None:
    """A refusal by AWS WAF has exit code 4 and says where to allow the machine's address."""
    error = _error(todo, _refusal(403, "WAFForbiddenException", "403 Forbidden"))
    assert type(error) is errors.AccessDeniedError
    assert error.exit_code == 4
    assert error.service_message == "403 Forbidden"
    assert "web ACL" in (error.resolution or "")


def test_an_iam_policy_denies(harness_of: Callable[..., ClientHarness]) -> None:
    """The resolution follows from IAM's message, as for every other service."""
    harness = harness_of(options=AuthOptions("iam"), signs_as_caller=True)
    error = _error(harness, _refusal(403, "AccessDeniedException", DENIED))
    assert type(error) is errors.AccessDeniedError
    assert error.service_message == DENIED
    assert "service control policy" in (error.resolution or "")


def test_a_clock_that_is_wrong(harness_of: Callable[..., ClientHarness]) -> None:
    """An expired signature means that this machine's clock is wrong."""
    harness = harness_of(options=AuthOptions("iam"), signs_as_caller=True)
    error = _error(harness, _refusal(403, "BadRequestException", LATE))
    assert type(error) is errors.InvalidCredentialError
    assert error.service_message == LATE
    assert "85 minutes behind" in (error.resolution or "")


@pytest.mark.parametrize(
    ("mode", "advice"),
    [("apiKey", "api_key="), ("userPool", "user pool"), ("lambda", "auth_token=")],
)
def test_rejected_credentials(
    harness_of: Callable[..., ClientHarness], mode: Any, advice: str
) -> None:
    """When AppSync rejects the key or token itself, the advice is about that, not about rules."""
    harness = harness_of(options=AuthOptions(mode, "token", "da2-key"))
    harness.answer(
        _refusal(401, "UnauthorizedException", "You are not authorized to make this call.")
    )
    with pytest.raises(errors.UnauthorizedError) as caught:
        harness.models["Todo"].create({"content": "a"})
    assert advice in (caught.value.resolution or "")
    assert "rules" not in (caught.value.resolution or "")


@pytest.mark.parametrize(("mode", "offers"), [("iam", False), ("userPool", True)])
def test_credentials_in_use_are_not_recommended(
    harness_of: Callable[..., ClientHarness], mode: Any, offers: bool
) -> None:
    """A call that signs already is not advised to sign with the developer's credentials."""
    harness = harness_of(options=AuthOptions(mode), signs_as_caller=mode == "iam")
    entry = {"path": ["createTodo"], "errorType": "Unauthorized", "message": "Not Authorized"}
    error = _error(harness, {"data": {"createTodo": None}, "errors": [entry]})
    assert type(error) is errors.UnauthorizedError
    assert ('credentials="caller"' in (error.resolution or "")) is offers
    assert "the rules in amplify/data/resource.ts let do this" in (error.resolution or "")


def test_a_refusal_before_any_field(harness_of: Callable[..., ClientHarness]) -> None:
    """Signing has no key or token that AppSync could reject: the advice is about the rules."""
    harness = harness_of(options=AuthOptions("iam"), signs_as_caller=True)
    error = _error(harness, _refusal(401, "UnauthorizedException", "Not Authorized"))
    assert type(error) is errors.UnauthorizedError
    assert "the rules in amplify/data/resource.ts let do this" in (error.resolution or "")


def test_a_proxy_that_refuses(todo: ClientHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the proxy's answer and its variable, and not its login."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:Pl4nted-one@proxy.example")
    words = "Tunnel connection failed: 407 Proxy Authentication Required"
    error = _error(todo, *[ProxyError("Unable to connect to proxy", OSError(words))] * 3)
    assert type(error) is errors.EndpointUnreachableError
    assert f"the proxy in HTTPS_PROXY refused the connection: {words}" in error.message
    assert "requires a login" in (error.resolution or "")
    assert "Pl4nted-one" not in f"{error.message} {error.resolution}"
