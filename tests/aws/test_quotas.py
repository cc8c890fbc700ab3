"""Quotas: the settings, clients that are limited by them, and retries of throttled calls."""

from __future__ import annotations

import inspect
import itertools
import operator
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.aws.calls import AWS
from seedctl.aws.pacing import CallStatistics, RateLimitedCaller, tries_for
from seedctl.aws.rates import Limiter
from seedctl.aws.settings import AWSSettings
from seedctl.cognito import pool as pool_module
from seedctl.errors import (
    EndpointUnreachableError,
    InvalidCommandInputError,
    LimitExceededError,
    ServiceFailedError,
    ThrottledError,
)
from seedctl.project import Project
from seedctl.project.quotas import CATEGORIES, DEFAULTS, chosen_quotas
from tests.aws.test_rates import ManualClock
from tests.cases import case
from tests.fake_aws import FakeAWS, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATE: dict[str, Any] = {"UserPoolId": "us-east-1_AbCdEfGhI", "Username": "ann"}
ANSWER: dict[str, Any] = {
    "ClientId": "c",
    "ChallengeName": "PASSWORD_VERIFIER",
    "Session": "s" * 20,
}
TOO_MANY = ("TooManyRequestsException", "Too many requests")
PARAMETER = {"Parameter": {"Value": "v", "Version": 1, "LastModifiedDate": 0}}


@pytest.fixture(autouse=True)
def _keys(environment_keys: None) -> None:
    pass


def aws_at(fake: FakeAWS, clock: ManualClock, **settings: Any) -> AWS:
    quotas = settings.pop("quotas", {})
    chosen = AWSSettings(region="us-east-1", endpoint_url=fake.url, **settings)
    return AWS(chosen, quotas=quotas, clock=clock)


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "variable", "expected"),
    [
        pytest.param(None, None, {}, id="nothing"),
        pytest.param("", "", {}, id="empty"),
        pytest.param('[project]\nname = "seed"\n', None, {}, id="another tool's file"),
        pytest.param("[tool.seedctl]\nother = 1\n", None, {}, id="no quotas in it"),
        pytest.param(
            "[tool.seedctl.quotas]\nUserCreation = 80\n", None, {"UserCreation": 80}, id="file"
        ),
        pytest.param(
            None,
            " UserCreation = 80 ,UserToken=off,",
            {"UserCreation": 80, "UserToken": None},
            id="variable",
        ),
        pytest.param(
            '[tool.seedctl.quotas]\nUserCreation = 80\nUserToken = "off"\n',
            "UserCreation=90",
            {"UserCreation": 90, "UserToken": None},
            id="the variable wins",
        ),
        pytest.param("this is not TOML", None, {}, id="broken, and not about us"),
    ],
)
def test_quotas_come_from_the_project_and_the_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    variable: str | None,
    expected: dict[str, int | None],
) -> None:
    """pyproject.toml sets quotas for a project, SEEDCTL_QUOTAS for a run."""
    if file is not None:
        (tmp_path / "pyproject.toml").write_text(file, encoding="utf-8")
    if variable is not None:
        monkeypatch.setenv("SEEDCTL_QUOTAS", variable)
    assert chosen_quotas(Project(tmp_path)) == expected


