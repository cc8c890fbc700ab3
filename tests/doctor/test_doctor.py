"""``seedctl doctor``: what it says of a project in order, and of each planted fault."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.aws.calls import AWS
from seedctl.doctor.project_checks import check_gitignore
from seedctl.doctor.table import CHECKS
from seedctl.local import LocalSandbox
from seedctl.local.running import RunningServer, digest_of
from seedctl.local.state_folder import DATABASE
from seedctl.outputs import load_outputs
from seedctl.project import BackendIdentifier
from seedctl.source.digests import source_digests
from tests.doctor.conftest import POOL, DoctorHarness, stack_with
from tests.fake_aws import FakeAWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.doctor.conftest import Plant

OUTPUTS = "amplify_outputs.json"
LOCAL = "amplify/seed/local_outputs.json"
SCRIPT = "amplify/seed/seed.py"
AFTER_CREDENTIALS = {"stack", "app client", "secrets"}
MAIN = BackendIdentifier("d1", "main", "branch")
EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")
DENIED = ("AccessDeniedException", "User: arn:aws:iam::123456789012:user/dev is not authorized")


def _flows(*flows: str, **more: str) -> dict[str, Any]:
    return {"UserPoolClient": {"ClientId": "c", "ExplicitAuthFlows": list(flows), **more}}


def _local_document(harness: DoctorHarness) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((harness.folder / OUTPUTS).read_text(encoding="utf-8"))
    sources = source_digests(harness.folder)
    document["custom"] = {"seedctl": {"format": 1, "sources": sources}}
    return document


def _stale(harness: DoctorHarness) -> None:
    harness.write(LOCAL, _local_document(harness))
    harness.write("amplify/backend.ts", "// changed")


def _without_srp(harness: DoctorHarness) -> None:
    document = _local_document(harness)
    document["custom"]["seedctl"]["user_pool"] = {"auth_flows": ["ALLOW_CUSTOM_AUTH"]}
    harness.write(OUTPUTS, document)
    harness.write(SCRIPT, "")
    harness.arguments.append("--local")


def _profile(harness: DoctorHarness, text: str) -> None:
    harness.write("config", text)
    harness.set(AWS_CONFIG_FILE=str(harness.folder / "config"), AWS_PROFILE="dev")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        harness.monkeypatch.delenv(name, raising=False)


def _broken_helper(harness: DoctorHarness) -> None:
    harness.write(SCRIPT, "import people\n")
    harness.write("amplify/seed/people.py", "\n(\n")


def _local_without_outputs(harness: DoctorHarness) -> None:
    harness.remove(OUTPUTS)
    harness.write(SCRIPT, "")
    harness.arguments.append("--local")


def _no_keys(harness: DoctorHarness) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        harness.monkeypatch.delenv(name)


def _no_region(harness: DoctorHarness) -> None:
    harness.monkeypatch.delenv("AWS_REGION")
    harness.write(OUTPUTS, {"version": "1.4", "storage": {"aws_region": "x", "bucket_name": "b"}})


def _expiring(harness: DoctorHarness) -> None:
    soon = datetime.now(timezone.utc) + timedelta(minutes=12)
    harness.set(AWS_CREDENTIAL_EXPIRATION=soon.isoformat(), AWS_SESSION_TOKEN="t")


def _branch(harness: DoctorHarness) -> None:
    harness.replies.update(stack_with(POOL, MAIN))
    harness.arguments.extend(["--app-id", MAIN.namespace, "--branch", MAIN.name])


def _other_sandbox(harness: DoctorHarness) -> None:
    harness.replies.update(stack_with(POOL, BackendIdentifier("my-app", "bob")))
    harness.replies["GetParametersByPath"] = {"Parameters": []}
    harness.arguments.extend(["--identifier", "bob"])


def _local_state(harness: DoctorHarness) -> None:
    harness.arguments.append("--local")
    LocalSandbox.start(state_folder=harness.folder / ".amplify" / "seedctl", outputs=None).stop()


def _no_key(harness: DoctorHarness) -> None:
    _local_state(harness)
    harness.remove(".amplify/seedctl/local/key")


FAULTS: list[tuple[str, Plant, str, str, str, str]] = [
    # what is wrong, how it is planted, the check, its status, words of its text, words of the fix
    (
        "no package.json",
        lambda harness: harness.remove("package.json"),
        "project",
        "problem",
        "package.json does not exist",
        'Create it, such as {"name": "my-app"}.',
    ),
    (
        "a package.json without a name",
        lambda harness: harness.write("package.json", {}),
        "project",
        "problem",
        'has no "name"',
        'with a package.json that has a "name"',
    ),
    (
        "a broken package.json",
        lambda harness: harness.write("package.json", "{"),
        "project",
        "problem",
        "is not JSON",
        'with a package.json that has a "name"',
    ),
    (
        "a folder that does not exist",
        lambda harness: harness.arguments.extend(["-C", "elsewhere"]),
        "project",
        "problem",
        "elsewhere does not exist",
        "to -C",
    ),
    (
        "an identifier that cannot be one",
        lambda harness: harness.set(SEEDCTL_IDENTIFIER="my_sandbox"),
        "backend",
        "problem",
        "SEEDCTL_IDENTIFIER is 'my_sandbox'",
        "such as --identifier mysandbox",
    ),
    (
        "a quota that does not exist",
        lambda harness: harness.set(SEEDCTL_QUOTAS="UserCreation"),
        "settings",
        "problem",
        "not NAME=NUMBER",
        "Write SEEDCTL_QUOTAS=",
    ),
    (
        "a pyproject.toml that is not TOML",
        lambda harness: harness.write("pyproject.toml", "[tool.seedctl"),
        "settings",
        "problem",
        "is not TOML",
        "Correct the file",
    ),
    (
        "no script",
        lambda harness: harness.remove(SCRIPT),
        "script",
        "problem",
        "There is no seed script",
        "with seedctl init",
    ),
    (
        "a script that is not Python",
        lambda harness: harness.write(SCRIPT, "x =\n"),
        "script",
        "problem",
        f"{SCRIPT}, line 1, is not Python",
        f"Correct {SCRIPT}.",
    ),
    (
        "a helper that is not Python",
        _broken_helper,
        "script",
        "problem",
        "amplify/seed/people.py, line 2, is not Python",
        "Correct amplify/seed/people.py.",
    ),
    (
        "a script with a NUL",
        lambda harness: harness.write(SCRIPT, "x = 1\0\n"),
        "script",
        "problem",
        "null bytes",
        "",
    ),
    (
        "a script that is too deep for Python",
        lambda harness: harness.write(SCRIPT, f"x = {'-' * 100_000}1\n"),
        "script",
        "problem",
        SCRIPT,
        "",
    ),
    (
        "a package that is not installed",
        lambda harness: harness.write(SCRIPT, "import no_such_package_here\n"),
        "imports",
        "problem",
        "imports no_such_package_here",
        "no_such_package_here",
    ),
    (
        "no outputs file",
        lambda harness: harness.remove(OUTPUTS),
        "outputs",
        "problem",
        "amplify_outputs.json does not exist",
        "npx ampx sandbox",
    ),
    (
        "no outputs file for the local sandbox",
        _local_without_outputs,
        "outputs",
        "problem",
        "amplify_outputs.json does not exist",
        "with seedctl local init",
    ),
    (
        "nothing deployed yet",
        lambda harness: harness.write(OUTPUTS, {"version": "1.4"}),
        "outputs",
        "problem",
        "nothing has been deployed yet",
        "wait until it is done",
    ),
    (
        "a broken outputs file",
        lambda harness: harness.write(OUTPUTS, "{"),
        "outputs",
        "problem",
        "is not JSON",
        "Regenerate the file",
    ),
    (
        "an outputs file with a wrong value",
        lambda harness: harness.write(OUTPUTS, {"version": "1.4", "auth": {"aws_region": 1}}),
        "outputs",
        "problem",
        "auth.aws_region is 1",
        "Regenerate the file",
    ),
    (
        "an outputs file that was named wrongly",
        lambda harness: harness.arguments.extend(["--outputs", "other.json"]),
        "outputs",
        "problem",
        "other.json does not exist",
        "to --outputs",
    ),
    ("a stale local file", _stale, "local file", "note", "out of date", "Run seedctl local init."),
    (
        "a broken local file",
        lambda harness: harness.write(LOCAL, "{"),
        "local file",
        "note",
        "is not JSON",
        "seedctl local init --force",
    ),
    (
        "no Node",
        lambda harness: harness.set(PATH=str(harness.folder)),
        "Node.js",
        "note",
        "no node in the PATH",
        "Install Node.js",
    ),
    (
        "an old Node",
        lambda harness: harness.node.version("v16.1.0"),
        "Node.js",
        "note",
        "v16.1.0, which is too old",
        "Install Node.js, version 18.19",
    ),
    (
        "no npm packages",
        lambda harness: harness.remove("node_modules"),
        "npm packages",
        "note",
        "are not installed",
        "Run npm install",
    ),
    (
        "no tsx",
        lambda harness: harness.remove("node_modules/tsx"),
        "npm packages",
        "note",
        "tsx, which loads TypeScript, is not installed",
        "npm install --save-dev @aws-amplify/backend-cli",
    ),
    ("no region", _no_region, "region", "problem", "No AWS region", "--region or AWS_REGION"),
    (
        "an endpoint of one service",
        lambda harness: harness.set(AWS_ENDPOINT_URL_SSM="http://127.0.0.1:1"),
        "endpoints",
        "problem",
        "would reach an emulator",
        "unset the AWS_ENDPOINT_URL_* variables",
    ),
    ("no credentials", _no_keys, "credentials", "problem", "no AWS credentials", "--profile"),
    (
        "an unknown profile",
        lambda harness: harness.arguments.extend(["--profile", "nobody"]),
        "AWS profile",
        "problem",
        "nobody",
        "--profile",
    ),
    (
        "expired credentials of a sign-in",
        lambda harness: _profile(
            harness, "[profile dev]\nsso_session = x\ncredential_process = false"
        ),
        "credentials",
        "problem",
        "",
        "aws sso login --profile dev",
    ),
    (
        "expired keys",
        lambda harness: harness.replies.update(GetCallerIdentity=EXPIRED),
        "credentials",
        "problem",
        "expired",
        "set new AWS_ACCESS_KEY_ID",
    ),
    (
        "credentials that expire soon",
        _expiring,
        "credentials",
        "note",
        "the credentials expire in 11 minutes",
        "set new AWS_ACCESS_KEY_ID",
    ),
    (
        "an AWS that does not answer",
        lambda harness: harness.arguments.extend(["--endpoint-url", "http://127.0.0.1:9"]),
        "credentials",
        "problem",
        "127.0.0.1:9",
        "",
    ),
    (
        "a sandbox of another name",
        lambda harness: harness.replies.update(stack_with("us-east-1_Other")),
        "stack",
        "problem",
        "has us-east-1_Other",
        "choose the backend it belongs to with --identifier",
    ),
    (
        "an outputs file of a branch",
        lambda harness: harness.replies.update(stack_with(POOL, MAIN)),
        "stack",
        "problem",
        "belongs to the branch main of app d1",
        "--allow-target ",
    ),
    (
        "a branch, which needs its name",
        _branch,
        "stack",
        "note",
        "outputs checked. The target is the branch main of app d1, which is not a sandbox",
        "add --allow-target main",
    ),
    (
        "an app client without SRP",
        lambda harness: harness.replies.update(DescribeUserPoolClient=_flows("ALLOW_CUSTOM_AUTH")),
        "app client",
        "problem",
        "does not allow ALLOW_USER_SRP_AUTH",
        "Enable ALLOW_USER_SRP_AUTH",
    ),
    (
        "an app client with a secret",
        lambda harness: harness.replies.update(
            DescribeUserPoolClient=_flows("ALLOW_USER_SRP_AUTH", ClientSecret="hidden-secret")
        ),
        "app client",
        "problem",
        "The app client has a secret.",
        "SEEDCTL_APP_CLIENT_SECRET",
    ),
    (
        "a user pool that is gone",
        lambda harness: harness.replies.update(
            DescribeUserPoolClient=("ResourceNotFoundException", "User pool does not exist.")
        ),
        "app client",
        "problem",
        "User pool does not exist",
        "",
    ),
    (
        "a local app client without SRP",
        _without_srp,
        "app client",
        "problem",
        "does not allow ALLOW_USER_SRP_AUTH",
        "Enable ALLOW_USER_SRP_AUTH",
    ),
    (
        "a secret that is not set",
        lambda harness: harness.replies.update(GetParametersByPath={"Parameters": []}),
        "secrets",
        "problem",
        "reads seed-user-password",
        "seedctl secret set seed-user-password",
    ),
    (
        "a secret whose name cannot be one",
        lambda harness: harness.write(SCRIPT, "import seedctl\nseedctl.get_secret('a b')\n"),
        "secrets",
        "problem",
        "'a b' cannot be the name of a secret",
        "Use letters",
    ),
    (
        "a secret that is not set in another sandbox",
        _other_sandbox,
        "secrets",
        "problem",
        "reads seed-user-password",
        "seedctl --identifier bob secret set seed-user-password",
    ),
    (
        "a secret that is not set, found without the right to list them",
        lambda harness: harness.replies.update(
            GetParametersByPath=DENIED, GetParameter=("ParameterNotFound", "")
        ),
        "secrets",
        "problem",
        "reads seed-user-password",
        "seedctl secret set seed-user-password",
    ),
    (
        "no right to read secrets",
        lambda harness: harness.replies.update(GetParametersByPath=DENIED, GetParameter=DENIED),
        "secrets",
        "problem",
        "ssm:GetParameter",
        "seedctl generate-policy",
    ),
    (
        "a secret that is not set locally",
        _local_state,
        "secrets",
        "problem",
        "reads seed-user-password",
        "seedctl --local secret set seed-user-password",
    ),
    (
        "a file in the place of the state folder",
        lambda harness: harness.write(".amplify", ""),
        "state folder",
        "problem",
        ".amplify is not a folder",
        "mv ",
    ),
    (
        "a state without its key",
        _no_key,
        "local state",
        "problem",
        "key is missing",
        "seedctl local reset",
    ),
    (
        "state that git would commit",
        lambda harness: harness.write(".gitignore", "node_modules\n"),
        "git",
        "note",
        "git does not ignore .amplify/",
        "echo .amplify/ >> ",
    ),
]


@pytest.mark.parametrize(
    ("plant", "name", "status", "text", "fix"),
    [pytest.param(*fault[1:], id=fault[0]) for fault in FAULTS],
)
def test_each_fault_is_named_with_its_fix(
    harness: DoctorHarness, plant: Plant, name: str, status: str, text: str, fix: str
) -> None:
    """A planted fault is found by its check, with what to do; the exit code says if it is in the way."""
    plant(harness)
    code, findings = harness.findings()
    found = findings[name]
    assert found["status"] == status, found
    assert text in found["text"]
    assert fix in str(found["fix"])
    assert code == (3 if status == "problem" else 0)
    others = {other for other, each in findings.items() if each["status"] == "problem"} - {name}
    assert others == set(), "one fault is one problem"


def test_a_project_in_order(harness: DoctorHarness) -> None:
    """Without a fault each line is right, and the exit code is 0."""
    done = harness.doctor()
    assert done.code == 0
    lines = [line for line in done.out.splitlines() if "gmpy2" not in line]
    assert [line for line in lines if not line.startswith("✔  ")] == []
    assert "✔  backend  sandbox dev of my-app" in lines
    assert "✔  credentials  account 123456789012" in lines
    assert "✔  state folder  .amplify/seedctl will be created" in lines
    assert "✔  secrets  seed-user-password: set" in lines
    assert any("outputs checked" in line for line in lines)


def test_local_leaves_aws_out(harness: DoctorHarness) -> None:
    """With --local nothing about AWS is checked, and no AWS code is even loaded for it."""
    _, findings = harness.findings("--local")
    assert {"region", "endpoints", "credentials", "stack"}.isdisjoint(findings)
    assert {"local server", "local state", "secrets"} <= findings.keys()


def test_quiet_shows_only_what_is_not_right(harness: DoctorHarness) -> None:
    """With --quiet a check that went well is no line."""
    harness.remove(SCRIPT)
    names = [line.split("  ")[1] for line in harness.doctor("--quiet").out.splitlines()]
    assert [name for name in names if name != "gmpy2"] == ["script", "imports", "secrets"]


def test_a_check_that_depends_on_a_failed_one_says_so(harness: DoctorHarness) -> None:
    """One fault is one problem: what cannot be checked because of it names it."""
    harness.remove(SCRIPT)
    _, findings = harness.findings()
    assert findings["imports"]["text"] == "not checked, because of: script"
    assert findings["secrets"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("name", "content", "arguments", "skipped"),
    [
        (OUTPUTS, "{", [], {"stack", "app client"}),
        (OUTPUTS, "{", ["--local"], {"local server", "app client"}),
        (SCRIPT, "(", [], {"imports", "secrets"}),
        (".amplify", "", ["--local"], {"local server", "local state", "secrets"}),
        ("config", "[default", [], {"region", "endpoints", *AFTER_CREDENTIALS, "credentials"}),
    ],
    ids=["outputs", "outputs, local", "script", "state folder", "AWS profile"],
)
def test_what_depends_on_what(
    harness: DoctorHarness, name: str, content: str, arguments: list[str], skipped: set[str]
) -> None:
    """One fault is one problem, and exactly the checks that need what is wrong are skipped."""
    harness.set(AWS_CONFIG_FILE=str(harness.folder / "config"))
    harness.write(name, content)
    _, findings = harness.findings(*arguments)
    found = {each for each, finding in findings.items() if finding["status"] == "problem"}
    assert len(found - {"secrets"}) == 1  # no secret is set in the local sandbox
    assert {each for each in findings if findings[each]["status"] == "skipped"} == skipped


def test_a_note_stops_no_other_check(harness: DoctorHarness) -> None:
    """What needs a check that ends with a note is checked all the same."""
    _expiring(harness)
    code, findings = harness.findings()
    assert (code, findings["credentials"]["status"]) == (0, "note")
    assert {findings[name]["status"] for name in ("stack", "app client", "secrets")} == {"ok"}


def test_a_region_that_only_the_outputs_file_tells(harness: DoctorHarness) -> None:
    """Without an outputs file, no region is not a fault of its own."""
    harness.monkeypatch.delenv("AWS_REGION")
    assert harness.findings()[1]["region"]["text"] == "us-east-1"
    harness.remove(OUTPUTS)
    _, findings = harness.findings()
    assert findings["region"]["status"] == "skipped"
    assert findings["credentials"]["text"] == "not checked, because of: region"
    harness.write(OUTPUTS, "{")
    assert harness.findings()[1]["region"]["status"] == "skipped"


def test_the_app_client_is_in_the_region_of_its_pool(harness: DoctorHarness) -> None:
    """The user pool may be in another region than the secrets."""
    document = json.loads((harness.folder / OUTPUTS).read_text(encoding="utf-8"))
    document["auth"] |= {"aws_region": "eu-west-1", "user_pool_id": "eu-west-1_AbCdEfGhI"}
    harness.write(OUTPUTS, document)
    regions: dict[str, str | None] = {}
    call = AWS.call

    def recording(self: AWS, service: str, operation: str, *rest: Any, **options: Any) -> Any:
        regions[operation] = options.get("region")
        return call(self, service, operation, *rest, **options)

    harness.monkeypatch.setattr(AWS, "call", recording)
    assert harness.findings()[1]["app client"]["status"] == "ok"
    assert regions["DescribeUserPoolClient"] == "eu-west-1"
    assert regions["GetParametersByPath"] is None


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("arguments", [(), ("--local",)])
def test_nothing_is_written(harness: DoctorHarness, arguments: tuple[str, ...]) -> None:
    """The project is the same before and after, with and without local state."""
    _local_state(harness)
    harness.arguments.clear()
    before = _contents(harness.folder)
    harness.doctor(*arguments)
    assert _contents(harness.folder) == before
    harness.remove(".amplify")
    harness.doctor(*arguments)
    assert not (harness.folder / ".amplify").exists()


def test_no_call_of_the_doctor_writes(harness: DoctorHarness) -> None:
    """Of AWS's operations only reading ones are called, each once."""
    with FakeAWS(**harness.replies) as aws:
        harness.run("doctor", "--endpoint-url", aws.url)
        called = aws.operations()
    assert sorted(set(called)) == [
        "DescribeStackResources",
        "DescribeStacks",
        "DescribeUserPoolClient",
        "GetCallerIdentity",
        "GetParametersByPath",
    ]


