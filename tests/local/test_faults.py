"""Fault injection: latency, quotas and failures, and what clients see of them."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import given, settings
from hypothesis import strategies as st

from seedctl.errors import InvalidCommandInputError
from seedctl.local import LocalSandbox
from seedctl.local.bodies import ConnectionEndedError
from seedctl.local.cognito import Cognito
from seedctl.local.faults import FaultInjector, Faults, FaultSettings, Latency, table
from seedctl.local.faults.quotas import Quotas, Window
from seedctl.local.http1 import FilePart, Request, Response
from seedctl.local.server import Server
from seedctl.local.service_calls import call_of, user_of
from seedctl.outputs import load_outputs
from seedctl.project.quotas import CATEGORIES, DEFAULT_QUOTAS, PER_USER, RESPOND
from tests.boto3_clients import client_of
from tests.cases import case
from tests.keep_alive import send_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OUTPUTS = load_outputs(Path(__file__).parents[1] / "data" / "outputs" / "todo_userpool.json")
BUCKET = OUTPUTS.document["storage"]["bucket_name"]
JSON_SERVICES = {
    "cognito-idp": "AWSCognitoIdentityProviderService",
    "cognito-identity": "AWSCognitoIdentityService",
    "ssm": "AmazonSSM",
}
DEVELOPER = (
    "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request, "
    "SignedHeaders=host, Signature=00"
)


@dataclass
class FakeTime:
    """Monotonic seconds that advance only by calls; sleeping is recorded and takes no time."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class FaultsHarness:
    """One sandbox, reachable both directly and through a fault injector."""

    sandbox: LocalSandbox
    session: boto3.Session
    stack: list[Callable[[], None]] = field(default_factory=list)

    def under(self, fault_settings: FaultSettings, **seams: Any) -> tuple[FaultInjector, int]:
        """Serve the sandbox with *fault_settings* at a second port."""
        services = self.sandbox._services
        injector = FaultInjector(fault_settings, services.answer, **seams)
        server = Server(injector.answer, port=0, is_streamed=services.is_streamed)
        self.stack.append(server.stop)
        return injector, server.port

    def client(self, service: str, port: int | None = None) -> Any:
        url = f"http://127.0.0.1:{port or self.sandbox.port}"
        made = client_of(self.session, service, url)
        self.stack.append(made.close)
        return made

    def close(self) -> None:
        for close in reversed(self.stack):
            close()
        self.sandbox.stop()
        assert self.sandbox.handler_errors == []


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    return boto3.Session()


@pytest.fixture
def harness(state_folder: Path, session: boto3.Session) -> Iterator[FaultsHarness]:
    harness = FaultsHarness(LocalSandbox.start(state_folder=state_folder, outputs=OUTPUTS), session)
    yield harness
    harness.close()


def call(
    operation: str, given: dict[str, Any] | None = None, service: str = "cognito-idp"
) -> Request:
    """Return a request as the server passes it on."""
    headers = {"x-amz-target": f"{JSON_SERVICES[service]}.{operation}", "host": "localhost"}
    return Request("POST", "/", "", headers, json.dumps(given or {}).encode())


def always(**shares: float) -> FaultSettings:
    return FaultSettings(faults=Faults(**shares))


def done(_: Request) -> Response:
    return Response.text(200, "done")


