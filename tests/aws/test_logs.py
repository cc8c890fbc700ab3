"""What debug logs show of seedctl's calls, and that the logs of other clients stay unchanged."""

from __future__ import annotations

import io
import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
import urllib3

from seedctl.appsync.transport import Transport
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials
from seedctl.aws.logs import _PACKAGES, redacted_logs
from seedctl.aws.settings import AWSSettings
from seedctl.errors import AccessDenied, AWSError, SeedctlError
from seedctl.masked_output import MaskingFilter, masked_output
from seedctl.masking import register
from tests.cases import case
from tests.fake_aws import FakeAWS
from tests.s3.s3 import FakeIdentity, FakeS3, Reply, Sent, StorageHarness, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLANTED = 'pl4nted-"value"'
SPELLED = "pl4nted-"
KEYS = Credentials("ASIAMAYSHOW", "pl4nted-secret-key", "pl4nted-session-token")


class Log(logging.Handler):
    """Collects every record, and the text that a log file would contain."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.stream = io.StringIO()
        self._file = logging.StreamHandler(self.stream)
        self._file.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self._file.emit(record)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def take(self) -> str:
        """Return the text since the last call."""
        text = self.text
        self.stream.seek(0)
        self.stream.truncate()
        return text


@pytest.fixture
def log() -> Iterator[Log]:
    """The logs of a program that has turned on all of them."""
    handler, root = Log(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(params=["in a program of its own", "in a run of seedctl"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways to run a seed; the second one also masks all logs."""
    if request.param == "in a program of its own":
        yield
        return
    with masked_output():
        yield


def _other_client(url: str) -> Any:
    """Return a client of the program itself, as boto3 would make it."""
    return botocore.session.Session().create_client(
        "ssm",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="other",
        aws_secret_access_key="other",
    )


@pytest.mark.usefixtures("anywhere")
def test_bodies_are_redacted(log: Log) -> None:
    """Secrets in requests and responses are not logged, even if not yet known as secrets."""
    with FakeAWS(
        GetParameter={"Parameter": {"Value": PLANTED, "Version": 1, "LastModifiedDate": 0}},
        PutParameter={"Version": 1},
    ) as fake:
        aws = AWS(AWSSettings(region="us-east-1", endpoint_url=fake.url, is_local=True))
        aws.call("ssm", "GetParameter", {"Name": "x"})
        aws.call("ssm", "PutParameter", {"Name": "x", "Value": PLANTED, "Type": "String"})
    assert SPELLED not in log.text
    assert "botocore.parsers Response body:\n'<" in log.text
    # What helps to find a fault is still there.
    for helpful in ("OperationModel(name=PutParameter)", fake.url, "AmazonSSM.PutParameter", "200"):
        assert helpful in log.text


