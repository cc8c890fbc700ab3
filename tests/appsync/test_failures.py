"""AppSync's refusals, and what answers in its place: what is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from urllib3.exceptions import ProxyError

from seedctl import errors
from seedctl.appsync.auth_modes import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.appsync.appsync import Stage

PAGE = b"<html><head><title>Corp Gateway</title></head>hidden-word</html>"
DENIED = (
    "User: arn:aws:iam::123456789012:user/a is not authorized to perform: appsync:GraphQL on "
    "resource: arn:aws:appsync:x with an explicit deny in a service control policy"
)
LATE = (
    "Signature expired: 20250101T000000Z is now earlier than 20250101T012000Z "
    "(20250101T012500Z - 5 min.)"
)


def _error(stage: Stage, *replies: Any) -> errors.SeedctlError:
    stage.answer(*replies)
    with pytest.raises(errors.SeedctlError) as caught:
        stage.models["Todo"].create({"content": "a"})
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
def test_what_is_not_appsyncs(
    todo: Stage, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    """A proxy's answer is told as one, with its status and title, and nothing else of it."""
    error = _error(todo, {"status": status, "headers": headers, "body": body})
    assert type(error) is errors.InvalidResponseError
    assert error.service_message == said
    assert "hidden-word" not in f"{error.message}{error.service_message}"
    assert "proxy" in (error.resolution or "").lower()


def test_a_page_of_a_gateway_that_fails(todo: Stage) -> None:
    """It may be AppSync's own: a failure with the page's title."""
    error = _error(todo, *[{"status": 503, "body": PAGE}] * 3)
    assert type(error) is errors.ServiceFailedError
    assert 'a page titled "Corp Gateway"' in error.message


def test_a_web_acl_refuses(todo: Stage) -> None:
    """AWS WAF is no matter of the schema: exit code 4, and where to let the machine through."""
    error = _error(todo, _refusal(403, "WAFForbiddenException", "403 Forbidden"))
    assert type(error) is errors.AccessDeniedError
    assert error.exit_code == 4
    assert error.service_message == "403 Forbidden"
    assert "web ACL" in (error.resolution or "")


def test_an_iam_policy_denies(stage_of: Callable[..., Stage]) -> None:
    """IAM's sentence decides what helps, as for every other service."""
    stage = stage_of(options=Options("iam"), signs_as_caller=True)
    error = _error(stage, _refusal(403, "AccessDeniedException", DENIED))
    assert type(error) is errors.AccessDeniedError
    assert error.service_message == DENIED
    assert "service control policy" in (error.resolution or "")


def test_a_clock_that_is_wrong(stage_of: Callable[..., Stage]) -> None:
    """A signature that came too late is a matter of this machine's clock."""
    stage = stage_of(options=Options("iam"), signs_as_caller=True)
    error = _error(stage, _refusal(403, "BadRequestException", LATE))
    assert type(error) is errors.InvalidCredentialError
    assert error.service_message == LATE
    assert "85 minutes behind" in (error.resolution or "")


@pytest.mark.parametrize(
    ("mode", "advice"),
    [("apiKey", "api_key="), ("userPool", "user pool"), ("lambda", "auth_token=")],
)
def test_what_a_call_was_sent_with_is_not_accepted(
    stage_of: Callable[..., Stage], mode: Any, advice: str
) -> None:
    """Before any rule is looked at, no other user would help, but another key or token."""
    stage = stage_of(options=Options(mode, "token", "da2-key"))
    stage.answer(
        _refusal(401, "UnauthorizedException", "You are not authorized to make this call.")
    )
    with pytest.raises(errors.UnauthorizedError) as caught:
        stage.models["Todo"].create({"content": "a"})
    assert advice in (caught.value.resolution or "")
    assert "rules" not in (caught.value.resolution or "")


@pytest.mark.parametrize(("mode", "offers"), [("iam", False), ("userPool", True)])
def test_no_call_is_sent_back_to_what_it_does(
    stage_of: Callable[..., Stage], mode: Any, offers: bool
) -> None:
    """A call that may be signed with the developer's credentials is not told to be."""
    stage = stage_of(options=Options(mode), signs_as_caller=mode == "iam")
    entry = {"path": ["createTodo"], "errorType": "Unauthorized", "message": "Not Authorized"}
    error = _error(stage, {"data": {"createTodo": None}, "errors": [entry]})
    assert type(error) is errors.UnauthorizedError
    assert ('credentials="caller"' in (error.resolution or "")) is offers


def test_a_failed_proxy_connection(todo: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the proxy has answered is told, with its variable, and not its login."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:Pl4nted-one@proxy.example")
    words = "Tunnel connection failed: 407 Proxy Authentication Required"
    error = _error(todo, *[ProxyError("Unable to connect to proxy", OSError(words))] * 3)
    assert type(error) is errors.EndpointUnreachableError
    assert f"the proxy in HTTPS_PROXY refused the connection: {words}" in error.message
    assert "requires a login" in (error.resolution or "")
    assert "Pl4nted-one" not in f"{error.message} {error.resolution}"
