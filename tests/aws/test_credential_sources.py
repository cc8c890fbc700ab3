"""When botocore cannot get credentials it is a configuration error, and nothing hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any

import botocore.credentials
import pytest

from seedctl import masking
from seedctl.aws import credential_sources
from seedctl.aws.calls import AWS
from seedctl.aws.credential_sources import CredentialProcess
from seedctl.aws.settings import AWSSettings
from seedctl.errors import (
    AccessDeniedError,
    AWSError,
    EndpointUnreachableError,
    InvalidCredentialError,
    PromptUnavailableError,
    SeedctlError,
    ServiceFailedError,
)
from seedctl.prompter import TerminalPrompter
from tests.fake_aws import FakeAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fake_aws import Reply

    WriteProfiles = Callable[..., None]

ROLE = "arn:aws:iam::123456789012:role/x"
MFA = "arn:aws:iam::123456789012:mfa/kim"
KEYS = "[keys]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s"


def _role(expiration: str) -> str:
    members = {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "s", "SessionToken": "t"}
    members["Expiration"] = expiration
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in members.items())
    return (
        f"<AssumeRoleResponse><AssumeRoleResult><Credentials>{xml}</Credentials>"
        "</AssumeRoleResult></AssumeRoleResponse>"
    )


@pytest.fixture
def sts() -> Iterator[FakeAWS]:
    """An AWS that lets the role be assumed, and has no parameters."""
    role = _role("2099-01-01T00:00:00Z")
    with FakeAWS(AssumeRole=role, GetParametersByPath={"Parameters": []}) as fake:
        yield fake


@pytest.fixture
def fail(
    write_profiles: WriteProfiles, sts: FakeAWS, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., SeedctlError]:
    """Make a call with a profile ``p`` of this text, and return its error."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)

    def call(profile: str, credentials: str = KEYS) -> SeedctlError:
        write_profiles(f"[profile p]\nregion = us-east-1\n{profile}", credentials)
        with pytest.raises(SeedctlError) as caught:
            _list(AWS(AWSSettings(profile="p")))
        return caught.value

    return call


def _list(aws: AWS) -> dict[str, Any]:
    return aws.call("ssm", "GetParametersByPath", {"Path": "/x"})