def test_headers_and_signatures_are_redacted(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """No session token, no signature and no cookie is logged."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", str(KEYS.session_token))
    with FakeAWS(PutParameter={"Version": 1}) as fake:
        aws = AWS(AWSSettings(region="us-east-1", endpoint_url=fake.url))
        aws.call("ssm", "PutParameter", {"Name": "x", "Value": "v", "Type": "String"})
    assert SPELLED not in log.text
    assert "'X-Amz-Security-Token': '***'" in log.text
    assert "'Authorization': '***'" in log.text
    assert "Signature=" not in log.text
    assert "botocore.auth CanonicalRequest:\n***\n" in log.text


def test_credential_calls_are_redacted(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call by which botocore itself gets a role's credentials is redacted too."""
    config = tmp_path / "config"
    config.write_text(
        "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/seed\nsource_profile = base\n"
        "region = us-east-1\n"
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    role = (
        "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
        f"<AccessKeyId>{KEYS.access_key_id}</AccessKeyId>"
        f"<SecretAccessKey>{KEYS.secret_access_key}</SecretAccessKey>"
        f"<SessionToken>{KEYS.session_token}</SessionToken>"
        "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
        "</AssumeRoleResponse>"
    )
    with FakeAWS(AssumeRole=role, PutParameter={"Version": 1}) as fake:
        monkeypatch.setenv("AWS_ENDPOINT_URL", fake.url)
        aws = AWS(AWSSettings(profile="dev", region="us-east-1"))
        assert aws.credentials() == KEYS
        aws.call("ssm", "PutParameter", {"Name": "x", "Value": "v", "Type": "String"})
        assert fake.operations() == ["AssumeRole", "PutParameter"]
    assert "OperationModel(name=AssumeRole)" in log.text
    assert SPELLED not in log.text


@pytest.mark.usefixtures("anywhere")
def test_exceptions_are_logged_without_message(log: Log) -> None:
    """The message of a logged exception is removed, since it may quote a response."""
    with redacted_logs():
        try:
            raise ValueError(PLANTED)
        except ValueError:
            logging.getLogger("botocore.endpoint").debug("it failed", exc_info=True)
    assert SPELLED not in log.text
    assert "it failed\n  File " in log.text
    assert log.text.endswith("\nValueError\n")
    assert log.records[-1].exc_info is None


def test_exceptions_are_logged_with_class_and_traceback(log: Log) -> None:
    """The class and the traceback of a logged exception remain."""
    aws = AWS(AWSSettings(region="us-east-1", endpoint_url="http://127.0.0.1:9", is_local=True))
    with pytest.raises(SeedctlError):
        aws.call("ssm", "GetParameter", {"Name": "x"}, once=True)
    assert "httpsession.py" in log.text
    assert "\nEndpointConnectionError\n" in log.text


def _answered(sent: Sent) -> Reply:
    """Respond like S3 to an upload in parts, and to every download."""
    if "uploads" in sent.query:
        return Reply(
            body="<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        )
    if sent.method == "POST":
        return Reply(body='<R><ETag>"e"</ETag></R>')
    headers = {"etag": '"e"', "last-modified": "Wed, 15 Jan 2025 12:00:00 GMT"}
    if sent.method == "HEAD" and sent.key.endswith("parts"):
        headers["content-length"] = "9000000"
    return Reply(headers=headers, body="x" if sent.method == "GET" else "")


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda s, _: s.upload_data("a", b"x"), id="one request"),
        pytest.param(lambda s, _: s.upload_data("parts", b"x" * 9_000_000), id="parts, in threads"),
        pytest.param(lambda s, _: s.download_data("a").body, id="bytes"),
        pytest.param(lambda s, folder: s.download_data("a", folder / "a"), id="file, in threads"),
        pytest.param(lambda s, _: s.get_url("a"), id="address"),
    ],
)
def test_transfers_are_redacted(
    log: Log, tmp_path: Path, work: Callable[[Any, Path], object]
) -> None:
    """The transfer manager's threads log no token and no signature either."""
    with FakeS3(answer=_answered) as server:
        harness = StorageHarness(server.url, identity=FakeIdentity(keys=KEYS))
        work(harness.storage, tmp_path)
    assert "botocore.auth" in log.text
    assert SPELLED not in log.text
    assert "Signature=" not in log.text
    assert "***" in log.text


def test_aborting_an_upload_is_redacted(log: Log) -> None:
    """The request that deletes the parts of a failed upload is redacted too."""

    def answer(sent: Sent) -> Reply:
        return error("AccessDenied") if sent.method == "PUT" else _answered(sent)

    with FakeS3(answer=answer) as server:
        harness = StorageHarness(server.url, identity=FakeIdentity(keys=KEYS))
        with pytest.raises(AccessDenied):
            harness.storage.upload_data("parts", b"x" * 9_000_000)
    assert "OperationModel(name=AbortMultipartUpload)" in log.text
    assert SPELLED not in log.text
    assert "Signature=" not in log.text


def test_a_presigned_url_is_masked(log: Log) -> None:
    """A presigned URL in the log of the program's own urllib3 is masked."""
    with FakeS3(Reply(body="x")) as server:
        harness = StorageHarness(server.url, identity=FakeIdentity(keys=KEYS))
        url = harness.storage.get_url("a").url
        with urllib3.PoolManager() as pool:
            assert pool.request("GET", url).data == b"x"
    signature = url.partition("X-Amz-Signature=")[2].partition("&")[0]
    assert len(signature) == 64
    assert "X-Amz-Signature=***" in log.text
    assert signature not in log.text
    assert SPELLED not in log.text


def test_appsync_requests_are_redacted(log: Log) -> None:
    """Requests to AppSync are redacted too."""

    def headers() -> dict[str, str]:
        logging.getLogger("urllib3.connectionpool").debug("signs %s", b"{body}")
        return {}

    with FakeS3(Reply(body="{}")) as server:
        network = AWS(AWSSettings(region="us-east-1", endpoint_url=server.url, is_local=True))
        Transport(network).post(server.url, b"{body}", headers, is_repeatable=True, operation="Q")
    assert "urllib3.connectionpool signs <6 bytes>\n" in log.text
    assert '"POST / HTTP/1.1" 200' in log.text


@pytest.mark.usefixtures("anywhere")
def test_other_clients_logs_are_unchanged(log: Log) -> None:
    """Before, between and after seedctl's calls, a program's own client logs as usual."""
    body = json.dumps({"Parameter": {"Value": "other-value", "Version": 1, "LastModifiedDate": 0}})
    with FakeAWS(GetParameter=json.loads(body)) as fake:
        aws = AWS(AWSSettings(region="us-east-1", endpoint_url=fake.url, is_local=True))
        aws.call("ssm", "GetParameter", {"Name": "x"})
        with pytest.raises(AWSError):
            aws.call("ssm", "DeleteParameter", {"Name": "x"})
        log.records.clear()
        _other_client(fake.url).get_parameter(Name="x")
    answers = [each for each in log.records if each.name == "botocore.parsers"]
    assert [each.getMessage() for each in answers][1] == f"Response body:\n{body.encode()!r}"
    assert answers[1].msg == "Response body:\n%r"
    assert answers[1].args == (body.encode(),)
    assert any("Signature=" in each.getMessage() for each in log.records)