def send(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return send_once(port, method, path, body, named)


# --- latency --------------------------------------------------------------------------------------


def test_parallel_requests_are_delayed_at_once() -> None:
    """Requests of different connections wait in parallel, not one after the other."""
    together = threading.Barrier(6)
    injector = FaultInjector(
        FaultSettings(latency=Latency(100, 100)), done, sleep=lambda _: together.wait(20)
    )
    server = Server(injector.answer, port=0)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(send(server.port, "POST", "/", b"")[0]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    server.stop()
    assert answers == [200] * 6
    assert not together.broken


def test_the_delay_is_before_the_work() -> None:
    """A delayed request changes nothing before its delay is over."""
    order: list[Any] = []

    def work(request: Request) -> Response:
        order.append("work")
        return done(request)

    fault_settings = FaultSettings(latency=Latency(250, 250))
    FaultInjector(fault_settings, work, sleep=order.append).answer(call("GetUser"))
    assert order == [0.25, "work"]
    # So is a request that is no call of a service, such as that for the public keys.
    FaultInjector(fault_settings, work, sleep=order.append).answer(
        Request("GET", "/x", "", {}, b"")
    )
    assert order == [0.25, "work"] * 2


def test_a_range_of_latencies() -> None:
    """The delay of each request is random, over the whole range and never outside it."""
    time = FakeTime()
    fault_settings = FaultSettings(latency=Latency(50, 150))
    injector = FaultInjector(fault_settings, done, sleep=time.sleep)
    for _ in range(400):
        injector.answer(call("GetUser"))
    assert 0.05 <= min(time.slept) < 0.07
    assert 0.13 < max(time.slept) <= 0.15


def test_a_stop_does_not_wait_for_delays(state_folder: Path) -> None:
    """When the sandbox stops, delayed requests are answered at once."""
    fault_settings = FaultSettings(latency=Latency(60_000, 60_000))
    sandbox = LocalSandbox.start(
        state_folder=state_folder, outputs=None, fault_settings=fault_settings
    )
    injector = sandbox._conditioned
    assert injector is not None
    sleep, began = injector._sleep, threading.Event()

    def tell_and_sleep(seconds: float) -> None:
        began.set()
        sleep(seconds)

    injector._sleep = tell_and_sleep
    answers: list[int] = []
    body = b'{"Name": "x"}'
    headers = {
        "X_Amz_Target": "AmazonSSM.DeleteParameter",
        "Authorization": DEVELOPER.format(service="ssm"),
    }
    thread = threading.Thread(
        target=lambda: answers.append(send(sandbox.port, "POST", "/", body, **headers)[0])
    )
    thread.start()
    assert began.wait(20)
    sandbox.stop()
    thread.join(20)
    assert answers == [400]
    assert sandbox.handler_errors == []


# --- quotas ---------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    limit=st.integers(1, 8),
    steps=st.lists(st.floats(0, 1.5, allow_nan=False) | st.sampled_from([0.0, 0.1, 0.5, 1.0])),
)
def test_no_second_has_more_than_the_limit(limit: int, steps: list[float]) -> None:
    """No one-second window ever contains more allowed requests than the limit."""
    window, now, granted = Window(limit), 100.0, list[float]()
    for step in steps:
        now += step
        expected = sum(now - earlier < 1.0 for earlier in granted) < limit
        assert window.has_capacity(now) == expected
        if expected:
            window.add(now)
            granted.append(now)
    for first, beyond in zip(granted, granted[limit:], strict=False):
        assert beyond - first >= 1.0


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_exactly_the_limit_at_once(limit: int) -> None:
    """A burst may use the whole quota; the next call must wait for a second to pass."""
    quotas = Quotas({**DEFAULT_QUOTAS, "UserList": limit})
    assert [quotas.admit("UserList", None, 100.0) for _ in range(limit + 2)] == (
        [True] * limit + [False] * 2
    )
    assert not quotas.admit("UserList", None, 100.999)
    assert quotas.admit("UserList", None, 101.0)


def test_a_refused_request_uses_nothing_up() -> None:
    """A client that is refused all the time is allowed again after a second."""
    quotas = Quotas({**DEFAULT_QUOTAS, "UserCreation": 2})
    times = [100.0, 100.0, 100.5, 100.9, 100.9, 101.0, 101.0, 101.0]
    granted = [quotas.admit("UserCreation", None, now) for now in times]
    assert granted == [True, True, False, False, False, True, True, False]


def test_answers_to_challenges_overflow_into_sign_ins() -> None:
    """Challenge responses beyond their quota count as sign-ins."""
    quotas = Quotas({**DEFAULT_QUOTAS, RESPOND: 3, "UserAuthentication": 2})
    assert [quotas.admit(RESPOND, None, 100.0) for _ in range(6)] == [True] * 5 + [False]
    assert not quotas.admit("UserAuthentication", None, 100.0)


def test_one_user_has_a_quota_of_its_own() -> None:
    """One user gets ten reads and ten writes per second, whatever the category allows."""
    quotas = Quotas(DEFAULT_QUOTAS)
    assert [quotas.admit("UserRead", "ann", 100.0) for _ in range(11)] == [True] * 10 + [False]
    for category in ("UserAuthentication", RESPOND, "UserResourceRead"):
        assert not quotas.admit(category, "ann", 100.0)
    assert quotas.admit("UserRead", "eve", 100.0)
    assert [quotas.admit("UserUpdate", "ann", 100.0) for _ in range(11)] == [True] * 10 + [False]
    # The refused eleventh request does not count against the category's quota of 25 either.
    assert [quotas.admit("UserUpdate", None, 100.0) for _ in range(16)] == [True] * 15 + [False]
    assert quotas.admit("UserRead", "ann", 101.0)


def test_users_are_forgotten() -> None:
    """The windows of thousands of users are removed after a second."""
    quotas = Quotas({**DEFAULT_QUOTAS, "UserRead": 1_000_000})
    for number in range(5000):
        quotas.admit("UserRead", f"user{number}", 100 + number / 1000)
    assert len(quotas._users) <= 2001
    # Those of the last second still count.
    ann = [quotas.admit("UserRead", "ann", 200.0 + number / 10) for number in range(11)]
    assert ann == [True] * 11
    assert not quotas.admit("UserRead", "ann", 201.05)


def test_every_call_of_the_user_pool_has_a_category(state_folder: Path) -> None:
    """The categories contain the operations that are served, and ConfirmDevice, which is not."""
    with LocalSandbox.start(state_folder=state_folder, outputs=None) as sandbox:
        served = set(Cognito(sandbox._store, None, lambda: 0.0).operations)
    known = {name for service, name in CATEGORIES if service == "cognito-idp"}
    assert known == served | {"ConfirmDevice"}
    assert set(CATEGORIES.values()) == set(DEFAULT_QUOTAS) - {PER_USER}


def _token(claims: bytes) -> str:
    return f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"


def test_whom_a_request_is_about() -> None:
    """The user is found by name or token; an invalid body belongs to no user."""
    for case_name, body, user in (
        ("administrator", b'{"Username": "Ann@Example.com"}', "ann@example.com"),
        ("sign-in", b'{"AuthParameters": {"USERNAME": "ann"}}', "ann"),
        ("challenge", b'{"ChallengeResponses": {"USERNAME": "ann"}}', "ann"),
        ("token", json.dumps({"AccessToken": _token(b'{"sub": "1234"}')}).encode(), "1234"),
        ("refresh", b'{"AuthParameters": {"REFRESH_TOKEN": "x"}}', None),
        ("mistyped", b'{"Username": 5, "AuthParameters": []}', None),
        ("bad claims", json.dumps({"AccessToken": _token(b"{")}).encode(), None),
        ("no claims", json.dumps({"AccessToken": _token(b"[]")}).encode(), None),
        ("bad base64", b'{"AccessToken": "x.\xc3\xa4.y"}', None),
        ("no token", b'{"AccessToken": "x"}', None),
        ("no object", b"[1]", None),
        ("no JSON", b"{", None),
        ("deep", b"[" * 100_000, None),
    ):
        with case(case_name):
            assert user_of(Request("POST", "/", "", {}, body)) == user


def test_a_call_too_many_does_nothing(harness: FaultsHarness) -> None:
    """boto3 gets Cognito's throttling error, no user is created, and a retry succeeds."""
    time = FakeTime()
    fault_settings = FaultSettings(quotas={"UserCreation": 2})
    injector, port = harness.under(fault_settings, clock=time)
    cognito = harness.client("cognito-idp", port)

    def create(name: str) -> None:
        cognito.admin_create_user(
            UserPoolId=OUTPUTS.auth.user_pool_id if OUTPUTS.auth else "",
            Username=f"{name}@example.com",
            MessageAction="SUPPRESS",
        )

    create("a")
    create("b")
    with pytest.raises(ClientError) as refused:
        create("c")
    error = refused.value.response
    assert error["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    time.now += 1
    create("c")  # not created before, else this would be a UsernameExistsException
    row = injector.statistics()["categories"]["UserCreation"]
    assert row == {"quota": 2, "requests": 4, "refused": 1, "peak": 3}


def test_parameters_have_quotas_too(harness: FaultsHarness) -> None:
    """Parameter Store throttles writes after three per second, separately from reads."""
    _, port = harness.under(FaultSettings(quotas={}), clock=FakeTime())
    ssm = harness.client("ssm", port)
    for number in range(3):
        ssm.put_parameter(Name=f"/p/{number}", Value="v", Type="String")
    with pytest.raises(ClientError) as refused:
        ssm.put_parameter(Name="/p/3", Value="v", Type="String")
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert len(ssm.get_parameters_by_path(Path="/p")["Parameters"]) == 3


def test_without_quotas_nothing_is_refused() -> None:
    """Fault settings without quotas count requests but refuse none."""
    injector = FaultInjector(
        FaultSettings(latency=Latency(0, 0)), done, clock=FakeTime(), sleep=lambda _: None
    )
    answers = [injector.answer(call("ListUsers")).status for _ in range(100)]
    assert answers == [200] * 100
    row = injector.statistics()["categories"]["UserList"]
    assert row == {"quota": None, "requests": 100, "refused": 0, "peak": 100}


# --- faults ---------------------------------------------------------------------------------------


def _ask(harness: FaultsHarness, service: str, port: int) -> Any:
    client = harness.client(service, port)
    if service == "cognito-idp":
        return client.get_user(AccessToken="x")
    if service == "cognito-identity":
        return client.get_id(IdentityPoolId="us-east-1:11111111-2222-3333-4444-555555555555")
    if service == "ssm":
        return client.get_parameter(Name="x")
    if service == "sts":
        return client.get_caller_identity()
    return client.list_objects_v2(Bucket=BUCKET)


def test_faults_have_the_form_of_their_service(harness: FaultsHarness) -> None:
    """boto3 finds the service's own code and status in each fault."""
    for case_name, service, fault, status, code in (
        ("cognito 400", "cognito-idp", "throttle", 400, "TooManyRequestsException"),
        ("cognito 500", "cognito-idp", "fail", 500, "InternalErrorException"),
        ("ids 400", "cognito-identity", "throttle", 400, "TooManyRequestsException"),
        ("ids 500", "cognito-identity", "fail", 500, "InternalErrorException"),
        ("ssm 400", "ssm", "throttle", 400, "ThrottlingException"),
        ("ssm 500", "ssm", "fail", 500, "InternalServerError"),
        ("sts 400", "sts", "throttle", 400, "Throttling"),
        ("sts 500", "sts", "fail", 500, "InternalFailure"),
        ("s3 503", "s3", "throttle", 503, "SlowDown"),
        ("s3 500", "s3", "fail", 500, "InternalError"),
    ):
        with case(case_name):
            _, port = harness.under(always(**{fault: 100}))
            with pytest.raises(ClientError) as failure:
                _ask(harness, service, port)
            response = failure.value.response
            assert response["Error"]["Code"] == code
            assert response["Error"]["Message"]
            if service == "sts":
                assert response["Error"]["Type"] == ("Sender" if status == 400 else "Receiver")
            metadata = response["ResponseMetadata"]
            assert metadata["HTTPStatusCode"] == status
            assert metadata["RequestId"]
            # The AWS SDK for JavaScript looks at this header before the body.
            if service in JSON_SERVICES:
                assert metadata["HTTPHeaders"]["x-amzn-errortype"] == code


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        pytest.param("throttle", 429, "ThrottlingException", id="throttle"),
        pytest.param("fail", 500, "InternalFailureException", id="fail"),
    ],
)
def test_faults_of_appsync(harness: FaultsHarness, fault: str, status: int, kind: str) -> None:
    """The type is in the list of errors and in the header."""
    _, port = harness.under(always(**{fault: 100}))
    answer = send(port, "POST", "/graphql", b"{}")
    assert (answer[0], answer[1]["x-amzn-errortype"]) == (status, kind)
    (error,) = json.loads(answer[2])["errors"]
    assert error["errorType"] == kind


