"""Calls to AWS: which credentials, region and endpoint they use, and how often they are retried."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import pytest

import seedctl
from seedctl import process_state
from seedctl.aws.calls import AWS, _may_change
from seedctl.aws.rates import _Limiters
from seedctl.aws.settings import AWSSettings
from seedctl.errors import (
    AWSError,
    EndpointUnreachableError,
    InvalidCommandInputError,
    InvalidCredentialError,
    InvalidParameterException,
    MissingRegionError,
    MixedEndpointsError,
    ServiceFailedError,
    TargetNotAllowedError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.aws.conftest import Endpoint

    WriteProfiles = Callable[..., None]

SERVICES = ("ssm", "cognito-idp", "sts", "cloudformation")
REAL = "https://vpce-1a2b.ssm.us-east-1.vpce.amazonaws.com"

TWO_PROFILES = """
[profile one]
region = one-east-1
aws_access_key_id = AKIACONFIGONE
aws_secret_access_key = x
[profile two]
region = two-east-1
aws_access_key_id = AKIACONFIGTWO
aws_secret_access_key = x
[default]
region = default-east-1
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = x
"""


def _get(aws: AWS, **how: Any) -> dict[str, Any]:
    return aws.call("ssm", "GetParameter", {"Name": "x"}, **how)


def _at(endpoint: Endpoint, **settings: Any) -> AWS:
    return AWS(AWSSettings(endpoint_url=endpoint.url, **settings))


# --- the call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operations", "auth_type", "changes"),
    [
        (
            (
                "BatchGetItem DescribeStacks GetItem HeadObject ListUsers LookupEvents Query Scan "
                "SearchProducts AssumeRole AdminGetUser AdminListGroupsForUser"
            ),
            "v4",
            False,
        ),
        (
            (
                "AdminCreateUser AdminDeleteUser AdminSetUserPassword BatchWriteItem CreateTable "
                "DeleteItem DeleteListing ImportTable PutItem StartQueryExecution SignUp Tag "
                "TransactWriteItems UpdateItem"
            ),
            "v4",
            True,
        ),
        ("AdminDeleteUser PutParameter", None, True),  # signed in the service's usual way
        ("DeleteUser InitiateAuth SignUp UpdateUserAttributes", "none", False),
    ],
    ids=["reads", "writes", "usual signature", "users' own"],
)
def test_what_may_change_something(operations: str, auth_type: str | None, changes: bool) -> None:
    """Whatever does not only read is checked by the guard, but for what users do with their tokens."""
    model = SimpleNamespace(auth_type=auth_type)
    service = SimpleNamespace(operation_model=lambda _: model)
    client = SimpleNamespace(meta=SimpleNamespace(service_model=service))
    assert {_may_change(client, each) for each in operations.split()} == {changes}


@pytest.mark.usefixtures("environment_keys")
def test_the_developers_credentials() -> None:
    """All three parts sign what is sent without botocore; without the token AWS refuses the others."""
    keys = AWS(AWSSettings(region="us-east-1")).credentials()
    assert (keys.access_key_id, keys.secret_access_key, keys.session_token) == (
        *("AKIAENVIRONMENT", "from-the-environment", "token-of-the-environment"),
    )
    assert "environment" not in repr(keys)


def test_a_proxy_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy cannot reach this machine's own addresses, so calls to the local sandbox bypass it."""
    monkeypatch.setenv("http_proxy", "http://proxy.example.com")
    aws = AWS(AWSSettings(region="us-east-1"))
    assert aws.proxy("http://aws.example.com/x") == "http://proxy.example.com"
    for host in ("127.0.0.1:5000", "localhost", "[::1]:5000"):
        assert aws.proxy(f"http://{host}/x") is None


