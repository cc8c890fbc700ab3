"""The guard: each way to write to another backend by mistake is refused before any write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import (
    NewUser,
    add_to_user_group,
    connect,
    create_and_sign_up_user,
    create_users,
    data,
    errors,
    storage,
)
from seedctl.backend import active_backends, current_backend
from seedctl.project import BackendIdentifier
from seedctl.prompter import TerminalPrompter
from seedctl.report import Report
from seedctl.secrets import set_secret
from tests.fake_aws import CALLER, DeployedStack, FakeAWS, cloudformation
from tests.running import CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator

    Mistake = Callable[["Scene"], object]

STORE = Path(__file__).parent / "data" / "outputs" / "store_userpool.json"
APP = "d1a2b3c4d5e6f7"
MAIN = BackendIdentifier(APP, "main", "branch")
USER, PASSWORD = "ann@example.com", "Password123!"
CREATE = f"from seedctl import *\ncreate_and_sign_up_user({USER!r}, {PASSWORD!r})\n"
BRANCH_OPTIONS = ("--app-id", APP, "--branch", "main")
ORDER = {"orderId": "1", "placedAt": "2026-01-01T00:00:00Z", "state": "NEW"}
# What writes nothing to a backend, and so may be called before the guard has decided.
READS = {
    "DescribeStackResources",
    "DescribeStacks",
    "GET /apps/d1a2b3c4d5e6f7/branches/main",
    "GetCallerIdentity",
    "GetCredentialsForIdentity",
    "GetId",
    "GetParameter",
    "GetParametersByPath",
}


@cache
def _store() -> str:
    """Return the text of the outputs file, with the model that is used here and no other."""
    document = json.loads(STORE.read_text(encoding="utf-8"))
    introspection = document["data"]["model_introspection"]
    document["data"]["model_introspection"] = {
        "version": introspection["version"],
        "models": {"Order": introspection["models"]["Order"]},
        "enums": introspection["enums"],
        "nonModels": introspection["nonModels"],
    }
    return json.dumps(document)


def _document(which: str, **parts: str) -> dict[str, Any]:
    """Return the outputs file of the backend *which*, or with *parts* of others."""
    document: dict[str, Any] = json.loads(_store())
    owner = {"pool": which, "api": which, "bucket": which, "archive": which, **parts}
    document["auth"]["user_pool_id"] = f"us-east-1_{owner['pool']}"
    document["auth"]["groups"] = [{"admin": {"precedence": 0}}]
    document["data"]["url"] = f"http://127.0.0.1:9/{owner['api']}/graphql"
    buckets = document["storage"]["buckets"]
    buckets[0]["bucket_name"] = document["storage"]["bucket_name"] = f"{owner['bucket']}-files"
    buckets[1]["bucket_name"] = f"{owner['archive']}-archive"
    return document


def _deployed(which: str, identifier: BackendIdentifier, **tags: str) -> DeployedStack:
    """Return the stack of *identifier*, with the resources that belong to *which*."""
    document = _document(which)
    buckets = [
        json.dumps({"name": each["name"], "bucketName": each["bucket_name"]})
        for each in document["storage"]["buckets"]
    ]
    outputs = {
        "userPoolId": document["auth"]["user_pool_id"],
        "awsAppsyncApiEndpoint": document["data"]["url"],
        "bucketName": document["storage"]["bucket_name"],
        "buckets": json.dumps(buckets),
    }
    tags = {f"amplify:{key.replace('_', '-')}": value for key, value in tags.items()}
    return DeployedStack(
        identifier.stack_name,
        outputs,
        {"created-by": "amplify", "amplify:deployment-type": identifier.type, **tags},
        [outputs["userPoolId"], f"{which}-files"],
    )


ALICE = _deployed("alice", BackendIdentifier("my-app", "alice"))
BOB = _deployed("bob", BackendIdentifier("my-app", "bob"))
EVE = _deployed("eve", BackendIdentifier("shop", "eve"))
STACK = _deployed("main", MAIN, app_id=APP, branch_name="main")


class Scene:
    """A project whose user has a sandbox, in an account that has a branch and other sandboxes too."""

    def __init__(
        self,
        folder: Path,
        aws: FakeAWS,
        seedctl: CommandLine,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.folder, self.aws = folder, aws
        self.monkeypatch = monkeypatch
        self._seedctl = seedctl
        self.setenv = monkeypatch.setenv
        self.outputs("main")
        self.script(CREATE)

    def outputs(self, which: str, name: str = "amplify_outputs.json", **parts: str) -> str:
        path = self.folder / name
        path.write_text(json.dumps(_document(which, **parts)), encoding="utf-8")
        return str(path)

    def script(self, text: str) -> None:
        (self.folder / "amplify" / "seed" / "seed.py").write_text(text, encoding="utf-8")

    def command(self, *words: str) -> None:
        """Run ``seedctl``; raise its error as the library would."""
        result = self._seedctl(*words, stdin=b"v4lue")
        assert result.code, result.err
        name = result.err.rpartition("\n[")[2].partition("]")[0].removeprefix("[")
        raise getattr(errors, name)(result.err)

    def plain(self, call: Callable[[], object]) -> None:
        """Make *call* as a script does that was started with ``python``."""
        main = sys.modules["__main__"]
        self.monkeypatch.setattr(
            main, "__file__", str(self.folder / "amplify" / "seed" / "seed.py"), raising=False
        )
        self.monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        try:
            call()
        finally:
            current_backend().close()
            active_backends()._automatic = None

    def writes(self) -> list[str]:
        return [name for name in self.aws.operations() if name not in READS]


@pytest.fixture
def scene(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Scene]:
    folder = make_project(tmp_path / "project", outputs=None)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "alice")
    monkeypatch.setenv("CI", "1")
    replies: dict[str, Any] = {
        "GetCallerIdentity": CALLER,
        "GetId": {"IdentityId": "us-east-1:1"},
        "GetCredentialsForIdentity": {
            "IdentityId": "us-east-1:1",
            "Credentials": {
                "AccessKeyId": "a",
                "SecretKey": "guest-secret-key",
                "SessionToken": "guest-token",
                "Expiration": 4e9,
            },
        },
        "GET /apps/d1a2b3c4d5e6f7/branches/main": {
            "branch": {"branchName": "main", "stage": "PRODUCTION"}
        },
        "GetParametersByPath": {"Parameters": [{"Name": "/amplify/x/y/a"}]},
        "PutParameter": {"Version": 1},
        **cloudformation(ALICE, BOB, EVE, STACK),
    }
    with FakeAWS(**replies) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        yield Scene(folder, aws, CommandLine(capsys, monkeypatch), monkeypatch)


def _with(call: Callable[[], object], **options: Any) -> None:
    with connect(observer=Report(), **options):
        call()


def _create() -> None:
    create_and_sign_up_user(USER, PASSWORD)


def _client() -> Any:
    return data.generate_client(auth_mode="apiKey").models.Order


def _left_over(call: Callable[[], object]) -> Mistake:
    """Return the mistake of making *call* where the branch's outputs file was left over."""
    return lambda _: _with(call)


