"""``seedctl outputs`` against moto: a stack that CloudFormation itself has created."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto.server import ThreadedMotoServer

from tests.outputs.backends import introspection_of
from tests.running import CommandLine, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

STACK = "amplify-myapp-ann-sandbox-a666e4d88d"
BUCKET = "amplify-myapp-ann-modelintrospectionschema"
PATH = "/amplify/resource_reference/myapp/ann-sandbox-a666e4d88d/"
OUTPUTS = {
    "awsAppsyncApiEndpoint": "https://abc.example.com/graphql",
    "awsAppsyncRegion": "us-east-1",
    "awsAppsyncAuthenticationType": "API_KEY",
}
PARAMETERS = {
    "AMPLIFY_DATA_DEFAULT_NAME": "amplifyData",
    "AMPLIFY_DATA_MODEL_INTROSPECTION_SCHEMA_BUCKET_NAME": BUCKET,
    "AMPLIFY_DATA_MODEL_INTROSPECTION_SCHEMA_KEY": "modelIntrospectionSchema.json",
}


@pytest.fixture
def moto_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the backend, and select it by the environment."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "ann")
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def _template() -> dict[str, Any]:
    return {
        "Metadata": {"AWS::Amplify::GraphQL": {"version": "1", "stackOutputs": [*OUTPUTS]}},
        "Resources": {
            f"P{number}": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Name": PATH + name, "Value": value},
            }
            for number, (name, value) in enumerate(PARAMETERS.items())
        },
        "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
    }


def test_a_stack_of_moto_is_read(
    moto_url: str,
    _session: boto3.Session,  # noqa: PT019 - it has a value
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The stack, its parameters and the object in S3 are found as AWS's own services store them."""
    folder = make_project(tmp_path / "project", outputs=None)
    monkeypatch.chdir(folder)
    seedctl = CommandLine(capsys, monkeypatch)
    missing = seedctl("outputs", "--endpoint-url", moto_url)
    assert (missing.code, "[StackDoesNotExistError]" in missing.err) == (3, True), missing.err
    s3, cloudformation = (
        _session.client(service, region_name="us-east-1", endpoint_url=moto_url)
        for service in ("s3", "cloudformation")
    )
    cloudformation.create_stack(StackName=STACK, TemplateBody=json.dumps(_template()))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(
        Bucket=BUCKET,
        Key="modelIntrospectionSchema.json",
        Body=json.dumps(introspection_of("data-rules")),
    )
    result = seedctl("outputs", "--endpoint-url", moto_url)
    for client in (s3, cloudformation):
        client.close()
    assert result.code == 0, result.err
    document = json.loads((folder / "amplify_outputs.json").read_text(encoding="utf-8"))
    assert document["data"] == {
        "url": "https://abc.example.com/graphql",
        "aws_region": "us-east-1",
        "default_authorization_type": "API_KEY",
        "model_introspection": introspection_of("data-rules"),
    }