@pytest.mark.parametrize(
    ("file", "variable", "message", "resolution"),
    [
        pytest.param(None, "UserCreations=5", "SEEDCTL_QUOTAS", "UserCreation[?]", id="near name"),
        pytest.param(None, "zzz=5", "'zzz'", "seedctl knows UserCreation, ", id="no name"),
        pytest.param(None, "UserRead=5", "'UserRead'", "no other quota", id="of other calls"),
        pytest.param(
            None, "UserPoolResourceUpdate=5", "not a quota that", "seedctl knows User", id="alike"
        ),
        pytest.param(
            None, f"UserCreation={'9' * 5000}", "to '9{60}…'", "1 or more", id="many digits"
        ),
        pytest.param(
            f"UserCreation = {'9' * 5000}", None, "pyproject.toml", "", id="many digits in the file"
        ),
        pytest.param(None, "U" * 5000 + "=5", "'U{60}…'", "seedctl knows", id="a long name"),
        pytest.param(None, "-" * 5000, "holds '-{60}…'", "Write", id="a long nothing"),
        pytest.param(None, "UserCreation", "SEEDCTL_QUOTAS holds", "UserCreation=80", id="no sign"),
        pytest.param(None, "UserCreation=0", "UserCreation to 0", "1 or more", id="nought"),
        pytest.param(None, "UserCreation=1000000", "to 1000000", "1 or more", id="no limit at all"),
        pytest.param(None, "UserCreation=fast", "to 'fast'", '"off"', id="a word"),
        pytest.param("UserCreation = true", None, "pyproject.toml .*True", "whole", id="a flag"),
        pytest.param("UserCreation = 1.5", None, "pyproject.toml sets", "whole", id="a fraction"),
        pytest.param("usercreation = 5", None, "pyproject.toml", "UserCreation", id="case"),
        pytest.param("]", None, "pyproject.toml is not TOML", "Correct", id="broken"),
    ],
)
def test_invalid_quotas(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    variable: str | None,
    message: str,
    resolution: str,
) -> None:
    """An invalid quota is refused with the place where it is set."""
    if file is not None:
        text = f"[tool.seedctl.quotas]\n{file}\n"
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    if variable is not None:
        monkeypatch.setenv("SEEDCTL_QUOTAS", variable)
    with pytest.raises(InvalidCommandInputError, match=message) as caught:
        chosen_quotas(Project(tmp_path))
    assert caught.value.exit_code == 2
    assert resolution.replace("[?]", "?") in str(caught.value.resolution)


@pytest.mark.parametrize(
    "text", ["tool = 1 # seedctl", "[tool]\nseedctl = 1", "[tool.seedctl]\nquotas = 1"]
)
def test_settings_that_are_not_a_table(tmp_path: Path, text: str) -> None:
    """A settings table of the wrong type is reported."""
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidCommandInputError, match="is not a table"):
        chosen_quotas(Project(tmp_path))


def test_every_call_to_cognito_has_a_quota() -> None:
    """Every operation that seedctl calls is in the table, or it would not be limited."""
    source = inspect.getsource(pool_module)
    called = [part.partition('"')[0] for part in source.split('self._call("')[1:]]
    assert len(called) >= 10
    assert all(CATEGORIES["cognito-idp", operation] in DEFAULTS for operation in called)


# --- clients -------------------------------------------------------------------------------------


def test_default_quotas_are_those_that_aws_publishes() -> None:
    """A higher number would have AWS throttle calls; a lower one would make seeding slow."""
    for service, operation, name, per_second in (
        ("cognito-idp", "AdminCreateUser", "UserCreation", 50),
        ("cognito-idp", "InitiateAuth", "UserAuthentication", 120),
        ("cognito-idp", "RespondToAuthChallenge", "RespondToAuthChallenge", 360),
        ("cognito-idp", "RevokeToken", "UserToken", 120),
        ("cognito-idp", "UpdateUserAttributes", "UserUpdate", 25),
        ("cognito-idp", "AdminAddUserToGroup", "UserResourceUpdate", 25),
        ("ssm", "GetParameter", "ParameterRead", 40),
        ("ssm", "PutParameter", "ParameterWrite", 3),
    ):
        with case(service, operation, name, per_second):
            assert CATEGORIES[service, operation] == name
            assert DEFAULTS[name] == per_second


def test_calls_wait_for_their_quota_and_are_counted() -> None:
    """The fourth write to Parameter Store within a second waits, and the statistics show it."""
    clock = ManualClock()
    with FakeAWS(PutParameter={"Version": 1}, GetParameter=PARAMETER) as fake:
        aws = aws_at(fake, clock)
        for _ in range(4):
            aws.call("ssm", "PutParameter", {"Name": "n", "Value": "v"})
        aws.call("ssm", "GetParameter", {"Name": "n"})
    assert clock.time == pytest.approx(101.0, abs=0.02)
    counted = aws.statistics()
    assert (counted["PutParameter"].calls, counted["PutParameter"].throttled) == (4, 0)
    assert counted["PutParameter"].seconds_waited == pytest.approx(1.0, abs=0.02)
    assert (counted["GetParameter"].calls, counted["GetParameter"].seconds_waited) == (1, 0.0)


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        pytest.param({}, 1.0, id="AWS and emulators"),
        pytest.param({"is_paced": False}, 0.0, id="a sandbox of this process"),
        pytest.param({"is_paced": False, "quotas": {"ParameterWrite": 3}}, 1.0, id="asked for"),
        pytest.param({"quotas": {"ParameterWrite": None}}, 0.0, id="off"),
        pytest.param({"quotas": {"ParameterWrite": 100}}, 0.0, id="raised"),
    ],
)
def test_where_default_quotas_apply(settings: dict[str, Any], seconds: float) -> None:
    """The default quotas apply everywhere except in a sandbox of this process."""
    clock = ManualClock()
    with FakeAWS(PutParameter={"Version": 1}) as fake:
        aws = aws_at(fake, clock, **settings)
        for _ in range(4):
            aws.call("ssm", "PutParameter", {"Name": "n", "Value": "v"})
    assert clock.time - 100.0 == pytest.approx(seconds, abs=0.02)