def test_no_secret_is_shown(harness: DoctorHarness) -> None:
    """Values of secrets, keys and the app client's secret are in no line."""
    value = {"Name": "n", "Value": "hidden-value", "Version": 1, "LastModifiedDate": 0}
    harness.replies.update(
        GetParametersByPath=DENIED,
        GetParameter={"Parameter": value},
        DescribeUserPoolClient=_flows("ALLOW_USER_SRP_AUTH", ClientSecret="hidden-secret"),
    )
    harness.set(AWS_SECRET_ACCESS_KEY="hidden-key")
    done = harness.doctor()
    assert "✔  secrets  seed-user-password: set" in done.out
    assert "hidden" not in done.out + done.err


@pytest.mark.parametrize(
    ("client", "secret"),
    [
        pytest.param(_flows("ALLOW_USER_SRP_AUTH", ClientSecret="s"), "s", id="a known secret"),
        pytest.param({"UserPoolClient": {"ClientId": "c"}}, None, id="no list of flows"),
        pytest.param(_flows("ADMIN_NO_SRP_AUTH"), None, id="flows by their old names"),
    ],
)
def test_an_app_client_that_allows_srp(
    harness: DoctorHarness, client: dict[str, Any], secret: str | None
) -> None:
    """SRP needs the client's secret if it has one, and is allowed unless a list lacks it."""
    harness.replies["DescribeUserPoolClient"] = client
    if secret is not None:
        harness.set(SEEDCTL_APP_CLIENT_SECRET=secret)
    assert harness.findings()[1]["app client"]["text"] == "SRP is allowed"