def test_quotas_are_for_one_account_and_region(
    endpoint: Endpoint, other_endpoint: Endpoint, write_profiles: WriteProfiles
) -> None:
    """Backends of one account and region share them, whichever object makes the calls; others do not."""
    write_profiles(config=TWO_PROFILES)
    targets = [("one", "us-east-1"), ("one", "us-east-1"), ("two", "us-east-1")]
    for profile, region in [*targets, ("one", "eu-west-1")]:
        _get(_at(endpoint, profile=profile, region=region))
    assert len(process_state.instance(_Limiters)) == 3
    _get(_at(other_endpoint, profile="one", region="us-east-1"))
    assert len(process_state.instance(_Limiters)) == 4


@pytest.mark.usefixtures("environment_keys")
def test_a_call_with_a_time_limit_is_tried_once(endpoint: Endpoint) -> None:
    """It is for what a person waits for, such as the Tab key: not even throttling is waited out."""
    aws = _at(endpoint, region="us-east-1", timeout_seconds=50.0)
    for status, code, error in (
        (400, "ThrottlingException", ThrottledError),
        (500, "InternalServerError", ServiceFailedError),
    ):
        endpoint.requests.clear()
        endpoint.status, endpoint.body = status, {"__type": code}
        with pytest.raises(error):
            _get(aws)
        assert len(endpoint.requests) == 1
    config = aws.client("ssm", None, once=True).meta.config
    assert (config.connect_timeout, config.read_timeout) == (50.0, 50.0)


@pytest.mark.usefixtures("environment_keys")
def test_the_guard_stands_before_each_write(endpoint: Endpoint) -> None:
    """It is called with the service before anything is sent; what it raises ends the call."""
    asked: list[tuple[str, int]] = []

    def before_write(service: str) -> None:
        asked.append((service, len(endpoint.requests)))
        if len(asked) > 1:
            raise TargetNotAllowedError("The target is another one.")

    settings = AWSSettings(endpoint_url=endpoint.url, region="us-east-1")
    aws = AWS(settings, before_write=before_write)
    _get(aws)
    assert asked == []
    endpoint.body = {"Version": 1}
    write = {"Name": "x", "Value": "v", "Type": "String"}
    aws.call("ssm", "PutParameter", write)
    assert asked == [("ssm", 1)]
    with pytest.raises(TargetNotAllowedError, match="another one"):
        aws.call("ssm", "PutParameter", write)
    assert len(endpoint.requests) == 2


@pytest.mark.usefixtures("environment_keys")
def test_a_call_returns_the_reply(endpoint: Endpoint) -> None:
    """AWS's response is returned unchanged, and the request's user agent names seedctl."""
    endpoint.body = {"Parameter": {"Version": 3, "LastModifiedDate": 0}}
    assert _get(_at(endpoint, region="us-east-1"))["Parameter"]["Version"] == 3
    (request,) = endpoint.requests
    assert request["x-amz-target"] == "AmazonSSM.GetParameter"
    assert f"seedctl/{seedctl.__version__}" in request["user-agent"]


@pytest.mark.usefixtures("environment_keys")
def test_a_refusal_is_translated_and_keeps_its_cause(endpoint: Endpoint) -> None:
    """AWS's error is raised as seedctl's, with botocore's as its cause."""
    endpoint.status, endpoint.body = 400, {"__type": "ParameterNotFound"}
    with pytest.raises(AWSError) as caught:
        _get(_at(endpoint, region="us-east-1"))
    assert caught.value.code == "ParameterNotFound"
    assert isinstance(caught.value.__cause__, botocore.exceptions.ClientError)


@pytest.mark.usefixtures("environment_keys")
def test_bugs_are_not_translated(endpoint: Endpoint) -> None:
    """An unexpected exception is a bug and is raised unchanged."""

    def broken() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _get(AWS(AWSSettings(endpoint_url=endpoint.url), fallback_region=broken))
    assert endpoint.requests == []


@pytest.mark.usefixtures("environment_keys")
def test_invalid_parameters_are_not_sent(endpoint: Endpoint) -> None:
    """What botocore rejects before sending is reported as an invalid parameter."""
    with pytest.raises(InvalidParameterException, match="ssm:GetParameter cannot be sent"):
        _at(endpoint, region="us-east-1").call("ssm", "GetParameter", {})
    assert endpoint.requests == []


