"""Reading a deployed backend: which stacks can be read, and where the model introspection is."""

from __future__ import annotations

import json
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from seedctl import errors
from seedctl.aws.calls import AWS
from seedctl.aws.credentials import Credentials
from seedctl.aws.identity_client import DeveloperIdentity
from seedctl.aws.settings import AWSSettings
from seedctl.deployed import RootStack, deployed_outputs, read_stack
from seedctl.outputs.from_stack import document_text
from tests.deployed_backends import Deployed, stack_with
from tests.fake_aws import FakeAWS
from tests.outputs.backends import ALL, BACKENDS, introspection_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STORAGE = {"storageRegion": "us-east-1", "bucketName": "files"}
REFERENCES = "/amplify/resource_reference/demodatarules/dev-sandbox-eceefcae99/"
BUCKET, KEY = (f"_MODEL_INTROSPECTION_SCHEMA_{part}" for part in ("BUCKET_NAME", "KEY"))
WITH_DATA = [name for name in ALL if introspection_of(name) is not None]


class _Account:
    """One server and its clients for all tests; each test sets what the server has."""

    server: FakeAWS
    aws: AWS


@pytest.fixture(scope="module", autouse=True)
def _account() -> Iterator[None]:
    with FakeAWS() as _Account.server:
        settings = AWSSettings(region="us-east-1", endpoint_url=_Account.server.url)
        with closing(AWS(settings)) as _Account.aws:
            yield


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@contextmanager
def _served(deployed: Deployed) -> Iterator[tuple[AWS, FakeAWS]]:
    _Account.server.replies = deployed.replies()
    _Account.server.calls.clear()
    yield _Account.aws, _Account.server


def _read(deployed: Deployed, version: str = "1.4") -> tuple[RootStack, dict[str, Any]]:
    """Return the stack and the document of *deployed*."""
    with _served(deployed) as (aws, _):
        stack = read_stack(aws, deployed.stack["StackName"])
        return stack, deployed_outputs(aws, stack, version=version)


def _refused(deployed: Deployed, error: type[errors.SeedctlError]) -> errors.SeedctlError:
    with pytest.raises(error) as caught:
        _read(deployed)
    return caught.value


def _with_data(**references: str | None) -> Deployed:
    """Return the backend data-rules with other parameters; None removes one."""
    deployed = Deployed.of("data-rules")
    for name, value in references.items():
        deployed.parameters.pop(REFERENCES + name, None)
        if value is not None:
            deployed.parameters[REFERENCES + name] = value
    return deployed


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=f"{name}-{path.stem.removeprefix('amplify_outputs')}")
        for name in ALL
        for path in sorted((BACKENDS / name).glob("amplify_outputs*.json"))
    ],
)
def test_the_file_is_the_one_that_amplify_writes(path: Path) -> None:
    """For each recorded backend, the text is byte for byte what Amplify's tool wrote."""
    expected = path.read_text(encoding="utf-8")
    stack, document = _read(Deployed.of(path.parent.name), json.loads(expected)["version"])
    assert document_text(document) == expected
    assert not stack.is_rolled_back


def test_a_backend_without_data_needs_nothing_but_its_stack() -> None:
    """Parameter Store and S3 are only asked for the introspection of a backend that has data."""
    deployed = stack_with(Storage=STORAGE)
    with _served(deployed) as (aws, server):
        document = deployed_outputs(aws, read_stack(aws, deployed.stack["StackName"]))
        assert sorted(server.operations()) == ["DescribeStacks", "GetTemplateSummary"]
    assert document == {
        "storage": {"aws_region": "us-east-1", "bucket_name": "files", "buckets": []},
        "version": "1.4",
    }