def test_secrets_of_another_local_sandbox(harness: DoctorHarness) -> None:
    """A secret that is set under another identifier is not set."""
    for identifier, status in (("other", "problem"), ("dev", "ok")):
        harness.monkeypatch.setenv("SEEDCTL_IDENTIFIER", identifier)
        harness.run("secret", "set", "seed-user-password", "--local", stdin=b"hidden-value")
        harness.monkeypatch.setenv("SEEDCTL_IDENTIFIER", "dev")
        assert harness.findings("--local")[1]["secrets"]["status"] == status


def test_a_state_that_is_no_database(harness: DoctorHarness) -> None:
    """A local state that cannot be read is a problem, also if its key is there."""
    _local_state(harness)
    (harness.folder / ".amplify/seedctl/local" / DATABASE).write_bytes(b"no database" * 1000)
    assert harness.findings()[1]["local state"]["status"] == "problem"


def test_a_script_that_cannot_be_read(harness: DoctorHarness) -> None:
    """Whatever keeps Python from reading the script is a problem, and no crash."""
    error: Exception
    for error in (PermissionError("no"), ValueError("NUL"), RecursionError(), MemoryError()):

        def read(_: Path, error: Exception = error) -> None:
            raise error

        harness.monkeypatch.setattr("seedctl.doctor.check_context.read_needs", read)
        finding = harness.findings()[1]["script"]
        assert finding["status"] == "problem"
        assert f"cannot be read: {str(error) or type(error).__name__}" in finding["text"]