def test_a_failed_head_has_no_body(harness: FaultsHarness) -> None:
    """As with S3's own errors, a response to HEAD has no document and length 0."""
    _, port = harness.under(always(fail=100))
    with pytest.raises(ClientError) as failure:
        harness.client("s3", port).head_object(Bucket=BUCKET, Key="public/x")
    metadata = failure.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 500
    assert metadata["HTTPHeaders"]["content-length"] == "0"


@pytest.mark.parametrize(
    ("fault", "error", "is_done"),
    [
        pytest.param("fail", ClientError, False, id="fail"),
        pytest.param("fail_after", ClientError, True, id="fail-after"),
        pytest.param("throttle", ClientError, False, id="throttle"),
        pytest.param("cut", ConnectionClosedError, False, id="cut"),
        pytest.param("cut_after", ConnectionClosedError, True, id="cut-after"),
    ],
)
def test_before_and_after_the_work(
    harness: FaultsHarness, fault: str, error: type[Exception], is_done: bool
) -> None:
    """A fault after the call leaves its effects, a fault before it leaves none."""
    _, port = harness.under(always(**{fault: 100}))
    with pytest.raises(error):
        harness.client("ssm", port).put_parameter(Name="/x", Value="v", Type="String")
    # Larger than what the server discards of an unread body, so that the client is still sending.
    with pytest.raises((error, OSError)):
        harness.client("s3", port).put_object(Bucket=BUCKET, Key="public/x", Body=b"x" * 200_000)
    body = json.dumps({"query": 'mutation { createTodo(input: {content: "c"}) { id } }'}).encode()
    headers = {"Authorization": DEVELOPER.format(service="appsync")}
    try:
        assert send(port, "POST", "/graphql", body, **headers)[0] in {429, 500}
    except (http.client.RemoteDisconnected, ConnectionResetError):
        assert fault.startswith("cut")

    stored = harness.client("ssm").get_parameters_by_path(Path="/")["Parameters"]
    objects = harness.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"]
    query = json.dumps({"query": "{ listTodos { items { content } } }"}).encode()
    reply = json.loads(send(harness.sandbox.port, "POST", "/graphql", query, **headers)[2])
    todos = reply["data"]["listTodos"]["items"]
    assert (len(stored), objects, len(todos)) == ((1, 1, 1) if is_done else (0, 0, 0))