def _env_branch(then: Mistake) -> Mistake:
    def mistake(scene: Scene) -> None:
        scene.outputs("alice")
        scene.setenv("AMPLIFY_BACKEND_IDENTIFIER", MAIN.to_json())
        then(scene)

    return mistake


def _parts(**parts: str) -> Mistake:
    def mistake(scene: Scene) -> None:
        scene.outputs("alice", **parts)
        scene.command("seed")

    return mistake


def _profile_of_another_account(scene: Scene) -> None:
    scene.aws.replies.update(cloudformation(STACK))
    scene.monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    keys = scene.folder / "credentials"
    keys.write_text("[live]\naws_access_key_id = k\naws_secret_access_key = s\n")
    scene.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    scene.setenv("AWS_PROFILE", "live")
    scene.command("seed")


def _shared_pool(scene: Scene) -> None:
    """The sandbox uses the pool of the branch (referenceAuth): it names it, but does not own it."""
    outputs = {**ALICE.outputs, "userPoolId": "us-east-1_main"}
    shares = DeployedStack(ALICE.name, outputs, ALICE.tags, ["alice-files"])
    scene.aws.replies.update(cloudformation(shares, STACK))
    scene.outputs("alice", pool="main")
    scene.command("seed")


def _without_physical_ids(scene: Scene) -> None:
    """An emulator that does not tell the stack of a resource, and has no stack of the sandbox."""
    scene.aws.replies.update(cloudformation(EVE, STACK))
    scene.aws.replies["DescribeStackResources"] = ("NotImplemented", "by PhysicalResourceId", 501)
    scene.command("seed")