def test_an_outputs_file_from_the_future(harness: DoctorHarness) -> None:
    """A file whose time is later than that of this machine's clock has no negative age."""
    os.utime(harness.folder / OUTPUTS, (time.time() + 9000,) * 2)
    assert "(under a minute old)" in harness.findings()[1]["outputs"]["text"]


@pytest.mark.parametrize("is_worktree", [False, True], ids=["repository", "worktree"])
def test_a_project_within_a_git_repository(tmp_path: Path, is_worktree: bool) -> None:
    """A repository of a folder above counts, and so does one that is a worktree; a path in a command
    is quoted."""
    root = tmp_path / "my app"
    root.mkdir()
    context: Any = SimpleNamespace(project=SimpleNamespace(root=root))
    if is_worktree:
        (tmp_path / ".git").write_text("gitdir: /elsewhere")
    else:
        (tmp_path / ".git").mkdir()
    found = check_gitignore(context)
    assert (found.status, found.fix) == ("note", f"echo .amplify/ >> '{root}/.gitignore'")


def test_a_throttled_call_is_tried_once(harness: DoctorHarness) -> None:
    """The doctor does not wait for AWS: a call that fails is not repeated."""
    harness.replies["GetParametersByPath"] = ("ThrottlingException", "Rate exceeded")
    with FakeAWS(**harness.replies) as aws:
        done = harness.run("doctor", "--endpoint-url", aws.url)
        assert aws.operations().count("GetParametersByPath") == 1
    assert done.code == 3