def test_what_is_not_sent_is_closed(tmp_path: Path) -> None:
    """A download that is cut after its execution leaves no open file."""
    path = tmp_path / "object"
    path.write_bytes(b"x")
    opened = path.open("rb")
    injector = FaultInjector(
        always(cut_after=100), lambda _: Response(200, b"", file=FilePart(opened, 0, 1))
    )
    with pytest.raises(ConnectionEndedError):
        injector.answer(call("GetUser"))
    assert opened.closed


def _outcomes(fault_settings: FaultSettings, count: int) -> list[str]:
    ran = []

    def work(request: Request) -> Response:
        ran.append(request)
        return done(request)

    injector = FaultInjector(fault_settings, work)
    outcomes = []
    for _ in range(count):
        ran.clear()
        try:
            outcome = str(injector.answer(call("GetUser")).status)
        except ConnectionEndedError:
            outcome = "cut"
        outcomes.append(f"{outcome} {len(ran)}")
    return outcomes


@pytest.mark.parametrize(
    ("spec", "shares"),
    [
        pytest.param(
            "fail=2.5,fail-after=3,throttle=5,cut=1,cut-after=2",
            {"500 0": 2.5, "500 1": 3, "400 0": 5, "cut 0": 1, "cut 1": 2, "200 1": 86.5},
            id="each",
        ),
        pytest.param("5", {"500 0": 2.5, "500 1": 2.5, "200 1": 95}, id="plain"),
        pytest.param("0", {"200 1": 100}, id="none"),
    ],
)
@pytest.mark.parametrize("seed", [1, 20, 300])
def test_the_shares_come_out(spec: str, shares: dict[str, float], seed: int) -> None:
    """Of 2,000 requests, each kind of fault has its percentage, and nothing else fails."""
    fault_settings = FaultSettings(faults=Faults.parse(spec), fault_seed=seed)
    counts = Counter(_outcomes(fault_settings, 2000))
    assert counts.keys() == shares.keys()
    for kind, percent in shares.items():
        share = percent / 100
        deviation = (2000 * share * (1 - share)) ** 0.5
        assert abs(counts[kind] - 2000 * share) <= 4 * deviation