@pytest.mark.usefixtures("anywhere")
def test_a_known_secret_is_masked_in_another_clients_log(log: Log) -> None:
    """A value known as a secret is masked in the logs of all clients."""
    with FakeAWS(
        GetParameter={"Parameter": {"Value": PLANTED, "Version": 1, "LastModifiedDate": 0}}
    ) as fake:
        aws = AWS(AWSSettings(region="us-east-1", endpoint_url=fake.url, is_local=True))
        aws.call("ssm", "GetParameter", {"Name": "x"})
        register(PLANTED)
        _other_client(fake.url).get_parameter(Name="x")
    assert SPELLED not in log.text
    assert '{"Parameter": {"Value": "***", ' in log.text


def test_redaction_is_per_thread(log: Log) -> None:
    """While one thread makes a call of seedctl, another thread's own client logs as usual."""
    inside, done = threading.Event(), threading.Event()

    def own() -> None:
        with redacted_logs():
            inside.set()
            done.wait(30)

    thread = threading.Thread(target=own)
    thread.start()
    assert inside.wait(30)
    logging.getLogger("botocore.parsers").debug("body %r", b"theirs")
    done.set()
    thread.join()
    with redacted_logs():
        logging.getLogger("botocore.parsers").debug("body %r", b"ours")
    assert "body b'theirs'" in log.text
    assert "body '<4 bytes>'" in log.text


def test_every_logger_of_the_libraries_is_covered() -> None:
    """The loggers of all modules of botocore, s3transfer and urllib3 have the filter."""
    with redacted_logs():
        pass
    names = [
        name
        for name, logger in logging.Logger.manager.loggerDict.items()
        if name.partition(".")[0] in _PACKAGES and isinstance(logger, logging.Logger)
    ]
    uncovered = [
        name
        for name in names
        if not any(isinstance(each, MaskingFilter) for each in logging.getLogger(name).filters)
    ]
    assert uncovered == []
    assert {"botocore.parsers", "s3transfer.tasks", "urllib3.connectionpool"} <= set(names)


def test_secret_members_are_recognized_by_name(log: Log) -> None:
    """Headers and members with secrets are recognized by name, in any case."""
    for name in (
        "Authorization",
        "X-Amz-Security-Token",
        "x-api-key",
        "Set-Cookie",
        "Proxy-Authorization",
        "x-amz-server-side-encryption-customer-key",
        "X-Amz-Signature",
        "SecretKey",
        "RefreshToken",
        "TemporaryPassword",
        "request_credentials",
        "body",
    ):
        with case(name):
            with redacted_logs():
                logging.getLogger("botocore.endpoint").info("%s", {"n": {name: "p"}})
                logging.getLogger("botocore.endpoint").info("%s", {name.upper(): ["p"]})
            assert log.take().count("***") == 2


def test_redaction_by_type_of_argument(log: Log) -> None:
    """Members with secret names, bytes and exceptions are redacted; everything else is shown."""
    for case_name, message, arguments, shown in (
        ("dict", "%s", ({"Password": "p", "n": 1},), "{'Password': '***', 'n': 1}"),
        ("deep", "%s", ({"a": {"x-api-key": "p"}},), "{'a': {'x-api-key': '***'}}"),
        ("names", "%(SessionToken)s %(n)s", ({"SessionToken": "p", "n": 1},), "*** 1"),
        ("exception", "%s", (ValueError("p"),), "ValueError"),
        ("bytearray", "%s after %d s", (bytearray(b"pp"), 3), "<2 bytes> after 3 s"),
        ("list", "%s", ([{"Token": "p"}, (b"p", 1)],), "[{'Token': '***'}, ['<1 bytes>', 1]]"),
        ("no arguments", "plain", (), "plain"),
    ):
        with case(case_name):
            with redacted_logs():
                logging.getLogger("botocore.endpoint").info(message, *arguments)
            assert log.take() == f"botocore.endpoint {shown}\n"
    for name in ("botocore.auth", "botocore.compress"):  # parts of requests, as text
        with case(name), redacted_logs():
            logging.getLogger(name).info("%s", "p")
            assert log.take() == f"{name} ***\n"


def test_blocks_of_redacted_logs_may_be_nested(log: Log) -> None:
    """The end of an inner block does not end the redaction of the outer one."""
    with redacted_logs():
        with redacted_logs():
            pass
        logging.getLogger("botocore.parsers").debug("%s", PLANTED.encode())
    logging.getLogger("botocore.parsers").debug("%s", b"not seedctl's")
    assert SPELLED not in log.text
    assert "not seedctl's" in log.text