@pytest.mark.usefixtures("environment_keys")
def test_a_closed_port_is_unreachable(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that does not respond gets another error than one that refuses the call."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    aws = AWS(AWSSettings(endpoint_url="http://127.0.0.1:1", region="us-east-1"))
    with pytest.raises(EndpointUnreachableError, match=r"127\.0\.0\.1:1") as caught:
        _get(aws)
    assert caught.value.exit_code == 4


@pytest.mark.usefixtures("environment_keys")
def test_clients_are_made_once(endpoint: Endpoint) -> None:
    """Threads that call at the same time share one client per service, region and kind of call."""
    aws = _at(endpoint, region="us-east-1")
    start, found = threading.Barrier(6), []

    def work() -> None:
        start.wait()
        found.append(aws.client("ssm", None, once=False))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in found}) == 1
    others = [
        aws.client("sts", None, once=False),
        aws.client("ssm", "eu-west-1", once=False),
        aws.client("ssm", None, once=True),
    ]
    assert len({id(client) for client in [found[0], *others]}) == 4


# --- the region ----------------------------------------------------------------------------------

REGION_SOURCES = (
    "--region",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "credentials",
    "config",
    "outputs",
)


@pytest.mark.parametrize("first", range(len(REGION_SOURCES)), ids=REGION_SOURCES)
@pytest.mark.usefixtures("environment_keys")
def test_the_order_of_regions(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    first: int,
) -> None:
    """Each source of the region takes precedence over those after it."""
    given = {
        source: f"{source.strip('-').replace('_', '-').lower()}-1"
        for source in REGION_SOURCES[first:]
    }
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if name in given:
            monkeypatch.setenv(name, given[name])
    write_profiles(
        config=f"[default]\nregion = {given['config']}" if "config" in given else "",
        credentials=f"[default]\nregion = {given['credentials']}" if "credentials" in given else "",
    )
    aws = AWS(
        AWSSettings(endpoint_url=endpoint.url, region=given.get("--region")),
        fallback_region=lambda: given.get("outputs"),
    )
    expected = given[REGION_SOURCES[first]]
    assert aws.region() == expected
    _get(aws)
    assert endpoint.regions == [expected]


@pytest.mark.usefixtures("environment_keys")
def test_a_call_may_name_its_region(endpoint: Endpoint) -> None:
    """Cognito is called in the region of the outputs file, not in the one chosen for secrets."""
    aws = _at(endpoint, region="us-east-1")
    _get(aws, region="eu-west-1")
    _get(aws)
    assert endpoint.regions == ["eu-west-1", "us-east-1"]


@pytest.mark.usefixtures("environment_keys")
def test_the_outputs_file_is_read_only_if_needed(endpoint: Endpoint) -> None:
    """If a region is set, the outputs file is not read: it may be missing or broken."""
    asked = []
    aws = AWS(
        AWSSettings(endpoint_url=endpoint.url, region="us-east-1"),
        fallback_region=lambda: asked.append(1) or "x",  # type: ignore[func-returns-value]
    )
    _get(aws)
    assert asked == []


@pytest.mark.usefixtures("environment_keys")
def test_no_region_at_all(endpoint: Endpoint) -> None:
    """Without a region, the error lists where one can be set."""
    with pytest.raises(
        MissingRegionError, match="environment, the profile or an outputs"
    ) as caught:
        _get(_at(endpoint))
    assert "--region" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3


@pytest.mark.usefixtures("environment_keys")
def test_an_invalid_region() -> None:
    """A misspelt region that cannot be part of a host name is a configuration error."""
    with pytest.raises(MissingRegionError, match="no usable AWS region") as caught:
        _get(AWS(AWSSettings(endpoint_url="http://127.0.0.1:1", region="us east/1")))
    assert caught.value.exit_code == 3