def test_a_seed_repeats_the_faults() -> None:
    """The same seed gives the same faults, another seed other ones."""
    faults = Faults(fail=30, cut=30)
    once = _outcomes(FaultSettings(faults=faults, fault_seed=7), 100)
    assert once == _outcomes(FaultSettings(faults=faults, fault_seed=7), 100)
    assert once != _outcomes(FaultSettings(faults=faults, fault_seed=8), 100)
    # Without a seed, each sandbox has other faults.
    unseeded = FaultSettings(faults=faults)
    assert _outcomes(unseeded, 100) != _outcomes(unseeded, 100)


# --- requests without faults, and statistics ------------------------------------------------------


def test_documents_are_not_disturbed(harness: FaultsHarness) -> None:
    """Public keys, statistics and requests that are not calls have no faults."""
    _, port = harness.under(FaultSettings(quotas={}, faults=Faults(cut=100)))
    assert OUTPUTS.auth is not None
    keys = send(port, "GET", f"/{OUTPUTS.auth.user_pool_id}/.well-known/jwks.json")
    assert (keys[0], list(json.loads(keys[2]))) == (200, ["keys"])
    assert send(port, "GET", "/_seedctl/statistics")[0] == 200
    assert send(port, "POST", "/", b"{}", X_Amz_Target="Unknown.Call")[0] == 400
    assert send(port, "POST", "/", b"Nothing=x")[0] == 400
    assert send(port, "PUT", "/")[0] == 405
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        send(port, "POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15")


