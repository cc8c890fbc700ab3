"""Responses of a proxy, a firewall or a gateway in place of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore import exceptions as boto
from urllib3.exceptions import ProxyError

from seedctl.aws.calls import AWS
from seedctl.aws.failures import translate
from seedctl.aws.foreign_responses import (
    describe_response,
    is_html_page,
    proxy_failure,
    proxy_variable,
)
from seedctl.aws.identity_client import with_identity
from seedctl.aws.settings import AWSSettings
from seedctl.errors import (
    AWSError,
    EndpointUnreachableError,
    InvalidResponseError,
    ServiceFailedError,
)
from tests.cases import case
from tests.s3.s3 import FakeIdentity

if TYPE_CHECKING:
    from tests.aws.conftest import Endpoint

pytestmark = pytest.mark.usefixtures("environment_keys")

PAGE = b"<!DOCTYPE html>\n<html><head><title>Access &amp; Rules\n| Corp</title></head>hidden-word<br></html>"
CALLS = {
    "ssm": ("GetParameter", {"Name": "x"}),
    "cognito-idp": ("AdminCreateUser", {"UserPoolId": "us-east-1_A", "Username": "ann"}),
    "sts": ("GetCallerIdentity", {}),
    "s3": ("ListObjectsV2", {"Bucket": "bk", **with_identity(FakeIdentity())}),
}
VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture
def aws(endpoint: Endpoint) -> AWS:
    return AWS(AWSSettings(region="us-east-1", endpoint_url=endpoint.url))


def _refused(aws: AWS, service: str) -> AWSError:
    operation, parameters = CALLS[service]
    with pytest.raises(AWSError) as caught:
        aws.call(service, operation, parameters, once=True)
    return caught.value


def test_a_page_with_an_error_status(endpoint: Endpoint, aws: AWS) -> None:
    """For every service the error shows the page's status and title, and nothing else of it."""
    for status in (
        400,
        401,
        403,
        404,
        429,
    ):
        for service in CALLS:
            with case(status, service):
                endpoint.status, endpoint.raw = status, PAGE
                error = _refused(aws, service)
                assert type(error) is InvalidResponseError
                assert error.code == str(status)
                assert f"HTTP status {status}" in error.service_message
                assert 'a page titled "Access & Rules | Corp"' in error.service_message
                assert "hidden-word" not in f"{error.message}{error.service_message}"
                assert "proxy" in (error.resolution or "")


def test_a_page_of_a_gateway(endpoint: Endpoint, aws: AWS) -> None:
    """A failing gateway may be AWS's own: the failure is like any other, with the page's title."""
    for status in (
        500,
        502,
        503,
    ):
        for service in CALLS:
            with case(status, service):
                endpoint.status, endpoint.raw = status, PAGE
                error = _refused(aws, service)
                assert type(error) is ServiceFailedError
                assert error.message.count(f"{status}") == 1
                assert 'a page titled "Access & Rules | Corp"' in error.message
                assert "hidden-word" not in error.message


def test_a_proxy_that_wants_a_login(endpoint: Endpoint, aws: AWS) -> None:
    """Status 407 comes from a proxy: the error names the variable that needs the login."""
    for case_name, body in (
        ("no body", b""),
        ("a page", PAGE),
    ):
        for service in CALLS:
            with case(case_name, service):
                endpoint.status, endpoint.raw = 407, body
                error = _refused(aws, service)
                assert type(error) is InvalidResponseError
                assert "407 (Proxy Authentication Required)" in error.service_message
                assert "HTTP_PROXY" in (error.resolution or "")
                assert "USER:PASSWORD" in (error.resolution or "")


def test_a_redirection_to_a_login(endpoint: Endpoint, aws: AWS) -> None:
    """Only the host of a redirection is shown: the query may contain a secret."""
    for service in CALLS:
        with case(service):
            endpoint.status, endpoint.raw = 302, b""
            endpoint.headers = {
                "Location": "https://ann:pw@login.corp.example/sso?token=hidden-word"
            }
            error = _refused(aws, service)
            assert type(error) is InvalidResponseError
            assert error.service_message == "HTTP status 302 (Found) to login.corp.example"


def test_plain_text_and_json(endpoint: Endpoint, aws: AWS) -> None:
    """Plain text is shown, but JSON never is: it may contain a secret."""
    endpoint.status, endpoint.raw = 403, b"Blocked by policy 7"
    assert 'with the text "Blocked by policy 7"' in _refused(aws, "ssm").service_message
    endpoint.raw = b'{"Parameter": {"Value": "hidden-wo'
    assert _refused(aws, "ssm").service_message == "HTTP status 403 (Forbidden)"