def _bucket(action: str) -> Mistake:
    """Return the mistake of naming a bucket of the branch in the script; the rest is the sandbox's."""
    bucket = storage.BucketInfo("main-files", "us-east-1")

    def write() -> None:
        if action == "upload":
            storage.upload_data("public/a", "x", bucket=bucket)
        elif action == "remove":
            storage.remove("public/a", bucket=bucket)
        else:
            own = storage.BucketInfo("alice-files", "us-east-1")
            storage.copy(
                {"path": "public/a", "bucket": own}, {"path": "public/b", "bucket": bucket}
            )

    def mistake(scene: Scene) -> None:
        scene.outputs("alice")
        _with(write)

    return mistake


def _file_that_comes_later(scene: Scene) -> None:
    """The script writes a secret of the sandbox first, and only then gets the branch's file."""
    (scene.folder / "amplify_outputs.json").unlink()
    scene.setenv("AWS_REGION", "us-east-1")
    with connect(observer=Report()) as backend:
        backend.secrets.set("x", "v4lue")
        backend.secrets.set("y", "v4lue")
        assert scene.aws.operations() == ["GetCallerIdentity", "PutParameter", "PutParameter"]
        scene.aws.calls.clear()
        scene.outputs("main")
        backend.auth.create_user(USER, PASSWORD)


def _two_backends(scene: Scene) -> None:
    right = scene.outputs("alice", "mine.json")
    with connect(outputs=right, observer=Report()) as own, connect(observer=Report()) as other:
        assert own.secrets.set("x", "v4lue").version == 1
        assert scene.writes() == ["PutParameter"]
        scene.aws.calls.clear()
        other.auth.create_user(USER, PASSWORD)


def _threads(_: Scene) -> None:
    refused = []

    def write(number: int) -> None:
        try:
            create_and_sign_up_user(f"user{number}@example.com", PASSWORD)
        except errors.TargetNotAllowedError as error:
            refused.append(error)

    with connect(observer=Report()), ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(write, range(8)))
    assert len(refused) == 8
    raise refused[0]


def _swallowed(_: Scene) -> None:
    with connect(observer=Report()):
        for _attempt in range(3):
            with suppress(errors.TargetNotAllowedError):
                _create()
        _create()


def _settings(scene: Scene) -> None:
    """Neither a variable nor a settings file opens the guard."""
    for name in ("SEEDCTL_ALLOW_TARGET", "ALLOW_TARGET", "SEEDCTL_APP_ID", "SEEDCTL_YES"):
        scene.setenv(name, "main")
    settings = '[tool.seedctl]\nallow_target = "main"\n[tool.seedctl.guard]\nallow = ["main"]\n'
    (scene.folder / "pyproject.toml").write_text(settings)
    scene.command("seed")


def _dotenv(scene: Scene) -> None:
    (scene.folder / "seed.env").write_text("a=b\n")
    scene.command("secret", "import", "seed.env", *BRANCH_OPTIONS)