def test_the_probe_is_not_disturbed(state_folder: Path) -> None:
    """A running server can be found and stopped whatever its fault settings are."""
    fault_settings = FaultSettings(latency=Latency(60_000, 60_000), faults=Faults(cut=100))
    with LocalSandbox.start(
        state_folder=state_folder, outputs=None, nonce="n" * 32, fault_settings=fault_settings
    ) as sandbox:
        status, _, body = send(sandbox.port, "GET", "/_seedctl/server")
        assert (status, json.loads(body)) == (200, {"nonce": "n" * 32})
        assert send(sandbox.port, "GET", "/_seedctl/statistics")[0] == 200


def test_statistics() -> None:
    """Each operation and category has its requests, refusals and busiest second."""
    time = FakeTime()
    fault_settings = FaultSettings(quotas={"UserCreation": 3})
    injector = FaultInjector(fault_settings, done, clock=time)
    # Five within the second from 100.3 on; fixed windows would count four.
    for now in (100.0, 100.3, 100.6, 100.9, 101.1, 101.2, 103.0):
        time.now = now
        injector.answer(call("AdminCreateUser"))
    injector.answer(call("AdminConfirmSignUp"))
    injector.answer(call("GetId", service="cognito-identity"))
    assert injector.statistics() == {
        "conditions": "quotas UserCreation=3",
        "requests": 9,
        "refused": 2,
        "operations": {
            "cognito-identity:GetId": {"requests": 1, "refused": 0, "peak": 1},
            "cognito-idp:AdminConfirmSignUp": {"requests": 1, "refused": 0, "peak": 1},
            "cognito-idp:AdminCreateUser": {"requests": 7, "refused": 2, "peak": 5},
        },
        "categories": {"UserCreation": {"quota": 3, "requests": 8, "refused": 2, "peak": 5}},
        "faults": {},
    }


