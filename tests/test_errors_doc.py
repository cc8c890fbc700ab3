"""docs/errors.md is correct: the trigger in each row leads to the error and its exit code."""

from __future__ import annotations

import inspect
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import connect, current_backend, errors
from seedctl.guard import Guard
from seedctl.outputs import load_outputs
from seedctl.owner import Ownership
from seedctl.project import BackendIdentifier, Project
from seedctl.prompter import TerminalPrompter
from tests.deployed_backends import Deployed
from tests.fake_aws import CALLER, DeployedStack, FakeAWS
from tests.running import DATA, CommandLine, Result, make_project
from tests.source.conftest import install
from tests.source.recording import FakeNode

if TYPE_CHECKING:
    from collections.abc import Callable

    Trigger = Callable[["Scene"], Result]

OUTPUTS = DATA / "outputs"
USER, PASSWORD = "ann@example.com", "Password123!"
CREATE = f"create_and_sign_up_user(username={USER!r}, password={PASSWORD!r})\n"
MFA_CREATE = CREATE.replace(")", ", sign_in_flow='MFA')")
SIGN_IN = f"sign_in_user(username={USER!r}, password={PASSWORD!r})\n"
MFA_SIGN_IN = SIGN_IN.replace(")", ", sign_in_flow='MFA')")
SIGNED_IN = CREATE.replace(")", ", sign_in_after_creation=True)")
CLIENT = "client = data.generate_client()\n"