NOT_ALLOWED, MISMATCH = errors.TargetNotAllowedError, errors.OutputsMismatchError
MISTAKES = [
    # An outputs file that is left over, and all that writes.
    pytest.param(lambda scene: scene.command("seed"), NOT_ALLOWED, id="left-over outputs"),
    pytest.param(lambda scene: scene.plain(_create), NOT_ALLOWED, id="plain python"),
    pytest.param(_left_over(_create), NOT_ALLOWED, id="in a test"),
    pytest.param(
        _left_over(
            lambda: create_users([NewUser(f"u{n}@example.com", PASSWORD) for n in range(9)])
        ),
        NOT_ALLOWED,
        id="create_users",
    ),
    pytest.param(
        _left_over(
            lambda: _client().create_many([{**ORDER, "orderId": str(n)} for n in range(99)])
        ),
        errors.BulkError,
        id="create_many",
    ),
    pytest.param(
        _left_over(lambda: storage.upload_many([("public/a", "x"), ("public/b", "x")])),
        errors.BulkError,
        id="upload_many",
    ),
    pytest.param(_left_over(lambda: set_secret("x", "v4lue")), NOT_ALLOWED, id="secret first"),
    pytest.param(
        _left_over(
            lambda: current_backend().aws.call(
                "cognito-idp", "AdminDeleteUser", {"UserPoolId": "us-east-1_main", "Username": "a"}
            )
        ),
        NOT_ALLOWED,
        id="a call of the script's own",
    ),
    pytest.param(
        lambda _: _with(
            lambda: current_backend().aws.call("ssm", "DeleteParameter", {"Name": "/a/x"}),
            stack=EVE.name,
            target="none",
        ),
        NOT_ALLOWED,
        id="a call to Parameter Store of the script's own",
    ),
    pytest.param(_file_that_comes_later, NOT_ALLOWED, id="a file that comes later"),
    pytest.param(_threads, NOT_ALLOWED, id="threads"),
    pytest.param(_swallowed, NOT_ALLOWED, id="errors that the script swallows"),
    pytest.param(_two_backends, NOT_ALLOWED, id="two backends in one process"),
    pytest.param(_bucket("upload"), NOT_ALLOWED, id="upload to a bucket of the branch"),
    pytest.param(_bucket("copy"), NOT_ALLOWED, id="copy to a bucket of the branch"),
    pytest.param(_bucket("remove"), NOT_ALLOWED, id="remove from a bucket of the branch"),
    # Names.
    pytest.param(
        lambda scene: scene.command("seed", "--identifier", "alcie"),
        NOT_ALLOWED,
        id="typo in the identifier",
    ),
    pytest.param(
        lambda scene: scene.command("seed", *BRANCH_OPTIONS), NOT_ALLOWED, id="branch chosen only"
    ),
    pytest.param(
        lambda scene: scene.command("seed", *BRANCH_OPTIONS, "--allow-target", "mian"),
        NOT_ALLOWED,
        id="typo in what is allowed",
    ),
    pytest.param(
        lambda scene: (
            scene.command("seed", "--app-id", "d9", "--branch", "main")
            if scene.outputs("main")
            else None
        ),
        errors.OutputsMismatchError,
        id="the same branch of another app",
    ),
    pytest.param(
        lambda scene: scene.command(
            "seed", "--app-id", APP, "--branch", "dev", "--allow-target", "dev"
        ),
        MISMATCH,
        id="outputs of another branch than the allowed one",
    ),
    pytest.param(
        lambda scene: scene.command("seed", "--stack", STACK.name), NOT_ALLOWED, id="a stack"
    ),
    pytest.param(
        lambda _: _with(_create, identifier="alice"), NOT_ALLOWED, id="connect with an identifier"
    ),
    pytest.param(
        lambda _: _with(_create, identifier=MAIN), NOT_ALLOWED, id="connect with the branch's"
    ),
    pytest.param(lambda _: _with(_create, target="none"), NOT_ALLOWED, id='target="none"'),
    pytest.param(lambda _: _with(_create, target="account"), NOT_ALLOWED, id='target="account"'),
    pytest.param(
        lambda scene: (
            scene.command("seed", "--outputs", scene.outputs("main", "main.json"))
            if scene.outputs("alice")
            else None
        ),
        NOT_ALLOWED,
        id="--outputs of the branch",
    ),
    pytest.param(_profile_of_another_account, NOT_ALLOWED, id="profile of another account"),
    pytest.param(_without_physical_ids, NOT_ALLOWED, id="an emulator that tells little"),
    pytest.param(_settings, NOT_ALLOWED, id="variables and settings files"),
    # The variable of ampx.
    pytest.param(_env_branch(lambda s: s.command("seed")), MISMATCH, id="variable, seed"),
    pytest.param(
        _env_branch(lambda s: s.command("secret", "set", "x")), NOT_ALLOWED, id="variable, secret"
    ),
    pytest.param(
        _env_branch(lambda s: s.command("secret", "remove", "--all")),
        NOT_ALLOWED,
        id="variable, remove all",
    ),
    pytest.param(
        _env_branch(lambda s: s.plain(lambda: set_secret("x", "v4lue"))),
        MISMATCH,
        id="variable, plain python",
    ),
    pytest.param(
        _env_branch(lambda _: _with(lambda: set_secret("x", "v4lue"), target="none")),
        NOT_ALLOWED,
        id="variable, connect",
    ),
    pytest.param(
        lambda scene: scene.command("secret", "set", "x", *BRANCH_OPTIONS),
        NOT_ALLOWED,
        id="a branch's secret",
    ),
    pytest.param(_dotenv, NOT_ALLOWED, id="a branch's secrets from a file"),
    # Parts of several backends, and other sandboxes.
    pytest.param(_parts(api="main"), MISMATCH, id="API of the branch"),
    pytest.param(_parts(pool="main"), MISMATCH, id="pool of the branch"),
    pytest.param(_parts(bucket="main"), MISMATCH, id="bucket of the branch"),
    pytest.param(_parts(archive="main"), MISMATCH, id="second bucket of the branch"),
    pytest.param(_parts(pool="gone"), MISMATCH, id="pool that no stack owns"),
    pytest.param(_shared_pool, NOT_ALLOWED, id="a sandbox that shares the branch's pool"),
    pytest.param(
        lambda scene: scene.command("seed", "--outputs", scene.outputs("bob", "bob.json")),
        MISMATCH,
        id="another sandbox of the project",
    ),
    pytest.param(
        lambda scene: scene.command("seed", "--outputs", scene.outputs("eve", "eve.json")),
        NOT_ALLOWED,
        id="a sandbox of another project",
    ),
    pytest.param(
        lambda scene: scene.command("secret", "set", "x", "--stack", EVE.name),
        NOT_ALLOWED,
        id="a secret of another project's sandbox",
    ),
]