def test_the_table() -> None:
    """It has a line for each operation, category and kind of fault, none without requests."""
    injector = FaultInjector(
        FaultSettings(quotas={}, faults=Faults(fail=100)), done, clock=FakeTime()
    )
    assert table(injector.statistics()) == []
    for _ in range(121):
        injector.answer(call("GetUser"))
    assert table(injector.statistics()) == [
        "                     requests   refused    peak/s     quota",
        "cognito-idp:GetUser       121         1       121",
        "UserRead                  121         1       121       120",
        "faults: fail 120",
    ]


def test_statistics_are_for_this_machine_only(harness: FaultsHarness) -> None:
    """Other host names and foreign origins do not get the statistics."""
    _, port = harness.under(FaultSettings(quotas={}))
    assert send(port, "GET", "/_seedctl/statistics", Host="evil.example")[0] == 403
    assert send(port, "GET", "/_seedctl/statistics", Origin="http://a.example")[0] == 403


def test_nothing_asked_for_is_nothing_loaded(tmp_path: Path) -> None:
    """A sandbox without fault settings has no injector and does not load the package."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom seedctl.local import LocalSandbox\n"
        "with LocalSandbox.start(state_folder=Path(sys.argv[1]), outputs=None) as sandbox:\n"
        "    assert sandbox.statistics() is None\n"
        "    assert sandbox._server._answer == sandbox._services.answer\n"
        "assert 'seedctl.local.faults' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "state")], check=True, timeout=60)


def test_which_call_a_request_is() -> None:
    """Only requests that name a service and an operation are calls."""
    for case_name, request_, name in (
        ("json", call("GetUser"), "cognito-idp:GetUser"),
        ("graphql", Request("POST", "/graphql", "", {}, b"{}"), "appsync:GraphQL"),
        (
            "query",
            Request("POST", "/", "", {}, b"Version=1&Action=GetCallerIdentity"),
            "sts:GetCallerIdentity",
        ),
        ("no action", Request("POST", "/", "", {}, b"Action=../x"), None),
        ("no operation", call("Get User"), None),
        ("document", Request("GET", "/x", "", {}, b""), None),
    ):
        with case(case_name):
            found = call_of(request_)
            assert (found.name if found is not None else None) == name


# --- the settings ---------------------------------------------------------------------------------


def test_options() -> None:
    """Options parse to the values that a test would use."""
    for case_name, options, expected in (
        ("nothing", {}, None),
        ("latency", {"latency": "100"}, FaultSettings(latency=Latency(100, 100))),
        ("no latency", {"latency": "0"}, FaultSettings(latency=Latency(0, 0))),
        ("latency range", {"latency": "50-150.5"}, FaultSettings(latency=Latency(50, 150.5))),
        ("quotas", {"quotas": "default"}, FaultSettings(quotas={})),
        (
            "other quotas",
            {"quotas": "UserCreation=80, UserAuthentication=200"},
            FaultSettings(quotas={"UserCreation": 80, "UserAuthentication": 200}),
        ),
        (
            "plain faults",
            {"faults": "5", "fault_seed": 0},
            FaultSettings(faults=Faults(fail=2.5, fail_after=2.5), fault_seed=0),
        ),
        (
            "faults",
            {"faults": "fail=50,cut-after=50"},
            FaultSettings(faults=Faults(fail=50, cut_after=50)),
        ),
    ):
        with case(case_name):
            assert FaultSettings.parse(**options) == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *(
            pytest.param({"latency": text}, "50-150", id=f"latency {text!r}")
            for text in ("", "x", "-5", "100ms", "150-50", "60001", "1-2-3", "nan")
        ),
        *(
            pytest.param({"quotas": text}, "UserCreation, UserAccountRecovery", id=f"quotas {text}")
            for text in ("", "UserCreation", "UserCreation=0", "UserCreation=x", "Users=5", "=5")
        ),
        pytest.param({"quotas": "UserList=1,UserList=2"}, "NAME=N", id="quota twice"),
        pytest.param({"quotas": "UserList=1000001"}, "1000000", id="quota too large"),
        *(
            pytest.param({"faults": text}, "fail, fail-after, throttle, cut", id=f"faults {text}")
            for text in ("", "x", "101", "-1", "fail", "fail=x", "fail_after=1", "fail=1,fail=1")
        ),
        pytest.param({"faults": "fail=60,cut=60"}, "100 at most in total", id="over 100"),
        pytest.param({"fault_seed": 5}, "--faults 5", id="seed alone"),
        pytest.param({"fault_seed": 0}, "--faults 5", id="seed 0 alone"),
    ],
)
def test_options_that_will_not_do(options: dict[str, Any], said: str) -> None:
    """The error says what is allowed and has the exit code of wrong usage."""
    with pytest.raises(InvalidCommandInputError) as refused:
        FaultSettings.parse(**options)
    assert said in (refused.value.resolution or "")
    assert refused.value.exit_code == 2


def test_faults_that_will_not_do_are_shown_as_typed() -> None:
    """The error quotes the option as typed and gives the reason."""
    for case_name, text, reason in (
        ("over 100", "101", "the sum is 101 % of the requests"),
        ("together", "fail=60,cut=60.5", "the sum is 120.5 % of the requests"),
        ("twice", "fail=1,fail=2", "fail is given twice"),
        ("no name", "fail_after=1", "'fail_after' is not a kind of fault"),
        ("no number", "cut=x", "cut is not a percentage"),
    ):
        with case(case_name):
            with pytest.raises(InvalidCommandInputError) as refused:
                Faults.parse(text)
            assert refused.value.message == f"The value {text!r} for faults is invalid: {reason}."


def test_values_that_will_not_do() -> None:
    """Invalid values in a test raise the same error as on the command line."""
    for case_name, make in (
        ("latency", lambda: Latency(float("nan"), 1)),
        ("faults", lambda: Faults(fail=float("nan"))),
        ("faults below 0", lambda: Faults(fail=-1)),
        ("faults over 100", lambda: Faults(fail=60, cut=60)),
        ("quotas", lambda: FaultSettings(quotas={"Users": 1})),
    ):
        with case(case_name), pytest.raises(InvalidCommandInputError):
            make()
    assert FaultSettings(quotas={"UserList": 1_000_000}).limits()


def test_sign_ins_take_challenge_answers_along() -> None:
    """The quota of challenge responses is three times that of sign-ins, unless set."""
    assert FaultSettings().limits() is None
    assert FaultSettings(quotas={}).limits() == dict(DEFAULT_QUOTAS)
    more = FaultSettings(quotas={"UserAuthentication": 200}).limits()
    assert more is not None
    assert more[RESPOND] == 600
    limits = FaultSettings(quotas={"UserAuthentication": 200, RESPOND: 5}).limits()
    assert limits is not None
    assert limits[RESPOND] == 5


def test_conditions_are_told_in_the_words_of_the_options() -> None:
    """The displayed settings can be used as options again."""
    words = ("50-150", "UserList=5", "fail=2,cut-after=1")
    fault_settings = FaultSettings.parse(latency=words[0], quotas=words[1], faults=words[2])
    shown = str(fault_settings)
    assert all(word in shown for word in words)
    assert str(FaultSettings(quotas={}, faults=Faults())) == "quotas default; faults 0"


def test_the_caller_may_change_its_mapping() -> None:
    """Fault settings copy the mapping they get."""
    quotas = {"UserList": 5}
    fault_settings = FaultSettings(quotas=quotas)
    quotas["UserList"] = 6
    assert fault_settings.quotas == {"UserList": 5}