@pytest.mark.parametrize(
    ("digest", "status", "text"),
    [
        pytest.param("", "problem", "serves an older version", id="other outputs"),
        pytest.param(None, "ok", "running at http://127.0.0.1:4000", id="the same"),
    ],
)
def test_the_running_local_sandbox(
    harness: DoctorHarness, digest: str | None, status: str, text: str
) -> None:
    """A local sandbox that serves other outputs than the command would use is in the way."""
    outputs = load_outputs(harness.folder.resolve() / OUTPUTS)
    server = RunningServer(
        pid=1,
        port=4000,
        started_at=0.0,
        outputs=str(outputs.path),
        digest=digest_of(outputs) if digest is None else digest,
        nonce="n" * 16,
    )
    harness.monkeypatch.setattr("seedctl.doctor.local_checks.find_server", lambda _: server)
    _, findings = harness.findings("--local")
    found = findings["local server"]
    assert found["status"] == status
    assert text in found["text"]
    assert status == "ok" or "seedctl local stop" in found["fix"]


@pytest.mark.parametrize(
    ("check", "replies", "text"),
    [
        pytest.param(
            "app client",
            {"DescribeUserPoolClient": DENIED},
            "not checked: cognito-idp:DescribeUserPoolClient is not allowed",
            id="app client",
        ),
        pytest.param(
            "stack", {"DescribeStacks": DENIED}, "outputs not checked: Your AWS", id="stack"
        ),
    ],
)
def test_a_right_that_seeding_does_not_need(
    harness: DoctorHarness, check: str, replies: dict[str, Any], text: str
) -> None:
    """What the caller may not look at is shown as not checked, and does not prevent seeding."""
    harness.replies.update(replies)
    code, findings = harness.findings()
    assert code == 0
    assert text in findings[check]["text"]
    assert findings[check]["status"] == "skipped"