@pytest.mark.parametrize(("mistake", "expected"), MISTAKES)
def test_a_write_by_mistake_is_refused(
    scene: Scene, mistake: Mistake, expected: type[errors.SeedctlError]
) -> None:
    """No user, group, record, file or secret is written, whatever the way."""
    with pytest.raises(expected) as caught:
        mistake(scene)
    assert scene.writes() == []
    if isinstance(caught.value, errors.BulkError):
        failed = [each.error for each in caught.value.results if each.error is not None]
        assert failed
        assert all(isinstance(error, NOT_ALLOWED) for error in failed)


def test_own_calls_that_only_read_need_no_name(scene: Scene) -> None:
    """A script may read whatever the developer may read, and call what users call themselves."""
    names = {"UserPoolId": "us-east-1_main", "Username": USER}
    flow = {"AuthFlow": "USER_SRP_AUTH", "ClientId": "c", "AuthParameters": {"USERNAME": USER}}
    scene.aws.replies.update(AdminGetUser={"Username": USER}, InitiateAuth={"ChallengeName": "X"})
    with connect(observer=Report()) as backend:
        backend.aws.call("cognito-idp", "AdminGetUser", names)
        backend.aws.call("cognito-idp", "InitiateAuth", flow)
    assert scene.aws.operations() == ["AdminGetUser", "InitiateAuth"]


@pytest.mark.parametrize(
    ("words", "pool", "code", "text"),
    [
        pytest.param((), "alice", 0, "", id="own"),
        pytest.param((), "main", 0, "The policy allows creating users there.", id="branch's file"),
        pytest.param(BRANCH_OPTIONS, "main", 0, "", id="branch"),
        pytest.param((), "bob", 3, "[OutputsMismatchError]", id="another sandbox's file"),
        pytest.param(BRANCH_OPTIONS, "alice", 3, "[OutputsMismatchError]", id="not the branch's"),
    ],
)
def test_a_policy_for_two_backends_is_not_made_in_silence(
    scene: Scene, words: tuple[str, ...], pool: str, code: int, text: str
) -> None:
    """A policy names a user pool and secrets: those of two backends are warned of, or refused."""
    scene.outputs(pool)
    result = scene._seedctl("generate-policy", *words)
    assert result.code == code
    assert text in result.err.replace("\n", " ")
    assert bool(text) == bool(result.err)
    assert (f"us-east-1_{pool}" in result.out) == (code == 0)


MIXED = [
    pytest.param("alice", {"api": "main"}, (), "", id="API of another, pool of the chosen"),
    pytest.param("main", {"api": "bob"}, (), "", id="API and pool of two others"),
    pytest.param("bob", {"api": "main"}, (), "", id="pool of another sandbox"),
    pytest.param("bob", {}, (), " --stack amplify-myapp-bob-sandbox-", id="another sandbox"),
    pytest.param("alice", {}, ("--identifier", "bob"), " --stack amplify-myapp-alice", id="named"),
]