# --- whose keys ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "environment", "key_id", "region"),
    [
        pytest.param("one", {}, "AKIACONFIGONE", "one-east-1", id="--profile"),
        pytest.param(
            "one", {"AWS_PROFILE": "two"}, "AKIACONFIGONE", "one-east-1", id="--profile first"
        ),
        pytest.param(None, {"AWS_PROFILE": "two"}, "AKIACONFIGTWO", "two-east-1", id="AWS_PROFILE"),
        pytest.param(
            None,
            {"AWS_PROFILE": "one", "AWS_DEFAULT_PROFILE": "two"},
            "AKIACONFIGONE",
            "one-east-1",
            id="AWS_PROFILE beats AWS_DEFAULT_PROFILE",
        ),
        pytest.param(
            None,
            {"AWS_DEFAULT_PROFILE": "two"},
            "AKIACONFIGTWO",
            "two-east-1",
            id="AWS_DEFAULT_PROFILE",
        ),
        pytest.param(
            None, {"AWS_PROFILE": "default"}, "AKIADEFAULT", "default-east-1", id="default by name"
        ),
    ],
)
@pytest.mark.usefixtures("environment_keys")
def test_a_profile_beats_keys_in_the_environment(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    option: str | None,
    environment: dict[str, str],
    key_id: str,
    region: str,
) -> None:
    """The chosen profile signs the call, as in the Node chain; boto3 would use the keys."""
    write_profiles(config=TWO_PROFILES)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    _get(_at(endpoint, profile=option))
    assert endpoint.key_ids == [key_id]
    assert endpoint.regions == [region]
    assert "x-amz-security-token" not in endpoint.requests[0]


@pytest.mark.usefixtures("environment_keys")
def test_keys_in_the_environment_beat_the_default_profile(
    endpoint: Endpoint, write_profiles: WriteProfiles
) -> None:
    """Without a chosen profile, keys in the environment precede the default profile."""
    write_profiles(config=TWO_PROFILES)
    _get(_at(endpoint))
    assert endpoint.key_ids == ["AKIAENVIRONMENT"]
    assert endpoint.requests[0]["x-amz-security-token"] == "token-of-the-environment"


def test_the_default_profile_is_the_last_resort(
    endpoint: Endpoint, write_profiles: WriteProfiles
) -> None:
    """Without a chosen profile and without keys in the environment, the default profile signs."""
    write_profiles(config=TWO_PROFILES)
    _get(_at(endpoint))
    assert endpoint.key_ids == ["AKIADEFAULT"]


@pytest.mark.parametrize(
    ("files", "profile", "complaint"),
    [
        pytest.param({}, None, "from the default credential chain", id="none"),
        pytest.param({}, "gone", 'from profile "gone".*could not be found', id="no such profile"),
        pytest.param({"config": "[broken\nx"}, None, "Unable to parse", id="broken config"),
        pytest.param(
            {"credentials": "[half]\naws_access_key_id = AKIA"},
            "half",
            'from profile "half".*Partial credentials',
            id="partial",
        ),
        pytest.param(
            {"config": "[profile p]\ncredential_process = false"},
            "p",
            'from profile "p"',
            id="a process that fails",
        ),
        pytest.param(
            {"config": "[profile p]\nsource_profile = q\nrole_arn = arn:aws:iam::1:role/r"},
            "p",
            'from profile "p".*"q"',
            id="a source profile that is not there",
        ),
    ],
)
def test_missing_and_broken_credentials(
    endpoint: Endpoint,
    write_profiles: WriteProfiles,
    files: dict[str, str],
    profile: str | None,
    complaint: str,
) -> None:
    """Missing and broken credentials are a configuration error that names the profile."""
    write_profiles(**files)
    with pytest.raises(InvalidCredentialError, match=complaint) as caught:
        _get(_at(endpoint, region="us-east-1", profile=profile))
    assert caught.value.exit_code == 3
    assert "--local" in (caught.value.resolution or "")
    assert endpoint.requests == []


@pytest.mark.parametrize(
    ("files", "profile"),
    [
        pytest.param({}, "gone", id="no such profile"),
        pytest.param({"config": "[broken\nx"}, None, id="broken config"),
    ],
)
def test_the_region_of_a_missing_profile(
    write_profiles: WriteProfiles, files: dict[str, str], profile: str | None
) -> None:
    """If only the region is needed, a missing profile is the same configuration error."""
    write_profiles(**files)
    with pytest.raises(InvalidCredentialError):
        AWS(AWSSettings(profile=profile)).region()


