"""How the AWS room reaches the network for data: proxies, authorities, keys, signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seedctl import errors
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials
from seedctl.aws.settings import AWSSettings
from seedctl.aws.signing import signed_headers

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://example.appsync-api.us-east-1.amazonaws.com/graphql"


def test_proxies_are_boto3s(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY is used, NO_PROXY excepts hosts, and loopback is always reached directly."""
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


def test_authorities_are_boto3s(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_CA_BUNDLE names the authorities to trust, else those that botocore trusts."""
    assert AWS(AWSSettings()).certificates().endswith(".pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/company.pem")
    assert AWS(AWSSettings()).certificates() == "/etc/company.pem"


def test_the_callers_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The developer's keys come from botocore's chain, and a local run never looks at them."""
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
    """Without a clock of the caller's the signature has the present time."""
    keys = Credentials("AKIA", "secret", "token")
    headers = signed_headers(
        URL, b"{}", {"a": "1"}, credentials=keys, service="appsync", region="us-east-1"
    )
    assert headers["x-amz-date"][:8] in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"
    assert "SignedHeaders=a;host;x-amz-date;x-amz-security-token," in headers["authorization"]


@pytest.mark.parametrize("is_here", [True, False])
def test_an_identity_pool_is_where_cognito_is(
    is_here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that few runs need is refused elsewhere too, at its first call."""
    names = ["COGNITO_IDENTITY"] if is_here else ["SSM", "COGNITO_IDENTITY_PROVIDER", "STS"]
    for name in names if is_here else [*names, "CLOUDFORMATION"]:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", "http://127.0.0.1:9")
    aws = AWS(AWSSettings(region="us-east-1"))
    with pytest.raises(errors.MixedEndpointsError, match="cognito-identity"):
        aws.call("cognito-identity", "GetId", {"IdentityPoolId": "us-east-1:x"})