KEYS_OF_PROGRAM = {"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "B", "SessionToken": "C"}
PROGRAMS = {
    "missing": ("/no/such/tool --json", "'/no/such/tool' cannot be run: No such file"),
    "a folder": ("/", "'/' cannot be run: Permission denied"),
    "empty": ("", "is not named in credential_process"),
    "unbalanced": ("x 'y", "No closing quotation"),
    "fails": ("sh -c 'echo no luck >&2; exit 3'", "ended with exit status 3: no luck"),
    "fails silently": ("sh -c 'exit 1'", "ended with exit status 1: It printed no error message."),
    "prints nothing": ("true", "did not print credentials"),
    "prints garbage": ("echo not-json", "did not print credentials"),
    "prints bytes": ("printf '\\377'", "did not print credentials"),
    "prints a list": ("echo [1]", "did not print credentials"),
    "prints numbers": (
        'echo {"Version":1,"AccessKeyId":5,"SecretAccessKey":6}',
        "did not print credentials",
    ),
    "another version": ('echo {"Version":2}', "Unsupported version '2'"),
    "no keys": ('echo {"Version":1}', "Missing required key in response: 'AccessKeyId'"),
    "no date": (
        'echo {"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"soon"}',
        "Unknown string format: soon",
    ),
    "expired": (
        "echo " + json.dumps({**KEYS_OF_PROGRAM, "Expiration": "2020-01-01T00:00:00Z"}),
        "the refreshed credentials are still expired",
    ),
}


@pytest.mark.parametrize(("command", "reason"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_without_credentials(
    fail: Callable[..., SeedctlError], sts: FakeAWS, command: str, reason: str
) -> None:
    """Every failure of a credential_process is a configuration error that contains the reason."""
    quoted = command.replace('"', r"\"")
    error = fail(f"credential_process = {quoted}")
    assert type(error) is InvalidCredentialError
    assert error.exit_code == 3
    assert error.message.startswith('No usable AWS credentials from profile "p": ')
    assert reason in error.message
    assert error.resolution
    assert sts.calls == []


START = "https://example.awsapps.com/start"
ROLE_OF = f"role_arn = {ROLE}\nsource_profile = "
PROFILES = {
    "a role of a program": (
        f"{ROLE_OF}q\n[profile q]\ncredential_process = /no/such/tool",
        "'/no/such/tool' cannot be run",
    ),
    "a loop of roles": (
        f"{ROLE_OF}q\n[profile q]\n{ROLE_OF}p",
        "Infinite loop in credential configuration",
    ),
    "a role of nobody": (f"{ROLE_OF}q", 'source_profile "q"'),
    "a role of nowhere": (f"role_arn = {ROLE}\ncredential_source = Nowhere", '"Nowhere"'),
    "no role": ("role_arn = x\nsource_profile = keys", "Invalid length for parameter RoleArn"),
    "a token file": (
        f"role_arn = {ROLE}\nweb_identity_token_file = /no/such/token",
        "No such file or directory: '/no/such/token'",
    ),
    "half a key": ("aws_access_key_id = A", "missing: aws_secret_access_key"),
    "no session of SSO": (
        "sso_session = corp\nsso_account_id = 1\nsso_role_name = dev",
        'sso-session does not exist: "corp"',
    ),
    "no sign-in by SSO": (
        f"sso_start_url = {START}\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = dev",
        "aws sso login",
    ),
    "garbage": ("s3 =\n  garbage", "Unable to parse config file"),
    "garbage in a section": ("x\n[broken", "Unable to parse config file"),
}


@pytest.mark.parametrize(("profile", "says"), PROFILES.values(), ids=PROFILES)
def test_a_profile_without_credentials(
    fail: Callable[..., SeedctlError], sts: FakeAWS, profile: str, says: str
) -> None:
    """Every other profile setting that yields no credentials is a configuration error too."""
    error = fail(profile)
    assert type(error) is InvalidCredentialError
    assert says in f"{error.message} {error.resolution}"
    assert sts.calls == []


@pytest.mark.skipif(
    not hasattr(botocore.credentials, "EC"), reason="botocore knows aws login since 1.41"
)
def test_a_login_that_needs_more_of_botocore(
    fail: Callable[..., SeedctlError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a part of botocore is missing for aws login, the error says what to install."""
    monkeypatch.setattr("botocore.credentials.EC", None)
    error = fail("login_session = arn:aws:iam::123456789012:user/kim")
    assert type(error) is InvalidCredentialError
    assert "botocore[crt]" in (error.resolution or "")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AWS_PROFILE", "whatever", "profile (whatever) could not be found"),
        ("AWS_ACCESS_KEY_ID", "A", "missing: AWS_SECRET_ACCESS_KEY"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token", "'/no/such/token'"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", "Unsupported host"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "nonsense", "Unsupported host"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no/such/token", "'/no/such/token'"),
    ],
)
def test_variables_without_credentials(
    sts: FakeAWS, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """Settings in the environment that yield no credentials are a configuration error too."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    if name == "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", sts.url)
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidCredentialError) as caught:
        _list(AWS(AWSSettings(region="us-east-1")))
    assert reason in caught.value.message
    assert sts.calls == []


def test_files_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreadable file is named; botocore treats it as a file without the profile."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder))
    with pytest.raises(InvalidCredentialError) as caught:
        AWS(AWSSettings(profile="p")).region()
    assert f"{folder} cannot be read: Is a directory." in caught.value.message


def test_services_that_are_not_configured(write_profiles: WriteProfiles) -> None:
    """Endpoints are read from the profile too; its errors are reported in the same way."""
    write_profiles("[profile p]\nservices = nowhere", KEYS)
    with pytest.raises(InvalidCredentialError, match="nowhere"):
        AWS(AWSSettings(profile="p")).endpoint("ssm")


# --- MFA ------------------------------------------------------------------------------------------

WITH_MFA = f"{ROLE_OF}keys\nmfa_serial = {MFA}"


@pytest.mark.parametrize("is_ci", [False, True])
def test_no_code_is_asked_for_without_a_terminal(
    fail: Callable[..., SeedctlError], sts: FakeAWS, monkeypatch: pytest.MonkeyPatch, is_ci: bool
) -> None:
    """Without a terminal, a profile with an MFA device gives an error that names both."""
    if is_ci:
        monkeypatch.setenv("CI", "true")
    error = fail(WITH_MFA)
    assert type(error) is InvalidCredentialError
    assert error.message == (
        f'The AWS profile "p" needs an MFA code for {MFA}, and there is no terminal to ask on.'
    )
    assert isinstance(error.__cause__, PromptUnavailableError)
    assert sts.calls == []


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer questions like a user at the terminal; return the questions."""
    questions: list[str] = []

    def answer(_: TerminalPrompter, question: str) -> str:
        questions.append(question)
        return "123456"

    monkeypatch.setattr(TerminalPrompter, "ask", answer)
    return questions


def test_the_code_is_asked_for_once(
    asked: list[str], sts: FakeAWS, write_profiles: WriteProfiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """seedctl's own prompt asks for the code once for all calls, and masks it afterwards."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sts.url)
    write_profiles(f"[profile p]\nregion = us-east-1\n{WITH_MFA}", KEYS)
    aws = AWS(AWSSettings(profile="p"))
    for _ in range(2):
        _list(aws)
    assert asked == [f"Enter MFA code for {MFA}"]
    assert sts.calls[0][1]["TokenCode"] == "123456"
    assert masking.mask("the code 123456") == "the code ***"


@pytest.mark.parametrize(
    ("reply", "expected", "says"),
    [
        pytest.param(
            ("AccessDenied", "MultiFactorAuthentication failed with invalid code.", 403),
            InvalidCredentialError,
            "failed with invalid code",
            id="a wrong code",
        ),
        pytest.param(
            ("ValidationError", "The role is no role."),
            InvalidCredentialError,
            "The role is no role.",
            id="a wrong role",
        ),
        pytest.param(
            ("AccessDenied", "User x is not authorized to perform: sts:AssumeRole", 403),
            AccessDeniedError,
            "may not call sts:AssumeRole",
            id="not allowed",
        ),
        pytest.param(("InternalFailure", "", 500), ServiceFailedError, "", id="failed"),
        pytest.param("sign in", AWSError, "", id="not AWS"),
    ],
)
def test_a_role_that_cannot_be_assumed(
    asked: list[str],
    fail: Callable[..., SeedctlError],
    sts: FakeAWS,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
    expected: type[SeedctlError],
    says: str,
) -> None:
    """A profile that STS rejects is a configuration error; if STS denies or fails it is AWS's."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    sts.replies["AssumeRole"] = reply
    error = fail(WITH_MFA)
    assert isinstance(error, expected)
    assert says in error.message
    assert len(asked) == 1


def test_an_unreachable_credential_service(
    fail: Callable[..., SeedctlError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreachable credential service is reported like any other unreachable service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert isinstance(fail(f"{ROLE_OF}keys"), EndpointUnreachableError)


# --- programs that do not end ---------------------------------------------------------------------


def _is_running(pid: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def _wait_until_ended(pids: list[int]) -> None:
    end = time.monotonic() + 60
    while any(map(_is_running, pids)):
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("has_terminal", [False, True])
def test_a_program_that_hangs_is_ended_with_its_children(
    fail: Callable[..., SeedctlError],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    has_terminal: bool,
) -> None:
    """After a minute the program and its child processes are killed."""
    monkeypatch.setattr(credential_sources, "PROCESS_SECONDS", 2.0)
    monkeypatch.setattr(credential_sources, "can_prompt", lambda: has_terminal)
    pids = tmp_path / "pids"
    program = f"sh -c 'sh -c \"echo $$ >> {pids}; sleep 1000\" & echo $$ >> {pids}; sleep 1000'"
    error = fail(f"credential_process = {program}")
    assert type(error) is InvalidCredentialError
    assert "The program 'sh' took longer than" in error.message
    assert "sleep" not in "".join(traceback.format_exception(error))
    started = [int(pid) for pid in pids.read_text(encoding="utf-8").split()]
    assert started
    _wait_until_ended(started)


def test_a_program_is_ended_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C kills the program too."""
    program = CredentialProcess(["sleep", "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program._process, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.communicate()
    assert not _is_running(program._process.pid)


def test_a_program_may_ask_at_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program can use the terminal only if seedctl may prompt there."""
    session = "import os; print('{\"Version\":', os.getsid(0), '}')"
    found = {}
    for has_terminal in (True, False):
        monkeypatch.setattr(credential_sources, "can_prompt", lambda: has_terminal)  # noqa: B023
        output, _ = CredentialProcess(
            [sys.executable, "-c", session], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ).communicate()
        found[has_terminal] = json.loads(output)["Version"] == os.getsid(0)
    assert found == {True: True, False: False}