@pytest.mark.parametrize(("pool", "parts", "words", "choice"), MIXED)
def test_the_advice_about_a_mismatch(
    scene: Scene, pool: str, parts: dict[str, str], words: tuple[str, ...], choice: str
) -> None:
    """It writes the file of the chosen backend; choosing another helps only if the file fits that."""
    scene.outputs(pool, **parts)
    advice = scene._seedctl("seed", *words).err.rpartition("Resolution: ")[2]
    assert advice.startswith(f"Write the file with {' '.join(('seedctl outputs', *words))}")
    assert ("choose the backend it belongs to" in advice) == bool(choice)
    assert choice in advice


WRITES: dict[str, Callable[[], object]] = {
    "user": _create,
    "group": lambda: add_to_user_group(USER, "admin"),
    "create": lambda: _client().create(ORDER),
    "upsert": lambda: _client().upsert(ORDER),
    "update": lambda: _client().update({**ORDER, "state": "PAID"}),
    "delete": lambda: _client().delete({"orderId": "1", "placedAt": ORDER["placedAt"]}),
    "graphql": lambda: data.generate_client(auth_mode="apiKey").graphql("mutation { deleteAll }"),
    "upload": lambda: storage.upload_data("public/a", "x"),
    "copy": lambda: storage.copy({"path": "public/a"}, {"path": "public/b"}),
    "remove": lambda: storage.remove("public/"),
    "secret": lambda: set_secret("x", "v4lue"),
}


def test_each_function_that_writes_is_refused(scene: Scene) -> None:
    """Every function that writes is refused where the branch's outputs file was left over."""
    allowed = dict(WRITES)
    with connect(observer=Report()):
        for name, write in WRITES.items():
            try:
                write()
            except NOT_ALLOWED:
                del allowed[name]
            assert scene.writes() == [], name
    assert list(allowed) == []


ALLOWED = [
    pytest.param((*BRANCH_OPTIONS, "--allow-target", "main"), id="branch"),
    pytest.param((*BRANCH_OPTIONS, "--allow-target", STACK.name), id="branch by its stack"),
    pytest.param(("--stack", STACK.name, "--allow-target", STACK.name), id="stack"),
    pytest.param(("--stack", STACK.name, "--allow-target", "main"), id="stack by its branch"),
    pytest.param(("--allow-target", "main"), id="owner of the outputs"),
]