def test_half_a_surrogate_pair_is_written_as_javascript_does() -> None:
    """Text that no file can hold is escaped; all other text is written as it is."""
    custom = {"customOutputs": json.dumps({"custom": {"half": "\ud83d", "whole": "\U0001f600 ü"}})}
    _, document = _read(stack_with(Custom=custom))
    text = document_text(document)
    assert '"half": "\\ud83d"' in text
    assert '"whole": "\U0001f600 ü"' in text
    assert json.loads(text) == document


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        pytest.param("CREATE_COMPLETE", None, "", id="created"),
        pytest.param("UPDATE_COMPLETE", None, "", id="updated"),
        pytest.param("IMPORT_COMPLETE", None, "", id="imported"),
        pytest.param("UPDATE_ROLLBACK_COMPLETE", None, "rolled back", id="rolled back"),
        pytest.param("IMPORT_ROLLBACK_COMPLETE", None, "rolled back", id="import rolled back"),
        pytest.param("CREATE_IN_PROGRESS", "DeploymentInProgressError", "deployed", id="creating"),
        pytest.param(
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "DeploymentInProgressError",
            "deployed",
            id="cleaning up",
        ),
        pytest.param("REVIEW_IN_PROGRESS", "DeploymentInProgressError", "deployed", id="review"),
        pytest.param("DELETE_IN_PROGRESS", "DeploymentInProgressError", "deleted", id="deleting"),
        pytest.param("CREATE_FAILED", "DeploymentFailedError", "failed", id="not created"),
        pytest.param("ROLLBACK_COMPLETE", "DeploymentFailedError", "failed", id="creation undone"),
        pytest.param("UPDATE_FAILED", "DeploymentFailedError", "failed", id="not updated"),
        pytest.param("UPDATE_ROLLBACK_FAILED", "DeploymentFailedError", "failed", id="stuck"),
        pytest.param("DELETE_FAILED", "DeploymentFailedError", "failed", id="not deleted"),
        pytest.param("DELETE_COMPLETE", "StackDoesNotExistError", "no stack", id="deleted"),
    ],
)
def test_only_a_finished_deployment_is_read(status: str, error: str | None, words: str) -> None:
    """Outputs are read when the last deployment has ended well, or was rolled back to such a one."""
    deployed = stack_with(Storage=STORAGE)
    deployed.stack["StackStatus"] = status
    if error is None:
        stack, _ = _read(deployed)
        assert stack.is_rolled_back == (words == "rolled back")
        return
    refused = _refused(deployed, getattr(errors, error))
    assert refused.exit_code == 3
    assert words in refused.message
    assert deployed.stack["StackName"] in refused.message
    assert status in refused.message or status == "DELETE_COMPLETE"
    assert refused.resolution


def test_a_failed_deployment_shows_the_reason() -> None:
    """What CloudFormation says about the failure is part of the message."""
    deployed = stack_with(Storage=STORAGE)
    deployed.stack.update(StackStatus="ROLLBACK_COMPLETE", StackStatusReason="No more buckets")
    assert "No more buckets" in _refused(deployed, errors.DeploymentFailedError).message


def test_a_missing_stack_is_named_with_its_region() -> None:
    """Who chose a wrong backend, profile or region sees what was looked for, and where."""
    with (
        _served(stack_with()) as (aws, _),
        pytest.raises(errors.StackDoesNotExistError) as caught,
    ):
        read_stack(aws, "amplify-myapp-eve-sandbox-0123456789")
    assert "amplify-myapp-eve-sandbox-0123456789 in us-east-1" in caught.value.message


def test_another_refusal_is_not_a_missing_stack() -> None:
    """CloudFormation uses one code for a missing stack and for every other invalid request."""
    deployed = stack_with(Storage=STORAGE)
    with _served(deployed) as (aws, server):
        server.replies["DescribeStacks"] = ("ValidationError", "The name is too long")
        with pytest.raises(errors.AWSError, match="The name is too long"):
            read_stack(aws, deployed.stack["StackName"])


