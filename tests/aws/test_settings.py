"""The user's choice of profile, region and endpoint, before any file is read."""

from __future__ import annotations

import pytest

from seedctl.aws.settings import (
    AWSSettings,
    check_endpoint,
    check_max_attempts,
    check_retry_mode,
    is_aws,
    is_emulator,
    is_loopback,
)
from seedctl.errors import InvalidCommandInputError, MissingRegionError
from tests.cases import case


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
    """The precedence is that of the Node chain, so that both tools use one identity."""
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
    """AWS_REGION takes precedence, although boto3 does not read it."""
    for name, value in (("AWS_REGION", region), ("AWS_DEFAULT_REGION", default_region)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert AWSSettings(region=option).chosen_region() == expected


@pytest.mark.parametrize("source", ["--region", "AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_blank_region_is_refused(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A blank region is an error that names where it is set."""
    option = " " if source == "--region" else None
    if option is None:
        monkeypatch.setenv(source, "  ")
    with pytest.raises(MissingRegionError, match=f"from {source} is blank") as caught:
        AWSSettings(region=option).chosen_region()
    assert caught.value.exit_code == 3
    assert "us-east-1" in (caught.value.resolution or "")


def test_valid_endpoints() -> None:
    """An http or https URL is accepted unchanged."""
    for url in (
        "http://127.0.0.1:5000",
        "https://vpce-1.ssm.us-east-1.vpce.amazonaws.com",
        "http://[::1]:80/",
        "HTTP://localhost",
    ):
        with case(url):
            assert check_endpoint(url, source="x") == url
            assert AWSSettings(endpoint_url=url).endpoint_url == url


def test_invalid_endpoints() -> None:
    """Anything else is a usage error that names where the address is set."""
    for case_name, url in (
        ("empty", ""),
        ("no scheme", "localhost:5000"),
        ("another scheme", "ftp://localhost"),
        ("no host", "http://"),
        ("only a path", "http:///path"),
        ("no such port", "http://localhost:99999"),
        ("port not a number", "http://localhost:http"),
        ("broken IPv6", "http://[::1"),
    ):
        with case(case_name):
            with pytest.raises(InvalidCommandInputError, match=r"^--endpoint-url is ") as caught:
                AWSSettings(endpoint_url=url)
            assert repr(url) in caught.value.message
            assert caught.value.exit_code == 2


KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, {}, id="nothing chosen"),
        pytest.param(
            {"profile": "dev"},
            {
                **dict.fromkeys(KEYS),
                "AWS_DEFAULT_PROFILE": None,
                "AWS_PROFILE": "dev",
                "AWS_ROLE_ARN": None,
                "AWS_WEB_IDENTITY_TOKEN_FILE": None,
            },
            id="profile",
        ),
        pytest.param(
            {"region": "eu-west-1"},
            {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"},
            id="region",
        ),
        pytest.param(
            {"endpoint_url": "http://127.0.0.1:1"},
            {
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_ENDPOINT_URL_SSM": None,
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            },
            id="endpoint",
        ),
        pytest.param({"profile": "", "region": ""}, {}, id="empty is unset"),
    ],
)
def test_environment_of_other_clients(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: dict[str, str | None]
) -> None:
    """Other clients get only the chosen settings; variables that would override them are unset."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "https://ssm.example.com")
    assert AWSSettings(**settings).environment() == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "variable", "expected"),
    [
        pytest.param("eu-west-1", "eu-west-2", "eu-west-1", id="--region"),
        pytest.param(None, "eu-west-2", "eu-west-2", id="AWS_REGION"),
        pytest.param(None, None, "us-east-1", id="none"),
    ],
)
def test_environment_of_other_clients_in_a_local_run(
    monkeypatch: pytest.MonkeyPatch, option: str | None, variable: str | None, expected: str
) -> None:
    """Every variable that could lead to the real AWS is unset: profiles, keys, other endpoints."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "https://ssm.example.com")
    if variable is not None:
        monkeypatch.setenv("AWS_REGION", variable)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    settings = AWSSettings("dev", option, "http://127.0.0.1:1", is_local=True)
    assert settings.environment() == {
        "SEEDCTL_LOCAL": "1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
        "AWS_DEFAULT_PROFILE": None,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ENDPOINT_URL_SSM": None,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_REGION": expected,
        "AWS_DEFAULT_REGION": expected,
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "no_proxy": "127.0.0.1,localhost,::1",
    }


def test_numbers_of_attempts() -> None:
    """A whole number of 1 or more is accepted; unset means None."""
    for text, number in (
        (None, None),
        ("1", 1),
        ("7", 7),
        ("007", 7),
        ("100", 100),
    ):
        with case(text, number):
            assert check_max_attempts(text) == number


def test_invalid_numbers_of_attempts() -> None:
    """An invalid number is an error with the variable's name, not a traceback from botocore."""
    for text in (
        "abc",
        "0",
        "-1",
        "1.5",
        " 3",
        "",
        "3 times",
        "²",
    ):
        with case(text):
            with pytest.raises(InvalidCommandInputError, match=r"^AWS_MAX_ATTEMPTS ") as caught:
                check_max_attempts(text)
            assert "max_attempts" in caught.value.message
            assert repr(text) in caught.value.message
            assert caught.value.exit_code == 2
            assert caught.value.resolution


def test_retry_modes() -> None:
    """The three modes of botocore are accepted, and an empty variable chooses none."""
    for mode in (
        None,
        "",
        "legacy",
        "standard",
        "adaptive",
    ):
        with case(mode):
            assert check_retry_mode(mode) == mode


@pytest.mark.parametrize("mode", ["weird", "STANDARD", " standard"])
def test_invalid_retry_modes(mode: str) -> None:
    """The mode is case-sensitive as in botocore; the error for others names the variable."""
    with pytest.raises(InvalidCommandInputError, match=r"^AWS_RETRY_MODE ") as caught:
        check_retry_mode(mode)
    assert repr(mode) in caught.value.message
    assert caught.value.exit_code == 2
    assert "legacy, standard or adaptive" in (caught.value.resolution or "")


def test_loopback() -> None:
    """Only an address of this machine is loopback, whatever else is in the URL."""
    for url, expected in (
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
    ):
        with case(url, expected):
            assert is_loopback(url) is expected


def test_awss_own_domains() -> None:
    """AWS's domains are those of botocore's partitions; every other endpoint is an emulator."""
    for url, expected in (
        ("https://ssm.us-east-1.amazonaws.com", True),
        ("https://cognito-idp.cn-north-1.amazonaws.com.cn/", True),
        ("https://cognito-idp.eusc-de-east-1.amazonaws.eu", True),
        ("https://vpce-1a2b.ssm.us-east-1.vpce.amazonaws.com:443", True),
        ("https://ssm.us-east-1.api.aws", True),
        ("https://SSM.us-iso-east-1.C2S.ic.gov.", True),
        ("https://abc.appsync-api.us-east-1.amazonaws.com/graphql", True),
        ("http://127.0.0.1:4566", False),
        ("http://localstack:4566", False),
        ("http://amazonaws.com.example.org", False),
        ("http://notamazonaws.com", False),
        ("http://example.org/amazonaws.com", False),
        ("http://amazonaws.com@example.org", False),
        ("https://localhost.localstack.cloud:4566", False),
    ):
        with case(url, expected):
            assert is_aws(url) is expected
            assert is_emulator(url) is not expected


def test_without_an_overridden_endpoint_there_is_no_emulator() -> None:
    """Without a configured endpoint, calls go to AWS and not to an emulator."""
    assert not is_emulator(None)


@pytest.mark.parametrize("given", [None, "NO_PROXY", "no_proxy"])
def test_a_scripts_own_clients_reach_the_local_sandbox_past_a_proxy(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local run bypasses the proxy for loopback, and keeps the user's own exceptions."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if given:
        monkeypatch.setenv(given, "intranet.example")
    settings = AWSSettings(endpoint_url="http://127.0.0.1:1", is_local=True)
    expected = "127.0.0.1,localhost,::1"
    if given:
        expected = f"intranet.example,{expected}"
    assert {name: settings.environment()[name] for name in ("NO_PROXY", "no_proxy")} == {
        "NO_PROXY": expected,
        "no_proxy": expected,
    }
