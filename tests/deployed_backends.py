"""Recorded backends, served as if they were deployed: CloudFormation, Parameter Store and S3."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from seedctl.local import LocalSandbox
from seedctl.outputs import parse_outputs
from seedctl.outputs.from_stack import outputs_document
from tests.fake_aws import FakeAWS
from tests.outputs.backends import BACKENDS, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.fake_aws import Reply

_RESPONSE = (
    '<{0}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><{0}Result>{1}'
    "</{0}Result></{0}Response>"
)


@dataclass
class Deployed:
    """What AWS has of one backend. A test changes it before it is served."""

    stack: dict[str, Any]
    metadata: str | None
    parameters: dict[str, str]
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    """AWS's message, by operation."""
    page_size: int = 10
    """How many parameters are in one page."""

    @classmethod
    def of(cls, name: str) -> Deployed:
        """Return the recorded backend *name*."""
        recorded = read(name, "stack.json")
        parameters = recorded["SsmParameters"]
        stack = recorded["DescribeStacks"]["Stacks"][0]
        deployed = cls(stack, recorded["GetTemplateSummary"]["Metadata"], parameters)
        for path, bucket in parameters.items():
            if path.endswith("_MODEL_INTROSPECTION_SCHEMA_BUCKET_NAME"):
                key = parameters[f"{path.removesuffix('BUCKET_NAME')}KEY"]
                file = BACKENDS / name / "synth" / "modelIntrospectionSchema.json"
                deployed.objects[bucket, key] = file.read_bytes()
        return deployed

    @property
    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack["Outputs"]}

    def set_outputs(self, **values: str | None) -> None:
        """Give the stack other outputs; None removes one."""
        merged = {**self.outputs, **values}
        self.stack["Outputs"] = [
            {"OutputKey": key, "OutputValue": value}
            for key, value in merged.items()
            if value is not None
        ]

    def rename(self, stack_name: str) -> None:
        """Let this be the backend of another stack."""
        old, new = (
            "/".join((parts[1], "-".join(parts[2:])))
            for parts in (name.split("-") for name in (self.stack["StackName"], stack_name))
        )
        self.stack["StackName"] = stack_name
        self.parameters = {
            path.replace(f"/{old}/", f"/{new}/"): value for path, value in self.parameters.items()
        }

    def serve(self) -> FakeAWS:
        """Return the server; to be used in a ``with`` block."""
        return FakeAWS(**self.replies())

    def replies(self) -> dict[str, Any]:
        """Return the replies for a ``FakeAWS``, by operation."""
        replies = {
            "DescribeStacks": self._describe,
            "GetTemplateSummary": self._summary,
            "GetObject": self._object,
            "GetParameters": self._some_parameters,
            "GetParametersByPath": self._parameters_by_path,
        }
        denials = {
            operation: ("AccessDenied", message, 403) for operation, message in self.denied.items()
        }
        return {**replies, **denials}

    def _missing(self, parameters: dict[str, Any]) -> Reply | None:
        name = parameters["StackName"]
        if name == self.stack["StackName"]:
            return None
        return "ValidationError", f"Stack with id {escape(name)} does not exist"

    def _describe(self, parameters: dict[str, Any]) -> Reply:
        stack = self.stack
        outputs = "".join(
            f"<member><OutputKey>{escape(key)}</OutputKey><OutputValue>{escape(value)}</OutputValue>"
            "</member>"
            for key, value in self.outputs.items()
        )
        reason = escape(stack.get("StackStatusReason", ""))
        inner = (
            f"<Stacks><member><StackName>{stack['StackName']}</StackName>"
            f"<CreationTime>{stack['CreationTime']}</CreationTime>"
            f"<StackStatus>{stack['StackStatus']}</StackStatus>"
            f"<StackStatusReason>{reason}</StackStatusReason>"
            f"<Outputs>{outputs}</Outputs></member></Stacks>"
        )
        return self._missing(parameters) or _RESPONSE.format("DescribeStacks", inner)

    def _summary(self, parameters: dict[str, Any]) -> Reply:
        metadata = f"<Metadata>{escape(self.metadata)}</Metadata>" if self.metadata else ""
        inner = f"<ResourceTypes/>{metadata}"
        return self._missing(parameters) or _RESPONSE.format("GetTemplateSummary", inner)

    def _object(self, parameters: dict[str, Any]) -> Reply:
        found = self.objects.get((parameters["Bucket"], parameters["Key"]))
        return found or ("NoSuchKey", "The specified key does not exist.", 404)

    def _some_parameters(self, parameters: dict[str, Any]) -> Reply:
        names = parameters["Names"]
        return {
            "Parameters": [self._parameter(name) for name in names if name in self.parameters],
            "InvalidParameters": [name for name in names if name not in self.parameters],
        }

    def _parameters_by_path(self, parameters: dict[str, Any]) -> Reply:
        path = parameters["Path"]
        names = sorted(name for name in self.parameters if name.startswith(path))
        start = int(parameters.get("NextToken", 0))
        end = start + self.page_size
        token = {"NextToken": str(end)} if end < len(names) else {}
        return {"Parameters": [self._parameter(name) for name in names[start:end]], **token}

    def _parameter(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Type": "String", "Value": self.parameters[name], "Version": 1}


@contextmanager
def serve_with_sandbox(deployed: Deployed, state_folder: Path) -> Iterator[FakeAWS]:
    """Serve *deployed*, and its users and secrets by the local sandbox."""
    document = outputs_document(deployed.outputs, json.loads(deployed.metadata or "{}"), None)
    outputs = parse_outputs(document, state_folder / "amplify_outputs.json")
    with (
        LocalSandbox.start(state_folder=state_folder, outputs=outputs) as sandbox,
        deployed.serve() as server,
    ):
        server.forward_to = sandbox.url
        yield server


def preview_backend(groups: Iterable[str]) -> Deployed:
    """Return the backend of pull request 12, in which users sign in with their e-mail address."""
    deployed = stack_with(
        Auth={
            "userPoolId": "us-east-1_Preview12",
            "webClientId": "1previewclient",
            "authRegion": "us-east-1",
            "signupAttributes": '["email"]',
            "usernameAttributes": '["email"]',
            "mfaConfiguration": "OFF",
            "groups": json.dumps([{group: {"precedence": 0}} for group in groups]),
        }
    )
    deployed.stack["StackName"] = "amplify-d1a2b3c4d5e6f7-pr12-branch-6199be1343"
    return deployed


def stack_with(**parts: dict[str, str]) -> Deployed:
    """Return a backend that no file describes: the outputs of each part of it, by the part's name."""
    stack = {
        "StackName": "amplify-myapp-ann-sandbox-a666e4d88d",
        "CreationTime": "2026-01-02T03:04:05Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [
            {"OutputKey": key, "OutputValue": value}
            for outputs in parts.values()
            for key, value in outputs.items()
        ],
    }
    metadata = {
        f"AWS::Amplify::{part}": {"version": "1", "stackOutputs": [*outputs]}
        for part, outputs in parts.items()
    }
    return Deployed(stack, json.dumps(metadata), {})
