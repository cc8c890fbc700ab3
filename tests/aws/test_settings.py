"""The user's choice of profile, region and endpoint, before any file is read."""

from __future__ import annotations

import pytest

from seedctl.aws import AWSSettings, is_loopback
from seedctl.aws.settings import check_endpoint
from seedctl.errors import InvalidCommandInputError, MissingRegionError


@pytest.mark.parametrize(
    ("option", "profile", "default_profile", "expected"),
    [
        pytest.param("a", "b", "c", "a", id="--profile"),
        pytest.param(None, "b", "c", "b", id="AWS_PROFILE beats AWS_DEFAULT_PROFILE"),
        pytest.param(None, None, "c", "c", id="AWS_DEFAULT_PROFILE"),
        pytest.param(None, "", "c", "c", id="empty is unset"),
        pytest.param("", "b", None, "b", id="empty option"),
        pytest.param(None, "", "", None, id="none"),
    ],
)
def test_which_profile(
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    profile: str | None,
    default_profile: str | None,
    expected: str | None,
) -> None:
    """The order is the Node chain's, so that both tools use one identity; boto3 has another."""
    for name, value in (("AWS_PROFILE", profile), ("AWS_DEFAULT_PROFILE", default_profile)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert AWSSettings(profile=option).profile_name == expected


@pytest.mark.parametrize(
    ("option", "region", "default_region", "expected"),
    [
        pytest.param("a-1", "b-1", "c-1", "a-1", id="--region"),
        pytest.param(None, "b-1", "c-1", "b-1", id="AWS_REGION beats AWS_DEFAULT_REGION"),
        pytest.param(None, None, "c-1", "c-1", id="AWS_DEFAULT_REGION"),
        pytest.param("", "", "c-1", "c-1", id="empty is unset"),
        pytest.param(None, None, None, None, id="none"),
    ],
)
def test_which_region(
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    region: str | None,
    default_region: str | None,
    expected: str | None,
) -> None:
    """AWS_REGION counts, and first, although boto3 does not read it."""
    for name, value in (("AWS_REGION", region), ("AWS_DEFAULT_REGION", default_region)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert AWSSettings(region=option).chosen_region() == expected


@pytest.mark.parametrize("source", ["--region", "AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_blank_region_is_refused(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A region of spaces is a mistake of its own, and the message says where it stands."""
    option = " " if source == "--region" else None
    if option is None:
        monkeypatch.setenv(source, "  ")
    with pytest.raises(MissingRegionError, match=f"from {source} is blank") as caught:
        AWSSettings(region=option).chosen_region()
    assert caught.value.exit_code == 3
    assert "us-east-1" in (caught.value.resolution or "")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5000",
        "https://vpce-1.ssm.us-east-1.vpce.amazonaws.com",
        "http://[::1]:80/",
        "HTTP://localhost",
    ],
)
def test_endpoints_that_calls_can_go_to(url: str) -> None:
    """An http or https address is taken as it stands."""
    assert check_endpoint(url, source="x") == url
    assert AWSSettings(endpoint_url=url).endpoint_url == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="empty"),
        pytest.param("localhost:5000", id="no scheme"),
        pytest.param("ftp://localhost", id="another scheme"),
        pytest.param("http://", id="no host"),
        pytest.param("http:///path", id="only a path"),
        pytest.param("http://localhost:99999", id="no such port"),
        pytest.param("http://localhost:http", id="port not a number"),
        pytest.param("http://[::1", id="broken IPv6"),
    ],
)
def test_endpoints_that_are_none(url: str) -> None:
    """Anything else is a usage error that names where the address came from."""
    with pytest.raises(InvalidCommandInputError, match=r"^--endpoint-url is ") as caught:
        AWSSettings(endpoint_url=url)
    assert repr(url) in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://127.8.9.10", True),
        ("http://[::1]:5000", True),
        ("http://localhost:5000/path", True),
        ("http://LOCALHOST", True),
        ("http://s3.localhost:5000", True),
        ("https://ssm.us-east-1.amazonaws.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://notlocalhost", False),
        ("http://127.0.0.1.example.com", False),
        ("http://example.com/127.0.0.1", False),
        ("http://127.0.0.1@example.com", False),
        ("http://0.0.0.0", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback(url: str | None, expected: bool) -> None:
    """Only an address of this machine is loopback, whatever else stands in the URL."""
    assert is_loopback(url) is expected