def test_the_credentials_are_fetched_before_the_threads_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A profile may ask for an MFA code, which two threads would do at once."""
    deployed = stack_with(Storage=STORAGE)
    fetched: list[tuple[threading.Thread, int]] = []
    with _served(deployed) as (aws, server):

        def credentials() -> None:
            fetched.append((threading.current_thread(), len(server.calls)))

        monkeypatch.setattr(aws, "credentials", credentials)
        read_stack(aws, deployed.stack["StackName"])
    assert fetched == [(threading.current_thread(), 0)]


@pytest.mark.parametrize("entry", [{"stackOutputs": []}, {"version": "1"}, [], None])
def test_data_without_its_outputs_is_no_data(entry: object) -> None:
    """Amplify's entry in the metadata has a version and the names of outputs; another means nothing."""
    deployed = stack_with(Storage=STORAGE)
    metadata = json.loads(deployed.metadata or "")
    deployed.metadata = json.dumps({**metadata, "AWS::Amplify::GraphQL": entry})
    assert "data" not in _read(deployed)[1]


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param(None, id="none"),
        pytest.param("{}", id="empty"),
        pytest.param('["AWS::Amplify::Auth"]', id="a list"),
        pytest.param('{"AWS::CDK::Metadata": {}}', id="another's"),
        pytest.param("{half", id="not JSON"),
        pytest.param("[" * 100_000, id="deeply nested"),
    ],
)
def test_another_stack_is_refused(metadata: str | None) -> None:
    """A stack without Amplify's metadata is no backend: a nested stack, or one of another program."""
    deployed = stack_with(Storage=STORAGE)
    deployed.metadata = metadata
    assert "root stack" in _refused(deployed, errors.NonAmplifyStackError).message


def test_a_stack_without_outputs_is_refused() -> None:
    """A root stack always has outputs, at least its region."""
    deployed = stack_with(Storage=STORAGE)
    deployed.stack["Outputs"] = []
    assert "no outputs" in _refused(deployed, errors.AmplifyOutputsNotFoundError).message


def test_metadata_in_pythons_notation_is_read() -> None:
    """The emulator moto sends the template's metadata in this form."""
    deployed = stack_with(Storage=STORAGE)
    deployed.metadata = str(json.loads(deployed.metadata or ""))
    assert "'" in deployed.metadata
    assert _read(deployed)[1]["storage"]["bucket_name"] == "files"


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        ("DescribeStacks", "cloudformation:DescribeStacks"),
        ("GetTemplateSummary", "cloudformation:GetTemplateSummary"),
        ("GetParameters", "ssm:GetParameters"),
        ("GetObject", "s3:GetObject"),
    ],
)
def test_a_denied_call_names_the_missing_right(operation: str, right: str) -> None:
    """Whatever AWS denies, the error names the action to allow, and shows AWS's own words."""
    deployed = Deployed.of("data-rules")
    deployed.denied[operation] = f"User: dev is not authorized to perform: {right}"
    error = _refused(deployed, errors.AccessDeniedError)
    assert error.exit_code == 4
    assert right in error.message
    assert f"Allow {right}" in (error.resolution or "")
    assert "not authorized" in f"{error.service_message}{error.__cause__}"


def test_a_denied_walk_names_the_missing_right() -> None:
    """The walk through all parameters needs another right than the parameters by their names."""
    deployed = _with_data(AMPLIFY_DATA_DEFAULT_NAME=None)
    deployed.denied["GetParametersByPath"] = "no"
    assert "ssm:GetParametersByPath" in _refused(deployed, errors.AccessDeniedError).message