def test_a_throttled_call_is_retried() -> None:
    """A throttled call is retried with growing pauses until it succeeds."""
    clock = ManualClock()
    replies: Iterator[Any] = iter([TOO_MANY] * 3 + [{"User": {"Username": "u"}}])
    with FakeAWS(AdminCreateUser=replies) as fake:
        aws = aws_at(fake, clock)
        aws.call("cognito-idp", "AdminCreateUser", CREATE, once=True)
    assert len(clock.slept) == 3
    assert all(
        0.5 * most <= pause <= most for pause, most in zip(clock.slept, (0.5, 1, 2), strict=True)
    )
    counted = aws.statistics()["AdminCreateUser"]
    assert (counted.calls, counted.throttled) == (4, 3)


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_throttled_call_slows_the_others_down(refusals: int) -> None:
    """When one thread is throttled, all threads with the same quota slow down."""
    clock = ManualClock()
    replies: Iterator[Any] = iter(
        [("ThrottlingException", "Rate exceeded")] * refusals + [PARAMETER] * 24
    )
    with FakeAWS(GetParameter=replies) as fake:
        aws = aws_at(fake, clock, quotas={"ParameterRead": 8})
        for _ in range(24 - refusals):
            aws.call("ssm", "GetParameter", {"Name": "n"})
    seconds = clock.time - 100.0 - sum(clock.slept)
    assert len(fake.calls) == 24
    assert (seconds > 2.5) == bool(refusals), seconds


@pytest.mark.parametrize(
    ("attempts", "expected"), [(None, 8), ("2", 2), ("1", 1)], ids=["eight", "told", "once"]
)
def test_repeated_throttling_is_an_error(
    monkeypatch: pytest.MonkeyPatch, attempts: str | None, expected: int
) -> None:
    """A call fails after eight throttled attempts, or after AWS_MAX_ATTEMPTS."""
    if attempts is not None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", attempts)
    with FakeAWS(InitiateAuth=TOO_MANY) as fake:
        clock = ManualClock()
        aws = aws_at(fake, clock)
        with pytest.raises(ThrottledError) as caught:
            aws.call("cognito-idp", "InitiateAuth", {"ClientId": "c", "AuthFlow": "USER_SRP_AUTH"})
    longest = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)[: expected - 1]
    assert all(map(operator.le, clock.slept, longest))
    assert len(set(clock.slept)) == len(clock.slept)  # random, so that threads do not go together
    assert len(fake.calls) == expected
    assert caught.value.was_repeated == (expected > 1)


@pytest.mark.parametrize(
    ("service", "configured", "uses_session_up", "tries"),
    [
        ("cognito-idp", None, False, 8),
        ("ssm", None, False, 8),
        ("ssm", 3, False, 3),
        ("cognito-idp", 3, True, 1),
        ("sts", None, False, 1),  # botocore retries these
        ("s3", 3, False, 1),
    ],
)
def test_who_repeats_a_throttled_call(
    service: str, configured: int | None, uses_session_up: bool, tries: int
) -> None:
    """Calls with a quota of their own here, the others in botocore; a single-use session never."""
    assert tries_for(service, configured, uses_session_up=uses_session_up) == tries