@pytest.mark.parametrize("words", ALLOWED)
def test_a_named_target_is_written_to(
    scene: Scene, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its name, the write goes through: to the branch that the outputs file leads to."""
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "alice")
    result = scene._seedctl("seed", *words)
    assert "AdminCreateUser" in scene.writes(), result.err
    pools = {call["UserPoolId"] for name, call in scene.aws.calls if name == "AdminCreateUser"}
    assert pools == {"us-east-1_main"}


def test_secrets_of_a_named_branch_are_set(scene: Scene) -> None:
    """The branch's own path is written to, and CloudFormation is not needed for that."""
    result = scene._seedctl(
        "secret", "set", "x", *BRANCH_OPTIONS, "--allow-target", "main", stdin=b"v4lue"
    )
    assert result.code == 0, result.err
    assert scene.aws.calls[-1][1]["Name"] == MAIN.parameter_path("x")
    assert "branch main of app d1a2b3c4d5e6f7 (PRODUCTION) · account 123456789012" in result.err
    assert "DescribeStacks" not in scene.aws.operations()


def test_the_own_sandbox_needs_no_name(scene: Scene) -> None:
    """Outputs of the chosen sandbox are checked, and nothing is asked or warned of."""
    scene.outputs("alice")
    report = Report()
    with connect(observer=report) as backend, suppress(errors.AWSError):
        backend.auth.create_user(USER, PASSWORD)
    assert scene.writes() == ["AdminCreateUser"]
    assert report.target is not None
    assert report.target.check == "outputs checked"
    assert report.warnings == []


def test_reads_need_no_permission(scene: Scene) -> None:
    """Listing a branch's secrets and its policy need neither a name nor CloudFormation."""
    denied = ("AccessDenied", "User is not authorized", 403)
    scene.aws.replies.update(DescribeStacks=denied, DescribeStackResources=denied)
    assert scene._seedctl("secret", "list", *BRANCH_OPTIONS).out == "a\n"
    assert scene._seedctl("generate-policy", *BRANCH_OPTIONS).code == 0
    assert scene.writes() == []


def test_what_cannot_be_checked_is_a_warning_in_ci(scene: Scene) -> None:
    """Without CloudFormation the run goes on; the line and a warning say that nothing was checked."""
    scene.outputs("alice")
    denied = ("AccessDenied", "User is not authorized to perform: cloudformation:DescribeStacks")
    scene.aws.replies.update(DescribeStacks=(*denied, 403), DescribeStackResources=(*denied, 403))
    report = Report()
    with connect(observer=report) as backend, suppress(errors.AWSError):
        backend.auth.create_user(USER, PASSWORD)
    assert scene.writes() == ["AdminCreateUser"]
    assert report.target is not None
    assert report.target.check == "outputs not checked"
    (warning,) = report.warnings
    assert "amplify_outputs.json could not be checked to belong to the sandbox alice" in warning
    assert "cloudformation:DescribeStacks" in warning


def test_a_refusal_looks_up_once(scene: Scene) -> None:
    """Later writes are refused without asking CloudFormation again, with the same words."""
    with connect(observer=Report()) as backend:
        messages = set()
        for _ in range(3):
            with pytest.raises(errors.TargetNotAllowedError) as caught:
                backend.auth.create_user(USER, PASSWORD)
            messages.add((caught.value.message, caught.value.resolution))
    assert len(messages) == 1
    assert scene.aws.operations().count("DescribeStackResources") == 1
    ((message, resolution),) = messages
    assert "belongs to the branch main of app d1a2b3c4d5e6f7" in message
    assert "--app-id d1a2b3c4d5e6f7 --branch main --allow-target main" in (resolution or "")
    assert not (scene.folder / ".amplify" / "seedctl" / "unchecked").exists()


def test_a_bucket_that_cannot_be_checked_is_a_warning(scene: Scene) -> None:
    """Where nobody tells whose a bucket is, the run goes on and says so once."""
    scene.outputs("alice")
    denied = ("AccessDenied", "User is not authorized", 403)
    scene.aws.replies["DescribeStackResources"] = denied
    scene.aws.replies["DescribeStacks"] = cloudformation(ALICE)["DescribeStacks"]
    report = Report()
    bucket = storage.BucketInfo("main-files", "us-east-1")
    with connect(observer=report):
        for path in ("public/a", "public/b"):
            with suppress(errors.StorageError, errors.AWSError):
                storage.upload_data(path, "x", bucket=bucket)
    (warning,) = report.warnings
    assert warning.startswith("The owner of the bucket main-files could not be looked up: Your AWS")


@pytest.mark.parametrize(
    ("name", "allow"),
    [("alice-files", None), ("bob-files", None), ("by-hand", None), ("main-files", "main")],
)
def test_other_buckets_that_may_be_written_to(scene: Scene, name: str, allow: str | None) -> None:
    """Own buckets, those of no stack, and those of a backend that was named; looked up once."""
    scene.outputs("alice")
    bucket = storage.BucketInfo(name, "us-east-1")
    report = Report()
    with connect(observer=report, allow_target=allow):
        for path in ("public/a", "public/b"):
            with suppress(errors.StorageError, errors.AWSError):
                storage.upload_data(path, "x", bucket=bucket)
    assert f"PUT /{name}/public/b" in scene.writes()
    asked = [call for call in scene.aws.calls if call[1].get("PhysicalResourceId") == name]
    assert len(asked) == (0 if name == "alice-files" else 1)
    assert report.warnings == []


def test_a_refused_bucket_is_asked_for_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal, many files to one bucket are one question."""
    scene.outputs("alice")
    questions: list[str] = []
    monkeypatch.setattr("seedctl.guard.can_prompt", lambda: True)

    def ask(_: object, question: str) -> str:
        questions.append(question)
        return "no"

    monkeypatch.setattr(TerminalPrompter, "ask_openly", ask)
    bucket = storage.BucketInfo("main-files", "us-east-1")
    files = [(f"public/{number}", "x") for number in range(20)]
    with connect(observer=Report()), pytest.raises(errors.BulkError):
        storage.upload_many(files, bucket=bucket)
    assert scene.writes() == []
    (question,) = questions
    assert question.startswith("The bucket main-files belongs to the branch main of app ")
    assert "(PRODUCTION, account 123456789012)" in question