def test_a_denied_object_shows_its_place() -> None:
    """S3 denies a missing object too, so the message names the object, and the advice says that."""
    deployed = Deployed.of("data-rules")
    deployed.denied["GetObject"] = "Access Denied"
    error = _refused(deployed, errors.AccessDeniedError)
    ((bucket, key),) = deployed.objects
    assert f"s3://{bucket}/{key}" in error.message
    assert "does not exist" in (error.resolution or "")


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("amplifyData", "AMPLIFY_DATA"),
        ("amplifyDataTodoApi", "AMPLIFY_DATA_TODO_API"),
        ("amplifyDatadesk", "AMPLIFY_DATADESK"),
        ("amplifyDataHTTPApi", "AMPLIFY_DATA_HTTP_API"),
        ("amplifyDatav2Api", "AMPLIFY_DATAV_2_API"),
        ("amplifyDatamy-api_x", "AMPLIFY_DATAMY_API_X"),
        ("amplifyDataTODO", "AMPLIFY_DATA_TODO"),
        ("amplifyDataA", "AMPLIFY_DATA_A"),
    ],
)
def test_the_name_of_the_api_gives_the_prefix(name: str, prefix: str) -> None:
    """The parameters are found by the API's name, without a look at all others."""
    deployed = _with_data(
        AMPLIFY_DATA_DEFAULT_NAME=name,
        **{f"AMPLIFY_DATA{BUCKET}": None, f"AMPLIFY_DATA{KEY}": None},
    )
    ((bucket, key),) = deployed.objects
    deployed.parameters |= {
        REFERENCES + prefix + BUCKET: bucket,
        REFERENCES + prefix + KEY: key,
        REFERENCES + "OTHER" + BUCKET: "another-bucket",
        REFERENCES + "OTHER" + KEY: key,
    }
    deployed.denied["GetParametersByPath"] = "not needed"
    assert _read(deployed)[1]["data"]["model_introspection"] == introspection_of("data-rules")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"AMPLIFY_DATA_DEFAULT_NAME": None}, id="no name"),
        pytest.param({"AMPLIFY_DATA_DEFAULT_NAME": ""}, id="an empty name"),
        pytest.param({"AMPLIFY_DATA_DEFAULT_NAME": "-"}, id="a name without words"),
        pytest.param({"AMPLIFY_DATA_DEFAULT_NAME": "amplifyDataElse"}, id="another name"),
    ],
)
def test_without_the_name_all_parameters_are_looked_at(changes: dict[str, str | None]) -> None:
    """If the name leads nowhere, the only introspection below the path is taken, on any page."""
    deployed = _with_data(**changes)
    deployed.page_size = 1
    deployed.parameters |= {f"{REFERENCES}A_{number}": "x" for number in range(3)}
    assert _read(deployed)[1]["data"]["model_introspection"] == introspection_of("data-rules")


def test_of_several_apis_the_stacks_own_is_taken() -> None:
    """Without a name, the API with the endpoint of the stack's outputs is the one."""
    deployed = _with_data(AMPLIFY_DATA_DEFAULT_NAME=None)
    deployed.parameters |= {
        f"{REFERENCES}OTHER_API{BUCKET}": "another-bucket",
        f"{REFERENCES}OTHER_API{KEY}": "modelIntrospectionSchema.json",
        f"{REFERENCES}OTHER_API_GRAPHQL_ENDPOINT": "https://other.example.com/graphql",
    }
    assert _read(deployed)[1]["data"]["model_introspection"] == introspection_of("data-rules")
    deployed.set_outputs(awsAppsyncApiEndpoint="https://third.example.com/graphql")
    error = _refused(deployed, errors.ModelIntrospectionNotFoundError)
    assert "AMPLIFY_DATA, OTHER_API to choose from" in error.message


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({f"AMPLIFY_DATA{BUCKET}": None}, id="no bucket"),
        pytest.param({f"AMPLIFY_DATA{KEY}": None}, id="no key"),
        pytest.param({f"AMPLIFY_DATA{KEY}": ""}, id="an empty key"),
        pytest.param(
            {
                "AMPLIFY_DATA_DEFAULT_NAME": None,
                f"AMPLIFY_DATA{BUCKET}": None,
                f"AMPLIFY_DATA{KEY}": None,
            },
            id="nothing",
        ),
    ],
)
def test_a_missing_place_is_an_error(changes: dict[str, str | None]) -> None:
    """A backend that stored no introspection gives no file, and the error says what is missing."""
    error = _refused(_with_data(**changes), errors.ModelIntrospectionNotFoundError)
    assert error.exit_code == 3
    assert REFERENCES in error.message
    assert BUCKET in error.message
    assert "ampx generate outputs --stack amplify-demodatarules" in (error.resolution or "")