@pytest.mark.parametrize("arguments", [(), ("--local",)])
def test_a_backend_with_little_in_it(harness: DoctorHarness, arguments: tuple[str, ...]) -> None:
    """What a backend does not have is no fault."""
    harness.write(OUTPUTS, {"version": "1.4", "storage": {"aws_region": "x", "bucket_name": "b"}})
    harness.replies.update(DescribeStacks=DENIED)
    harness.write(SCRIPT, "")
    harness.remove("amplify/backend.ts")
    harness.remove(".git")
    harness.write(LOCAL, (harness.folder / OUTPUTS).read_text(encoding="utf-8"))
    code, findings = harness.findings(*arguments)
    assert code == 0
    assert {
        name: findings[name]["text"] for name in ("app client", "secrets", "Node.js", "git")
    } == {
        "app client": "no auth resource",
        "secrets": "no name of a secret found in the script",
        "Node.js": "not needed: there is no amplify/backend.ts",
        "git": "no git repository",
    }
    assert findings["local file"]["text"] == "there"


def test_a_local_file_that_is_up_to_date(harness: DoctorHarness) -> None:
    """A file that fits the source is said to."""
    harness.write(LOCAL, _local_document(harness))
    _, findings = harness.findings("--local")
    assert findings["local file"]["text"] == f"{LOCAL} is up to date"