def test_calls_with_a_session_are_never_retried() -> None:
    """A throttled response may have used up the session, so only a new sign-in is retried."""
    with FakeAWS(RespondToAuthChallenge=TOO_MANY) as fake:
        aws = aws_at(fake, ManualClock())
        with pytest.raises(ThrottledError):
            aws.call("cognito-idp", "RespondToAuthChallenge", ANSWER, once=True)
    assert len(fake.calls) == 1


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("mode", ["standard", "legacy", "adaptive"])
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        pytest.param("cognito-idp", "AdminCreateUser", CREATE, id="Cognito"),
        pytest.param("sts", "GetCallerIdentity", {}, id="a service without quotas"),
    ],
)
def test_a_daily_limit_is_not_retried(
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    operation: str,
    parameters: dict[str, Any],
    mode: str,
    once: bool,
) -> None:
    """LimitExceededException is not retried, unlike in botocore: waiting does not help."""
    monkeypatch.setenv("AWS_RETRY_MODE", mode)
    with FakeAWS(**{operation: ("LimitExceededException", "Too many today")}) as fake:
        aws = aws_at(fake, ManualClock())
        with pytest.raises(LimitExceededError):
            aws.call(service, operation, parameters, once=once)
    assert len(fake.calls) == 1


def test_botocores_retries_wait_for_a_slot() -> None:
    """botocore retries a server error, and each attempt is counted."""
    clock = ManualClock()
    with FakeAWS(PutParameter=("InternalServerError", "again", 500)) as fake:
        aws = aws_at(fake, clock, quotas={"ParameterWrite": 1})
        with pytest.raises(ServiceFailedError):
            aws.call("ssm", "PutParameter", {"Name": "n", "Value": "v"})
    assert aws.statistics()["PutParameter"].calls == len(fake.calls) == 3
    assert clock.time > 102.0


def test_a_call_without_a_response_frees_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that ends without a response frees its slot."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    clock = ManualClock()
    with FakeAWS() as fake:
        aws = aws_at(fake, clock, quotas={"ParameterRead": 1})
    for _ in range(3):  # the server is closed
        with pytest.raises(EndpointUnreachableError):
            aws.call("ssm", "GetParameter", {"Name": "n"})
    assert clock.time == pytest.approx(102.0, abs=0.05)


def test_each_attempt_frees_its_slot_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot that was freed twice would let too many calls through later."""
    freed: list[float] = []
    release = Limiter.release

    def count(limiter: Limiter, began: float) -> None:
        freed.append(began)
        release(limiter, began)

    monkeypatch.setattr(Limiter, "release", count)
    replies: list[Reply] = [PARAMETER, TOO_MANY, PARAMETER]
    with FakeAWS(GetParameter=iter(replies)) as fake:
        aws = aws_at(fake, ManualClock(), quotas={"ParameterRead": 1})
        for _ in range(2):
            aws.call("ssm", "GetParameter", {"Name": "n"})
    assert len(freed) == len(fake.calls) == 3


def test_an_interrupted_call_frees_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that Ctrl-C interrupts frees its slot."""
    clock = ManualClock()
    with FakeAWS(GetParameter=PARAMETER) as fake:
        aws = aws_at(fake, clock, quotas={"ParameterRead": 1})

        def interrupt(**_: Any) -> None:
            raise KeyboardInterrupt

        client = aws.client("ssm", None)
        client.meta.events.register_last("before-send.ssm", interrupt)
        with pytest.raises(KeyboardInterrupt):
            aws.call("ssm", "GetParameter", {"Name": "n"})
        client.meta.events.unregister("before-send.ssm", interrupt)
        aws.call("ssm", "GetParameter", {"Name": "n"})
    assert clock.time == pytest.approx(101.0, abs=0.05)


def test_threads_share_the_quota_and_the_counts() -> None:
    """Eight threads together are no faster than one, and each call is counted once."""
    clock = ManualClock()
    with FakeAWS(GetParameter=PARAMETER) as fake:
        aws = aws_at(fake, clock)
        numbers = itertools.count()

        def work() -> None:
            while next(numbers) < 120:
                aws.call("ssm", "GetParameter", {"Name": "n"})

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert aws.statistics()["GetParameter"].calls == len(fake.calls) == 120
    assert clock.time >= 102.0


def test_no_count_of_a_thread_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that count calls of one operation at the same time do not overwrite each other."""

    def slow_statistics(*counts: Any) -> CallStatistics:
        time.sleep(0)  # lets another thread run between reading and writing
        return CallStatistics(*counts)

    monkeypatch.setattr("seedctl.aws.pacing.CallStatistics", slow_statistics)
    caller = RateLimitedCaller({}, is_paced=False, clock=ManualClock())
    start = threading.Barrier(4)

    def count() -> None:
        start.wait()
        for _ in range(30):
            caller.count("GetParameter", calls=1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caller.statistics()["GetParameter"].calls == 120