def test_a_stack_with_a_name_of_its_own_has_no_known_place() -> None:
    """The path in Parameter Store is made from the parts of Amplify's stack names."""
    deployed = Deployed.of("data-rules")
    deployed.stack["StackName"] = "my-own-name"
    error = _refused(deployed, errors.ModelIntrospectionNotFoundError)
    assert "my-own-name" in error.message
    other = stack_with(Storage=STORAGE)
    other.stack["StackName"] = "my-own-name"
    assert "storage" in _read(other)[1]


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        pytest.param(None, "ModelIntrospectionNotFoundError", "does not exist", id="missing"),
        pytest.param(b"<html>", "InvalidAmplifyOutputsError", "is not JSON", id="a web page"),
        pytest.param(b"\xff{}", "InvalidAmplifyOutputsError", "is not JSON", id="no text"),
        pytest.param(b"[]", "InvalidAmplifyOutputsError", "an object", id="a list"),
        pytest.param(b"{}", "ModelIntrospectionNotFoundError", "no models", id="no models"),
    ],
)
def test_a_wrong_object_is_an_error(content: bytes | None, error: str, words: str) -> None:
    """What is not a model introspection does not get into the file."""
    deployed = Deployed.of("data-rules")
    ((bucket, key),) = deployed.objects
    deployed.objects = {} if content is None else {(bucket, key): content}
    message = _refused(deployed, getattr(errors, error)).message
    assert f"s3://{bucket}/{key}" in message
    assert words in message


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        pytest.param("NoSuchBucket", 404, "ModelIntrospectionNotFoundError", id="no bucket"),
        pytest.param("InvalidObjectState", 403, "AWSError", id="another refusal"),
        pytest.param("SlowDown", 503, "ThrottledError", id="throttled"),
        pytest.param("InternalError", 500, "ServiceFailedError", id="a failure"),
    ],
)
def test_a_refusal_of_s3_is_an_error_of_aws(code: str, status: int, error: str) -> None:
    """It is the developer who was refused, and not a user: the exit code is that of AWS's errors."""
    deployed = Deployed.of("data-rules")
    replies = {**deployed.replies(), "GetObject": (code, "S3 says no", status)}
    with _served(deployed) as (aws, server):
        server.replies = replies
        stack = read_stack(aws, deployed.stack["StackName"])
        with pytest.raises(getattr(errors, error)) as caught:
            deployed_outputs(aws, stack)
    assert type(caught.value).__name__ == error
    assert "S3 says no" in f"{caught.value} {caught.value.__cause__}"


def test_the_developers_own_keys_sign_the_read_of_the_object() -> None:
    """Storage calls are signed as a user of the identity pool; this one is not."""
    deployed = Deployed.of(WITH_DATA[0])
    with _served(deployed) as (aws, server):
        deployed_outputs(aws, read_stack(aws, deployed.stack["StackName"]))
        (signature,) = [
            parameters["Authorization"] for name, parameters in server.calls if name == "GetObject"
        ]
    assert "Credential=test-key/" in signature


def test_the_developer_is_one_identity_without_groups() -> None:
    """The developer is neither a user of the pool nor a guest, and does not change during a call."""
    keys = Credentials("key", "secret")
    developer = DeveloperIdentity(lambda: keys)
    assert developer.bind().credentials(renew=True).credentials is keys
    assert developer.groups() is None  # type: ignore[func-returns-value]
