"""How data requests reach AWS: proxies, certificate authorities, credentials, signatures."""

from __future__ import annotations

import pytest

from seedctl import errors
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials
from seedctl.aws.settings import AWSSettings
from seedctl.aws.signing import signed_headers

URL = "https://example.appsync-api.us-east-1.amazonaws.com/graphql"


def test_proxies_are_those_of_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY is used, except for hosts in NO_PROXY and for loopback."""
    aws = AWS(AWSSettings())
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert aws.proxy(URL) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:8080")
    assert aws.proxy(URL) == "http://proxy.example:8080"
    assert aws.proxy("http://127.0.0.1:4000/graphql") is None
    monkeypatch.setenv("NO_PROXY", ".amazonaws.com")
    assert aws.proxy(URL) is None


def test_certificate_authorities_are_those_of_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_CA_BUNDLE names the trusted authorities; the default is botocore's bundle."""
    assert AWS(AWSSettings()).certificates().endswith(".pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/company.pem")
    assert AWS(AWSSettings()).certificates() == "/etc/company.pem"


def test_the_developers_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's credentials come from botocore's chain; a local run does not read them."""
    with pytest.raises(errors.InvalidCredentialError, match="no AWS credentials"):
        AWS(AWSSettings()).credentials()
    with pytest.raises(errors.InvalidCredentialError, match='profile "nobody"'):
        AWS(AWSSettings(profile="nobody")).credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert AWS(AWSSettings()).credentials() == Credentials("AKIA", "secret", "token")
    local = AWSSettings(endpoint_url="http://127.0.0.1:1", is_local=True)
    assert AWS(local).credentials() == Credentials("local", "local")


def test_a_signature_is_dated_now() -> None:
    """Without a given time, a request is signed with the present time."""
    keys = Credentials("AKIA", "secret", "token")
    headers = signed_headers(
        URL, b"{}", {"a": "1"}, credentials=keys, service="appsync", region="us-east-1"
    )
    assert headers["x-amz-date"][:8] in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"
    assert "SignedHeaders=a;host;x-amz-date;x-amz-security-token," in headers["authorization"]


@pytest.mark.parametrize(
    "local",
    [
        pytest.param(["COGNITO_IDENTITY"], id="identity pools alone"),
        pytest.param(
            ["SSM", "COGNITO_IDENTITY_PROVIDER", "STS", "CLOUDFORMATION"], id="all others"
        ),
    ],
)
def test_an_identity_pool_on_another_side_is_refused(
    local: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mixed endpoints are refused also for a rarely used service, at its first call."""
    for name in local:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", "http://127.0.0.1:9")
    aws = AWS(AWSSettings(region="us-east-1"))
    with pytest.raises(errors.MixedEndpointsError, match="cognito-identity"):
        aws.call("cognito-identity", "GetId", {"IdentityPoolId": "us-east-1:x"})