# --- the local sandbox ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "config"),
    [
        pytest.param({}, "", id="nothing set up"),
        pytest.param({"AWS_PROFILE": "no-such-profile"}, "", id="no such profile"),
        pytest.param({"AWS_PROFILE": "one"}, TWO_PROFILES, id="a real profile"),
        pytest.param({}, "[broken\nx", id="broken config file"),
        pytest.param({"AWS_USE_FIPS_ENDPOINT": "true"}, "", id="FIPS"),
        pytest.param({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "", id="dual stack"),
        pytest.param({"AWS_ENDPOINT_URL": REAL}, "", id="another endpoint"),
        pytest.param({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "", id="endpoints ignored"),
        pytest.param({"HTTP_PROXY": "http://127.0.0.1:1"}, "", id="a proxy"),
        pytest.param({"AWS_CA_BUNDLE": "/no/such/file"}, "", id="a bundle that is not there"),
    ],
)
@pytest.mark.usefixtures("environment_keys")
def test_local_ignores_the_users_configuration(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    environment: dict[str, str],
    config: str,
) -> None:
    """The local sandbox works with any AWS configuration, and gets no real keys."""
    write_profiles(config=config, credentials=config)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = AWS(
        AWSSettings(endpoint_url=endpoint.url, is_local=True), fallback_region=lambda: "us-east-1"
    )
    assert aws.is_local
    assert aws.is_emulator
    assert aws.max_attempts == 3
    assert aws.region() == "us-east-1"
    _get(aws)
    assert endpoint.key_ids == ["local"]
    assert "environment" not in str(endpoint.requests).lower()


def test_local_errors_name_no_profile(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors do not name a profile that was not used."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    endpoint.status, endpoint.body = 400, {"__type": "ExpiredTokenException"}
    with pytest.raises(InvalidCredentialError) as caught:
        _get(_at(endpoint, region="us-east-1", is_local=True))
    assert "mine" not in caught.value.message


# --- endpoints -----------------------------------------------------------------------------------

PROFILE_ENDPOINTS = """
[default]
endpoint_url = {everything}
services = mine
[services mine]
ssm =
  endpoint_url = {ssm}
"""


def test_no_endpoint_means_aws() -> None:
    """Without any setting every call goes to AWS."""
    aws = AWS(AWSSettings())
    assert [aws.endpoint(service) for service in SERVICES] == [None] * 4
    assert not aws.is_emulator
    aws.refuse_mixed_endpoints()


@pytest.mark.parametrize(
    ("option", "environment", "config", "ssm", "sts"),
    [
        pytest.param(
            "http://option",
            {"AWS_ENDPOINT_URL": "http://env", "AWS_ENDPOINT_URL_SSM": "http://env-ssm"},
            True,
            "http://option",
            "http://option",
            id="--endpoint-url beats all",
        ),
        pytest.param(
            None,
            {"AWS_ENDPOINT_URL": "http://env", "AWS_ENDPOINT_URL_SSM": "http://env-ssm"},
            True,
            "http://env-ssm",
            "http://env",
            id="the service's variable beats the general one",
        ),
        pytest.param(
            None,
            {"AWS_ENDPOINT_URL": "http://env"},
            True,
            "http://env",
            "http://env",
            id="the environment beats the profile",
        ),
        pytest.param(
            None, {}, True, "http://profile-ssm", "http://profile", id="the profile's services"
        ),
        pytest.param(
            None,
            {
                "AWS_ENDPOINT_URL": "http://env",
                "AWS_ENDPOINT_URL_SSM": "http://env-ssm",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            },
            True,
            None,
            None,
            id="all ignored",
        ),
        pytest.param(
            "http://option",
            {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            False,
            "http://option",
            "http://option",
            id="the option is not ignored",
        ),
    ],
)
def test_the_order_of_endpoints(
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    option: str | None,
    environment: dict[str, str],
    config: bool,
    ssm: str | None,
    sts: str | None,
) -> None:
    """Endpoints are read from the same sources as in the AWS tools, in the same order."""
    if config:
        write_profiles(
            config=PROFILE_ENDPOINTS.format(everything="http://profile", ssm="http://profile-ssm")
        )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = AWS(AWSSettings(endpoint_url=option))
    assert (aws.endpoint("ssm"), aws.endpoint("sts")) == (ssm, sts)


@pytest.mark.parametrize("where", ["option", "AWS_ENDPOINT_URL", "profile"])
@pytest.mark.usefixtures("environment_keys")
def test_calls_go_to_the_endpoint(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    where: str,
) -> None:
    """Calls go to the endpoint that endpoint() returns."""
    option = endpoint.url if where == "option" else None
    if where == "AWS_ENDPOINT_URL":
        monkeypatch.setenv(where, endpoint.url)
    elif where == "profile":
        write_profiles(config=f"[default]\nendpoint_url = {endpoint.url}")
    aws = AWS(AWSSettings(region="us-east-1", endpoint_url=option))
    assert aws.is_emulator
    _get(aws)
    aws.call("cognito-idp", "InitiateAuth", {"AuthFlow": "USER_SRP_AUTH", "ClientId": "c"})
    assert [request["x-amz-target"].rpartition(".")[2] for request in endpoint.requests] == [
        "GetParameter",
        "InitiateAuth",
    ]


def test_one_services_endpoint_is_enough_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """is_emulator reads Cognito's endpoint variable, which has the service's long name."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1")
    assert AWS(AWSSettings()).is_emulator
    monkeypatch.delenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")
    assert not AWS(AWSSettings()).is_emulator


@pytest.mark.usefixtures("environment_keys")
def test_an_invalid_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid endpoint in the environment is reported with the name of its service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "localhost:4566")
    with pytest.raises(InvalidCommandInputError, match="The endpoint of ssm is 'localhost:4566'"):
        _get(AWS(AWSSettings(region="us-east-1")))


@pytest.mark.parametrize(
    ("settings", "here", "away"),
    [
        pytest.param(
            {"AWS_ENDPOINT_URL_SSM": "LOOPBACK"},
            "ssm would",
            "cognito-idp, sts, cloudformation the real",
            id="only one service here",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL": "LOOPBACK", "AWS_ENDPOINT_URL_STS": REAL},
            "ssm, cognito-idp, cloudformation would",
            "sts the real",
            id="all but one here",
        ),
        pytest.param(
            {"config": "[default]\nservices = s\n[services s]\nssm =\n  endpoint_url = LOOPBACK"},
            "ssm would",
            "cognito-idp, sts, cloudformation the real",
            id="by the profile",
        ),
    ],
)
@pytest.mark.usefixtures("environment_keys")
def test_mixed_endpoints_are_refused_before_the_first_call(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    settings: dict[str, str],
    here: str,
    away: str,
) -> None:
    """A run whose calls would go partly to an emulator and partly to AWS makes no call at all."""
    for name, text in settings.items():
        value = text.replace("LOOPBACK", endpoint.url)
        if name == "config":
            write_profiles(config=value)
        else:
            monkeypatch.setenv(name, value)
    aws = AWS(AWSSettings(region="us-east-1"))
    for _ in range(2):
        with pytest.raises(MixedEndpointsError, match=here) as caught:
            _get(aws)
        assert away in caught.value.message
        assert caught.value.exit_code == 3
    assert endpoint.requests == []


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"AWS_ENDPOINT_URL_SSM": REAL}, id="a private endpoint of AWS"),
        pytest.param({"AWS_ENDPOINT_URL": "http://localhost:1"}, id="all here"),
        pytest.param(
            {
                "AWS_ENDPOINT_URL": "http://localhost:1",
                "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:2",
            },
            id="all here, at two addresses",
        ),
    ],
)
def test_endpoints_on_one_side_are_fine(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """Different endpoints are fine as long as all or none of them are emulators."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    AWS(AWSSettings()).refuse_mixed_endpoints()


# --- proxies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
@pytest.mark.usefixtures("environment_keys")
def test_loopback_bypasses_the_proxy(
    endpoint: Endpoint, other_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No proxy is used for loopback addresses, which it could not reach."""
    monkeypatch.setenv(name, other_endpoint.url)
    _get(_at(endpoint, region="us-east-1"))
    assert len(endpoint.requests) == 1
    assert other_endpoint.requests == []


@pytest.mark.usefixtures("environment_keys")
def test_loopback_over_https_bypasses_the_proxy(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No proxy is used for an emulator with TLS on loopback either: it gets no CONNECT."""
    monkeypatch.setenv("HTTPS_PROXY", endpoint.url)
    with pytest.raises(EndpointUnreachableError):
        _get(AWS(AWSSettings(region="us-east-1", endpoint_url="https://127.0.0.1:1")), once=True)
    assert endpoint.requests == []


@pytest.mark.usefixtures("environment_keys")
def test_other_addresses_are_reached_through_the_proxy(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request to any other address goes to the proxy."""
    monkeypatch.setenv("HTTP_PROXY", endpoint.url)
    monkeypatch.setenv("http_proxy", endpoint.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    _get(AWS(AWSSettings(region="us-east-1", endpoint_url="http://emulator.example.test")))
    (request,) = endpoint.requests
    assert request["line"] == "POST http://emulator.example.test/ HTTP/1.1"


# --- retries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "config", "mode", "attempts"),
    [
        pytest.param({}, "", "standard", 3, id="unless told: standard"),
        pytest.param({"AWS_RETRY_MODE": "adaptive"}, "", "adaptive", 3, id="AWS_RETRY_MODE"),
        pytest.param({}, "retry_mode = adaptive", "adaptive", 3, id="the profile's mode"),
        pytest.param(
            {"AWS_RETRY_MODE": "standard"},
            "retry_mode = adaptive",
            "standard",
            3,
            id="the environment first",
        ),
        pytest.param({"AWS_MAX_ATTEMPTS": "7"}, "", "standard", 7, id="AWS_MAX_ATTEMPTS"),
        pytest.param({}, "max_attempts = 5", "standard", 5, id="the profile's attempts"),
        pytest.param(
            {"AWS_MAX_ATTEMPTS": "7", "AWS_RETRY_MODE": "adaptive"}, "", "adaptive", 7, id="both"
        ),
    ],
)
@pytest.mark.usefixtures("environment_keys")
def test_retry_settings_are_honoured(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    environment: dict[str, str],
    config: str,
    mode: str,
    attempts: int,
) -> None:
    """The user's retry mode and attempts are used; seedctl sets a mode only if the user did not."""
    write_profiles(config=f"[default]\n{config}")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    aws = _at(endpoint, region="us-east-1")
    retries = aws.client("ssm", None, once=False).meta.config.retries
    assert retries["mode"] == mode
    assert retries.get("total_max_attempts", 3) == attempts
    assert aws.max_attempts == attempts
    once = aws.client("ssm", None, once=True).meta.config.retries
    assert (once["mode"], once["total_max_attempts"]) == (mode, 1)


@pytest.mark.parametrize("mode", [None, "legacy", "standard", "adaptive"])
@pytest.mark.usefixtures("environment_keys")
def test_calls_made_once_are_not_retried(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, mode: str | None
) -> None:
    """A call that uses up a single-use session is sent once, whatever the retry settings."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    if mode is not None:
        monkeypatch.setenv("AWS_RETRY_MODE", mode)
    endpoint.status, endpoint.body = 500, {"__type": "InternalServerError"}
    with pytest.raises(AWSError, match="InternalServerError"):
        _get(_at(endpoint, region="us-east-1"), once=True)
    assert len(endpoint.requests) == 1


@pytest.mark.usefixtures("environment_keys")
def test_other_calls_are_retried(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a server error the call is retried, up to AWS_MAX_ATTEMPTS attempts."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    endpoint.status, endpoint.body = 500, {"__type": "InternalServerError"}
    with pytest.raises(AWSError):
        _get(_at(endpoint, region="us-east-1"))
    assert len(endpoint.requests) == 2


@pytest.mark.usefixtures("environment_keys")
def test_a_users_own_tests_may_call_any_emulator(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under pytest, in a user's own test, calls go to the configured endpoint as always."""
    port = endpoint.url.rpartition(":")[2]
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: look_up(
            "127.0.0.1" if host == "emulator.test" else host, *rest, **more
        ),
    )
    aws = AWS(AWSSettings(region="us-east-1", endpoint_url=f"http://emulator.test:{port}"))
    endpoint.body = {"Parameter": {"Value": "v", "Version": 1, "LastModifiedDate": 0}}
    _get(aws)
    assert aws.is_emulator
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("environment", "config", "complaint"),
    [
        pytest.param({"AWS_MAX_ATTEMPTS": "abc"}, "", "AWS_MAX_ATTEMPTS .* 'abc'", id="a word"),
        pytest.param({"AWS_MAX_ATTEMPTS": "0"}, "", "AWS_MAX_ATTEMPTS .* '0'", id="none at all"),
        pytest.param({"AWS_MAX_ATTEMPTS": ""}, "", "AWS_MAX_ATTEMPTS .* ''", id="empty"),
        pytest.param({}, "max_attempts = many", "max_attempts.* 'many'", id="the profile's"),
        pytest.param({"AWS_RETRY_MODE": "weird"}, "", "AWS_RETRY_MODE .* 'weird'", id="mode"),
        pytest.param({}, "retry_mode = weird", "retry_mode.* 'weird'", id="the profile's mode"),
    ],
)
@pytest.mark.parametrize("once", [False, True], ids=["repeated", "once"])
@pytest.mark.usefixtures("environment_keys")
def test_invalid_retry_settings(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    write_profiles: WriteProfiles,
    environment: dict[str, str],
    config: str,
    complaint: str,
    once: bool,
) -> None:
    """An invalid setting is a usage error before anything is sent, without a traceback."""
    write_profiles(config=f"[default]\n{config}")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidCommandInputError, match=complaint) as caught:
        _get(_at(endpoint, region="us-east-1"), once=once)
    assert caught.value.exit_code == 2
    assert endpoint.requests == []


@pytest.mark.usefixtures("environment_keys")
def test_the_profiles_attempts_are_made(endpoint: Endpoint, write_profiles: WriteProfiles) -> None:
    """The profile's max_attempts also limits seedctl's own retries."""
    endpoint.status, endpoint.body = 500, {"__type": "InternalServerError"}
    write_profiles(
        config="[profile dev]\nmax_attempts = 2\n[default]\nmax_attempts = 5",
        credentials="[dev]\naws_access_key_id = A\naws_secret_access_key = x",
    )
    aws = _at(endpoint, region="us-east-1", profile="dev")
    assert aws.max_attempts == 2
    with pytest.raises(ServiceFailedError):
        _get(aws)
    assert len(endpoint.requests) == 2


@pytest.mark.usefixtures("environment_keys")
def test_a_web_page_in_place_of_aws(endpoint: Endpoint) -> None:
    """A 5xx, from AWS or a gateway, leaves open whether the call took effect."""
    endpoint.status, endpoint.body = 502, {}
    with pytest.raises(ServiceFailedError) as caught:
        _get(_at(endpoint, region="us-east-1"), once=True)
    assert "ssm:GetParameter" in caught.value.message


@pytest.mark.usefixtures("environment_keys")
def test_a_client_may_be_made_while_others_are_closed(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend may end while a thread of the script makes its first call to another service."""
    aws = _at(endpoint, region="us-east-1")
    first = aws.client("ssm", None)
    closed: list[str] = []

    def close() -> None:
        closed.append("ssm")
        aws.client("sts", None)

    monkeypatch.setattr(first, "close", close)
    aws.close()
    assert closed == ["ssm"]