class Scene:
    """A project with credentials, in which a test makes something fail."""

    def __init__(self, folder: Path, seedctl: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = make_project(folder)
        self.seedctl = seedctl
        self.monkeypatch = monkeypatch
        monkeypatch.chdir(self.folder)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def script(self, text: str) -> None:
        path = self.folder / "amplify" / "seed" / "seed.py"
        path.write_text(f"from seedctl import *\n{text}", encoding="utf-8")

    def local(self, text: str) -> Result:
        """Run the script *text* in the local sandbox."""
        self.script(text)
        return self.seedctl("seed", "--local")

    def fake(self, text: str, **replies: Any) -> Result:
        """Run the script *text* against a fake AWS that sends the given responses."""
        self.script(text)
        with FakeAWS(**{"GetCallerIdentity": CALLER, **replies}) as aws:
            return self.seedctl("seed", "--endpoint-url", aws.url)

    def auth(self, **changes: Any) -> None:
        path = self.folder / "amplify_outputs.json"
        document = json.loads(path.read_text())
        document["auth"].update(changes)
        path.write_text(json.dumps(document))

    def data(self, text: str, *, outputs: str = "todo_userpool", before: str = "") -> Result:
        """Run *before*, and *text* with a client of the models in *outputs*."""
        shutil.copy(OUTPUTS / f"{outputs}.json", self.folder / "amplify_outputs.json")
        return self.local(f"{before}{CLIENT}{text}")

    def source(self, *, packages: bool = True, path: str | None = None) -> Result:
        """Read the project's source with a Node that ends without a result."""
        (self.folder / "amplify" / "backend.ts").touch()
        if packages:
            install(self.folder)
        node = FakeNode(self.folder / "bin")
        self.monkeypatch.setenv("PATH", path or f"{node.folder}:{os.environ['PATH']}")
        return self.seedctl("local", "init", "--from", "source")

    def files(self, text: str, *, outputs: str = "store_userpool", before: str = "") -> Result:
        """Run *before*, and *text* with the buckets in *outputs*."""
        shutil.copy(OUTPUTS / f"{outputs}.json", self.folder / "amplify_outputs.json")
        return self.local(f"{before}{text}")

    @staticmethod
    def raised(call: Callable[[], object]) -> Result:
        """Make a library call that no command makes, and show the error that it raises."""
        with pytest.raises(errors.SeedctlError) as caught:
            call()
        return Result(caught.value.exit_code, "", f"[{caught.value.name}] {caught.value.message}")


def _challenge(name: str, **parameters: str) -> dict[str, Any]:
    return {"ChallengeName": name, "ChallengeParameters": parameters, "Session": "s" * 20}


def _no_groups(scene: Scene) -> Result:
    scene.auth(groups=[])
    return scene.local(f"add_to_user_group({USER!r}, 'admin')")


def _mfa(scene: Scene) -> Result:
    scene.auth(mfa_configuration="REQUIRED")
    return scene.local(CREATE)


def _mfa_pool(methods: list[str], options: str) -> Trigger:
    def trigger(scene: Scene) -> Result:
        scene.auth(mfa_configuration="REQUIRED", mfa_methods=methods)
        return scene.local(MFA_CREATE.replace(")", f"{options})"))

    return trigger


def _nobody_to_ask(scene: Scene) -> Result:
    scene.auth(mfa_configuration="REQUIRED", mfa_methods=["EMAIL"])
    scene.script(MFA_CREATE)
    return scene.seedctl("seed", "--local", "--prompt")


def _no_identity_pool(scene: Scene) -> Result:
    scene.auth(identity_pool_id=None)
    return scene.local(f"{CLIENT}client.models.Todo.list(auth_mode='iam')")


def _no_identity_for_a_path(scene: Scene) -> Result:
    scene.auth(unauthenticated_identities_enabled=False)
    return scene.local("storage.upload_data(lambda identity_id: f'private/{identity_id}/x', 'x')")


def _remove(name: str) -> Trigger:
    def trigger(scene: Scene) -> Result:
        (scene.folder / name).unlink()
        return scene.local(CREATE)

    return trigger


def _outputs(text: str) -> Trigger:
    def trigger(scene: Scene) -> Result:
        (scene.folder / "amplify_outputs.json").write_text(text)
        return scene.local(CREATE)

    return trigger


def _outside(scene: Scene) -> Result:
    scene.monkeypatch.chdir(scene.folder.parent)
    return scene.seedctl("seed", "--local")


def _unwritten_types(scene: Scene) -> Result:
    scene.data("")
    return scene.seedctl("types", "--check")


def _nameless_uid(scene: Scene) -> Result:
    scene.monkeypatch.setattr(os, "geteuid", lambda: 4_042_042)
    return scene.seedctl("secret", "list", "--local")


def _odd_identifier(scene: Scene) -> Result:
    identifier = {"namespace": "a", "name": "b", "type": "preview"}
    scene.monkeypatch.setenv("AMPLIFY_BACKEND_IDENTIFIER", json.dumps(identifier))
    with connect(local=True) as backend:
        return scene.raised(lambda: backend.secrets.get("x"))


def _other_pool(scene: Scene) -> Result:
    stack = DeployedStack("s", {"userPoolId": "us-east-1_Another01"})
    return scene.fake(CREATE, DescribeStacks=stack.describe("s"))


def _no_stack(scene: Scene) -> Result:
    outputs = load_outputs(scene.folder / "amplify_outputs.json")
    guard = Guard(Project(scene.folder), BackendIdentifier("my-app", "b"), None)
    missing = Ownership("missing", "us-east-1")
    return scene.raised(lambda: guard.check(outputs, missing, pytest.fail))


def _branch(scene: Scene) -> Result:
    words = ("secret", "set", "x", "--app-id", "d1", "--branch", "main")
    return scene.seedctl(*words, "--endpoint-url", "http://127.0.0.1:9", stdin=b"v4lue")


def _no_credentials(scene: Scene) -> Result:
    scene.monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    scene.script(CREATE)
    with FakeAWS() as aws:
        result = scene.seedctl("seed", "--endpoint-url", aws.url)
        assert aws.calls == []
    return result


def _blank_region(scene: Scene) -> Result:
    scene.monkeypatch.setenv("AWS_REGION", " ")
    return scene.seedctl("secret", "list", "--endpoint-url", "http://127.0.0.1:9")


def _mixed(scene: Scene) -> Result:
    scene.monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
    return scene.seedctl("secret", "list")


def _no_main(scene: Scene) -> Result:
    scene.monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    return scene.raised(current_backend)


def _no_terminal(scene: Scene) -> Result:
    class Terminal:
        closed = False

        def isatty(self) -> bool:
            return True

    scene.monkeypatch.setenv("CI", "true")
    scene.monkeypatch.setattr(sys, "stdin", Terminal())
    return scene.raised(lambda: TerminalPrompter().ask("A value"))


def _broken_state(scene: Scene) -> Result:
    (scene.folder / ".amplify").write_text("a file where a folder belongs")
    return scene.seedctl("secret", "list", "--local")


def _unreachable(scene: Scene) -> Result:
    return scene.seedctl("secret", "list", "--endpoint-url", "http://127.0.0.1:9")


def _outputs_of(status: str = "CREATE_COMPLETE", **changes: Any) -> Trigger:
    """Run ``seedctl outputs`` of a deployed backend with this status and other changes."""

    def trigger(scene: Scene) -> Result:
        scene.monkeypatch.setenv("AWS_REGION", "us-east-1")
        deployed = Deployed.of("guide-basic")
        deployed.stack["StackStatus"] = status
        for name, value in changes.items():
            setattr(deployed, name, value)
        with deployed.serve() as server:
            return scene.seedctl(
                "outputs", "--endpoint-url", server.url, "--stack", deployed.stack["StackName"]
            )

    return trigger


DENIED = ("AccessDeniedException", "User is not authorized to perform: {}")

TRIGGERS: dict[str, Trigger] = {
    "SeedingFailedError": lambda s: s.local("raise ValueError('x')"),
    "UsernameExistsError": lambda s: s.local(CREATE * 2),
    "UserExistsError": lambda s: s.fake(SIGN_IN, InitiateAuth=("UserNotFoundException", "none")),
    "UserNotFoundError": lambda s: s.local(f"add_to_user_group({USER!r}, 'admin')"),
    "NoGroupError": lambda s: s.local(f"{CREATE}add_to_user_group({USER!r}, 'nobody')"),
    "NoGroupsError": _no_groups,
    "NotAuthorizedException": lambda s: s.local(
        f"{CREATE}sign_in_user(username={USER!r}, password='Wr0ng-password')"
    ),
    "InvalidPasswordException": lambda s: s.local(
        f"create_and_sign_up_user(username={USER!r}, password='weak')"
    ),
    "InvalidParameterException": lambda s: s.local(
        f"create_and_sign_up_user(username='ann', password={PASSWORD!r})"
    ),
    "PasswordResetRequiredException": lambda s: s.fake(
        SIGN_IN, InitiateAuth=("PasswordResetRequiredException", "Password reset required")
    ),
    "UserNotConfirmedException": lambda s: s.fake(
        SIGN_IN, InitiateAuth=("UserNotConfirmedException", "User is not confirmed.")
    ),
    "CognitoError": lambda s: s.fake(
        CREATE, AdminCreateUser=("UserLambdaValidationException", "PreSignUp failed")
    ),
    "SignInException": lambda s: s.fake(SIGN_IN, InitiateAuth=_challenge("SMS_MFA", USERNAME="u")),
    "CannotSignInWithMFAError": lambda s: s.fake(
        MFA_SIGN_IN, InitiateAuth=_challenge("DEVICE_SRP_AUTH", USERNAME="u")
    ),
    "MFANotConfiguredError": lambda s: s.local(MFA_CREATE),
    "MFAPreferenceNotAvailableError": _mfa_pool(["SMS"], ", mfa_preference='TOTP'"),
    "NoMFAPreferenceSpecifiedError": _mfa_pool(
        ["SMS", "EMAIL"], ", user_attributes={'phone_number': '+15551234567'}"
    ),
    "MissingTOTPChallengeError": _mfa_pool(["TOTP"], ""),
    "MFACodeUnavailableError": _nobody_to_ask,
    "MFARequiredError": _mfa,
    "UserUnAuthenticatedException": lambda s: s.local("auth.get_current_user()"),
    "InvalidResponseError": lambda s: s.fake(SIGN_IN, InitiateAuth={"hello": "world"}),
    "SRPError": lambda s: s.fake(
        SIGN_IN,
        InitiateAuth=_challenge(
            "PASSWORD_VERIFIER",
            USERNAME="u",
            USER_ID_FOR_SRP="u",
            SALT="ab",
            SRP_B="0",
            SECRET_BLOCK="QUFBQQ==",
        ),
    ),
    "InvalidCommandInputError": lambda s: s.seedctl("--identifier", "a_b", "seed"),
    "InvalidSecretNameError": lambda s: s.seedctl("secret", "get", "a/b", "--local"),
    "InvalidSecretValueError": lambda s: s.seedctl("secret", "set", "a", "--local"),
    "ProjectNotFoundError": _outside,
    "InvalidPackageJsonError": _remove("package.json"),
    "SandboxIdentifierNotFoundError": _nameless_uid,
    "BackendIdConversionFault": _odd_identifier,
    "AmplifyOutputsNotFoundError": _outputs('{"version": "1.4"}'),
    "InvalidAmplifyOutputsError": _outputs('{"version": "1.4", "auth": {}}'),
    "MissingAuthError": _outputs('{"version": "1.4", "custom": {}}'),
    "OutputsMismatchError": _other_pool,
    "StackDoesNotExistError": _no_stack,
    "TargetNotAllowedError": _branch,
    "NonAmplifyStackError": _outputs_of(metadata=None),
    "DeploymentInProgressError": _outputs_of(status="UPDATE_IN_PROGRESS"),
    "DeploymentFailedError": _outputs_of(status="ROLLBACK_COMPLETE"),
    "ModelIntrospectionNotFoundError": _outputs_of(parameters={}),
    "SeedScriptNotFoundError": lambda s: s.seedctl("seed", "--local"),
    "InvalidCredentialError": _no_credentials,
    "MissingRegionError": _blank_region,
    "MixedEndpointsError": _mixed,
    "NoBackendError": _no_main,
    "PromptUnavailableError": _no_terminal,
    "LocalSandboxError": _broken_state,
    "NodeNotFoundError": lambda s: s.source(path="/nowhere"),
    "AmplifyPackagesNotFoundError": lambda s: s.source(packages=False),
    "BackendSourceError": lambda s: s.source(),
    "FileAccessError": lambda s: s.seedctl("secret", "import", "missing", "--local"),
    "AWSError": lambda s: s.fake(
        "get_secret('x')", GetParameter=("HierarchyLevelLimitExceededException", "too deep")
    ),
    "AccessDeniedError": lambda s: s.raised(
        lambda: _policy_call(s, GetCallerIdentity=("AccessDenied", "no"))
    ),
    "NotAuthorizedError": lambda s: s.fake(
        CREATE, AdminCreateUser=(DENIED[0], DENIED[1].format("cognito-idp:AdminCreateUser"))
    ),
    "SSMCredentialsError": lambda s: s.fake(
        "get_secret('x')", GetParameter=(DENIED[0], DENIED[1].format("ssm:GetParameter"))
    ),
    "LimitExceededError": lambda s: s.fake(
        CREATE, AdminCreateUser=("LimitExceededException", "Too many users today")
    ),
    "ServiceFailedError": lambda s: s.fake(
        "get_secret('x')", GetParameter=("InternalServerError", "something broke", 500)
    ),
    "ThrottledError": lambda s: s.fake(
        "get_secret('x')", GetParameter=("ThrottlingException", "Rate exceeded")
    ),
    "EndpointUnreachableError": _unreachable,
    "SSMParameterNotFoundError": lambda s: s.local("get_secret('never-set')"),
    "SecretError": lambda s: s.fake(
        "get_secret('x')",
        GetParameter={"Parameter": {"Value": "", "Version": 1, "LastModifiedDate": 0}},
    ),
}

TRIGGERS.update(
    {
        "GraphQLError": lambda s: s.data(
            "client.queries.ping()", outputs="store_userpool", before=SIGNED_IN
        ),
        "UnauthorizedError": lambda s: s.data(
            "client.models.AdminThing.create({'content': 'x'})",
            outputs="auth_rules",
            before=SIGNED_IN,
        ),
        "ConditionalCheckFailedError": lambda s: s.data(
            "client.models.Todo.update({'id': 'nobody', 'content': 'x'})", before=SIGNED_IN
        ),
        "InvalidArgumentsError": lambda s: s.data(
            "client.graphql('query { listProducts(sortDirection: ASC) { items { sku } } }')",
            outputs="store_userpool",
            before=SIGNED_IN,
        ),
        "GraphQLValidationError": lambda s: s.data(
            "client.graphql('query { nope }')", before=SIGNED_IN
        ),
        "DynamoDBError": lambda s: s.data(
            "client.models.Product.create({'sku': 's', 'warehouse': 'w', 'shelf': 1, 'name': 'n',"
            " 'price': {'amount': 1.5, 'currency': 'EUR'}, 'manufacturer': '', 'launchDate': '2026-01-01', 'rank': 1}, validate=False)",
            outputs="store_userpool",
            before=SIGNED_IN,
        ),
        "BulkError": lambda s: s.data("client.models.Todo.create_many([{'content': 5}])"),
        "InvalidInputError": lambda s: s.data("client.models.Todo.create({'content': 5})"),
        "DataFileError": lambda s: s.data("data.read_rows('rows.json', client.models.Todo)"),
        "InvalidSelectionSetError": lambda s: s.data(
            "client.models.Todo.list(selection_set=['nope'])"
        ),
        "InvalidAuthModeError": lambda s: s.data("client.models.Todo.list(auth_mode='bogus')"),
        "UnknownModelError": lambda s: s.data("client.models.Todoo"),
        "UnknownOperationError": lambda s: s.data("client.models.Todo.lost()"),
        "StaleSchemaFileError": _unwritten_types,
        "NoValidAuthTokens": lambda s: s.data(
            "auth.sign_out()\nclient.models.Todo.list()", before=SIGNED_IN
        ),
        "NoSignedUser": lambda s: s.data(
            "import dataclasses\n"
            f"session = {SIGN_IN}"
            "session._tokens = dataclasses.replace(\n"
            "    session._tokens, expires_at=0.0, refresh='no-such-refresh-token'\n"
            ")\n"
            "client.models.Todo.list()",
            before=CREATE,
        ),
        "NoCredentials": _no_identity_pool,
        "NoAuthorizationHeader": lambda s: s.data("client.models.Todo.list(auth_mode='lambda')"),
        "NoEndpoint": lambda s: s.data("client.models.Todo", outputs="storage_only_multi_bucket"),
        "NoApiKey": lambda s: s.data("client.models.Todo.list(auth_mode='apiKey')"),
    }
)


def _too_large(scene: Scene) -> Result:
    # A sparse file: it has this size, but uses no disk space.
    with (scene.folder / "huge").open("wb") as file:
        file.truncate(5 * 1024**4 + 1)
    return scene.files("import pathlib\nstorage.upload_data('public/x', pathlib.Path('huge'))")


TRIGGERS.update(
    {
        "StorageError": lambda s: s.files(
            "storage.upload_data('public/x', 'x', bucket=storage.BucketInfo('elsewhere', 'us-east-1'))"
        ),
        "AccessDenied": lambda s: s.files("storage.upload_data('nope/x', 'x')"),
        "NoSuchKey": lambda s: s.files("storage.download_data('public/nope')"),
        "NotFound": lambda s: s.files("storage.get_properties('public/nope')"),
        "PreconditionFailed": lambda s: s.files(
            "for _ in range(2): storage.upload_data('public/x', 'x', prevent_overwrite=True)",
            before=SIGNED_IN,
        ),
        "NoIdentityId": _no_identity_for_a_path,
        "InvalidStorageBucket": lambda s: s.files("storage.list('public/', bucket='nope')"),
        "InvalidStoragePathInput": lambda s: s.files("storage.list('/public/')"),
        "InvalidStorageOperationInput": lambda s: s.files("storage.remove('')"),
        "InvalidUploadSource": lambda s: s.files("storage.upload_data('public/x', {'a': 1})"),
        "ObjectIsTooLarge": _too_large,
        "UrlExpirationMaxLimitExceed": lambda s: s.files(
            "storage.get_url('public/x', expires_in=691200)"
        ),
        "InvalidAWSAccountID": lambda s: s.files(
            "storage.list('public/', expected_bucket_owner='12')"
        ),
        "InvalidCopyOperationStorageBucket": lambda s: s.files(
            "storage.copy({'path': 'public/a', 'bucket': 'myStorage'}, 'public/b')"
        ),
        "NoSourcePath": lambda s: s.files("storage.copy({}, 'public/b')"),
        "NoDestinationPath": lambda s: s.files("storage.copy('public/a', {})"),
        "NoBucket": lambda s: s.files("storage.list('public/')", outputs="blog_apikey"),
    }
)

SHOWN_AS = {"CognitoError": "UserLambdaValidationException", "StorageError": "NoSuchBucket"}


def _policy_call(scene: Scene, **replies: Any) -> object:
    with FakeAWS(**replies) as aws, connect(endpoint_url=aws.url) as backend:
        return backend.aws.call("sts", "GetCallerIdentity", {})


def rows() -> list[tuple[str, int]]:
    text = (Path(__file__).parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")
    cells = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return [(cell[1].strip(" `"), int(cell[3])) for cell in cells]


def test_every_trigger_has_a_row() -> None:
    """No trigger stays behind when its error is gone."""
    assert set(TRIGGERS) == {name for name, _ in rows()}


@pytest.mark.parametrize(("name", "code"), rows())
def test_every_row_is_correct(
    name: str,
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The trigger leads to the error's name and exit code, and never to a Python traceback."""
    scene = Scene(tmp_path / "project", CommandLine(capsys, monkeypatch), monkeypatch)
    result = TRIGGERS[name](scene)
    assert f"[{SHOWN_AS.get(name, name)}] " in result.err
    assert result.code == code
    if name != "SeedingFailedError":
        assert "Traceback" not in result.err


def _classes() -> list[type[errors.SeedctlError]]:
    found = [each for each in vars(errors).values() if inspect.isclass(each)]
    return [each for each in found if issubclass(each, errors.SeedctlError)]


def test_the_table_is_complete() -> None:
    """Every error class has a row, with its exit code."""
    classes = {found.__name__: found.exit_code for found in _classes()}
    del classes["SeedctlError"]
    assert dict(rows()) == classes


def test_an_except_clause_catches_the_errors_of_its_family() -> None:
    """A class that others derive from stands for exactly these; all others stand alone."""
    classes = _classes()
    families = {
        base.__name__: {each.__name__ for each in classes if base in each.__mro__[1:]}
        for base in {base for each in classes for base in each.__mro__[1:]}
        if base not in errors.SeedctlError.__mro__ and not base.__name__.startswith("_")
    }
    denied = {"NotAuthorizedError", "SSMCredentialsError"}
    assert families == {
        "AWSError": denied
        | {"AccessDeniedError", "ThrottledError", "LimitExceededError", "ServiceFailedError"}
        | {"EndpointUnreachableError", "SSMParameterNotFoundError", "SecretError"}
        | {"InvalidResponseError", "SRPError"},
        "AccessDeniedError": denied,
        "InvalidResponseError": {"SRPError"},
        "CognitoError": {"NotAuthorizedException", "PasswordResetRequiredException"}
        | {"UserNotConfirmedException", "InvalidPasswordException", "InvalidParameterException"},
        "SignInException": {"CannotSignInWithMFAError"},
        "GraphQLError": {"UnauthorizedError", "ConditionalCheckFailedError", "DynamoDBError"}
        | {"InvalidArgumentsError", "GraphQLValidationError"},
        "StorageError": {"AccessDenied", "NoSuchKey", "NotFound", "PreconditionFailed"},
        "NoSuchKey": {"NotFound"},
        "InvalidCredentialError": {"MissingRegionError"},
        "AttributeError": {"UnknownModelError", "UnknownOperationError"},
    }
    assert {each.__name__ for each in errors.TRANSIENT} == {
        *("EndpointUnreachableError", "ServiceFailedError", "ThrottledError")
    }