def test_credentials_that_expire_later(harness: DoctorHarness) -> None:
    """The time that credentials are still good for is shown."""
    later = datetime.now(timezone.utc) + timedelta(hours=3, minutes=30)
    harness.set(AWS_CREDENTIAL_EXPIRATION=later.isoformat(), AWS_SESSION_TOKEN="t")
    _, findings = harness.findings()
    assert findings["credentials"]["text"].endswith("the credentials expire in 3 hours.")
    assert findings["credentials"]["status"] == "ok"


@pytest.mark.parametrize(
    ("at_terminal", "status", "text"),
    [
        pytest.param(True, "skipped", "a seed asks for an MFA code", id="terminal"),
        pytest.param(False, "problem", "there is no terminal to ask on", id="no terminal"),
    ],
)
def test_credentials_that_need_an_mfa_code(
    harness: DoctorHarness, at_terminal: bool, status: str, text: str
) -> None:
    """At a terminal a seed can ask for the code, so a profile that needs one is no problem there."""
    role = "role_arn = arn:aws:iam::1:role/x\nmfa_serial = arn:aws:iam::1:mfa/kim"
    keys = "[profile keys]\naws_access_key_id = a\naws_secret_access_key = b"
    _profile(harness, f"[profile dev]\n{role}\nsource_profile = keys\n{keys}\n")
    harness.monkeypatch.setattr("seedctl.cli.doctor.can_prompt", lambda: at_terminal)
    code, findings = harness.findings()
    assert findings["credentials"]["status"] == status
    assert text in findings["credentials"]["text"]
    assert findings["stack"]["status"] == "skipped"
    assert code == (0 if at_terminal else 3)
    _profile(harness, "[profile dev]\nregion = us-east-1\n")  # which has no keys at all
    assert harness.findings()[1]["credentials"]["status"] == "problem"


def test_gmpy2_is_optional(harness: DoctorHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without gmpy2 the line says how to install it, and nothing is in the way."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "gmpy2" else True)
    code, findings = harness.findings()
    assert code == 0
    assert findings["gmpy2"]["status"] == "note"
    assert "gmpy2" in findings["gmpy2"]["fix"]


def test_the_table_names_only_earlier_checks() -> None:
    """Each check needs checks that stand before it in the table, for the same target."""
    for target in ("aws", "local"):
        seen: set[str] = set()
        for check in CHECKS:
            if check.target in ("any", target):
                assert seen.issuperset(check.needs), check.name
                assert check.name not in seen
                seen.add(check.name)