def test_a_services_own_error(endpoint: Endpoint, aws: AWS) -> None:
    """An error with AWS's own message is left unchanged."""
    endpoint.status, endpoint.body = 400, {"__type": "OddException", "message": "Odd."}
    error = _refused(aws, "ssm")
    assert type(error) is AWSError
    assert (error.service_code, error.service_message) == ("OddException", "Odd.")


def test_the_proxy_that_a_call_goes_through(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign response through a proxy gives advice that names the proxy's variable."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", endpoint.url.replace("//", "//ann:Pl4nted-one@"))
    endpoint.status, endpoint.raw = 403, PAGE
    error = _refused(
        AWS(AWSSettings(region="us-east-1", endpoint_url="http://ssm.example.com")), "ssm"
    )
    assert "through the proxy in HTTP_PROXY" in (error.resolution or "")
    assert "Pl4nted-one" not in f"{error} {error.resolution} {error.service_message}"


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        pytest.param({"HTTPS_PROXY": "http://p"}, "https://a.example", "HTTPS_PROXY", id="upper"),
        pytest.param(
            {"HTTPS_PROXY": "http://p", "https_proxy": "http://q"},
            "https://a.example",
            "https_proxy",
            id="lower case wins",
        ),
        pytest.param({"HTTPS_PROXY": "http://p"}, "http://a.example", None, id="another scheme"),
        pytest.param(
            {"HTTPS_PROXY": "http://p", "NO_PROXY": ".example"},
            "https://a.example",
            None,
            id="left out",
        ),
        pytest.param({"HTTP_PROXY": "http://p"}, "http://127.0.0.1:1", None, id="this machine"),
    ],
)
def test_the_variable_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, expected: str | None
) -> None:
    """The variable that applies to the URL is named."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_variable(url) == expected


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("Tunnel connection failed: 407 Proxy Authentication Required", "requires a login"),
        ("Tunnel connection failed: 403 Forbidden", "have AWS allowed there"),
    ],
)
def test_a_failed_proxy_connection(
    monkeypatch: pytest.MonkeyPatch, words: str, advice: str
) -> None:
    """The message has the proxy's response, which botocore leaves out, and no login."""
    monkeypatch.setenv("HTTPS_PROXY", "http://ann:Pl4nted-one@proxy.example:3128")
    cause = ProxyError("Unable to connect to proxy", OSError(words))
    error = translate(
        boto.ProxyConnectionError(proxy_url="http://ann:Pl4nted-one@proxy.example", error=cause),
        service="ssm",
        operation="GetParameter",
        profile=None,
    )
    assert type(error) is EndpointUnreachableError
    assert f"the proxy in HTTPS_PROXY refused the connection: {words}" in error.message
    assert advice in (error.resolution or "")
    assert "Pl4nted-one" not in f"{error.message} {error.resolution}"
    assert proxy_failure(words, "https://a.example")[0].endswith(words)


def test_a_certificate_that_is_not_trusted() -> None:
    """A proxy that inspects TLS has its own certificate: the advice is AWS_CA_BUNDLE."""
    error = translate(
        boto.SSLError(endpoint_url="https://ssm.example", error="self-signed certificate"),
        service="ssm",
        operation="GetParameter",
        profile=None,
    )
    assert error is not None
    assert "AWS_CA_BUNDLE" in (error.resolution or "")


def test_pages() -> None:
    """A web page is recognized by its beginning, whatever its content type."""
    for body, expected in (
        (b"<html>", True),
        (b"\n <!-- a --><HTML lang=en>", True),
        (b"\xef\xbb\xbf<!doctype html>", True),
        (b"<?xml version='1.0'?><!DOCTYPE html><html/>", True),
        (b"<?xml version='1.0'?><Error/>", False),
        (b"<htmlish/>", False),
        (b'{"a": "<html>"}', False),
        (b"", False),
    ):
        with case(body, expected):
            assert is_html_page(body) is expected


def test_descriptions_of_responses() -> None:
    """Long texts are cut off; pages without a title and unknown statuses are described too."""
    assert describe_response(403, {}, b"<html></html>").endswith("with a page that has no title")
    assert describe_response(599, {}, b"") == "HTTP status 599"
    assert describe_response(403, {}, b"x" * 900).endswith('x…"')
